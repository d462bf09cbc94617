"""Streams of a real RTSP server: frames by TCP and UDP, loss, return, silence, credentials."""

from __future__ import annotations

import gc
import os
import socket
import threading
import time

import pytest
from nanoedge.video.sources.base import SourceError, SourceRefusedError
from nanoedge.video.sources.stream import Stream
from tests.video.rtsp_server import RtspServer

UDP = pytest.mark.parametrize("udp", [False, True], ids=["tcp", "udp"])


def read_on(stream: Stream) -> None:
    for _ in range(1000):
        stream.read()


@UDP
def test_frames_of_a_camera_on_the_network(rtsp_server: RtspServer, udp: bool) -> None:
    stream = Stream(rtsp_server.address(), udp=udp)
    stream.open()
    frames = [frame for frame in (stream.read() for _ in range(40)) if frame is not None]
    stream.close()
    assert [frame.number for frame in frames] == list(range(40))
    assert {(frame.width, frame.height, frame.pixel_format) for frame in frames} == {(64, 48, "i420")}
    assert all(frame.picture[:48].min() < 40 and frame.picture[:48].max() > 200 for frame in frames)


def test_the_first_frame_is_the_first_whole_one_that_was_sent(rtsp_server: RtspServer) -> None:
    started = time.monotonic()
    stream = Stream(rtsp_server.address())
    stream.open()
    assert stream.read() is not None
    stream.close()
    assert time.monotonic() - started < 2.5  # a whole picture is sent once a second


@UDP
def test_a_camera_that_goes_is_lost_and_one_that_returns_can_be_opened_again(
    rtsp_server: RtspServer, udp: bool
) -> None:
    stream = Stream(rtsp_server.address(), udp=udp)
    stream.open()
    assert stream.read() is not None
    rtsp_server.kill()
    with pytest.raises(SourceError, match=r"has ended|was lost") as lost:
        read_on(stream)
    assert not isinstance(lost.value, SourceRefusedError)
    with pytest.raises(SourceError, match="cannot be opened: Connection refused"):
        stream.open()
    rtsp_server.start()
    stream.open()
    assert stream.read() is not None
    stream.close()


@UDP
def test_a_camera_that_falls_silent_is_lost_after_the_timeout(rtsp_server: RtspServer, udp: bool) -> None:
    stream = Stream(rtsp_server.address(), timeout=2.5, udp=udp)
    stream.open()
    assert stream.read() is not None
    rtsp_server.freeze()
    started = time.monotonic()
    with pytest.raises(SourceError, match=r"was lost: nothing came for 2\.5 s"):
        read_on(stream)
    assert 2 < time.monotonic() - started < 4
    stream.close()
    assert time.monotonic() - started < 4.5


def test_a_silent_camera_cannot_be_opened_now_but_may_be_later(rtsp_server: RtspServer) -> None:
    rtsp_server.freeze()
    stream, started = Stream(rtsp_server.address(), timeout=1), time.monotonic()
    with pytest.raises(SourceError, match="cannot be opened") as silent:
        stream.open()
    assert not isinstance(silent.value, SourceRefusedError)
    assert time.monotonic() - started < 3


def test_a_camera_that_hangs_up_while_it_starts_may_be_opened_later() -> None:
    with socket.socket() as starting:
        starting.bind(("127.0.0.1", 0))
        starting.listen()
        threading.Thread(target=lambda: starting.accept()[0].close(), daemon=True).start()
        with pytest.raises(SourceError, match="cannot be opened") as broken:
            Stream(f"rtsp://127.0.0.1:{starting.getsockname()[1]}/stream").open()
    assert not isinstance(broken.value, SourceRefusedError)


def test_a_wrong_path_is_a_sentence(rtsp_server: RtspServer) -> None:
    with pytest.raises(SourceError) as wrong:
        Stream(rtsp_server.address(path="garden")).open()
    address = f"rtsp://127.0.0.1:{rtsp_server.port}/garden"
    assert str(wrong.value) == f"The stream {address} cannot be opened: Server returned 404 Not Found."


def test_credentials_open_the_stream_and_are_never_repeated(locked_rtsp_server: RtspServer) -> None:
    stream = Stream(locked_rtsp_server.address("martha:s3cret"))
    stream.open()
    assert stream.read() is not None
    assert stream.label == f"rtsp://***@127.0.0.1:{locked_rtsp_server.port}/stream"
    locked_rtsp_server.kill()
    messages = []
    for attempt in (lambda: read_on(stream), stream.open):
        with pytest.raises(SourceError) as lost:
            attempt()
        messages.append(str(lost.value))
    stream.close()
    assert all("***@" in message and "s3cret" not in message and "martha" not in message for message in messages)


@pytest.mark.parametrize("credentials", ["martha:wr0ng", "bob:wr0ng", ""])
def test_wrong_credentials_are_a_sentence_without_them(locked_rtsp_server: RtspServer, credentials: str) -> None:
    with pytest.raises(SourceError, match=r"refuses these credentials .* check user and password\.") as refused:
        Stream(locked_rtsp_server.address(credentials)).open()
    assert not any(word in str(refused.value) for word in ("wr0ng", "martha", "bob"))


@UDP
def test_opening_and_losing_leaves_no_file_and_no_thread(rtsp_server: RtspServer, udp: bool) -> None:
    def held() -> tuple[int, int]:
        gc.collect()
        return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))

    stream = Stream(rtsp_server.address(), udp=udp)
    counts = []
    for number in range(5):
        stream.open()
        assert stream.read() is not None
        if number % 2:
            rtsp_server.kill()
            with pytest.raises(SourceError):
                read_on(stream)
            rtsp_server.start()
        stream.close()
        counts.append(held())
    assert counts[-1] <= counts[1] and counts[-1][1] <= counts[1][1]
