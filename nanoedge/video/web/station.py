"""The running camera as the page, the API and the metrics see it."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from nanoedge import __version__
from nanoedge.detections import Detections
from nanoedge.errors import NanoEdgeError
from nanoedge.runtime.drawing import class_colour
from nanoedge.video.health import Health, measure_health
from nanoedge.video.outputs.events import Events
from nanoedge.video.outputs.switched_recording import SwitchedRecording
from nanoedge.video.pipeline.pipeline import Pipeline
from nanoedge.video.web.live import Live
from nanoedge.video.web.metrics import Labels, MetricsText

STALE_SECONDS = 10.0
"""Without a result for so long, the camera is not healthy."""

HEALTH_SECONDS = 2.0


class Station:
    """Reads and steers a pipeline.

    Args:
        pipeline: runs, or is about to.
        live: its newest results.
        score_threshold: what outputs report; the page receives boxes below it too, for its slider.
        events: the folder of events; `None` when there is none.
        recordings: what the page's button switches; `None` when nothing may be written.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        live: Live,
        score_threshold: float,
        events: Events | None = None,
        recordings: SwitchedRecording | None = None,
    ) -> None:
        self._pipeline = pipeline
        self._live = live
        self._score = score_threshold
        self._events = events
        self._recordings = recordings
        self._lock = threading.Lock()
        self._health: Health | None = None
        self._measured = float("-inf")

    def machine(self) -> Health:
        """The machine's health, at most two seconds old."""
        with self._lock:
            if self._health is None or time.monotonic() - self._measured > HEALTH_SECONDS:
                self._health, self._measured = measure_health(), time.monotonic()
            return self._health

    def health(self) -> tuple[bool, str]:
        """Whether results come, and a sentence."""
        newest = self._live.newest()
        age = None if newest is None else time.monotonic() - newest.finished
        if age is not None and age < STALE_SECONDS:
            return True, "ok"
        if not self._pipeline.capture_connected:
            return False, "the camera is not there"
        return False, "no result yet" if age is None else f"no result for {age:.0f} s"

    def status(self) -> dict[str, Any]:
        """Everything that the page shows."""
        found = self._pipeline.measurements.snapshot()
        healthy, sentence = self.health()
        detector, recordings = self._pipeline.detector, self._recordings
        place = None if recordings is None else recordings.place
        return {
            "version": __version__,
            "source": self._pipeline.source.label,
            "connected": self._pipeline.capture_connected,
            "healthy": healthy,
            "health": sentence,
            "uptime": round(found.uptime, 1),
            "rate": round(found.rate, 2),
            "capture_rate": round(found.capture_rate, 2),
            "dropped": self._pipeline.dropped_frames(),
            "counters": found.counters,
            "stages": {name: {"p50": round(at.p50, 2), "p95": round(at.p95, 2)} for name, at in found.stages.items()},
            "target_fps": self._pipeline.target_rate,
            "cooled_fps": self._pipeline.cooled_rate,
            "score_threshold": self._score,
            "engine": detector.engine,
            "compute": detector.compute,
            "threads": detector.threads,
            "bundle": detector.bundle.manifest.name,
            "input": [detector.interface.input.width, detector.interface.input.height],
            "classes": list(detector.class_names),
            "colours": ["#{2:02x}{1:02x}{0:02x}".format(*class_colour(i)) for i in range(len(detector.class_names))],
            "machine": self.machine().as_json(),
            "keeps_events": self._events is not None,
            "can_record": recordings is not None,
            "recording": recordings is not None and recordings.on,
            "recording_file": None if place is None else place.name,
        }

    def shown(self, detections: Detections) -> Detections:
        """Those above the threshold."""
        return detections.select(detections.scores > self._score)

    def set_target_rate(self, rate: float | None) -> None:
        """Frames a second at most; nothing and 0 look at all."""
        self._pipeline.target_rate = rate or None

    def record(self, on: bool) -> str | None:
        """Begin or end a recording; a sentence when that cannot be."""
        if self._recordings is None:
            return "Recordings need a folder: start with --recordings DIR."
        try:
            self._recordings.switch(on)
        except NanoEdgeError as error:
            return str(error)
        return None

    def events(self, most: int) -> list[dict[str, Any]]:
        """The newest first."""
        kept = [] if self._events is None else list(self._events.newest)
        return [{"name": event.name, "labels": list(event.labels)} for event in reversed(kept[-most:])]

    def event_picture(self, name: str) -> Path | None:
        """The file of an event that is in the list; no other can be named."""
        if self._events is None or all(event.name != name for event in list(self._events.newest)):
            return None
        path = self._events.folder / f"{name}.jpg"
        return path if path.is_file() else None

    def metrics(self, viewers: int, refused_viewers: int) -> str:
        """Prometheus' text."""
        found, machine, text = self._pipeline.measurements.snapshot(), self.machine(), MetricsText()
        counted = sorted(found.counters.items())
        counters: dict[Labels, float] = {(("what", name),): float(value) for name, value in counted}
        counters[(("what", "dropped"),)] = self._pipeline.dropped_frames()
        counters[(("what", "viewers_refused"),)] = refused_viewers
        text.add("events_total", "counter", "What happened since the start.", counters)
        times: dict[Labels, float] = {
            (("stage", name), ("quantile", quantile)): getattr(at, f"p{percent}") / 1000
            for name, at in found.stages.items()
            for quantile, percent in (("0.5", 50), ("0.95", 95))
        }
        text.add("stage_seconds", "gauge", "Time of each stage, of the newest results.", times)
        text.gauge("result_rate", "Results a second.", found.rate)
        text.gauge("capture_rate", "Frames a second from the source.", found.capture_rate)
        text.gauge("source_connected", "1 while the source is open.", float(self._pipeline.capture_connected))
        text.gauge("viewers", "Open pages.", viewers)
        text.gauge("uptime_seconds", "Since the start.", found.uptime)
        text.gauge("cpu_temperature_celsius", "Of the CPU.", machine.temperature)
        text.gauge("throttled", "1 when the CPU is slowed down.", _number(machine.throttled))
        text.gauge("under_voltage", "1 when the supply is too weak.", _number(machine.under_voltage))
        text.gauge("resident_memory_bytes", "Of this process.", machine.memory_bytes)
        text.gauge("load1", "Runnable threads, mean of a minute.", machine.load)
        return text.text()


def _number(flag: bool | None) -> float | None:
    return None if flag is None else float(flag)
