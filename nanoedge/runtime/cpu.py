"""This machine's CPU, and what of its instructions the compiled core uses."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nanoedge.errors import EngineError


@dataclass(frozen=True)
class CpuFeature:
    """A group of instructions that has kernels of its own.

    Attributes:
        name: as its makers call it.
        used_for: the computations that it speeds up.
        found: this CPU has it.
        used: found, and this build has kernels for it.
    """

    name: str
    used_for: str
    found: bool
    used: bool


def cpu_features() -> list[CpuFeature]:
    """Those of this kind of CPU, the oldest first.

    Raises:
        EngineError: without the compiled core.
    """
    try:
        from nanoedge import _runtime
    except ImportError as error:
        raise EngineError(
            f"The compiled core of NanoEdge cannot be loaded ({error}); install NanoEdge again."
        ) from error
    return [CpuFeature(*feature) for feature in _runtime.cpu_features()]


def cpu_name(root: Path = Path("/")) -> str:
    """The board's or CPU's name as the system gives it, else the architecture. `root` holds proc (for tests)."""
    board = root / "proc" / "device-tree" / "model"
    if board.is_file():
        return board.read_text(errors="replace").rstrip("\0\n ")
    information = root / "proc" / "cpuinfo"
    text = information.read_text(errors="replace") if information.is_file() else ""
    found = re.search(r"^(?:model name|Model)\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def process_cpus() -> tuple[int, ...]:
    """The CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def usable_cpus() -> int:
    """How many CPUs this process may use."""
    return len(process_cpus())


def detector_cpus(cpus: Sequence[int] | None = None, root: Path = Path("/")) -> tuple[int, ...]:
    """Those that a detector in the compiled core runs on where nothing is said: the big ones where others are weaker.

    Args:
        cpus: to choose from; `None` stands for all that this process may use.
        root: holds sys (for tests).

    Returns:
        All of them where they are of one kind, where the system does not tell, and without the core.
    """
    usable = process_cpus() if cpus is None else tuple(cpus)
    try:
        from nanoedge import _runtime
    except ImportError:
        return usable
    return tuple(_runtime.default_cpus(list(usable), os.fsencode(root / "sys")))
