"""The whole way, with a real network on real files."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest
from nanoedge.errors import NanoEdgeError
from nanoedge.runtime.detector import Detector
from nanoedge.video.outputs.jsonl import JsonLines
from nanoedge.video.pipeline import capture as capturing
from nanoedge.video.pipeline.pipeline import Pipeline, PipelineSettings
from nanoedge.video.result import Result
from nanoedge.video.sources.base import Frame, Source, SourceError, SourceRefusedError
from nanoedge.video.sources.video_file import VideoFile
from tests.video.conftest import FRAMES


class Kept:
    """Keeps results."""

    name = "kept"

    def __init__(self, seconds: float = 0.0) -> None:
        self.results: list[Result] = []
        self.closed = False
        self._seconds = seconds

    def write(self, result: Result) -> bool:
        time.sleep(self._seconds)
        self.results.append(result)
        return True

    def close(self) -> None:
        self.closed = True


class Failing(Kept):
    """A full disk, for a while."""

    name = "failing"

    def write(self, result: Result) -> bool:
        if 3 <= result.number < 6:
            raise OSError(28, "No space left on device")
        return super().write(result)


def test_every_frame_of_a_file_is_looked_at_in_its_order(small_bundle: Path, clip: Path, tmp_path: Path) -> None:
    kept, place = Kept(seconds=0.01), tmp_path / "found" / "lines.jsonl"
    detector = Detector(small_bundle, threads=1)
    outputs = [kept, JsonLines(place, "clip.mp4")]
    settings = PipelineSettings(realtime=False)
    pipeline = Pipeline(lambda: VideoFile(clip), lambda: detector, outputs, pytest.fail, settings)
    pipeline.run()
    assert [result.frame.number for result in kept.results] == list(range(FRAMES))
    assert kept.closed
    expected = [detector(frame.picture, "i420").as_json() for frame in frames_of(clip)]
    lines = [json.loads(line) for line in place.read_text().splitlines()]
    assert [line["detections"] for line in lines] == expected
    assert [(line["source"], line["frame"], line["width"], line["height"]) for line in lines] == [
        ("clip.mp4", number, 96, 64) for number in range(FRAMES)
    ]
    assert lines[3]["time_ms"] == pytest.approx(150, abs=1)
    assert all(0 < line["forward_ms"] <= line["latency_ms"] for line in lines)
    counters = pipeline.measurements.snapshot().counters
    assert counters == {"captured": 12, "detected": 12, "kept_written": 12, "jsonl_written": 12}


def frames_of(clip: Path) -> list[Frame]:
    source = VideoFile(clip)
    source.open()
    found = []
    while (frame := source.read()) is not None:
        found.append(frame)
    source.close()
    return found


def test_an_output_that_fails_is_told_of_once_and_holds_up_nothing(small_bundle: Path, clip: Path) -> None:
    said: list[str] = []
    failing, kept = Failing(), Kept()
    settings = PipelineSettings(realtime=False)
    pipeline = Pipeline(
        lambda: VideoFile(clip), lambda: Detector(small_bundle, threads=1), [failing, kept], said.append, settings
    )
    pipeline.run()
    assert said == [
        "The output failing has failed: No space left on device. The rest goes on.",
        "The output failing works again",
    ]
    assert len(failing.results) == FRAMES - 3 and len(kept.results) == FRAMES
    assert pipeline.measurements.snapshot().counters["failing_failed"] == 3


class SlowDetector(Detector):
    """A network that takes its time."""

    def timed(self, picture, pixel_format="bgr"):  # type: ignore[no-untyped-def]
        time.sleep(0.1)
        return super().timed(picture, pixel_format)


def test_with_a_slow_network_frames_are_dropped_and_the_delay_stays_short(small_bundle: Path, clip: Path) -> None:
    class Enough(Kept):
        def write(self, result: Result) -> bool:
            if len(self.results) == 12:
                pipeline.stop()
            return super().write(result)

    kept = Enough()
    pipeline = Pipeline(
        lambda: VideoFile(clip, loop=True, realtime=True), lambda: SlowDetector(small_bundle, threads=1), [kept], print
    )
    pipeline.run()
    assert pipeline.dropped_frames() > 5
    latencies = [result.latency_ms for result in kept.results]
    assert len(latencies) >= 12 and sorted(latencies)[len(latencies) // 2] < 100 + 100
    assert kept.closed


class Silent(Source):
    """A camera whose driver hangs."""

    label, live = "silent", True

    def __init__(self, then: Source | None = None) -> None:
        self._released = threading.Event()
        self.closed = False

    def open(self) -> None:
        pass

    def read(self) -> Frame | None:
        self._released.wait()
        raise SourceError("released")

    def close(self) -> None:
        self.closed = True

    def interrupt(self) -> None:
        self._released.set()


def test_a_stuck_camera_is_opened_anew(small_bundle: Path, clip: Path) -> None:
    silent, said, kept = Silent(), [], Kept()
    sources: list[Source] = [silent, VideoFile(clip)]
    settings = PipelineSettings(capture_stall=0.5)
    pipeline = Pipeline(
        lambda: sources.pop(0), lambda: Detector(small_bundle, threads=1), [kept], said.append, settings
    )
    pipeline.run()
    assert "Capture was stuck for" in said[0] and len(said) == 1
    assert kept.results and silent.closed
    assert pipeline.measurements.snapshot().counters["capture_restarts"] == 1


class Unreachable(Silent):
    """A camera whose address takes a while to say that nobody is there, and then is there."""

    tries = 0

    def open(self) -> None:
        type(self).tries += 1
        if self.tries <= 2:
            time.sleep(0.4)
            raise SourceError("Nobody is there.")
        raise SourceRefusedError("This is a page.")


def test_a_camera_that_is_waited_for_is_not_taken_for_stuck(
    small_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capturing, "FIRST_WAIT", 1.2)
    monkeypatch.setattr(capturing, "LONGEST_WAIT", 1.2)
    said: list[str] = []
    detector = Detector(small_bundle, threads=1)
    settings = PipelineSettings(capture_stall=1.0)
    pipeline = Pipeline(Unreachable, lambda: detector, [], said.append, settings)
    with pytest.raises(SourceRefusedError):
        pipeline.run()
    assert said == ["Nobody is there. It is tried again until it is there."]
    assert "capture_restarts" not in pipeline.measurements.snapshot().counters


class Hanging(Detector):
    """A network that hangs in its third frame."""

    def timed(self, picture, pixel_format="bgr"):  # type: ignore[no-untyped-def]
        self.calls = getattr(self, "calls", 0) + 1
        if self.calls == 3:
            time.sleep(4)
        return super().timed(picture, pixel_format)


def test_a_stuck_network_is_loaded_anew(small_bundle: Path, clip: Path) -> None:
    said: list[str] = []
    kept = Kept()
    kinds = [Hanging, Detector]
    settings = PipelineSettings(realtime=False, detection_stall=1.0)
    pipeline = Pipeline(
        lambda: VideoFile(clip), lambda: kinds.pop(0)(small_bundle, threads=1), [kept], said.append, settings
    )
    pipeline.run()
    assert len(said) == 1 and "Detection was stuck" in said[0]
    assert [result.frame.number for result in kept.results] == [number for number in range(FRAMES) if number != 2]


def test_a_source_that_cannot_be_read_is_an_error_and_outputs_are_closed(small_bundle: Path, tmp_path: Path) -> None:
    kept = Kept()
    path = tmp_path / "empty.mp4"
    path.touch()
    pipeline = Pipeline(lambda: VideoFile(path), lambda: Detector(small_bundle, threads=1), [kept], pytest.fail)
    with pytest.raises(NanoEdgeError, match=r"empty\.mp4 is no video"):
        pipeline.run()
    assert kept.closed


class Faulty(Detector):
    """A network with a fault of the program in it."""

    def timed(self, picture, pixel_format="bgr"):  # type: ignore[no-untyped-def]
        raise ZeroDivisionError


class FaultySource(Silent):
    """A source likewise."""

    def read(self) -> Frame | None:
        raise ZeroDivisionError


def test_a_fault_in_a_stage_ends_everything_and_is_not_hidden(small_bundle: Path, clip: Path) -> None:
    for source, kind in ((VideoFile(clip), Faulty), (FaultySource(), Detector)):
        kept = Kept()
        pipeline = Pipeline(
            lambda source=source: source,  # type: ignore[misc]
            lambda kind=kind: kind(small_bundle, threads=1),  # type: ignore[misc]
            [kept],
            pytest.fail,
        )
        with pytest.raises(ZeroDivisionError):
            pipeline.run()
        assert kept.closed and not kept.results


class FaultyOutput(Kept):
    """An output likewise."""

    def write(self, result: Result) -> bool:
        raise ZeroDivisionError


@pytest.mark.parametrize("realtime", [False, True])
def test_a_fault_in_an_output_ends_everything_and_is_not_hidden(small_bundle: Path, clip: Path, realtime: bool) -> None:
    pipeline = Pipeline(
        lambda: VideoFile(clip, loop=True, realtime=realtime),
        lambda: Detector(small_bundle, threads=1),
        [FaultyOutput()],
        pytest.fail,
        PipelineSettings(realtime=realtime),
    )
    with pytest.raises(ZeroDivisionError):
        pipeline.run()


def test_no_thread_is_left(small_bundle: Path, clip: Path) -> None:
    before = {thread for thread in threading.enumerate() if thread.name.startswith("nanoedge-")}
    pipeline = Pipeline(
        lambda: VideoFile(clip, loop=True, realtime=True), lambda: Detector(small_bundle, threads=1), [Kept()], print
    )
    threading.Timer(0.5, pipeline.stop).start()
    started = time.monotonic()
    pipeline.run()
    assert time.monotonic() - started < 5
    assert {thread for thread in threading.enumerate() if thread.name.startswith("nanoedge-")} <= before
