"""Frames as BGR."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from nanoedge.runtime.network import PIXEL_FORMATS
from nanoedge.video.pixels import bgr_of
from nanoedge.video.sources.base import Frame

BLUE, GREEN, RED = 180, 60, 90


@pytest.mark.parametrize("pixel_format", PIXEL_FORMATS)
def test_every_format_becomes_the_same_colour(pixel_format: str) -> None:
    picture = np.full((8, 12, 3), (BLUE, GREEN, RED), np.uint8)
    planes = cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420)
    luma, blue, red = planes[0, 0], planes[8, 0], planes[10, 0]
    nv12 = planes.copy()
    nv12[8:, 0::2], nv12[8:, 1::2] = blue, red
    yuyv = np.full((8, 12, 2), luma, np.uint8)
    yuyv[:, 0::2, 1], yuyv[:, 1::2, 1] = blue, red
    frames = {
        "bgr": picture,
        "rgb": picture[:, :, ::-1],
        "bgra": np.dstack([picture, np.full((8, 12), 255, np.uint8)]),
        "gray": cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY),
        "i420": planes,
        "nv12": nv12,
        "yuyv": yuyv,
    }
    frame = Frame(0, frames[pixel_format], pixel_format)  # type: ignore[arg-type]
    assert (frame.width, frame.height) == (12, 8)
    found = bgr_of(frame)
    expected = np.full((8, 12, 3), frames["gray"][0, 0], np.uint8) if pixel_format == "gray" else picture
    assert np.abs(found.astype(int) - expected).max() <= 3
