"""The part of the check that a training does first: what annotations and picture headers show within seconds."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence

import numpy as np

from nanoedge.config.schema import Config
from nanoedge.data.annotations import AnnotationSet, Problem
from nanoedge.data.check.pictures import look_at, problem_of_picture
from nanoedge.data.check.report import annotation_problems, each_once
from nanoedge.errors import DataError

MOST_HEADERS = 2000  # pictures whose headers are read; of more, as many at random


def quick_check(sets: Sequence[AnnotationSet], config: Config) -> list[Problem]:
    """Warnings worth saying before the first epoch.

    Args:
        sets: the splits of the run, read already: their annotations hold no error that stops a training.
        config: of the run.

    Raises:
        DataError: when a picture is missing, unreadable, turned or of another size than annotated.
    """
    pictures = [picture for found in sets for picture in found.pictures]
    if len(pictures) > MOST_HEADERS:
        chosen = np.random.default_rng(0).choice(len(pictures), MOST_HEADERS, replace=False)
        pictures = [pictures[number] for number in sorted(chosen)]
    looked = look_at((picture.path for picture in pictures), decode=False)
    warnings = _shared_pictures(sets)
    for known in annotation_problems(sets, config):
        if known.severity != "error":
            warnings.append(known)
        elif known.kind == "split-without-boxes":  # nothing is learned, or nothing measured
            warnings.append(dataclasses.replace(known, severity="warning"))
    for picture in pictures:
        problem = problem_of_picture(picture, looked.get(picture.path))
        if problem is not None and problem.severity == "error":
            raise DataError(problem.sentence)
        if problem is not None:
            warnings.append(problem)
    return each_once(warnings)


def _shared_pictures(sets: Sequence[AnnotationSet]) -> list[Problem]:
    """Pictures of the last set, which is measured on, that are in the first, which is learned from."""
    first, last = ({os.path.realpath(picture.path) for picture in found.pictures} for found in (sets[0], sets[-1]))
    if len(sets) < 2 or not (shared := first & last):
        return []
    message = f"{len(shared)} of {len(last)} validation pictures are training pictures too"
    cure = "What is measured on them says nothing of new pictures: choose another split for data.val."
    return [Problem("leak", "warning", sets[-1].source, message, cure)]


def summary(problems: Sequence[Problem]) -> list[str]:
    """One line a kind of problem: how many, and the first."""
    lines = []
    for kind in dict.fromkeys(problem.kind for problem in problems):
        alike = [problem for problem in problems if problem.kind == kind]
        first = alike[0]
        more = f" ({len(alike)} such)" if len(alike) > 1 else ""
        lines.append(f"{first.severity}: {kind}{more}: {first.message}. {first.cure}")
    return lines
