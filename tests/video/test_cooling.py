"""Cooling, on a simulated SoC: heat capacity and resistance as of a Raspberry Pi with a small heat sink."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from nanoedge.video import cooling, health
from nanoedge.video.cooling import Cooling, CoolingThread, Heat, default_limit, measure_heat
from tests.video.test_health import stand_in, zone

CAMERA_RATE = 30.0
STEP = 5.0


class SimulatedSoc:
    """First-order warmth: idle 2 W, full rate 6 W, 9 degrees a watt, 80 s to follow. A stand-in for hardware."""

    def __init__(self, ambient: float) -> None:
        self.ambient = ambient
        self.temperature = ambient + 18

    def run(self, rate: float, seconds: float = STEP) -> Heat:
        final = self.ambient + 9 * (2 + 4 * rate / CAMERA_RATE)
        self.temperature += (final - self.temperature) * min(1, seconds / 80)
        return Heat(self.temperature, self.temperature >= 80)


def simulate(soc: SimulatedSoc, cooling: Cooling, steps: int) -> tuple[list[float], list[float]]:
    rate, temperatures, rates = CAMERA_RATE, [], []
    for _ in range(steps):
        heat = soc.run(rate)
        limit = cooling.step(heat, rate, CAMERA_RATE)
        rate = CAMERA_RATE if limit is None else min(limit, CAMERA_RATE)
        temperatures.append(heat.temperature or 0)
        rates.append(rate)
    return temperatures, rates


def test_a_machine_that_stays_cool_is_left_alone() -> None:
    _, rates = simulate(SimulatedSoc(ambient=10), Cooling(70), 400)
    assert set(rates) == {CAMERA_RATE}


def test_a_hot_summer_is_kept_below_throttling_without_swinging() -> None:
    temperatures, rates = simulate(SimulatedSoc(ambient=38), Cooling(70), 720)  # 92 degrees at full rate
    assert max(temperatures) < 78
    settled, settled_rates = temperatures[360:], rates[360:]
    assert min(settled) >= 66 and max(settled) <= 71
    assert max(settled_rates) / min(settled_rates) < 1.1
    assert settled_rates[-1] == pytest.approx(11.7, rel=0.15)  # which holds 70 degrees
    assert min(rates) > 4


def test_when_the_evening_comes_the_full_rate_returns() -> None:
    soc, cooling = SimulatedSoc(ambient=38), Cooling(70)
    simulate(soc, cooling, 300)
    assert cooling.rate is not None
    soc.ambient = 12
    _, rates = simulate(soc, cooling, 300)
    assert cooling.rate is None and rates[-1] == CAMERA_RATE


def test_throttling_counts_where_no_temperature_is_offered_and_something_is_always_looked_at() -> None:
    cooling = Cooling(70)
    for _ in range(200):
        cooling.step(Heat(None, True), cooling.rate or CAMERA_RATE, CAMERA_RATE)
    assert cooling.rate == 0.5
    assert Cooling(70).step(Heat(None, False), 30, 30) is None


def test_the_limit_lies_below_the_kernels_passive_trip_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "THERMAL", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert default_limit() == 70  # a Raspberry Pi's firmware throttles at 80
    assert measure_heat() == Heat(None, False)
    zone(tmp_path, 0, "cpu-thermal", "61000")
    for number, (kind, degrees) in enumerate([("active", "50000"), ("passive", "95000"), ("critical", "110000")]):
        (tmp_path / "thermal_zone0" / f"trip_point_{number}_type").write_text(f"{kind}\n")
        (tmp_path / "thermal_zone0" / f"trip_point_{number}_temp").write_text(f"{degrees}\n")
    assert default_limit() == 85
    stand_in(tmp_path, "throttled=0x4", monkeypatch)
    assert measure_heat() == Heat(61.0, True)


def test_the_thread_applies_rates_and_says_when_it_begins_and_ends() -> None:
    heats = [Heat(50, False), Heat(50, False), Heat(75, False), Heat(40, False), Heat(40, False)]
    applied: list[float | None] = []
    said: list[str] = []
    done = threading.Event()

    def measure() -> Heat:
        if len(heats) == 1:
            done.set()
        return heats.pop(0) if len(heats) > 1 else heats[0]

    thread = CoolingThread(Cooling(70), lambda: (30.0, 20.0), applied.append, said.append, measure, seconds=0.001)
    thread.start()
    assert done.wait(10)
    while applied[-1] is not None:
        done.wait(0.001)
    thread.stop()
    assert applied[0] is None and applied[1] == pytest.approx(30 * 0.82)
    assert len(said) == 2
    assert "at 75 °C: frames are left out to keep it below 70 °C" in said[0] and "nothing is left out" in said[1]


def test_a_machine_that_tells_no_temperature_is_told_of() -> None:
    said: list[str] = []
    thread = CoolingThread(Cooling(70), lambda: (1.0, 1.0), lambda rate: None, said.append, lambda: Heat(None, False))
    thread.start()
    thread.stop()
    assert said == ["This machine does not say how warm it is; --cool goes by its throttling alone."]
    assert cooling.STEP_SECONDS == 5.0
