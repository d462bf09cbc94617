"""Frames as BGR pictures, for what is drawn, written or shown."""

from __future__ import annotations

import numpy as np

from nanoedge.pictures import Picture, opencv
from nanoedge.video.sources.base import Frame

_CONVERSIONS = {
    "rgb": "COLOR_RGB2BGR",
    "bgra": "COLOR_BGRA2BGR",
    "gray": "COLOR_GRAY2BGR",
    "i420": "COLOR_YUV2BGR_I420",
    "nv12": "COLOR_YUV2BGR_NV12",
    "yuyv": "COLOR_YUV2BGR_YUYV",
}


def bgr_of(frame: Frame) -> Picture:
    """uint8 [height, width, 3], BGR; the frame's own memory where it is BGR already."""
    if frame.pixel_format == "bgr":
        return frame.picture
    cv2 = opencv()
    conversion = getattr(cv2, _CONVERSIONS[frame.pixel_format])
    converted: Picture = cv2.cvtColor(np.ascontiguousarray(frame.picture), conversion)
    return converted
