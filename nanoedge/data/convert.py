"""From one annotation format to another, saying what is lost on the way."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nanoedge.data.annotations import FORMATS, AnnotationSet, Format, without_unions
from nanoedge.data.boxes import DROPPABLE, problem_of_box
from nanoedge.data.folder import find_sets, what_is_looked_for
from nanoedge.data.writers import WRITERS
from nanoedge.data.writers.place import copy_pictures, place_pictures
from nanoedge.errors import DataError, InputError
from nanoedge.files import folder_in_the_making

Progress = Callable[[int, int], None]
MARKER = "nanoedge-data.json"


@dataclass(frozen=True)
class Conversion:
    """What was written, and what the new format has no place for.

    Attributes:
        out: the new folder.
        format: of the new annotations.
        splits: name to numbers of pictures and boxes.
        losses: sentences; empty when nothing was lost.
    """

    out: Path
    format: Format
    splits: dict[str, tuple[int, int]]
    losses: tuple[str, ...]

    def rows(self) -> list[tuple[str, int, int]]:
        """Each split's name, pictures and boxes."""
        return [(name, *counts) for name, counts in self.splits.items()]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        splits = {name: {"pictures": pictures, "boxes": boxes} for name, pictures, boxes in self.rows()}
        return {"out": str(self.out), "format": self.format, "splits": splits, "losses": list(self.losses)}


def convert_folder(
    folder: Path,
    to: str,
    out: Path,
    source: str | None = None,
    val_share: float = 0.0,
    link: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> Conversion:
    """Read all splits of a folder and write them, with their pictures, in another format.

    Args:
        folder: of the data set.
        to: coco, voc or yolo.
        out: the new folder.
        source: the format to read where the folder holds several.
        val_share: of the only split's pictures that become `val`; the others become `train`.
        link: hard links to the pictures instead of copies.
        force: replace an earlier conversion in `out`.
        progress: called with (pictures copied, pictures in all).

    Raises:
        InputError: an unknown format, several formats to read, nothing to read, a split that cannot be split.
        DataError: the annotations hold an error; `nanoedge data check` lists all, its `--fix` mends most.
    """
    format = known_format(to)
    refuse_overlap(folder, out)
    sets = read_one_format(folder, source)
    for found in sets:
        refuse_errors(found, folder)
    if val_share:
        sets = split_off(sets, val_share)
    return write_sets(sets, format, out, link, force, progress)


def refuse_overlap(source: Path, out: Path) -> None:
    """The original must stay: the new folder lies neither in it nor around it.

    Raises:
        InputError: when it does.
    """
    old, new = source.resolve(), out.resolve()
    if old == new or old in new.parents or new in old.parents:
        raise InputError(f"{out} and the data in {source} lie in each other; choose a folder beside it.")


def known_format(name: str) -> Format:
    """A format's name, checked.

    Raises:
        InputError: when it is unknown.
    """
    for format in FORMATS:
        if name == format:
            return format
    raise InputError(f"The format {name!r} is unknown; there are {', '.join(FORMATS)}.")


def read_one_format(folder: Path, source: str | None = None) -> list[AnnotationSet]:
    """All splits of a folder in one format.

    Raises:
        InputError: when there is none, or several formats and none is chosen.
    """
    found = find_sets(folder, source)
    if not found:
        raise InputError(f"{folder} holds no annotations that can be read: {what_is_looked_for(source)}")
    formats = list(dict.fromkeys(each.format for each in found))
    if len(formats) > 1:
        raise InputError(f"{folder} holds {' and '.join(formats)} annotations; choose with --format {formats[0]}.")
    sets = [each.read() for each in found]
    names = [each.split for each in sets]
    if doubled := {name for name in names if names.count(name) > 1}:
        raise InputError(f"{folder} has several sets named {', '.join(sorted(doubled))}; keep one of each.")
    return sets


def refuse_errors(found: AnnotationSet, folder: Path) -> None:
    """Stop at the first error: a conversion must not change what annotations mean.

    Raises:
        DataError: names it and the command that lists all.
    """
    problems = [problem for problem in found.problems if problem.severity == "error"]
    checked = (problem_of_box(box, found) for box in found.boxes)
    problems += [problem for problem in checked if problem is not None and problem.kind in DROPPABLE]
    unread = [picture for picture in found.pictures if not (picture.width and picture.height)]
    if problems:
        more = f" ({len(problems)} errors in all)" if len(problems) > 1 else ""
        raise DataError(f"{problems[0].sentence}{more} See them: nanoedge data check {folder}; --fix mends most.")
    if unread:
        raise DataError(
            f"The size of the picture {unread[0].path} is not known, because it cannot be read ({len(unread)} such). "
            f"See: nanoedge data check {folder}."
        )


def split_off(sets: Sequence[AnnotationSet], share: float) -> list[AnnotationSet]:
    """The only split as `train` and `val`; which pictures are which depends on their names alone.

    Raises:
        InputError: when there are several splits, or too few pictures.
    """
    if not 0 < share < 1:
        raise InputError(f"--val must lie between 0 and 1, not {share}.")
    if len(sets) > 1:
        raise InputError(f"The data have splits already ({', '.join(found.split for found in sets)}); leave out --val.")
    (whole,) = sets
    names = sorted(picture.name for picture in whole.pictures)
    count = round(share * len(names))
    if not 0 < count < len(names):
        raise InputError(f"{len(names)} pictures cannot be split with --val {share}.")
    chosen = {names[number] for number in np.random.default_rng(0).permutation(len(names))[:count]}
    parts = []
    for split, wanted in (("train", False), ("val", True)):
        pictures = [picture for picture in whole.pictures if (picture.name in chosen) == wanted]
        own = {id(picture) for picture in pictures}
        boxes = [box for box in whole.boxes if id(box.picture) in own]
        parts.append(
            AnnotationSet(
                whole.format, split, whole.source, whole.images, whole.classes, pictures, boxes,
                files=whole.files, attributes=whole.attributes, categories=whole.categories,
            )
        )  # fmt: skip
    return parts


def write_sets(
    sets: Sequence[AnnotationSet],
    format: Format,
    out: Path,
    link: bool = False,
    force: bool = False,
    progress: Progress | None = None,
    lost_before: Sequence[str] = (),
) -> Conversion:
    """Write splits and pictures into a new folder, whole or not at all; `lost_before` is said with what is lost now."""
    _refuse_names(sets)
    losses = list(lost_before)
    if format == "yolo":
        parts = without_unions(sets)
        kept = [found for found in sets if found in parts or found.split in ("train", "val", "test")]
        if left := [found.split for found in sets if found not in kept]:
            losses.append(f"the split {', '.join(left)}, which only puts others together")
        sets = kept
    places, renamed = place_pictures(sets, format)
    with folder_in_the_making(out, force, MARKER, "a data set written by NanoEdge") as making:
        missing = copy_pictures(places, making, link, progress)
        losses += renamed + WRITERS[format](sets, making, places)
        if missing:
            losses.append(f"{missing} pictures, whose files are missing")
        splits = {found.split: (len(found.pictures), _written(found, format)) for found in sets}
        result = Conversion(out, format, splits, tuple(losses))
        (making / MARKER).write_text(json.dumps(result.as_json(), indent=2, ensure_ascii=False) + "\n", "utf-8")
    return result


def _refuse_names(sets: Sequence[AnnotationSet]) -> None:
    """Names that a text file cannot hold: control characters, and bytes that are no UTF-8."""
    names = [(name, "class", str(found.source)) for found in sets for name in found.classes]
    names += [(picture.name, "picture", str(picture.file)) for found in sets for picture in found.pictures]
    for name, what, place in names:
        if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
            raise DataError(
                f"{place}: the name of the {what} {name!a} holds a control character or is not UTF-8, which "
                "annotation files cannot write; rename it."
            )


def _written(found: AnnotationSet, format: Format) -> int:
    """Boxes that the format has a place for."""
    return sum(not box.crowd for box in found.boxes) if format != "coco" else len(found.boxes)
