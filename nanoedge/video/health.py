"""How the machine is: temperature, throttling, memory, load; from the kernel and, on a Raspberry Pi, `vcgencmd`."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

THERMAL = Path("/sys/class/thermal")
HWMON = Path("/sys/class/hwmon")
PROC = Path("/proc")

_CPU_ZONES = ("cpu", "soc", "x86_pkg_temp", "k10temp", "acpitz", "bigcore", "core")
UNDER_VOLTAGE, FREQUENCY_CAPPED, THROTTLED, SOFT_LIMIT = 0x1, 0x2, 0x4, 0x8
"""Bits of `vcgencmd get_throttled`; the same, shifted by 16, say that it has happened since the start.

https://www.raspberrypi.com/documentation/computers/os.html#vcgencmd
"""

SLOWED = FREQUENCY_CAPPED | THROTTLED | SOFT_LIMIT
"""Any of the bits that say that the clock is lower than it could be."""

FLAG_NAMES = {
    UNDER_VOLTAGE: "under-voltage",
    FREQUENCY_CAPPED: "clock capped",
    THROTTLED: "throttled",
    SOFT_LIMIT: "soft temperature limit",
}


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
        None if flags is None else bool(flags & SLOWED),
        None if flags is None else bool(flags & UNDER_VOLTAGE),
        _resident_bytes(),
        _available_bytes(),
        _load(),
    )


def cpu_temperature(zones: Path | None = None) -> float | None:
    """Degrees Celsius of the zone that is called after the CPU, else of the hottest; `zones` instead of `THERMAL`."""
    found = _cpu_zone(zones)
    return None if found is None else found[1]


def throttling_temperature(zones: Path | None = None) -> float | None:
    """Degrees Celsius at which the kernel begins to slow the CPU (the lowest passive trip point of its zone).

    `None` where it names none, as on a Raspberry Pi, whose firmware throttles by itself; `zones` instead of `THERMAL`.
    https://docs.kernel.org/driver-api/thermal/sysfs-api.html
    """
    found = _cpu_zone(zones)
    points = []
    for kind in [] if found is None else sorted(found[0].glob("trip_point_*_type")):
        try:
            degrees = int(kind.with_name(kind.name.replace("_type", "_temp")).read_text()) / 1000
            if kind.read_text().strip() == "passive" and 30 < degrees < 150:
                points.append(degrees)
        except (OSError, ValueError):
            continue
    return min(points, default=None)


def _cpu_zone(zones: Path | None = None) -> tuple[Path, float] | None:
    found: list[tuple[bool, float, Path]] = []
    for zone in sorted((zones or THERMAL).glob("thermal_zone*")):
        try:
            kind = (zone / "type").read_text().strip().lower()
            degrees = int((zone / "temp").read_text()) / 1000
        except (OSError, ValueError):
            continue
        if -40 < degrees < 150:
            found.append((any(name in kind for name in _CPU_ZONES), degrees, zone))
    if not found:
        return None
    _, degrees, zone = max(found)
    return zone, degrees


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


def under_voltage_alarm(monitors: Path | None = None) -> bool | None:
    """Whether a Raspberry Pi's supply is too weak now, as the kernel's driver `rpi_volt` sees it; `None` without it.

    For systems that lack `vcgencmd`; `monitors` instead of `HWMON`.
    """
    for monitor in sorted((monitors or HWMON).glob("hwmon*")):
        try:
            if (monitor / "name").read_text().strip() == "rpi_volt":
                return int((monitor / "in0_lcrit_alarm").read_text()) != 0
        except (OSError, ValueError):
            continue
    return None


def memory_figures(process_files: Path | None = None) -> dict[str, int]:
    """What the kernel says of memory, such as `MemTotal` and `SwapFree`, in bytes; empty when it says nothing.

    `process_files` instead of `PROC`.
    """
    try:
        lines = ((process_files or PROC) / "meminfo").read_text().splitlines()
        return {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in lines) if rest}
    except (OSError, ValueError, IndexError):
        return {}


def _resident_bytes() -> int | None:
    try:
        return int((PROC / "self" / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


def _available_bytes() -> int | None:
    return memory_figures().get("MemAvailable")


def _load() -> float | None:
    try:
        return round(os.getloadavg()[0], 2)
    except OSError:
        return None
