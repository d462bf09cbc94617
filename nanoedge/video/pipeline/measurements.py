"""Counters and times of a running pipeline, for people, pages and metrics."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from dataclasses import dataclass

STAGES = ("wait", "preprocess", "forward", "postprocess", "latency")
"""Milliseconds each: between capture and detection, the three of the network, and from capture to the result."""

WINDOW = 300
"""Newest values that a percentile is of."""

RATE_SECONDS = 5.0


@dataclass(frozen=True)
class Percentiles:
    """Milliseconds."""

    p50: float
    p95: float


@dataclass(frozen=True)
class Snapshot:
    """What was measured until now.

    Attributes:
        uptime: seconds.
        rate: results a second, over the last seconds.
        capture_rate: frames a second that the source gave, over the last seconds.
        counters: what happened how often, since the start.
        stages: of `STAGES`, those that were measured.
    """

    uptime: float
    rate: float
    capture_rate: float
    counters: dict[str, int]
    stages: dict[str, Percentiles]


class Measurements:
    """Filled by the stages' threads, read by anyone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._counters: Counter[str] = Counter()
        self._times: dict[str, deque[float]] = {name: deque(maxlen=WINDOW) for name in STAGES}
        self._results: deque[float] = deque(maxlen=2000)
        self._captures: deque[float] = deque(maxlen=2000)

    def count(self, what: str, times: int = 1) -> None:
        """Something has happened."""
        with self._lock:
            self._counters[what] += times

    def captured(self) -> None:
        """A frame came from the source."""
        with self._lock:
            self._counters["captured"] += 1
            self._captures.append(time.monotonic())

    def detected(self, milliseconds: dict[str, float]) -> None:
        """A result is there, with the times of `STAGES`."""
        with self._lock:
            self._counters["detected"] += 1
            self._results.append(time.monotonic())
            for name, value in milliseconds.items():
                self._times[name].append(value)

    def snapshot(self) -> Snapshot:
        """A copy of everything."""
        with self._lock:
            now = time.monotonic()
            uptime = now - self._started
            return Snapshot(
                uptime,
                _rate(self._results, now, uptime),
                _rate(self._captures, now, uptime),
                dict(self._counters),
                {name: _percentiles(values) for name, values in self._times.items() if values},
            )


def _rate(moments: deque[float], now: float, uptime: float) -> float:
    """Events a second within the last `RATE_SECONDS`."""
    recent = sum(1 for moment in moments if now - moment <= RATE_SECONDS)
    return recent / max(min(RATE_SECONDS, uptime), 1e-3)


def _percentiles(values: deque[float]) -> Percentiles:
    ordered = sorted(values)
    last = len(ordered) - 1
    return Percentiles(ordered[round(0.5 * last)], ordered[round(0.95 * last)])
