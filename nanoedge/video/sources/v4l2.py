"""A camera at `/dev/video*`: USB cameras, and whatever else has a V4L2 driver. Streaming is OpenCV's."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nanoedge.pictures import Picture, opencv
from nanoedge.video.sources.base import Frame, Source, SourceError, SourceRefusedError
from nanoedge.video.sources.mjpeg import decode_jpeg
from nanoedge.video.sources.mode import ANY_MODE, CameraFormat, CameraMode
from nanoedge.video.sources.v4l2_modes import CameraDevice, OfferedMode, describe_camera, list_cameras

FOURCC: dict[CameraFormat, str] = {"mjpeg": "MJPG", "yuyv": "YUYV", "i420": "YU12", "nv12": "NV12"}
PREFERRED: tuple[CameraFormat, ...] = ("yuyv", "nv12", "i420", "mjpeg")
"""Formats that reach the network without decoding come first where they are as fast."""

DEFAULT_SIZE = (640, 480)
TIMEOUT = 5
"""Seconds without a frame after which a camera counts as lost."""


class V4L2Camera(Source):
    """Frames from a V4L2 device.

    Args:
        path: such as `/dev/video0`.
        mode: what is asked for; what the camera does not offer is refused with what it offers.
    """

    def __init__(self, path: Path, mode: CameraMode = ANY_MODE) -> None:
        self.path = path
        self.label = str(path)
        self.live = True
        self._mode = mode
        self._capture: Any = None
        self._format: CameraFormat = "mjpeg"
        self._number = 0

    def open(self) -> None:
        """Choose a mode and start streaming."""
        self.close()
        chosen = choose_mode(self._described(), self._mode)
        cv2 = opencv()
        os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(TIMEOUT))
        width, height = chosen.width or DEFAULT_SIZE[0], chosen.height or DEFAULT_SIZE[1]
        self._format = chosen.pixel_format or "mjpeg"
        wanted = [
            *(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*FOURCC[self._format])),
            *(cv2.CAP_PROP_FRAME_WIDTH, width, cv2.CAP_PROP_FRAME_HEIGHT, height),
            *(cv2.CAP_PROP_CONVERT_RGB, 0, cv2.CAP_PROP_BUFFERSIZE, 2),
        ]
        if chosen.rate:
            wanted += [cv2.CAP_PROP_FPS, chosen.rate]
        capture = cv2.VideoCapture(str(self.path), cv2.CAP_V4L2, [int(value) for value in wanted])
        if not capture.isOpened():
            capture.release()
            raise SourceError(f"The camera {self.path} cannot be opened; is another program using it?")
        self._capture, self._number = capture, 0
        self._height, self._width = (
            int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
            int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
        )

    def _described(self) -> CameraDevice:
        try:
            camera = describe_camera(self.path)
        except OSError as error:
            raise _refusal(self.path, error) from error
        if camera is None:
            raise SourceRefusedError(f"{self.path} does not capture video.{_others()}")
        return camera

    def read(self) -> Frame | None:
        """The next frame; a damaged JPEG is passed over.

        Raises:
            SourceError: when the camera is gone or silent.
        """
        if self._capture is None:
            return None
        while True:
            there, data = self._capture.read()
            if not there:
                raise SourceError(f"The camera {self.path} gives no more frames.")
            picture = self._picture(np.asarray(data, np.uint8))
            if picture is None:
                continue
            self._number += 1
            return Frame(self._number - 1, picture, "bgr" if self._format == "mjpeg" else self._format)

    def _picture(self, data: Picture) -> Picture | None:
        if self._format == "mjpeg":
            return decode_jpeg(data.tobytes())
        if self._format == "yuyv":
            return np.ascontiguousarray(data.reshape(self._height, self._width, 2))
        return np.ascontiguousarray(data.reshape(self._height * 3 // 2, self._width))

    def close(self) -> None:
        """Let go of the device."""
        if self._capture is not None:
            self._capture.release()
        self._capture = None


def choose_mode(camera: CameraDevice, wanted: CameraMode) -> CameraMode:
    """The mode of a camera that is asked for, or the one that suits best.

    Without a size it is 640 x 480, or the offered one next to it. Of formats that are not asked for, the first of
    `PREFERRED` that is as fast as the fastest (up to 30 a second, or what is asked for).

    Raises:
        SourceRefusedError: when nothing offered fits; lists what is offered.
    """
    known = {fourcc: name for name, fourcc in FOURCC.items()}
    usable = [(known[mode.fourcc], mode) for mode in camera.modes if mode.fourcc in known]
    if wanted.pixel_format is not None:
        usable = [(name, mode) for name, mode in usable if name == wanted.pixel_format]
    if wanted.width is not None:
        usable = [(name, mode) for name, mode in usable if (mode.width, mode.height) == (wanted.width, wanted.height)]
    if not usable:
        raise SourceRefusedError(
            f"{camera.path} ({camera.name}) has no such mode; it offers {described(camera.modes)}."
        )
    if wanted.width is None:
        area = DEFAULT_SIZE[0] * DEFAULT_SIZE[1]
        nearest = min((abs(mode.width * mode.height - area), mode.width, mode.height) for _, mode in usable)[1:]
        usable = [(name, mode) for name, mode in usable if (mode.width, mode.height) == nearest]
    limit = wanted.rate or 30.0
    speeds = {name: min(limit, max(mode.rates, default=limit)) for name, mode in usable}
    if wanted.rate is not None and max(speeds.values()) < wanted.rate - 0.5:
        offered = described([mode for _, mode in usable])
        raise SourceRefusedError(f"{camera.path} ({camera.name}) is slower than {wanted.rate:g} a second: {offered}.")
    fastest = [name for name, speed in speeds.items() if speed >= max(speeds.values()) - 0.5]
    chosen = min(fastest, key=PREFERRED.index)
    mode = next(mode for name, mode in usable if name == chosen)
    return CameraMode(mode.width, mode.height, wanted.rate or speeds[chosen], chosen)


def described(modes: Sequence[OfferedMode], most: int = 12) -> str:
    """Modes in one line."""
    texts = [
        f"{mode.fourcc} {mode.width}x{mode.height}" + (f" at {max(mode.rates):g}" if mode.rates else "")
        for mode in modes
    ]
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return (", ".join(texts[:most]) or "nothing") + more


def _refusal(path: Path, error: OSError) -> SourceError:
    if error.errno in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
        return SourceError(f"There is no camera at {path}.{_others()}")
    if error.errno in (errno.EACCES, errno.EPERM):
        return SourceRefusedError(f"{path} may not be opened. Add the user to its group: sudo usermod -aG video $USER")
    if error.errno == errno.EBUSY:
        return SourceError(f"The camera {path} is in use by another program.")
    if error.errno in (errno.ENOTTY, errno.EINVAL):
        return SourceRefusedError(f"{path} is no camera.{_others()}")
    return SourceError(f"The camera {path} cannot be opened: {error.strerror}.")


def _others() -> str:
    found = [f"{camera.path} ({camera.name})" for camera in list_cameras()]
    return f" Cameras here: {', '.join(found)}." if found else ""
