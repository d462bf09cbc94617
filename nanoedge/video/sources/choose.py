"""From what a user types behind `--source` to a source."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from nanoedge.errors import InputError
from nanoedge.pictures import PICTURE_SUFFIXES
from nanoedge.video.sources.address import SCHEMES, check_address, hidden, is_address
from nanoedge.video.sources.base import Source, SourceRefusedError
from nanoedge.video.sources.folder import PictureFolder
from nanoedge.video.sources.mode import ANY_MODE, CameraMode
from nanoedge.video.sources.raw import RawInput, RawLayout
from nanoedge.video.sources.rpicam import RaspberryPiCamera, rpicam_program
from nanoedge.video.sources.stream import Stream
from nanoedge.video.sources.v4l2 import V4L2Camera
from nanoedge.video.sources.v4l2_modes import list_cameras
from nanoedge.video.sources.video_file import VideoFile


@dataclass(frozen=True)
class SourceSettings:
    """What may be said about a source beside its name.

    Attributes:
        mode: asked of a camera.
        raw: layout of raw frames on standard input.
        loop: begin a file or folder again at its end.
        realtime: give a file's frames when they are due.
        udp: take RTSP by UDP.
    """

    mode: CameraMode = ANY_MODE
    raw: RawLayout | None = None
    loop: bool = False
    realtime: bool = False
    udp: bool = False


DEFAULTS = SourceSettings()


def source_from(text: str, settings: SourceSettings = DEFAULTS) -> Source:
    """The source that a text names; nothing is opened.

    Args:
        text: `auto`; a number or `/dev/video0` for a V4L2 camera; `rpicam` or `rpicam:1` for the Raspberry Pi's; an
            address; a video file; a folder of pictures or one picture; `-` for raw frames on standard input.
        settings: the rest.

    Raises:
        InputError: when it names nothing, or a setting does not fit.
    """
    source = _named(text, settings)
    _refuse_what_does_not_fit(source, settings)
    return source


def _named(text: str, settings: SourceSettings) -> Source:
    if not text:
        raise InputError("--source names nothing; leave it out to take a camera that is there.")
    if text == "auto":
        return _found_camera(settings)
    if text == "-":
        if settings.raw is None:
            raise InputError("Raw frames on standard input need their layout, such as --raw 640x480:i420.")
        return RawInput(sys.stdin.buffer, settings.raw)
    if text.isdecimal() or text.startswith("/dev/"):
        return V4L2Camera(Path(f"/dev/video{text}" if text.isdecimal() else text), settings.mode)
    name, _, number = text.partition(":")
    if name in ("rpicam", "libcamera") and (number.isdecimal() or not number):
        return RaspberryPiCamera(int(number or 0), settings.mode)
    if is_address(text):
        check_address(text)
        return Stream(text, udp=settings.udp)
    if "://" in text:
        raise InputError(f"Addresses that begin with {hidden(name)}:// are not known; known: {', '.join(SCHEMES)}.")
    path = Path(text)
    if path.is_dir() or path.suffix.lower() in PICTURE_SUFFIXES:
        return PictureFolder(path, settings.loop, settings.mode.rate if settings.realtime else None)
    if not path.exists():
        raise InputError(
            f"The source {hidden(text)} does not exist. Sources are auto, 0 or /dev/video0, rpicam, rtsp://… and other "
            "addresses, files, folders, and - for raw frames."
        )
    return VideoFile(path, settings.loop, settings.realtime)


def _refuse_what_does_not_fit(source: Source, settings: SourceSettings) -> None:
    mode, camera = settings.mode, isinstance(source, V4L2Camera | RaspberryPiCamera)
    paced = isinstance(source, PictureFolder) and settings.realtime
    for option, given, fits in (
        ("--size", mode.width is not None, camera),
        ("--pixel-format", mode.pixel_format is not None, camera),
        ("--rate", mode.rate is not None, camera or paced),
        ("--raw", settings.raw is not None, isinstance(source, RawInput)),
        ("--udp", settings.udp, isinstance(source, Stream)),
    ):
        if given and not fits:
            more = ", and a folder with --realtime" if option == "--rate" else ""
            belongs = {"--raw": "--source -", "--udp": "streams"}.get(option, f"cameras{more}")
            raise InputError(f"{option} is for {belongs}, not for {source.label}.")


def _found_camera(settings: SourceSettings) -> Source:
    """The Raspberry Pi's camera where its program is installed and no USB camera is there, else the first device."""
    program, devices = rpicam_program(), list_cameras()
    usb = [camera for camera in devices if camera.driver == "uvcvideo"]
    if usb:
        return V4L2Camera(usb[0].path, settings.mode)
    if program is not None:
        return RaspberryPiCamera(0, settings.mode)
    if devices:
        return V4L2Camera(devices[0].path, settings.mode)
    raise SourceRefusedError(
        "No camera was found: no /dev/video* that captures, and no rpicam-vid. Plug one in, or name a source: "
        "--source rtsp://…, a video file or a folder of pictures."
    )
