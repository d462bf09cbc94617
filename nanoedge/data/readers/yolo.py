"""YOLO text: one file a picture with a line a box, `class cx cy w h` in shares of the picture's size.

Polygons (`class x1 y1 x2 y2 x3 y3 …`) become the box around them. A picture without a file is a negative.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nanoedge.config.documents import read_yaml
from nanoedge.data.annotations import AnnotatedBox, AnnotatedPicture, AnnotationSet, Corners, Problem
from nanoedge.data.picture_header import PictureHeader, read_header
from nanoedge.errors import ConfigError, DataError, PictureError
from nanoedge.pictures import PICTURE_SUFFIXES

_LARGEST_SHARE = 2.0  # a larger number is no share of the picture's size


def read_yolo_set(
    pictures: Sequence[Path],
    images: Path,
    classes: Sequence[str],
    split: str = "all",
    source: Path | None = None,
    settings: Mapping[str, Any] | None = None,
) -> AnnotationSet:
    """Read the text files of some pictures.

    Args:
        pictures: the picture files; their text files are where `label_file` says.
        images: the folder that the pictures' names are relative to.
        classes: in order.
        split: its name.
        source: where the split is written down, for messages; default: `images`.
        settings: what else `data.yaml` says; with its `kpt_shape` lines hold keypoints behind the box.
    """
    found = AnnotationSet("yolo", split, source or images, images, tuple(classes), attributes=dict(settings or {}))
    if source is not None and source.is_file():
        found.files.append(source)
    reader = _Reader(found, "kpt_shape" in found.attributes)
    for path in pictures:
        reader.read(path)
    return found


def read_names(path: Path) -> tuple[str, ...]:
    """The class names of a `data.yaml` (`names`, a list or a mapping from ids) or of a text file with a name a line.

    Raises:
        DataError: when there are none, or ids are missing.
    """
    if path.suffix.lower() not in (".yaml", ".yml"):
        lines = (line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines())
        return tuple(line for line in lines if line)
    names = read_data_yaml(path).get("names")
    if isinstance(names, dict):
        if sorted(names) != list(range(len(names))):
            raise DataError(f"{path}: names must have the ids 0 to {len(names) - 1}; it has {_some(names)}.")
        names = [names[number] for number in range(len(names))]
    if (
        not isinstance(names, list)
        or not names
        or not all(isinstance(name, str | int) and not isinstance(name, bool) for name in names)
    ):
        raise DataError(f"{path} needs names: the list of its classes.")
    return tuple(str(name) for name in names)


def read_data_yaml(path: Path) -> dict[str, Any]:
    """A `data.yaml`.

    Raises:
        DataError: when it cannot be read.
    """
    try:
        return read_yaml(path)
    except ConfigError as error:
        raise DataError(str(error).replace("The configuration ", "")) from error


def label_file(picture: Path, root: Path | None = None) -> Path:
    """Where a picture's text file lies: in `labels` in place of the last `images` of its path, else beside it.

    Args:
        picture: the picture file.
        root: the folder of the data set; what lies above it is not looked at.
    """
    below = picture.relative_to(root) if root is not None and picture.is_relative_to(root) else picture
    parts = list(below.parts)
    places = [number for number, part in enumerate(parts[:-1]) if part == "images"]
    if places:
        parts[places[-1]] = "labels"
        elsewhere = (root / Path(*parts) if below is not picture and root is not None else Path(*parts)).with_suffix(
            ".txt"
        )
        if elsewhere.is_file() or elsewhere.parent.is_dir():
            return elsewhere
    return picture.with_suffix(".txt")


class _Reader:
    """Takes one picture after the other into the set."""

    def __init__(self, target: AnnotationSet, keypoints: bool) -> None:
        self.set = target
        self.keypoints = keypoints

    def read(self, path: Path) -> None:
        """One picture and its text file."""
        labels = label_file(path, self.set.images)
        name = path.relative_to(self.set.images).as_posix()
        for file in (path, labels):
            if file.exists() and not file.resolve().is_relative_to(self.set.images.resolve()):
                problem = Problem(
                    "path-outside-folder", "error", path, f"{name} is a link that leads out of the folder: {file}",
                    "Copy the file into the folder.", id=path.stem, key=("path-outside-folder", str(path)),
                )  # fmt: skip
                self.set.problems.append(problem)
                return
        header: PictureHeader | None
        try:
            header = read_header(path)
        except PictureError:
            header = None  # the picture itself is the problem, and is reported as such
        width, height = (header.width, header.height) if header is not None else (0, 0)
        picture = AnnotatedPicture(len(self.set.pictures) + 1, name, path, width, height, labels)
        self.set.pictures.append(picture)
        if not labels.is_file():
            return
        self.set.files.append(labels)
        try:
            text = labels.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            self._problem("unreadable-annotation", picture, f"cannot be read: {error}", "Write it anew.")
            return
        for number, line in enumerate(text.splitlines(), 1):
            words = [word.rstrip(",") for word in line.split()] or []
            words = words if len(words) > 1 or "," not in line else line.split(",")
            if words:
                self._line(picture, number, words)

    def _line(self, picture: AnnotatedPicture, number: int, words: list[str]) -> None:
        values = [_number(word) for word in words]
        if any(value is None for value in values):
            bad = next(word for word, value in zip(words, values, strict=True) if value is None)
            self._malformed(picture, number, f"{bad!r} is no number")
            return
        kind, *shares = (value for value in values if value is not None)
        keypoints: list[float] = []
        if self.keypoints:
            shares, keypoints = shares[:4], shares[4:]
        if kind != int(kind) or kind < 0:
            self._malformed(picture, number, f"the class is no whole number: {words[0]}")
            return
        corners = _corners(shares)
        if corners is None:
            self._malformed(picture, number, f"it has {len(words)} numbers, not 5 (class cx cy w h) or a polygon's")
            return
        width, height = picture.width, picture.height
        if not width:
            return  # the picture could not be read
        in_pixels = max(abs(value) for value in shares) > _LARGEST_SHARE
        if not in_pixels:
            x1, y1, x2, y2 = corners
            corners = (x1 * width, y1 * height, x2 * width, y2 * height)
        place = int(kind) if int(kind) < len(self.set.classes) else None
        box = AnnotatedBox(
            picture, place, self.set.classes[place] if place is not None else str(int(kind)), corners,
            " ".join(words[1:5]), line=number,
            attributes={"polygon": shares} if len(shares) > 4 and not in_pixels else {},
        )  # fmt: skip
        if keypoints:
            box.attributes["keypoints"] = keypoints
        self.set.boxes.append(box)
        if in_pixels:
            message = f"holds pixels, not shares of the picture's size: {' '.join(words[1:5])}"
            cure = "Divide x by the picture's width and y by its height, as --fix does."
            self._problem("not-normalised", picture, message, cure, number, box)

    def _malformed(self, picture: AnnotatedPicture, number: int, message: str) -> None:
        self._problem("malformed-annotation", picture, message, "Correct or delete the line.", number)

    def _problem(
        self,
        kind: str,
        picture: AnnotatedPicture,
        message: str,
        cure: str,
        line: int | None = None,
        box: AnnotatedBox | None = None,
    ) -> None:
        key = (kind, str(picture.file), line)
        self.set.problems.append(
            Problem(kind, "error", picture.file, message, cure, line, picture.path.stem, box or picture, key)
        )


def _corners(shares: Sequence[float]) -> Corners | None:
    if len(shares) == 4:
        x, y, width, height = shares
        return x - width / 2, y - height / 2, x + width / 2, y + height / 2
    if len(shares) >= 6 and len(shares) % 2 == 0:
        return min(shares[::2]), min(shares[1::2]), max(shares[::2]), max(shares[1::2])
    return None


def _number(word: str) -> float | None:
    try:
        value = float(word)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _some(names: Iterable[Any]) -> str:
    return ", ".join(str(name) for name in list(names)[:10])


def pictures_below(folder: Path) -> list[Path]:
    """All picture files of a folder and its subfolders, by name."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file())
