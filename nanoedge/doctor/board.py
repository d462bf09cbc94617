"""The board, its CPU and the instructions that the compiled core uses."""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass

from nanoedge.doctor.system import System
from nanoedge.errors import EngineError
from nanoedge.runtime.cpu import CpuFeature, cpu_features, detector_cpus

_ARM = "0x41"
_FIRST_64_BIT_PART = 0xD02
_PARTS = {
    0xC07: "Cortex-A7",
    0xC08: "Cortex-A8",
    0xC09: "Cortex-A9",
    0xC0F: "Cortex-A15",
    0xD01: "Cortex-A32",
    0xD03: "Cortex-A53",
    0xD04: "Cortex-A35",
    0xD05: "Cortex-A55",
    0xD07: "Cortex-A57",
    0xD08: "Cortex-A72",
    0xD09: "Cortex-A73",
    0xD0A: "Cortex-A75",
    0xD0B: "Cortex-A76",
    0xD0C: "Neoverse-N1",
    0xD0D: "Cortex-A77",
    0xD41: "Cortex-A78",
    0xD42: "Cortex-A78AE",
}
"""Arm's part numbers (Linux kernel, `arch/arm64/include/asm/cputype.h`); from 0xd02 on they calculate with 64 bits."""


@dataclass(frozen=True)
class Board:
    """What the machine is.

    Attributes:
        model: the board's name; `None` where no device tree tells it, as on a PC.
        cpu: the CPU's name, else its architecture.
        machine: architecture as the kernel calls it.
        system: name of the operating system.
        kernel: its release.
        python_bits: 32 or 64, of the Python that runs.
        cpu_is_64_bit: `None` when it cannot be told.
        usable_cpus: how many CPUs this process may use.
        detector_cpus: those of them that a detector runs on where nothing is said.
        load: runnable threads, mean of the last minute.
        features: groups of instructions, and which of them are used.
        core_problem: why the compiled core does not tell them.
    """

    model: str | None
    cpu: str
    machine: str
    system: str | None
    kernel: str
    python_bits: int
    cpu_is_64_bit: bool | None
    usable_cpus: int
    detector_cpus: tuple[int, ...]
    load: float | None
    features: tuple[CpuFeature, ...]
    core_problem: str | None

    @property
    def is_raspberry_pi(self) -> bool:
        """As its device tree says."""
        return (self.model or "").startswith("Raspberry Pi")

    @property
    def is_x86_64(self) -> bool:
        """A PC of 64 bits."""
        return self.machine.lower() in ("x86_64", "amd64")


def look_at_board(system: System) -> Board:
    """Read what the kernel tells; nothing is raised."""
    information = system.text("proc/cpuinfo") or ""
    features: tuple[CpuFeature, ...] = ()
    problem = None
    try:
        features = tuple(cpu_features())
    except EngineError as error:
        problem = str(error)
    return Board(
        system.text("proc/device-tree/model") or None,
        _cpu_name(information) or system.machine,
        system.machine,
        _system_name(system.text("etc/os-release") or ""),
        platform.release(),
        system.python_bits,
        _calculates_with_64_bits(information, system.machine),
        len(system.cpus),
        detector_cpus(system.cpus, system.root),
        _load(system.text("proc/loadavg") or ""),
        features,
        problem,
    )


def _values(information: str, key: str) -> list[str]:
    """Different values of a key of /proc/cpuinfo, in their order."""
    found = re.findall(rf"^{key}\s*:\s*(.+)$", information, re.MULTILINE)
    return list(dict.fromkeys(value.strip() for value in found))


def _arm_parts(information: str) -> list[int]:
    if _values(information, "CPU implementer") != [_ARM]:
        return []
    return [int(part, 16) for part in _values(information, "CPU part") if re.fullmatch("0x[0-9a-fA-F]+", part)]


def _cpu_name(information: str) -> str | None:
    """Arm's name of each kind of core (a kernel of 32 bits only says "ARMv7 Processor"), else the kernel's."""
    names = [_PARTS[part] for part in _arm_parts(information) if part in _PARTS]
    return " + ".join(names or _values(information, "model name")[:1]) or None


def _calculates_with_64_bits(information: str, machine: str) -> bool | None:
    if machine.lower() in ("aarch64", "arm64", "x86_64", "amd64"):
        return True
    if parts := _arm_parts(information):
        return min(parts) >= _FIRST_64_BIT_PART
    flags = _values(information, "flags")
    return "lm" in flags[0].split() if flags else None  # "long mode" of x86


def _system_name(text: str) -> str | None:
    found = re.search(r'^PRETTY_NAME="?([^"\n]+)', text, re.MULTILINE)
    return found[1].strip() if found else None


def _load(text: str) -> float | None:
    found = re.match(r"\d+(?:\.\d+)?", text)
    return float(found[0]) if found else None
