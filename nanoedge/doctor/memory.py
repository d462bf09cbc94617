"""Memory and disk: what there is, what is left, and what a container or service may take of it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from nanoedge.doctor.system import System
from nanoedge.video.health import memory_figures

_CGROUPS = Path("sys/fs/cgroup")


@dataclass(frozen=True)
class Memory:
    """Bytes; `None` is not offered.

    Attributes:
        total: of the machine.
        available: what programs can still get.
        swap: size of all swap.
        swap_used: of that.
    """

    total: int | None
    available: int | None
    swap: int | None
    swap_used: int | None


@dataclass(frozen=True)
class Limits:
    """What the control groups of this process allow, as containers and services set it; `None` is no limit.

    Attributes:
        cpus: CPUs' worth of time, such as 1.5.
        memory: bytes.
    """

    cpus: float | None
    memory: int | None


@dataclass(frozen=True)
class Disk:
    """The file system of the folder that the user works in, in bytes; `None` is not offered.

    Attributes:
        total: its size.
        free: what this user may still write.
    """

    total: int | None
    free: int | None


def look_at_memory(system: System) -> Memory:
    """Now."""
    figures = memory_figures(system.root / "proc")
    swap, swap_free = figures.get("SwapTotal"), figures.get("SwapFree")
    used = None if swap is None or swap_free is None else swap - swap_free
    return Memory(figures.get("MemTotal"), figures.get("MemAvailable"), swap, used)


def look_at_limits(system: System) -> Limits:
    """The tightest of this process' groups and those above them, of either version of control groups.

    https://docs.kernel.org/admin-guide/cgroup-v2.html
    """
    cpus: list[float] = []
    memory: list[int] = []
    for group in _groups(system):
        quota, _, period = (system.text(group / "cpu.max") or "").partition(" ")
        if not quota:
            quota, period = (system.text(group / f"cpu.cfs_{name}_us") or "" for name in ("quota", "period"))
        if quota.isdecimal() and period.isdecimal() and int(period):
            cpus.append(int(quota) / int(period))
        for name in ("memory.max", "memory.limit_in_bytes"):
            if (limit := system.number(group / name)) is not None:
                memory.append(limit)
    total = memory_figures(system.root / "proc").get("MemTotal")
    least = min(memory, default=None)
    return Limits(
        round(min(cpus), 2) if cpus else None,
        None if least is None or (total is not None and least >= total) else least,
    )


def _groups(system: System) -> list[Path]:
    """Folders of this process' groups and of those above, relative to the root."""
    folders: dict[Path, None] = {}
    for line in (system.text("proc/self/cgroup") or "").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, name = rest.partition(":")
        path = PurePosixPath(name.lstrip("/"))
        levels = [PurePosixPath()] if ".." in path.parts else [path, *path.parents]
        for mount in {controllers, *controllers.split(",")}:
            folders.update(dict.fromkeys(_CGROUPS / mount / level for level in levels))
    return list(folders)


def look_at_disk(folder: Path | None = None) -> Disk:
    """Of the working folder, unless another is named."""
    try:
        usage = shutil.disk_usage(folder or Path.cwd())
    except OSError:
        return Disk(None, None)
    return Disk(usage.total, usage.free)
