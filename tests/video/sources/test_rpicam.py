"""The Raspberry Pi's camera, of which there is none here.

A small program stands in the place of `rpicam-vid`: it takes the same arguments and pipes real frames in the same
padded layout.
"""

from __future__ import annotations

import os
import stat
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from nanoedge.video.sources.base import SourceError, SourceRefusedError
from nanoedge.video.sources.mode import CameraMode
from nanoedge.video.sources.rpicam import RaspberryPiCamera

STAND_IN = """#!{python}
import os, sys, time
import cv2, numpy as np

given = dict(zip(sys.argv[1:], sys.argv[2:]))
if given["--camera"] == "7":
    print("ERROR: *** no cameras available ***", file=sys.stderr)
    sys.exit(255)
width, height, rate = int(given["--width"]), int(given["--height"]), float(given["--framerate"])
assert given["--output"] == "-" and given["--timeout"] == "0" and "--nopreview" in sys.argv
out = os.fdopen(1, "wb", buffering=0)
for number in range(int(os.environ.get("FRAMES", "1000000"))):
    picture = np.full((height, width, 3), 30 + number % 200, np.uint8)
    if given["--codec"] == "mjpeg":
        data = cv2.imencode(".jpg", picture)[1].tobytes()
    else:
        planes = cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420)
        stride = (width + 63) // 64 * 64
        luma = np.full((height, stride), 255, np.uint8)
        luma[:, :width] = planes[:height]
        chroma = np.full((height, stride // 2), 255, np.uint8)
        chroma[:, : width // 2] = planes[height:].reshape(height, width // 2)
        data = luma.tobytes() + chroma.tobytes()
    while data:
        data = data[out.write(data):]
    if os.environ.get("SILENT"):
        time.sleep(60)
    time.sleep(1 / rate)
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stand-in, first on the path."""
    path = tmp_path / "rpicam-vid"
    path.write_text(STAND_IN.format(python=sys.executable))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return path


@pytest.mark.parametrize(("width", "pixel_format"), [(128, None), (100, "i420"), (100, "mjpeg")])
def test_frames_come_without_the_padding(program: Path, width: int, pixel_format: str | None) -> None:
    mode = CameraMode(width, 48, 200, pixel_format)  # type: ignore[arg-type]
    camera = RaspberryPiCamera(0, mode)
    camera.open()
    frames = [camera.read() for _ in range(5)]
    camera.close()
    for number, frame in enumerate(frames):
        assert frame is not None and frame.number == number and (frame.width, frame.height) == (width, 48)
        if frame.pixel_format == "i420":
            assert np.array_equal(frame.picture[:48], np.full((48, width), frame.picture[0, 0]))
            assert np.abs(frame.picture[48:].astype(int) - 128).max() <= 1
        else:
            assert pixel_format == "mjpeg" and np.abs(frame.picture.astype(int) - 30 - number).max() <= 1


def test_closing_ends_the_program(program: Path) -> None:
    camera = RaspberryPiCamera(0, CameraMode(64, 48, 100))
    camera.open()
    assert camera.read() is not None
    process = camera._process
    assert process is not None and process.poll() is None
    camera.close()
    assert process.poll() is not None
    camera.close()


def test_a_program_that_ends_is_a_lost_camera_with_its_last_words(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = RaspberryPiCamera(7)
    camera.open()
    with pytest.raises(SourceError, match=r"ended with status 255: ERROR: \*\*\* no cameras available \*\*\*"):
        camera.read()
    camera.close()
    monkeypatch.setenv("FRAMES", "2")
    camera = RaspberryPiCamera(0, CameraMode(64, 48, 100))
    camera.open()
    assert camera.read() is not None and camera.read() is not None
    with pytest.raises(SourceError, match="ended with status 0"):
        camera.read()
    camera.open()
    assert camera.read() is not None
    camera.close()


def test_a_silent_program_is_a_lost_camera(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SILENT", "1")
    camera = RaspberryPiCamera(0, CameraMode(64, 48, 100), timeout=0.5)
    camera.open()
    assert camera.read() is not None
    with pytest.raises(SourceError, match=r"is silent: nothing came for 0\.5 seconds"):
        camera.read()
    camera.close()


def test_a_waiting_read_can_be_ended_from_outside(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SILENT", "1")
    camera = RaspberryPiCamera(0, CameraMode(64, 48, 100), timeout=30)
    camera.open()
    assert camera.read() is not None
    threading.Timer(0.2, camera.interrupt).start()
    started = time.monotonic()
    with pytest.raises(SourceError, match="ended with status"):
        camera.read()
    assert time.monotonic() - started < 10
    camera.close()


def test_without_the_program_its_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceRefusedError, match="apt-get install rpicam-apps-lite"):
        RaspberryPiCamera().open()


def test_a_format_that_it_does_not_give_is_refused(program: Path) -> None:
    with pytest.raises(SourceRefusedError, match="gives i420 or mjpeg, not yuyv"):
        RaspberryPiCamera(0, CameraMode(pixel_format="yuyv")).open()
