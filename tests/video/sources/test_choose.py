"""What `--source` means."""

from __future__ import annotations

from pathlib import Path

import pytest
from nanoedge.errors import InputError
from nanoedge.video.sources import choose
from nanoedge.video.sources.base import Source, SourceRefusedError
from nanoedge.video.sources.choose import SourceSettings, source_from
from nanoedge.video.sources.folder import PictureFolder
from nanoedge.video.sources.mode import CameraMode
from nanoedge.video.sources.raw import RawInput, RawLayout
from nanoedge.video.sources.rpicam import RaspberryPiCamera
from nanoedge.video.sources.stream import Stream
from nanoedge.video.sources.v4l2 import V4L2Camera
from nanoedge.video.sources.v4l2_modes import CameraDevice, OfferedMode
from nanoedge.video.sources.video_file import VideoFile


@pytest.mark.parametrize(
    ("text", "kind", "label"),
    [
        ("0", V4L2Camera, "/dev/video0"),
        ("/dev/video2", V4L2Camera, "/dev/video2"),
        ("rpicam", RaspberryPiCamera, "rpicam:0"),
        ("rpicam:1", RaspberryPiCamera, "rpicam:1"),
        ("rtsp://ann:secret@cam/live", Stream, "rtsp://***@cam/live"),
        ("HTTP://cam/video", Stream, "http://cam/video"),
    ],
)
def test_cameras_and_streams_are_named(text: str, kind: type[Source], label: str) -> None:
    source = source_from(text)
    assert type(source) is kind and source.live
    assert source.label == label


def test_files_and_folders_are_named(clip: Path, tmp_path: Path) -> None:
    picture = tmp_path / "a.JPG"
    picture.touch()
    for text, kind in ((clip, VideoFile), (tmp_path, PictureFolder), (picture, PictureFolder)):
        source = source_from(str(text), SourceSettings(loop=True))
        assert type(source) is kind and not source.live


def test_raw_frames_need_their_layout() -> None:
    assert isinstance(source_from("-", SourceSettings(raw=RawLayout(4, 4, "bgr"))), RawInput)
    with pytest.raises(InputError, match="--raw 640x480:i420"):
        source_from("-")


def test_what_names_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"does not exist\. Sources are auto, 0 or /dev/video0, rpicam"):
        source_from(str(tmp_path / "gone.mp4"))
    with pytest.raises(InputError, match="ftp:// are not known; known: rtsp"):
        source_from("ftp://host/clip.mp4")


def test_a_camera_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    usb = CameraDevice(Path("/dev/video4"), "C920", "uvcvideo", (OfferedMode("MJPG", 640, 480, ()),))
    other = CameraDevice(Path("/dev/video0"), "unicam", "unicam", (OfferedMode("YUYV", 640, 480, ()),))
    for devices, program, expected in (
        ([other, usb], "/usr/bin/rpicam-vid", "/dev/video4"),
        ([other], "/usr/bin/rpicam-vid", "rpicam:0"),
        ([other], None, "/dev/video0"),
    ):
        monkeypatch.setattr(choose, "list_cameras", lambda devices=devices: devices)
        monkeypatch.setattr(choose, "rpicam_program", lambda program=program: program)
        assert source_from("auto").label == expected
    monkeypatch.setattr(choose, "list_cameras", list)
    with pytest.raises(SourceRefusedError, match="No camera was found"):
        source_from("auto")


def test_a_mode_is_filled_from_another() -> None:
    assert CameraMode(rate=10).filled_from(CameraMode(640, 480, 30, "i420")) == CameraMode(640, 480, 10, "i420")
    assert CameraMode(320, 240).filled_from(CameraMode(640, 480, 30)) == CameraMode(320, 240, 30)
