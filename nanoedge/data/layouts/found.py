"""A split that was found in a folder, and what every layout needs to find one."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nanoedge.data.annotations import AnnotationSet, Format, Problem
from nanoedge.errors import DataError

DEPTH = 4  # folders below the given one that are searched
_USUAL = {"valid": "val", "validation": "val", "training": "train", "testing": "test", "dev": "val"}


@dataclass(frozen=True)
class FoundSet:
    """One split that can be read.

    Attributes:
        format: coco, voc or yolo.
        split: train, val, test, or as its file or folder is called.
        annotations: COCO's file, VOC's folder of XML files, YOLO's list of classes.
        reader: reads it as it stands; raises DataError when that is not possible at all.
        problems: what already the search found.
    """

    format: Format
    split: str
    annotations: Path
    reader: Callable[[], AnnotationSet]
    problems: tuple[Problem, ...] = ()

    def read(self) -> AnnotationSet:
        """The split as it stands.

        Raises:
            DataError: when it cannot be read at all.
        """
        found = self.reader()
        found.problems[:0] = self.problems
        return found


def split_name(text: str) -> str:
    """The usual name of a split: `instances_train2017` is train, `valid` is val."""
    words = [word for word in re.split(r"[^a-z0-9]+", text.lower()) if word]
    for word in words:
        plain = word.rstrip("0123456789")
        if plain in ("train", "val", "test", "trainval", "minival"):
            return plain
        if plain in _USUAL:
            return _USUAL[plain]
    return text.lower()


def folders_below(folder: Path, depth: int = DEPTH) -> Iterator[tuple[Path, list[str]]]:
    """Each folder with its file names, hidden ones left out."""
    base = len(folder.parts)

    def refuse(error: OSError) -> None:
        raise DataError(f"The folder {error.filename} cannot be read: {error.strerror or error}.") from error

    for place, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        path = Path(place)
        if len(path.parts) - base >= depth:
            folders.clear()
        yield path, sorted(name for name in files if not name.startswith("."))
