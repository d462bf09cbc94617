"""Which cameras are found; no camera is here: the kernel's answers and `rpicam-hello` have stand-ins."""

from __future__ import annotations

import errno
import grp
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from nanoedge.doctor import cameras
from nanoedge.doctor.cameras import Device, PiCamera, look_at_cameras, parse_listing
from nanoedge.doctor.system import System
from nanoedge.video.sources.v4l2_modes import CameraDevice, OfferedMode
from tests.doctor.standins import PI_4_LISTING, PI_5_LISTING, program, raspberry_pi_4, raspberry_pi_5, write

MODES = (OfferedMode("MJPG", 1280, 720, (30.0,)), OfferedMode("YUYV", 640, 480, (30.0, 15.0)))


@pytest.fixture
def usb(root: Path) -> Path:
    """The device's file."""
    write(root, {"dev/video2": "", "sys/class/video4linux/video2/name": "HD Webcam: HD Webcam\n", "dev/videox": ""})
    return root / "dev" / "video2"


def answer(monkeypatch: pytest.MonkeyPatch, what: CameraDevice | OSError | None) -> None:
    """The kernel's driver, in whose place this answers."""

    def describe(path: Path) -> CameraDevice | None:
        if isinstance(what, OSError):
            raise what
        return what

    monkeypatch.setattr(cameras, "describe_camera", describe)


def test_a_usb_camera_is_shown_with_its_modes(root: Path, usb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, CameraDevice(usb, "HD Webcam", "uvcvideo", MODES))
    found = look_at_cameras(System(root))
    assert found.devices == (Device("/dev/video2", "HD Webcam", "uvcvideo", MODES),)
    assert not found.sensor_seen and found.pi == () and found.program is None


def test_what_does_not_capture_is_left_out(root: Path, usb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert look_at_cameras(System(root)).devices == ()  # a plain file answers no question of V4L2
    answer(monkeypatch, None)
    assert look_at_cameras(System(root)).devices == ()


@pytest.mark.parametrize(
    ("number", "refusal", "reason"),
    [
        (errno.EBUSY, "busy", "is in use by another program"),
        (errno.EACCES, "permission", "may not be opened; it belongs to the group plugdev"),
        (errno.EIO, "failed", "cannot be opened: Input/output error"),
    ],
)
def test_a_camera_that_cannot_be_opened_says_why(
    root: Path, usb: Path, monkeypatch: pytest.MonkeyPatch, number: int, refusal: str, reason: str
) -> None:
    answer(monkeypatch, OSError(number, os.strerror(number)))
    entry = SimpleNamespace(gr_name="plugdev", gr_gid=46, gr_mem=[])
    monkeypatch.setattr(grp, "getgrgid", lambda number: entry)
    device = look_at_cameras(System(root)).devices[0]
    assert (device.name, device.refusal, device.reason) == ("HD Webcam: HD Webcam", refusal, reason)
    assert device.group == ("plugdev" if refusal == "permission" else None)
    assert not device.group_waits_for_login


def test_a_group_that_waits_for_a_login_is_told_apart(root: Path, usb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pwd

    answer(monkeypatch, PermissionError(errno.EACCES, "Permission denied"))
    user = pwd.getpwuid(os.getuid()).pw_name
    unused = max(os.getgroups(), default=0) + 1
    monkeypatch.setattr(grp, "getgrgid", lambda _: SimpleNamespace(gr_name="video", gr_gid=unused, gr_mem=[user]))
    assert look_at_cameras(System(root)).devices[0].group_waits_for_login


def test_the_inner_devices_of_a_raspberry_pi_are_no_cameras(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, PermissionError(errno.EACCES, "Permission denied"))
    for system in (raspberry_pi_4(root / "4"), raspberry_pi_5(root / "5")):
        found = look_at_cameras(system)
        assert found.devices == () and found.sensor_seen


def test_inner_devices_are_known_by_their_driver_too(root: Path, usb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, CameraDevice(usb, "bcm2835-isp", "bcm2835-isp", MODES))
    assert look_at_cameras(System(root)).devices == ()


def test_the_raspberry_pis_cameras_are_listed_by_its_program(root: Path, programs: Path) -> None:
    program(programs, "libcamera-hello", "No cameras available!")
    program(programs, "rpicam-hello", PI_4_LISTING)
    found = look_at_cameras(raspberry_pi_4(root))
    modes = [("SRGGB10_CSI2P", 1536, 864, 120.13), ("SRGGB10_CSI2P", 2304, 1296, 56.03)]
    modes.append(("SRGGB10_CSI2P", 4608, 2592, 14.35))
    assert found.program == "rpicam-hello" and found.program_problem is None
    assert found.pi == (PiCamera(0, "imx708", tuple(OfferedMode(f, w, h, (rate,)) for f, w, h, rate in modes)),)


def test_two_cameras_of_a_raspberry_pi_5_are_two() -> None:
    first, second = parse_listing(PI_5_LISTING)
    assert (first.number, first.sensor, second.number, second.sensor) == (0, "imx219", 1, "ov5647")
    assert [mode.fourcc for mode in first.modes] == ["SRGGB10_CSI2P"] * 2 + ["SRGGB8"] * 2
    assert second.modes == (OfferedMode("SGBRG10_CSI2P", 640, 480, (58.92,)),)
    assert parse_listing("No cameras available!\n") == ()


def test_a_program_that_fails_is_a_finding(root: Path, programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(programs, "rpicam-hello", "ERROR: *** failed to start camera manager ***", status=255)
    found = look_at_cameras(System(root))
    assert found.program_problem == "ended with status 255: ERROR: *** failed to start camera manager ***"
    (programs / "rpicam-hello").write_text("no program\0")
    assert (look_at_cameras(System(root)).program_problem or "").startswith("cannot be run")
    (programs / "rpicam-hello").write_text("#!/bin/sh\nwhile :; do :; done\n")
    monkeypatch.setattr(cameras, "LISTING_TIMEOUT", 0.2)
    assert look_at_cameras(System(root)).program_problem == "did not answer within 0.2 seconds"
