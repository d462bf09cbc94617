"""What a camera at `/dev/video*` offers, asked by V4L2's ioctls (Linux kernel, `include/uapi/linux/videodev2.h`)."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEVICES = Path("/dev")

_CAPABILITY = struct.Struct("=16s32s32sIII12x")  # driver, card, bus, version, capabilities, device_caps
_FORMAT = struct.Struct("=II I32s I 16x")  # index, type, flags, description, pixelformat, (mbus_code, reserved)
_SIZE = struct.Struct("=III24s8x")  # index, pixel_format, type, union of sizes
_INTERVAL = struct.Struct("=IIIII24s8x")  # index, pixel_format, width, height, type, union of intervals

_CAPTURE = 1  # V4L2_BUF_TYPE_VIDEO_CAPTURE
_CAP_VIDEO_CAPTURE, _CAP_STREAMING, _CAP_DEVICE_CAPS = 0x1, 0x04000000, 0x80000000
_DISCRETE = 1  # V4L2_FRMSIZE_TYPE_DISCRETE, V4L2_FRMIVAL_TYPE_DISCRETE


def _request(direction: int, number: int, size: int) -> int:
    return (direction << 30) | (size << 16) | (ord("V") << 8) | number


_READ, _READ_WRITE = 2, 3
QUERYCAP = _request(_READ, 0, _CAPABILITY.size)
ENUM_FMT = _request(_READ_WRITE, 2, _FORMAT.size)
ENUM_FRAMESIZES = _request(_READ_WRITE, 74, _SIZE.size)
ENUM_FRAMEINTERVALS = _request(_READ_WRITE, 75, _INTERVAL.size)


@dataclass(frozen=True)
class OfferedMode:
    """One pixel format at one size.

    Attributes:
        fourcc: four letters such as `MJPG` or `YUYV`.
        width: pixels; the largest where the camera offers a range.
        height: pixels, likewise.
        rates: frames a second, the fastest first; empty where the camera does not say.
    """

    fourcc: str
    width: int
    height: int
    rates: tuple[float, ...]


@dataclass(frozen=True)
class CameraDevice:
    """A device that captures video.

    Attributes:
        path: such as `/dev/video0`.
        name: as the driver calls it.
        driver: its name.
        modes: what it offers.
    """

    path: Path
    name: str
    driver: str
    modes: tuple[OfferedMode, ...]


SENSOR_DRIVERS = ("unicam", "rp1-cfe")
"""Receivers of the Raspberry Pi: their devices are there when a sensor is, and are read by its programs only."""

INNER_DRIVERS = ("bcm2835-codec", "bcm2835-isp", "pispbe", "rpivid", "rpi-hevc")
"""Other devices of that board that say that they capture, and are no cameras."""


def video_devices(folder: Path | None = None) -> list[Path]:
    """`/dev/video*` by number, whatever they are; `folder` instead of `DEVICES`."""
    paths = [path for path in (folder or DEVICES).glob("video*") if path.name.removeprefix("video").isdecimal()]
    return sorted(paths, key=lambda path: int(path.name.removeprefix("video")))


def list_cameras() -> list[CameraDevice]:
    """All cameras that may be opened, by number; inner devices of a Raspberry Pi are none."""
    found = []
    for path in video_devices():
        try:
            camera = describe_camera(path)
        except OSError:
            continue
        if camera is not None and camera.modes and not camera.driver.startswith((*SENSOR_DRIVERS, *INNER_DRIVERS)):
            found.append(camera)
    return found


def describe_camera(path: Path) -> CameraDevice | None:
    """What a device offers; `None` when it does not capture video (a codec, metadata).

    Raises:
        OSError: when it cannot be opened or is no device of V4L2.
    """
    device = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        answer = _asked(device, QUERYCAP, bytes(_CAPABILITY.size))
        driver, card, _, _, capabilities, of_device = _CAPABILITY.unpack(answer)
        flags = of_device if capabilities & _CAP_DEVICE_CAPS else capabilities
        if not (flags & _CAP_VIDEO_CAPTURE and flags & _CAP_STREAMING):
            return None
        modes = tuple(mode for fourcc in _formats(device) for mode in _modes(device, fourcc))
        return CameraDevice(path, _text(card), _text(driver), modes)
    finally:
        os.close(device)


def _asked(device: int, request: int, question: bytes) -> bytes:
    memory = bytearray(question)
    fcntl.ioctl(device, request, memory, True)
    return bytes(memory)


def _numbered(device: int, request: int, layout: struct.Struct, *fields: Any) -> Iterator[tuple[Any, ...]]:
    """Answers to a question with a running number, until there is none."""
    for number in range(1000):
        blank = layout.unpack(bytes(layout.size))
        question = layout.pack(number, *fields, *blank[1 + len(fields) :])
        try:
            yield layout.unpack(_asked(device, request, question))
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOTTY):
                return
            raise


def _formats(device: int) -> Iterator[int]:
    for answer in _numbered(device, ENUM_FMT, _FORMAT, _CAPTURE):
        yield answer[4]


def _modes(device: int, fourcc: int) -> Iterator[OfferedMode]:
    for answer in _numbered(device, ENUM_FRAMESIZES, _SIZE, fourcc):
        kind, union = answer[2], answer[3]
        if kind == _DISCRETE:
            width, height = struct.unpack_from("=II", union)
        else:  # min_width, max_width, step_width, min_height, max_height, step_height
            _, width, _, _, height, _ = struct.unpack("=6I", union)
        rates = tuple(sorted(_rates(device, fourcc, width, height), reverse=True))
        yield OfferedMode(fourcc_text(fourcc), width, height, rates)


def _rates(device: int, fourcc: int, width: int, height: int) -> Iterator[float]:
    for answer in _numbered(device, ENUM_FRAMEINTERVALS, _INTERVAL, fourcc, width, height):
        seconds, parts = struct.unpack_from("=II", answer[5])  # the shortest interval of a range comes first
        if seconds:
            yield round(parts / seconds, 3)
        if answer[4] != _DISCRETE:
            return


def fourcc_text(code: int) -> str:
    """Four letters of a number."""
    return struct.pack("<I", code & 0x7FFFFFFF).decode("ascii", errors="replace").strip()


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode(errors="replace")
