"""What is asked of a camera."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from nanoedge.errors import InputError

CameraFormat = Literal["mjpeg", "yuyv", "i420", "nv12"]


@dataclass(frozen=True)
class CameraMode:
    """Size, rate and pixel format; `None` leaves it to the camera or to a source's default.

    Attributes:
        width: pixels.
        height: pixels.
        rate: frames a second.
        pixel_format: what travels from the camera.
    """

    width: int | None = None
    height: int | None = None
    rate: float | None = None
    pixel_format: CameraFormat | None = None

    def filled_from(self, other: CameraMode) -> CameraMode:
        """What is not said here is taken from another mode; width and height together."""
        sized = self if self.width is not None else replace(self, width=other.width, height=other.height)
        return replace(
            sized,
            rate=other.rate if sized.rate is None else sized.rate,
            pixel_format=other.pixel_format if sized.pixel_format is None else sized.pixel_format,
        )


ANY_MODE = CameraMode()


def size_from_text(text: str) -> tuple[int, int]:
    """(width, height) of `640x480`.

    Raises:
        InputError: when it is written otherwise.
    """
    found = re.fullmatch(r"(\d{2,5})[xX](\d{2,5})", text.strip())
    if found is None:
        raise InputError(f"{text!r} is no size; write WIDTHxHEIGHT, such as 640x480.")
    return int(found[1]), int(found[2])
