"""Streams of a real HTTP server: frames, loss, return, credentials, and a page in the place of a stream."""

from __future__ import annotations

import base64
import gc
import os
import time
from pathlib import Path

import numpy as np
import pytest
from nanoedge.video.sources.base import SourceError, SourceRefusedError
from nanoedge.video.sources.stream import Stream
from tests.video.mjpeg_server import MjpegServer
from tests.video.network_camera import free_port


def read_on(stream: Stream) -> None:
    for _ in range(1000):
        stream.read()


def test_frames_of_a_camera_on_the_network(server: MjpegServer) -> None:
    stream = Stream(server.address)
    stream.open()
    frames = [stream.read() for _ in range(30)]
    stream.close()
    assert [frame.number for frame in frames if frame] == list(range(30))
    values = [int(np.median(frame.picture)) for frame in frames if frame]
    assert np.abs(np.diff(values) - 1).max() <= 2  # each is one brighter
    assert frames[0] is not None and (frames[0].width, frames[0].height) == (64, 48)


def test_a_camera_that_goes_is_lost_and_one_that_returns_can_be_opened_again(server: MjpegServer) -> None:
    stream = Stream(server.address)
    stream.open()
    assert stream.read() is not None
    server.kill()
    with pytest.raises(SourceError, match=r"has ended|was lost") as lost:
        read_on(stream)
    assert not isinstance(lost.value, SourceRefusedError)
    with pytest.raises(SourceError, match="cannot be opened: Connection refused"):
        stream.open()
    server.start()
    stream.open()
    assert stream.read() is not None
    stream.close()


def test_a_camera_that_falls_silent_is_lost_after_the_timeout(server: MjpegServer) -> None:
    stream = Stream(server.address, timeout=1)
    stream.open()
    assert stream.read() is not None
    server.freeze()
    started = time.monotonic()
    with pytest.raises(SourceError, match="was lost: nothing came for 1 s"):
        read_on(stream)
    assert time.monotonic() - started < 2.5
    stream.close()


def test_opening_and_losing_leaves_no_file_open(server: MjpegServer) -> None:
    def open_files() -> int:
        gc.collect()
        return len(os.listdir("/proc/self/fd"))

    stream = Stream(server.address)
    counts = []
    for _ in range(6):
        stream.open()
        stream.read()
        stream.close()
        counts.append(open_files())
    assert counts[-1] <= counts[1]


def test_frames_that_change_their_size_say_so(server: MjpegServer) -> None:
    stream = Stream(server.address + "?grow=1")
    stream.open()
    heights = {frame.height for _ in range(60) if (frame := stream.read()) is not None}
    stream.close()
    assert heights == {48, 64}


def test_a_page_is_no_stream(server: MjpegServer) -> None:
    with pytest.raises(SourceRefusedError, match="is no video"):
        Stream(f"http://127.0.0.1:{server.port}/page").open()


def test_credentials_open_the_stream_and_are_never_repeated(tmp_path: Path) -> None:
    header = "Basic " + base64.b64encode(b"ann:s3cret").decode()
    server = MjpegServer(tmp_path, authorization=header)
    server.start()
    try:
        stream = Stream(f"http://ann:s3cret@127.0.0.1:{server.port}/stream.mjpg")
        stream.open()
        assert stream.read() is not None
        stream.close()
        assert stream.label == f"http://***@127.0.0.1:{server.port}/stream.mjpg"
        wrong = Stream(f"http://ann:wr0ng@127.0.0.1:{server.port}/stream.mjpg")
        with pytest.raises(SourceError, match="refuses these credentials") as refused:
            wrong.open()
        assert "wr0ng" not in str(refused.value) and "ann" not in str(refused.value)
    finally:
        server.kill()


def test_an_address_without_an_answer_is_given_up(tmp_path: Path) -> None:
    import socket

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        started = time.monotonic()
        with pytest.raises(SourceError, match=r"cannot be opened"):
            Stream(f"http://127.0.0.1:{silent.getsockname()[1]}/x", timeout=0.5).open()
        assert time.monotonic() - started < 10
    with pytest.raises(SourceError, match="cannot be opened"):
        Stream(f"rtsp://127.0.0.1:{free_port()}/x", timeout=0.5).open()
