"""What comes out of the pipeline for each frame that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nanoedge.detections import Detections
from nanoedge.runtime.network import StageTimes
from nanoedge.video.sources.base import Frame


@dataclass(frozen=True, eq=False)
class Result:
    """A frame and what was found in it.

    Attributes:
        number: results before this one, over all connections of the source.
        frame: the frame.
        detections: in its pixels.
        times: of the network, milliseconds.
        finished: when it was there, seconds of `time.monotonic`.
    """

    number: int
    frame: Frame
    detections: Detections
    times: StageTimes
    finished: float

    @property
    def latency_ms(self) -> float:
        """From capture to here."""
        return (self.finished - self.frame.captured) * 1000

    def as_json(self, source: str) -> dict[str, Any]:
        """The contract's item of a video: source, frame, time, size and detections."""
        item: dict[str, Any] = {"source": source, "frame": self.frame.number}
        if self.frame.name is not None:
            item["picture"] = self.frame.name
        if self.frame.position is not None:
            item["time_ms"] = round(self.frame.position * 1000, 3)
        item |= {"width": self.frame.width, "height": self.frame.height}
        item |= {"latency_ms": round(self.latency_ms, 2), "forward_ms": round(self.times.forward, 2)}
        return item | {"detections": self.detections.as_json()}
