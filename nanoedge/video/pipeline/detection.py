"""The middle stage: the network on the newest frame."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from nanoedge.errors import NanoEdgeError
from nanoedge.runtime.detector import Detector
from nanoedge.video.pipeline.handover import Handover
from nanoedge.video.pipeline.measurements import Measurements
from nanoedge.video.result import Result
from nanoedge.video.sources.base import Frame

POLL = 0.5


class Detection:
    """Takes frames, gives results.

    Args:
        detector: the network.
        frames: where frames come from.
        deliver: receives each result.
        measurements: counts `detected`, and `refused` frames that the detector cannot take.
        stop: set when everything is to end.
        log: receives a sentence when a frame is refused, once for each reason.

    Attributes:
        heartbeat: when it last did something, seconds of `time.monotonic`.
        busy: it works on a frame.
        failure: a fault of the program that has ended it.
    """

    def __init__(
        self,
        detector: Detector,
        frames: Handover[Frame],
        deliver: Callable[[Result], None],
        measurements: Measurements,
        stop: threading.Event,
        log: Callable[[str], None],
    ) -> None:
        self.heartbeat = time.monotonic()
        self.busy = False
        self.failure: Exception | None = None
        self._detector = detector
        self._frames = frames
        self._deliver = deliver
        self._measurements = measurements
        self._stop = stop
        self._log = log
        self._number = 0
        self._told: set[str] = set()

    def run(self) -> None:
        """The thread's work."""
        try:
            self._work()
        except Exception as error:
            self.failure = error  # raised again by the pipeline

    def _work(self) -> None:
        while not self._stop.is_set() and not self._frames.finished:
            frame = self._frames.take(timeout=POLL)
            self.heartbeat = time.monotonic()
            if frame is None:
                continue
            self.busy = True
            try:
                self._look_at(frame)
            except NanoEdgeError as error:
                self._measurements.count("refused")
                if str(error) not in self._told:
                    self._told.add(str(error))
                    self._log(f"A frame was refused: {error}")
            finally:
                self.busy = False

    def _look_at(self, frame: Frame) -> None:
        started = time.monotonic()
        detections, times = self._detector.timed(frame.picture, frame.pixel_format)
        result = Result(self._number, frame, detections, times, time.monotonic())
        self._number += 1
        self._measurements.detected(
            {
                "wait": (started - frame.captured) * 1000,
                "preprocess": times.preprocess,
                "forward": times.forward,
                "postprocess": times.postprocess,
                "latency": result.latency_ms,
            }
        )
        self._deliver(result)
