"""Checking a whole folder: all formats and splits, each defect once."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nanoedge.config.schema import Config
from nanoedge.data.annotations import AnnotationSet, Problem, without_unions
from nanoedge.data.boxes import box_problems
from nanoedge.data.check.classes import class_problems
from nanoedge.data.check.duplicates import duplicate_boxes
from nanoedge.data.check.leakage import leaks
from nanoedge.data.check.network import unlearnable_boxes
from nanoedge.data.check.pictures import look_at, picture_problems
from nanoedge.data.check.strays import stray_files
from nanoedge.data.folder import find_sets, what_is_looked_for
from nanoedge.data.layouts import FoundSet
from nanoedge.errors import DataError, InputError

Progress = Callable[[int, int], None]
SEVERITIES = ("error", "warning", "info")


@dataclass(frozen=True, eq=False)
class CheckResult:
    """What was read and what is wrong with it, errors first."""

    folder: Path
    sets: tuple[AnnotationSet, ...]
    problems: tuple[Problem, ...]

    @property
    def passed(self) -> bool:
        """Whether no error stands."""
        return all(problem.severity != "error" for problem in self.problems)

    def as_json(self) -> dict[str, Any]:
        """The contract's document."""
        return {"problems": [problem.as_json() for problem in self.problems]}


def check_folder(
    folder: Path, config: Config, format: str | None = None, progress: Progress | None = None
) -> CheckResult:
    """Check every annotation set of a folder.

    Args:
        folder: of the data set; formats and splits are found by themselves.
        config: whose input size and head decide which boxes are too small or too large.
        format: coco, voc or yolo; `None` checks all that are there.
        progress: called with (pictures done, pictures in all).

    Raises:
        InputError: when the folder does not exist or holds no annotations.
    """
    found = find_sets(folder, format)
    if not found:
        raise InputError(f"{folder} holds no annotations that can be read: {what_is_looked_for(format)}")
    sets, problems = read_all(found)
    lost = {place.format for place in found if all(each.source != place.annotations for each in sets)}
    problems += problems_of(sets, config, progress, lost)
    return CheckResult(folder, tuple(sets), tuple(each_once(problems)))


def read_all(found: Iterable[FoundSet]) -> tuple[list[AnnotationSet], list[Problem]]:
    """Read splits; one that cannot be read at all becomes a problem."""
    sets: list[AnnotationSet] = []
    problems: list[Problem] = []
    for place in found:
        try:
            sets.append(place.read())
        except DataError as error:
            message = str(error).removeprefix(f"{place.annotations}: ").removesuffix(".")
            problems.append(
                Problem(
                    "unreadable-annotations", "error", place.annotations, message,
                    "Export the annotations anew.", key=("unreadable-annotations", str(place.annotations)),
                )
            )  # fmt: skip
    return sets, problems


def problems_of(
    sets: Sequence[AnnotationSet],
    config: Config,
    progress: Progress | None = None,
    incomplete: Collection[str] = (),
) -> list[Problem]:
    """Everything that can be wrong with splits, their pictures read to the end."""
    looked = look_at((picture.path for found in sets for picture in found.pictures), progress=progress)
    problems = annotation_problems(sets, config, incomplete)
    for found in sets:
        problems += picture_problems(found, looked)
    for format in dict.fromkeys(found.format for found in sets):
        problems += leaks(without_unions([found for found in sets if found.format == format]), looked)
    return problems


def annotation_problems(
    sets: Sequence[AnnotationSet], config: Config, incomplete: Collection[str] = ()
) -> list[Problem]:
    """What the annotations alone show, without opening a picture.

    Args:
        sets: the splits.
        config: whose input size and head decide which boxes are too small or too large.
        incomplete: formats of which a split could not be read: nothing is said of what may only seem to be missing.
    """
    problems: list[Problem] = []
    for found in sets:
        own = list(found.problems)
        if not found.pictures and not any(problem.kind == "missing-split" for problem in found.problems):
            message = f"the split {found.split} has no pictures"
            own.append(Problem("empty-set", "error", found.source, message, "Add some, or take the split out."))
        own += [*box_problems(found), *duplicate_boxes(found), *unlearnable_boxes(found, config)]
        problems += numbered(own)
    for format in dict.fromkeys(found.format for found in sets):
        alike = [found for found in sets if found.format == format]
        if format not in incomplete and all(map(_is_whole, alike)):
            parts = without_unions(alike)
            problems += class_problems(parts)
            problems += stray_files(parts)
    return problems


def _is_whole(found: AnnotationSet) -> bool:
    """Whether nothing of a split is missing whose absence would look like other defects."""
    return bool(found.pictures) and not any(
        problem.severity == "error" and problem.subject is None and problem.kind != "missing-split"
        for problem in found.problems
    )


def numbered(problems: Iterable[Problem]) -> list[Problem]:
    """The problems of one set, those that are alike told apart: two equal boxes of no size are two defects."""
    counts: Counter[Any] = Counter()
    told_apart = []
    for problem in problems:
        key = problem.key or (problem.kind, str(problem.file), problem.line, problem.id, problem.message)
        counts[key] += 1
        told_apart.append(dataclasses.replace(problem, key=(*key, counts[key])))
    return told_apart


def each_once(problems: Iterable[Problem]) -> list[Problem]:
    """Errors first, then as found; what several sets show is kept where it was seen first."""
    unique: dict[Any, Problem] = {}
    for problem in problems:
        unique.setdefault(problem.key or (problem.kind, str(problem.file), problem.line, problem.id), problem)
    return sorted(unique.values(), key=lambda problem: SEVERITIES.index(problem.severity))
