"""What is asked of a camera."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

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
