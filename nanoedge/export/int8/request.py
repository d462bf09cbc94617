"""What an int8 file is asked with, checked before any work begins."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nanoedge.errors import InputError

CALIBRATION_IMAGES = 200
MAX_DROP = 0.005


@dataclass(frozen=True)
class Truth:
    """True boxes that AP is measured with.

    Attributes:
        annotations: COCO JSON.
        images: folder that its file names are relative to.
        max_drop: int8 is left out when its AP is lower than float's by more than this, a fraction 0..1.
    """

    annotations: Path
    images: Path
    max_drop: float = MAX_DROP


@dataclass(frozen=True)
class Int8Request:
    """An int8 file is wanted.

    Attributes:
        calibration: folder of pictures that the ranges are measured on.
        calibration_images: how many of them to take at most.
        truth: `None` where AP is not to be measured.
    """

    calibration: Path
    calibration_images: int = CALIBRATION_IMAGES
    truth: Truth | None = None


def int8_request(
    int8: bool,
    calibration: Path | None = None,
    calibration_images: int | None = None,
    annotations: Path | None = None,
    images: Path | None = None,
    max_drop: float | None = None,
) -> Int8Request | None:
    """The request that these options of `nanoedge export` make; `None` without `--int8`.

    Raises:
        InputError: for an option that needs another one, or a number out of range; it is named.
    """
    given = {
        "--calibration": calibration,
        "--calibration-images": calibration_images,
        "--annotations": annotations,
        "--images": images,
        "--max-drop": max_drop,
    }
    if not int8:
        for option, value in given.items():
            if value is not None:
                raise InputError(f"{option} is about int8: add --int8, or leave {option} out.")
        return None
    if calibration is None:
        raise InputError(
            "--int8 needs pictures to measure the network's ranges on: give --calibration DIR, a folder of some "
            "hundred pictures like those that the network will see."
        )
    count = CALIBRATION_IMAGES if calibration_images is None else calibration_images
    if count < 1:
        raise InputError(f"--calibration-images must be at least 1, not {count}.")
    return Int8Request(calibration, count, _truth(annotations, images, max_drop))


def _truth(annotations: Path | None, images: Path | None, max_drop: float | None) -> Truth | None:
    if max_drop is not None and not 0 <= max_drop <= 1:
        raise InputError(f"--max-drop is a difference of AP between 0 and 1, not {max_drop:g}.")
    if annotations is None and images is None:
        if max_drop is not None:
            raise InputError(
                "--max-drop needs true boxes to measure AP with: give --annotations FILE and --images DIR."
            )
        return None
    if images is None:
        raise InputError("--annotations needs --images DIR, the folder that its file names are relative to.")
    if annotations is None:
        raise InputError("--images needs --annotations FILE, COCO JSON with the true boxes of its pictures.")
    return Truth(annotations, images, MAX_DROP if max_drop is None else max_drop)
