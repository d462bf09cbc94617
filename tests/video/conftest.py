"""A clip, and a camera on the network."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.video.mjpeg_server import MjpegServer
from tests.video.rtsp_server import PACKAGES, REQUIRED, RtspServer, rtsp_server_is_installed

FRAMES = 12
RATE = 20


def write_clip(path: Path) -> Path:
    """A video of 12 frames, 20 a second, 96 x 64, each brighter than the one before."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.time_base = Fraction(1, RATE)
        for number in range(FRAMES):
            picture = np.full((64, 96, 3), 20 + 15 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "bgr24")))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `write_clip` writes."""
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MjpegServer]:
    """A network camera that runs."""
    camera = MjpegServer(tmp_path)
    camera.start()
    yield camera
    camera.kill()


@pytest.fixture(scope="session")
def rtsp_installed() -> None:
    """Skips, or fails where the server has to be there."""
    if not rtsp_server_is_installed():
        (pytest.fail if REQUIRED else pytest.skip)(f"needs {PACKAGES} (Debian)")


@pytest.fixture
def rtsp_server(rtsp_installed: None, tmp_path: Path) -> Iterator[RtspServer]:
    """A network camera that speaks RTSP, and runs."""
    camera = RtspServer(tmp_path)
    camera.start()
    yield camera
    camera.kill()


@pytest.fixture
def locked_rtsp_server(rtsp_installed: None, tmp_path: Path) -> Iterator[RtspServer]:
    """One that only `martha` may see, whose password is `s3cret`."""
    camera = RtspServer(tmp_path, user="martha", password="s3cret")
    camera.start()
    yield camera
    camera.kill()
