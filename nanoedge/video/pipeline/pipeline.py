"""All stages together: started, watched, stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nanoedge.errors import NanoEdgeError
from nanoedge.runtime.detector import Detector
from nanoedge.video.allocator import give_memory_back
from nanoedge.video.outputs.base import Output
from nanoedge.video.pipeline.capture import Capture
from nanoedge.video.pipeline.delivery import Delivery
from nanoedge.video.pipeline.detection import Detection
from nanoedge.video.pipeline.handover import Handover
from nanoedge.video.pipeline.measurements import Measurements
from nanoedge.video.result import Result
from nanoedge.video.sources.base import Frame, Source

Log = Callable[[str], None]

FILE_BACKLOG = 4
"""Frames of a file that are decoded ahead."""

GIVE_BACK_SECONDS = 30.0
"""From one time that free memory goes back to the system to the next."""


@dataclass(frozen=True)
class PipelineSettings:
    """How it runs.

    Attributes:
        realtime: drop frames that come while the network works, as with a camera; else each frame is looked at.
        target_rate: frames a second at most, where frames may be dropped.
        capture_stall: seconds without a sign of life after which capture is begun anew.
        detection_stall: seconds that one frame may take, after which detection is begun anew.
        patience: seconds that stages get to end.
    """

    realtime: bool = True
    target_rate: float | None = None
    capture_stall: float = 30.0
    detection_stall: float = 60.0
    patience: float = 5.0


DEFAULTS = PipelineSettings()


class Pipeline:
    """From a source through a detector to outputs.

    Args:
        make_source: makes the source; called again when capture is stuck in one.
        make_detector: makes the detector; called again when detection is stuck in one.
        outputs: any number.
        log: receives sentences.
        settings: the rest.

    Attributes:
        measurements: what happened; also counts `capture_restarts` and `detection_restarts`.
        realtime: frames may be dropped.
        target_rate: frames a second at most, where frames may be dropped; may be changed at any time.
        cooled_rate: likewise, and the smaller of both counts.
    """

    def __init__(
        self,
        make_source: Callable[[], Source],
        make_detector: Callable[[], Detector],
        outputs: Sequence[Output],
        log: Log,
        settings: PipelineSettings = DEFAULTS,
    ) -> None:
        self.measurements = Measurements()
        self.settings = settings
        self.target_rate = settings.target_rate
        self.cooled_rate: float | None = None
        self._make_source, self._make_detector = make_source, make_detector
        self._log = log
        self.source = make_source()
        self._detector: Detector | None = None
        self._loaded = threading.Event()
        self.realtime = self.source.live or settings.realtime
        keep_all = not self.realtime
        self._frames: Handover[Frame] = Handover(FILE_BACKLOG if keep_all else 1, keep_all)
        self._deliveries = [Delivery(output, self.measurements, log, keep_all) for output in outputs]
        self._capture: Capture | None = None
        self._detection: Detection | None = None
        self._given_back = time.monotonic()
        self._stop = threading.Event()
        self._capture_stop, self._detection_stop = threading.Event(), threading.Event()
        self._capture_thread, self._detection_thread = threading.Thread(), threading.Thread()

    def run(self) -> None:
        """Work until the source ends or `stop` is called.

        Raises:
            NanoEdgeError: when the source cannot be read at all.
        """
        for delivery in self._deliveries:
            delivery.thread.start()
        self._begin_capture()
        try:
            self._load()
            self._begin_detection()
            while not self._stop.is_set() and self._detection_thread.is_alive():
                self._detection_thread.join(timeout=0.1)
                self._watch()
                self._give_memory_back()
                if any(delivery.failure for delivery in self._deliveries):
                    self.stop()
        finally:
            self._finish()
        for stage in (self._capture, self._detection, *self._deliveries):
            if stage is not None and stage.failure is not None:
                raise stage.failure

    def _load(self) -> None:
        """The first detector; the source is opened meanwhile."""
        try:
            self._detector = self._make_detector()
        finally:
            self._loaded.set()

    @property
    def detector(self) -> Detector:
        """The one that works now; waited for while the first one is loaded.

        Raises:
            NanoEdgeError: when loading has failed.
        """
        self._loaded.wait()
        if self._detector is None:
            raise NanoEdgeError("The network could not be loaded.")
        return self._detector

    def stop(self) -> None:
        """End, from any thread or a signal's handler."""
        self._stop.set()

    def _begin_capture(self) -> None:
        self._capture_stop = threading.Event()
        self._capture = Capture(
            self.source, self._frames, self.measurements, self._capture_stop, self._log, self.rate_limit
        )
        self._capture_thread = threading.Thread(target=self._capture.run, name="nanoedge-capture", daemon=True)
        self._capture_thread.start()

    def _begin_detection(self) -> None:
        self._detection_stop = stop = threading.Event()

        def deliver(result: Result) -> None:
            if not stop.is_set():
                for delivery in self._deliveries:
                    delivery.give(result)

        self._detection = Detection(self.detector, self._frames, deliver, self.measurements, stop, self._log)
        self._detection_thread = threading.Thread(target=self._detection.run, name="nanoedge-detection", daemon=True)
        self._detection_thread.start()

    def _watch(self) -> None:
        """Begin a stage anew that shows no sign of life; its thread is left behind, and ends when it comes back."""
        now = time.monotonic()
        detection, capture = self._detection, self._capture
        if detection is not None and detection.busy and now - detection.heartbeat > self.settings.detection_stall:
            self._log(f"Detection was stuck for {now - detection.heartbeat:.0f} s and is begun anew")
            self.measurements.count("detection_restarts")
            self._detection_stop.set()
            self._detector = self._make_detector()
            self._begin_detection()
        if capture is None:
            return
        stalled = self.source.live and self._capture_thread.is_alive() and not capture.waiting
        if stalled and now - capture.heartbeat > self.settings.capture_stall:
            self._log(f"Capture was stuck for {now - capture.heartbeat:.0f} s and is begun anew")
            self.measurements.count("capture_restarts")
            self._capture_stop.set()
            capture.abandon()
            self.source = self._make_source()
            self._begin_capture()

    def _give_memory_back(self) -> None:
        now = time.monotonic()
        if now - self._given_back > GIVE_BACK_SECONDS:
            self._given_back = now
            give_memory_back()

    def _finish(self) -> None:
        end = time.monotonic() + self.settings.patience
        self._capture_stop.set()
        self.source.interrupt()
        if self._stop.is_set():
            self._detection_stop.set()
            self._frames.close(forget=True)
        for thread in (self._capture_thread, self._detection_thread):
            if thread.ident is not None:
                thread.join(max(0.1, end - time.monotonic()))
        for delivery in self._deliveries:
            delivery.finish(max(0.5, end - time.monotonic()))

    def rate_limit(self) -> float | None:
        """Frames a second that are looked at, at most; `None` when there is no limit."""
        rates = [rate for rate in (self.target_rate, self.cooled_rate) if rate]
        return min(rates, default=None) if self.realtime else None

    def failed_outputs(self) -> list[str]:
        """Names of those that have lost something."""
        return [delivery.output.name for delivery in self._deliveries if delivery.has_failed]

    @property
    def capture_connected(self) -> bool:
        """Whether the source is open."""
        return self._capture is not None and self._capture.connected

    def dropped_frames(self) -> int:
        """Frames that came while the network worked on another one."""
        return self._frames.dropped
