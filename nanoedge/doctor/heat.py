"""Temperature, supply, and whether they slow the CPU down."""

from __future__ import annotations

from dataclasses import dataclass

from nanoedge.doctor.system import System
from nanoedge.video.health import (
    FLAG_NAMES,
    UNDER_VOLTAGE,
    cpu_temperature,
    throttling_flags,
    throttling_temperature,
    under_voltage_alarm,
)

_SINCE_START = 16


@dataclass(frozen=True)
class Heat:
    """What the machine tells; `None` is not offered.

    Attributes:
        temperature: of the CPU, degrees Celsius.
        slows_from: degrees Celsius from which the kernel slows the CPU down.
        told_by: `vcgencmd`; `kernel`, which knows of the supply only.
        now: what slows the CPU down now, of `nanoedge.video.health.FLAG_NAMES`.
        since_start: what has done so since the machine was started.
    """

    temperature: float | None
    slows_from: float | None
    told_by: str | None
    now: tuple[str, ...] | None
    since_start: tuple[str, ...] | None


def look_at_heat(system: System) -> Heat:
    """Now; asks `vcgencmd` where it is installed, else the kernel's driver for the supply."""
    zones = system.root / "sys/class/thermal"
    degrees = cpu_temperature(zones), throttling_temperature(zones)
    flags = throttling_flags()
    if flags is not None:
        return Heat(*degrees, "vcgencmd", _names(flags), _names(flags >> _SINCE_START))
    alarm = under_voltage_alarm(system.root / "sys/class/hwmon")
    if alarm is not None:
        return Heat(*degrees, "kernel", _names(UNDER_VOLTAGE if alarm else 0), None)
    return Heat(*degrees, None, None, None)


def _names(flags: int) -> tuple[str, ...]:
    return tuple(name for bit, name in FLAG_NAMES.items() if flags & bit)
