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
from nanoedge.pictures import Picture, list_pictures, opencv, read_picture
from nanoedge.runtime.preprocess import to_tensor

KEPT_APART = 5
"""Every fifth picture is kept apart."""
ENOUGH_TO_KEEP_APART = 10
MOST_MEASURED = 40
MOST_NAMED = 5
LEAST_CONTRAST = 4.0
"""A picture whose grey levels spread less in every channel (standard deviation) is of one colour: an empty frame, or a
camera's noise in the dark. The flattest of 664 real pictures (COCO, BCCD) has 16.7.

Measured with NanoDet-Plus-m 320 on 80 pictures of COCO: int8 has an AP of 0.21 when its ranges are those of one grey
picture, 0.20 when noise of three grey levels lies on it, 0.27 with ten pictures of ten greys, but 0.29 with a single
real picture, as with five or twenty. So what a picture shows decides, not how many there are. The error of the outputs
cannot tell: on the grey picture itself it is 2 %, far within its limit.
"""


@dataclass(frozen=True)
class Calibration:
    """Pictures that can all be read and show something.

    Attributes:
        for_ranges: the network's ranges are measured on these.
        for_errors: int8 outputs are compared with float outputs on these.
        skipped: pictures that cannot be read, or are of one colour.
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
        say: receives a sentence for what is missing or cannot be used.
        progress: called with (pictures read, pictures in all).

    Raises:
        InputError: when the folder does not exist, has no pictures, or none that can be used.
    """
    files = _spread(pictures_of(folder), count)
    if len(files) < count:
        say(f"{folder} has {_counted(len(files))}, fewer than the {count} asked for; all of them are used")
    usable, problems = [], []
    for number, file in enumerate(files, start=1):
        problem = _problem_of(file)
        if problem:
            problems.append((file, problem))
        else:
            usable.append(file)
        if progress is not None:
            progress(number, len(files))
    if not usable:
        raise InputError(
            f"None of the {_counted(len(files))} of {folder} can be used. {problems[0][1]} Give pictures like those "
            "that the network will see."
        )
    for _, sentence in problems[:MOST_NAMED]:
        say(f"{sentence} It is skipped.")
    if len(problems) > MOST_NAMED:
        say(f"{len(problems) - MOST_NAMED} more pictures of {folder} cannot be used and are skipped")
    skipped = tuple(file for file, _ in problems)
    if len(usable) < ENOUGH_TO_KEEP_APART:
        return Calibration(tuple(usable), tuple(usable), skipped)
    apart = usable[KEPT_APART - 1 :: KEPT_APART]
    rest = [file for number, file in enumerate(usable, start=1) if number % KEPT_APART]
    return Calibration(tuple(rest), tuple(_spread(apart, MOST_MEASURED)), skipped)


def _problem_of(file: Path) -> str:
    """Why a picture cannot calibrate, as a sentence; empty when it can."""
    try:
        picture = read_picture(file)
    except PictureError as error:
        return str(error)
    if _contrast(picture) < LEAST_CONTRAST:
        return f"{file} is of one colour: it does not show what values the network takes."
    return ""


def _contrast(picture: Picture) -> float:
    """The largest standard deviation of a channel, in grey levels 0 to 255."""
    _, deviations = opencv().meanStdDev(picture)
    return float(deviations.max())


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
