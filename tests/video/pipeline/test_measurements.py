"""Counters, rates and percentiles."""

from __future__ import annotations

import pytest
from nanoedge.video.pipeline import measurements
from nanoedge.video.pipeline.measurements import Measurements


def test_percentiles_are_those_of_the_newest_values() -> None:
    measured = Measurements()
    for value in (*[1e9] * 50, *range(1, 301)):
        measured.detected({"latency": float(value)})
    found = measured.snapshot().stages
    assert set(found) == {"latency"}
    assert found["latency"].p50 == pytest.approx(150, abs=1) and found["latency"].p95 == pytest.approx(285, abs=1)


def test_rates_are_those_of_the_last_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(measurements.time, "monotonic", lambda: now)
    measured = Measurements()
    for _ in range(200):
        now += 0.1
        measured.captured()
    found = measured.snapshot()
    assert found.capture_rate == pytest.approx(10, rel=0.05)
    assert (found.rate, found.counters["captured"], found.uptime) == (0, 200, pytest.approx(20))
    now += 60
    assert measured.snapshot().capture_rate == 0
