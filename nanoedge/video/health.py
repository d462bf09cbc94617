"""How the machine is: temperature, throttling, memory, load; from the kernel and, on a Raspberry Pi, `vcgencmd`."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

THERMAL = Path("/sys/class/thermal")
PROC = Path("/proc")

_CPU_ZONES = ("cpu", "soc", "x86_pkg_temp", "k10temp", "acpitz", "bigcore", "core")
UNDER_VOLTAGE, FREQUENCY_CAPPED, THROTTLED, SOFT_LIMIT = 0x1, 0x2, 0x4, 0x8
"""Bits of `vcgencmd get_throttled`; the same, shifted by 16, say that it has happened since the start.

https://www.raspberrypi.com/documentation/computers/os.html#vcgencmd
"""


@dataclass(frozen=True)
class Health:
    """What the machine offers; `None` is not offered.

    Attributes:
        temperature: of the CPU, degrees Celsius.
        throttled: runs slower than it could, because of heat or voltage.
        under_voltage: the supply is too weak, now.
        memory_bytes: resident memory of this process.
        memory_free_bytes: memory that programs can still get.
        load: runnable threads, mean of the last minute.
    """

    temperature: float | None
    throttled: bool | None
    under_voltage: bool | None
    memory_bytes: int | None
    memory_free_bytes: int | None
    load: float | None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def measure_health() -> Health:
    """Now; takes some milliseconds where `vcgencmd` is asked."""
    flags = throttling_flags()
    return Health(
        cpu_temperature(),
        None if flags is None else bool(flags & (FREQUENCY_CAPPED | THROTTLED | SOFT_LIMIT)),
        None if flags is None else bool(flags & UNDER_VOLTAGE),
        _resident_bytes(),
        _available_bytes(),
        _load(),
    )


def cpu_temperature() -> float | None:
    """Of the zone that is called after the CPU, else the hottest zone."""
    found: list[tuple[bool, float]] = []
    for zone in sorted(THERMAL.glob("thermal_zone*")):
        try:
            kind = (zone / "type").read_text().strip().lower()
            degrees = int((zone / "temp").read_text()) / 1000
        except (OSError, ValueError):
            continue
        if -40 < degrees < 150:
            found.append((any(name in kind for name in _CPU_ZONES), degrees))
    return max(found)[1] if found else None


def throttling_flags() -> int | None:
    """The bits of `vcgencmd get_throttled`; `None` where there is no such program or it does not answer."""
    program = shutil.which("vcgencmd")
    if program is None:
        return None
    try:
        done = subprocess.run([program, "get_throttled"], capture_output=True, text=True, timeout=2, check=False)
        return int(done.stdout.partition("=")[2].strip(), 16)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def _resident_bytes() -> int | None:
    try:
        return int((PROC / "self" / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


def _available_bytes() -> int | None:
    try:
        lines = (PROC / "meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, StopIteration):
        return None


def _load() -> float | None:
    try:
        return round(os.getloadavg()[0], 2)
    except OSError:
        return None
