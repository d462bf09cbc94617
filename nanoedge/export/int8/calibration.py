"""Which pictures the ranges are measured on, and which ones show how much int8 changes the outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nanoedge.config.interface import InputSpec
from nanoedge.errors import InputError, PictureError
from nanoedge.evaluation.evaluate import Progress
from nanoedge.pictures import list_pictures, read_picture
from nanoedge.runtime.preprocess import to_tensor

KEPT_APART = 5
"""Every fifth picture is kept apart."""
ENOUGH_TO_KEEP_APART = 10
MOST_MEASURED = 40
MOST_NAMED = 5


@dataclass(frozen=True)
class Calibration:
    """Pictures that can all be read.

    Attributes:
        for_ranges: the network's ranges are measured on these.
        for_errors: int8 outputs are compared with float outputs on these.
        skipped: pictures that could not be read.
    """

    for_ranges: tuple[Path, ...]
    for_errors: tuple[Path, ...]
    skipped: tuple[Path, ...] = ()

    @property
    def is_kept_apart(self) -> bool:
        """Whether errors are measured on other pictures than ranges; not where there are fewer than ten."""
        return not set(self.for_ranges) & set(self.for_errors)


def choose_calibration(
    folder: Path, count: int, say: Callable[[str], None] = lambda text: None, progress: Progress | None = None
) -> Calibration:
    """Pictures of a folder, evenly spread over their names: the same folder always gives the same ones.

    Args:
        folder: its subfolders are not searched.
        count: at most so many.
        say: receives a sentence for what is missing or cannot be read.
        progress: called with (pictures read, pictures in all).

    Raises:
        InputError: when the folder does not exist, has no pictures, or none that can be read.
    """
    files = _spread(pictures_of(folder), count)
    if len(files) < count:
        say(f"{folder} has {_counted(len(files))}, fewer than the {count} asked for; all of them are used")
    readable, problems = [], []
    for number, file in enumerate(files, start=1):
        try:
            read_picture(file)
            readable.append(file)
        except PictureError as error:
            problems.append((file, str(error)))
        if progress is not None:
            progress(number, len(files))
    if not readable:
        raise InputError(f"None of the {_counted(len(files))} of {folder} can be read. {problems[0][1]}")
    for _, sentence in problems[:MOST_NAMED]:
        say(f"{sentence} It is skipped.")
    if len(problems) > MOST_NAMED:
        say(f"{len(problems) - MOST_NAMED} more pictures of {folder} cannot be read and are skipped")
    skipped = tuple(file for file, _ in problems)
    if len(readable) < ENOUGH_TO_KEEP_APART:
        return Calibration(tuple(readable), tuple(readable), skipped)
    apart = readable[KEPT_APART - 1 :: KEPT_APART]
    rest = [file for number, file in enumerate(readable, start=1) if number % KEPT_APART]
    return Calibration(tuple(rest), tuple(_spread(apart, MOST_MEASURED)), skipped)


def pictures_of(folder: Path) -> list[Path]:
    """The picture files of a calibration folder, by name; none is opened.

    Raises:
        InputError: when there are none.
    """
    if not folder.is_dir():
        raise InputError(f"The folder {folder} does not exist; --calibration takes a folder of pictures.")
    files = list_pictures(folder)
    if not files:
        raise InputError(
            f"The folder {folder} has no pictures (.jpg, .png, …) in it, and subfolders are not searched; "
            "--calibration takes a folder of pictures."
        )
    return files


def tensors_of(
    files: Sequence[Path], spec: InputSpec, progress: Progress | None = None
) -> Iterator[npt.NDArray[np.float32]]:
    """The network's input for each picture, float32 [1, 3, height, width], as every engine prepares it."""
    for number, file in enumerate(files, start=1):
        yield to_tensor(read_picture(file), spec)[0]
        if progress is not None:
            progress(number, len(files))


def _spread(files: Sequence[Path], count: int) -> list[Path]:
    """At most `count` of them, in equal steps."""
    if len(files) <= count:
        return list(files)
    return [files[number * len(files) // count] for number in range(count)]


def _counted(number: int) -> str:
    return "1 picture" if number == 1 else f"{number} pictures"
