"""V4L2 cameras, of which there is none here: streaming is untested, a driver in memory stands in for the kernel's.

The layouts of its questions are held against the kernel's own header, by a compiler.
"""

from __future__ import annotations

import errno
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest
from nanoedge.video.sources import v4l2_modes
from nanoedge.video.sources.base import SourceError, SourceRefusedError
from nanoedge.video.sources.mode import CameraMode
from nanoedge.video.sources.v4l2 import V4L2Camera, choose_mode
from nanoedge.video.sources.v4l2_modes import CameraDevice, OfferedMode, describe_camera

HEADER = Path("/usr/include/linux/videodev2.h")


@pytest.mark.skipif(shutil.which("gcc") is None or not HEADER.exists(), reason="needs gcc and the kernel's headers")
def test_the_questions_are_those_of_the_kernels_header(tmp_path: Path) -> None:
    source = tmp_path / "sizes.c"
    source.write_text(
        '#include <stdio.h>\n#include <stddef.h>\n#include <linux/videodev2.h>\nint main(void) { printf("'
        + "%lu %lu %lu %lu %zu %zu %zu"
        + '", (unsigned long)VIDIOC_QUERYCAP, (unsigned long)VIDIOC_ENUM_FMT, (unsigned long)VIDIOC_ENUM_FRAMESIZES,'
        "(unsigned long)VIDIOC_ENUM_FRAMEINTERVALS, offsetof(struct v4l2_fmtdesc, pixelformat),"
        "offsetof(struct v4l2_frmsizeenum, discrete), offsetof(struct v4l2_frmivalenum, discrete)); return 0; }\n"
    )
    subprocess.run(["gcc", str(source), "-o", str(tmp_path / "sizes")], check=True)
    told = [int(part) for part in subprocess.check_output([str(tmp_path / "sizes")]).split()]
    assert told[:4] == [
        v4l2_modes.QUERYCAP,
        v4l2_modes.ENUM_FMT,
        v4l2_modes.ENUM_FRAMESIZES,
        v4l2_modes.ENUM_FRAMEINTERVALS,
    ]
    assert told[4:] == [struct.calcsize("=II I32s"), struct.calcsize("=III"), struct.calcsize("=IIIII")]


class StandInDriver:
    """Answers the questions about modes as a USB camera with MJPEG and YUYV does."""

    FORMATS = (b"MJPG", b"YUYV")
    SIZES = ((640, 480), (1280, 720))

    def __init__(self, flags: int = 0x1 | 0x04000000, driver: bytes = b"uvcvideo") -> None:
        self.flags = flags
        self.driver = driver

    def ioctl(self, device: int, request: int, memory: bytearray, mutate: bool) -> int:
        number = struct.unpack_from("=I", memory)[0]
        if request == v4l2_modes.QUERYCAP:
            struct.pack_into("=16s32s32sIII", memory, 0, self.driver, b"Stand-in", b"usb", 1, 0x80000000, self.flags)
        elif request == v4l2_modes.ENUM_FMT and number < len(self.FORMATS):
            struct.pack_into("=II I32s4s", memory, 0, number, 1, 0, b"text", self.FORMATS[number])
        elif request == v4l2_modes.ENUM_FRAMESIZES and number < len(self.SIZES):
            struct.pack_into("=III", memory, 8, 1, *self.SIZES[number])
        elif request == v4l2_modes.ENUM_FRAMEINTERVALS and number < 2:
            _, pixel_format, width, _ = struct.unpack_from("=I4sII", memory)
            slow = pixel_format == b"YUYV" and width == 1280
            struct.pack_into("=III", memory, 16, 1, 1, (10, 5)[number] if slow else (30, 15)[number])
        else:
            raise OSError(errno.EINVAL, "no more")
        return 0


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "video0"
    path.touch()
    monkeypatch.setattr(v4l2_modes.fcntl, "ioctl", StandInDriver().ioctl)
    monkeypatch.setattr(v4l2_modes, "DEVICES", tmp_path)
    return path


def test_a_camera_tells_its_modes(device: Path) -> None:
    camera = describe_camera(device)
    assert camera is not None
    assert (camera.name, camera.driver) == ("Stand-in", "uvcvideo")
    assert camera.modes == (
        OfferedMode("MJPG", 640, 480, (30.0, 15.0)),
        OfferedMode("MJPG", 1280, 720, (30.0, 15.0)),
        OfferedMode("YUYV", 640, 480, (30.0, 15.0)),
        OfferedMode("YUYV", 1280, 720, (10.0, 5.0)),
    )
    assert v4l2_modes.list_cameras() == [camera]


@pytest.mark.parametrize("driver", [b"bcm2835-isp", b"unicam", b"pispbe"])
def test_inner_devices_of_a_raspberry_pi_are_not_chosen(
    device: Path, monkeypatch: pytest.MonkeyPatch, driver: bytes
) -> None:
    monkeypatch.setattr(v4l2_modes.fcntl, "ioctl", StandInDriver(driver=driver).ioctl)
    assert v4l2_modes.list_cameras() == []
    assert describe_camera(device) is not None  # whoever names it gets it


def test_what_does_not_capture_is_no_camera(device: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(v4l2_modes.fcntl, "ioctl", StandInDriver(flags=0x00008000).ioctl)
    assert describe_camera(device) is None
    with pytest.raises(SourceRefusedError, match="does not capture video"):
        V4L2Camera(device).open()


def test_the_mode_that_suits_best_is_chosen(device: Path) -> None:
    camera = describe_camera(device)
    assert camera is not None
    assert choose_mode(camera, CameraMode()) == CameraMode(640, 480, 30.0, "yuyv")
    assert choose_mode(camera, CameraMode(1280, 720)) == CameraMode(1280, 720, 30.0, "mjpeg")
    assert choose_mode(camera, CameraMode(1280, 720, pixel_format="yuyv")) == CameraMode(1280, 720, 10.0, "yuyv")
    assert choose_mode(camera, CameraMode(rate=15)) == CameraMode(640, 480, 15, "yuyv")


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (CameraMode(800, 600), r"has no such mode; it offers MJPG 640x480 at 30, .*YUYV 1280x720 at 10"),
        (CameraMode(pixel_format="nv12"), "has no such mode"),
        (CameraMode(rate=60), "is slower than 60 a second"),
    ],
)
def test_a_mode_that_a_camera_lacks_is_refused_with_those_that_it_has(
    device: Path, wanted: CameraMode, sentence: str
) -> None:
    with pytest.raises(SourceRefusedError, match=sentence):
        V4L2Camera(device, wanted).open()


def test_no_camera_a_busy_one_and_no_permission_are_told_apart(
    tmp_path: Path, device: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SourceError, match=r"no camera at .*video9\. Cameras here: .*video0 \(Stand-in\)") as missing:
        V4L2Camera(tmp_path / "video9").open()
    assert not isinstance(missing.value, SourceRefusedError)  # it may be plugged in later

    def refuse(number: int) -> Any:
        def opened(*_: Any) -> int:
            raise OSError(number, "no")

        return opened

    for number, sentence in ((errno.EBUSY, "in use by another program"), (errno.EACCES, "usermod -aG video")):
        with monkeypatch.context() as patch:
            patch.setattr(v4l2_modes.os, "open", refuse(number))
            with pytest.raises(SourceError, match=sentence):
                V4L2Camera(device).open()


def test_a_file_is_no_camera(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(SourceRefusedError, match="is no camera"):
        V4L2Camera(path).open()


def test_ranges_of_sizes_and_rates_are_read_by_their_ends(device: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stepwise(StandInDriver):
        def ioctl(self, device: int, request: int, memory: bytearray, mutate: bool) -> int:
            number = struct.unpack_from("=I", memory)[0]
            if request == v4l2_modes.ENUM_FRAMESIZES and number == 0:
                struct.pack_into("=I6I", memory, 8, 3, 32, 1920, 2, 32, 1080, 2)
            elif request == v4l2_modes.ENUM_FRAMEINTERVALS and number == 0:
                struct.pack_into("=I6I", memory, 16, 3, 1, 60, 1, 1, 1, 1)
            elif request in (v4l2_modes.ENUM_FRAMESIZES, v4l2_modes.ENUM_FRAMEINTERVALS):
                raise OSError(errno.EINVAL, "no more")
            else:
                return super().ioctl(device, request, memory, mutate)
            return 0

    monkeypatch.setattr(v4l2_modes.fcntl, "ioctl", Stepwise().ioctl)
    camera = describe_camera(device)
    assert isinstance(camera, CameraDevice)
    assert camera.modes[0] == OfferedMode("MJPG", 1920, 1080, (60.0,))
