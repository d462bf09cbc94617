"""How fast the CPU may run, and who decides it: the kernel's cpufreq."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from nanoedge.doctor.system import System

_CPUS = "sys/devices/system/cpu"


@dataclass(frozen=True)
class Clock:
    """One group of CPUs that share a clock.

    Attributes:
        cpus: their numbers.
        driver: of cpufreq.
        governor: what chooses the clock.
        governors: those to choose from; empty when the kernel does not say.
        now_mhz: the clock now.
        limit_mhz: the highest that the governor may choose.
        highest_mhz: the highest that the CPU can do.
    """

    cpus: tuple[int, ...]
    driver: str | None
    governor: str | None
    governors: tuple[str, ...]
    now_mhz: int | None
    limit_mhz: int | None
    highest_mhz: int | None

    @property
    def follows_the_hardware(self) -> bool:
        """The CPU chooses by itself, and `powersave` is the name of what others call `ondemand`."""
        return (self.driver or "") in ("intel_pstate", "amd-pstate-epp")


def look_at_clocks(system: System) -> tuple[Clock, ...]:
    """Each group; empty where the kernel has no say in the clock, as in most virtual machines."""
    groups = system.list(f"{_CPUS}/cpufreq/policy*") or system.list(f"{_CPUS}/cpu[0-9]*/cpufreq")
    clocks = [_clock(system, group.relative_to(system.root)) for group in groups]
    return tuple(sorted((clock for clock in clocks if clock.governor or clock.now_mhz), key=lambda clock: clock.cpus))


def _clock(system: System, group: Path) -> Clock:
    cpus = (system.text(group / "related_cpus") or system.text(group / "affected_cpus") or "").split()
    number = re.search(r"\d+", f"{group.name} {group.parent.name}")
    return Clock(
        tuple(int(cpu) for cpu in cpus if cpu.isdecimal()) or ((int(number[0]),) if number else ()),
        system.text(group / "scaling_driver"),
        system.text(group / "scaling_governor"),
        tuple((system.text(group / "scaling_available_governors") or "").split()),
        _mhz(system.number(group / "scaling_cur_freq")),
        _mhz(system.number(group / "scaling_max_freq")),
        _mhz(system.number(group / "cpuinfo_max_freq")),
    )


def _mhz(kilohertz: int | None) -> int | None:
    return None if kilohertz is None else round(kilohertz / 1000)
