"""The machine's health, from files as the kernel writes them and a program in the place of `vcgencmd`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from nanoedge.video import health
from nanoedge.video.health import cpu_temperature, measure_health, throttling_flags


def zone(folder: Path, number: int, kind: str, temp: str) -> None:
    place = folder / f"thermal_zone{number}"
    place.mkdir()
    (place / "type").write_text(f"{kind}\n")
    (place / "temp").write_text(f"{temp}\n")


def test_the_cpus_zone_is_preferred_to_a_hotter_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "THERMAL", tmp_path)
    assert cpu_temperature() is None
    zone(tmp_path, 0, "battery", "71000")
    zone(tmp_path, 1, "broken", "not a number")
    assert cpu_temperature() == 71
    zone(tmp_path, 2, "cpu-thermal", "52300")
    assert cpu_temperature() == 52.3


def stand_in(folder: Path, answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "vcgencmd"
    path.write_text(f"#!/bin/sh\necho '{answer}'\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.parametrize(
    ("answer", "throttled", "under_voltage"),
    [
        ("throttled=0x0", False, False),
        ("throttled=0x50005", True, True),
        ("throttled=0x50000", False, False),
        ("throttled=0x8", True, False),
        ("error", None, None),
    ],
)
def test_throttling_is_read_from_its_bits(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    throttled: bool | None,
    under_voltage: bool | None,
) -> None:
    stand_in(tmp_path, answer, monkeypatch)
    found = measure_health()
    assert (found.throttled, found.under_voltage) == (throttled, under_voltage)


def test_without_vcgencmd_throttling_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert throttling_flags() is None


def test_memory_and_load_are_those_of_the_kernel() -> None:
    found = measure_health()
    assert found.memory_bytes is not None and 10e6 < found.memory_bytes < 100e9
    assert found.memory_free_bytes is not None and found.load is not None
