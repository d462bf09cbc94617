"""Capture: lost sources are opened again, hopeless ones given up, and people are told once."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from nanoedge.video.pipeline import capture as capturing
from nanoedge.video.pipeline.capture import Capture
from nanoedge.video.pipeline.handover import Handover
from nanoedge.video.pipeline.measurements import Measurements
from nanoedge.video.sources.base import Frame, Source, SourceError, SourceRefusedError
from nanoedge.video.sources.stream import Stream
from tests.video.mjpeg_server import MjpegServer
from tests.video.waiting import wait_for

PICTURE = np.zeros((4, 4, 3), np.uint8)


class Scripted(Source):
    """Does at each opening what the next list says: numbers of frames, then an error or the end."""

    label, live = "scripted", True

    def __init__(self, *rounds: tuple[int, Exception | None], live: bool = True) -> None:
        self._rounds = list(rounds)
        self.live = live
        self.closed = 0

    def open(self) -> None:
        self._left, self._then = self._rounds.pop(0)
        if self._left < 0 and self._then is not None:
            raise self._then

    def read(self) -> Frame | None:
        if self._left == 0:
            if self._then is not None:
                raise self._then
            return None
        self._left -= 1
        return Frame(0, PICTURE)

    def close(self) -> None:
        self.closed += 1


def captured(source: Source, monkeypatch: pytest.MonkeyPatch) -> tuple[Capture, Measurements, list[str]]:
    monkeypatch.setattr(capturing, "FIRST_WAIT", 0.001)
    monkeypatch.setattr(capturing, "LONGEST_WAIT", 0.004)
    measured, said = Measurements(), []
    capture = Capture(source, Handover(), measured, threading.Event(), said.append)
    capture.run()
    return capture, measured, said


def test_a_lost_source_is_opened_again_and_told_of_once(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = SourceError("The camera is gone.")
    source = Scripted((3, gone), (-1, gone), (-1, gone), (2, None))
    _, measured, said = captured(source, monkeypatch)
    assert said[0] == "The camera is gone. It is tried again until it is there."
    assert said[1].startswith("scripted is back after")
    assert len(said) == 2
    counters = measured.snapshot().counters
    assert counters == {"captured": 5, "lost": 1, "failed_attempts": 2, "reconnected": 1}


def test_a_camera_that_is_not_there_yet_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Scripted((-1, SourceError("There is no camera.")), (2, None))
    _, measured, said = captured(source, monkeypatch)
    assert len(said) == 1 and measured.snapshot().counters["captured"] == 2


def test_what_can_never_work_is_given_up_unless_it_has_worked(monkeypatch: pytest.MonkeyPatch) -> None:
    never = SourceRefusedError("This is a page.")
    capture, _, said = captured(Scripted((-1, never)), monkeypatch)
    assert capture.failure is never and not said
    capture, measured, _ = captured(Scripted((1, never), (-1, never), (1, None)), monkeypatch)
    assert capture.failure is None and measured.snapshot().counters["reconnected"] == 1


def test_a_file_that_fails_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = SourceError("The file is damaged.")
    source = Scripted((2, broken), live=False)
    capture, _, _ = captured(source, monkeypatch)
    assert capture.failure is broken and source.closed


def test_waits_grow_until_a_frame_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0)
            return False

    gone = SourceError("gone")
    source = Scripted(*[(-1, gone)] * 8, (5, gone), (-1, gone), (1, None))
    Capture(source, Handover(), Measurements(), Stop(), lambda text: None).run()
    expected = [0.5, 1, 2, 4, 8, 16, 30, 30, 0.5, 1]
    assert waits == pytest.approx(expected, rel=0.11)


def test_an_address_that_gives_single_pictures_is_asked_less_and_less_often() -> None:
    waits: list[float] = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0)
            return False

    ended = SourceError("ended")
    Capture(Scripted(*[(1, ended)] * 4, (1, None)), Handover(), Measurements(), Stop(), lambda text: None).run()
    assert waits == pytest.approx([0.5, 1, 2, 4], rel=0.11)


def test_a_target_rate_skips_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    class Even(Scripted):
        number = 0

        def read(self) -> Frame | None:
            frame = super().read()
            self.number += 1
            return None if frame is None else Frame(self.number, PICTURE, captured=1000 + self.number / 30)

    measured, frames = Measurements(), Handover[Frame](1000, keep_all=True)
    Capture(Even((300, None)), frames, measured, threading.Event(), lambda text: None, lambda: 10.0).run()
    passed = 300 - measured.snapshot().counters["skipped"]
    assert passed == pytest.approx(100, abs=2)


@pytest.mark.parametrize("rounds", [3])
def test_a_real_server_that_is_killed_and_comes_back(server: MjpegServer, rounds: int) -> None:
    measured, stop, said = Measurements(), threading.Event(), []
    frames: Handover[Frame] = Handover()
    capture = Capture(Stream(server.address, timeout=2), frames, measured, stop, said.append)
    thread = threading.Thread(target=capture.run)
    thread.start()
    try:
        for number in range(rounds):
            wait_for(lambda: capture.connected)
            server.kill()
            wait_for(lambda: not capture.connected)
            server.start()
            wait_for(lambda number=number: measured.snapshot().counters.get("reconnected", 0) == number + 1)
    finally:
        stop.set()
        thread.join(timeout=20)
    assert not thread.is_alive()
    assert len(said) == 2 * rounds


def test_an_address_of_single_pictures_is_told_of_once_and_its_loss_and_return_too(
    server: MjpegServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capturing, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(capturing, "LONGEST_WAIT", 0.1)
    measured, stop, said = Measurements(), threading.Event(), []
    capture = Capture(Stream(server.snapshot_address, timeout=2), Handover(), measured, stop, said.append)

    def counted(name: str) -> int:
        return measured.snapshot().counters.get(name, 0)

    thread = threading.Thread(target=capture.run)
    thread.start()
    try:
        wait_for(lambda: counted("captured") >= 5)
        assert capture.connected and counted("lost") == 0
        server.kill()
        wait_for(lambda: not capture.connected)
        server.start()
        before = counted("captured")
        wait_for(lambda: counted("captured") >= before + 5)
    finally:
        stop.set()
        thread.join(timeout=20)
    assert not thread.is_alive()
    assert len(said) == 3
    assert "gives a single picture" in said[0] and "tried again until it is there" in said[1] and "is back" in said[2]
    assert (counted("lost"), counted("reconnected")) == (1, 1)
