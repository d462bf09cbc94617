"""What can be wrong with picture files: missing, unreadable, cut off, turned, of another size than annotated."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nanoedge.data.annotations import AnnotatedPicture, AnnotationSet, Problem
from nanoedge.data.picture_header import PictureHeader, read_grey, read_header
from nanoedge.errors import PictureError

Progress = Callable[[int, int], None]
GREY_SIDE = 32
_TELLS_NO_TURN = (2, 3, 4)  # EXIF orientations that leave width and height as they are


@dataclass(frozen=True, eq=False)
class Looked:
    """What was seen of a picture file: a header and a small grey copy, or why not."""

    header: PictureHeader | None = None
    grey: npt.NDArray[np.uint8] | None = None
    error: str = ""


def look_at(paths: Iterable[Path], decode: bool = True, progress: Progress | None = None) -> dict[Path, Looked]:
    """Open each picture once, on all CPUs.

    Args:
        paths: of the pictures; those that are missing are left out.
        decode: read them to their end; else only their headers.
        progress: called with (pictures done, pictures in all).
    """
    present = [path for path in dict.fromkeys(paths) if os.path.isfile(path)]

    def look(path: Path) -> Looked:
        try:
            if not decode:
                return Looked(read_header(path))
            header, grey = read_grey(path, GREY_SIDE)
            return Looked(header, grey)
        except PictureError as error:
            return Looked(error=str(error))

    looked: dict[Path, Looked] = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, seen in zip(present, pool.map(look, present), strict=True):
            looked[path] = seen
            if progress is not None:
                progress(len(looked), len(present))
    return looked


def picture_problems(found: AnnotationSet, looked: Mapping[Path, Looked]) -> Iterator[Problem]:
    """What is wrong with the files of a set's pictures."""
    for picture in found.pictures:
        if (problem := problem_of_picture(picture, looked.get(picture.path))) is not None:
            yield problem


def problem_of_picture(picture: AnnotatedPicture, looked: Looked | None) -> Problem | None:
    """The first thing that is wrong with a picture's file."""
    if not os.path.isfile(picture.path):
        message = f"{picture.name} is missing: there is no file {picture.path}"
        return _problem("missing-picture", picture, message, "Add the file, or take the picture out.", picture.file)
    if looked is None:
        return None
    if looked.header is None:
        kind = "truncated-picture" if "is cut off" in looked.error else "unreadable-picture"
        message = looked.error.removesuffix(".")
        cure = "Make it readable." if "Permission" in message else "Copy the file anew, or take it out."
        return _problem(kind, picture, message, cure, picture.path)
    return _size_problem(picture, looked.header)


def _size_problem(picture: AnnotatedPicture, header: PictureHeader) -> Problem | None:
    annotated, real = (picture.width, picture.height), (header.width, header.height)
    says = f"EXIF orientation {header.orientation}"
    if annotated == real:
        if header.orientation in _TELLS_NO_TURN or (header.orientation != 1 and real[0] == real[1]):
            return _problem(
                "exif-turn", picture, f"has {says}, and its size does not tell whether its boxes were drawn on the "
                "turned picture", "Look at it: nanoedge data preview. Boxes must refer to the turned picture.",
                picture.path, warning=True,
            )  # fmt: skip
        return None
    if 0 in annotated:
        return None
    if header.orientation != 1 and annotated == header.stored_size:
        return _problem(
            "exif-turn", picture, f"is annotated as {annotated[0]}x{annotated[1]}, as it is stored, but {says} "
            f"turns it to {real[0]}x{real[1]}", "Annotate the turned picture; --fix turns the boxes.", picture.path,
        )  # fmt: skip
    return _problem(
        "size-disagreement", picture, f"is {real[0]}x{real[1]} pixels, but is annotated as "
        f"{annotated[0]}x{annotated[1]}; the boxes may lie in the wrong place",
        "Annotate this file, or put back the one that was annotated. --fix mends what was only resized, or whose width "
        "and height were exchanged.",
        picture.path,
    )  # fmt: skip


def _problem(
    kind: str, picture: AnnotatedPicture, message: str, cure: str, file: Path, warning: bool = False
) -> Problem:
    return Problem(
        kind, "warning" if warning else "error", file, message, cure, id=picture.id, subject=picture,
        line=picture.line if file == picture.file else None, key=(kind, str(picture.path)),
    )  # fmt: skip
