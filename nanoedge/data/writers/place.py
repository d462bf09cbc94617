"""Where pictures come to lie in each format, and copying them there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from nanoedge.data.annotations import AnnotatedPicture, AnnotationSet, Format
from nanoedge.errors import NanoEdgeError

Progress = Callable[[int, int], None]
_FOLDERS: dict[Format, str] = {"coco": "images", "voc": "JPEGImages", "yolo": "images"}


@dataclass(frozen=True)
class Placed:
    """A picture's new place.

    Attributes:
        file: relative to the new folder.
        name: as the annotations name it, relative to the format's picture folder.
    """

    file: PurePosixPath
    name: str

    @property
    def stem(self) -> str:
        """The name without its suffix."""
        return str(PurePosixPath(self.name).with_suffix(""))


def place_pictures(sets: Sequence[AnnotationSet], format: Format) -> tuple[dict[tuple[str, Path], Placed], list[str]]:
    """A place for each split's pictures; two files never share one.

    COCO keeps its own names, VOC has one flat folder, YOLO a folder a split. Names are changed only where two pictures
    would collide (VOC and YOLO: also where only their suffixes differ, because annotations are named after them).

    Args:
        sets: the splits.
        format: whose folders are used.

    Returns:
        (split, path) to its place, and a sentence if pictures were renamed.
    """
    places: dict[tuple[str, Path], Placed] = {}
    taken: dict[str, Path] = {}
    last_number: dict[str, int] = {}
    renamed = 0
    for found in sets:
        base = f"{_FOLDERS[format]}/{found.split}" if format == "yolo" else _FOLDERS[format]
        for picture in found.pictures:
            name = _own_name(picture, found) if format == found.format == "coco" else PurePosixPath(picture.name).name
            wanted, first = name, _slot(base, name, format)
            while taken.setdefault(_slot(base, wanted, format), picture.path) != picture.path:
                number = last_number[first] = last_number.get(first, 1) + 1
                plain = PurePosixPath(name)
                wanted = str(plain.with_name(f"{plain.stem}-{number}{plain.suffix}"))
            renamed += wanted != name
            places[found.split, picture.path] = Placed(PurePosixPath(base) / wanted, wanted)
    if renamed:
        return places, [f"{renamed} pictures have new names, because two had the same"]
    return places, []


def _own_name(picture: AnnotatedPicture, found: AnnotationSet) -> str:
    """The picture's name below its folder, without any way around."""
    path, folder = Path(os.path.normpath(picture.path)), Path(os.path.normpath(found.images))
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name


def _slot(base: str, name: str, format: Format) -> str:
    """What must be unique: the file, and where annotations are named after it, its stem; case does not count."""
    return f"{base}/{name if format == 'coco' else PurePosixPath(name).stem}".lower()


def copy_pictures(
    places: Mapping[tuple[str, Path], Placed], folder: Path, link: bool = False, progress: Progress | None = None
) -> int:
    """Copy each picture to its place, or make hard links; gives how many were missing.

    Raises:
        NanoEdgeError: when a file cannot be read or the disk is full; names the file.
    """
    wanted = {placed.file: path for (_, path), placed in places.items()}
    missing = 0
    for done, (file, path) in enumerate(wanted.items(), 1):
        target = folder / file
        if not target.resolve().is_relative_to(folder.resolve()):
            raise NanoEdgeError(f"The picture {path} would be written outside the new folder, as {file}.")
        if not path.is_file():
            missing += 1
            continue
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if link:
                os.link(path.resolve(), target)
            else:
                shutil.copyfile(path, target)
        except OSError as error:
            hint = " Hard links need the same disk; leave out --link." if link else ""
            raise NanoEdgeError(f"The picture {path} cannot be copied: {error.strerror or error}.{hint}") from error
        if progress is not None:
            progress(done, len(wanted))
    return missing
