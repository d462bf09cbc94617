"""Where findings are read: the files of the running system, or of a folder tree in its place."""

from __future__ import annotations

import platform
import struct
from dataclasses import dataclass, field
from pathlib import Path

from nanoedge.runtime.cpu import process_cpus


@dataclass(frozen=True)
class System:
    """The system that is looked at; without arguments the one that runs.

    Attributes:
        root: the folder that holds `proc`, `sys` and `dev`.
        machine: architecture as the kernel calls it, such as `aarch64`.
        python_bits: 32 or 64, of the Python that runs.
        cpus: those that this process may use.
    """

    root: Path = Path("/")
    machine: str = field(default_factory=platform.machine)
    python_bits: int = 8 * struct.calcsize("P")
    cpus: tuple[int, ...] = field(default_factory=process_cpus)

    def text(self, place: str | Path) -> str | None:
        """A small file below `root` without its outer spaces and zeros; `None` when it cannot be read."""
        try:
            return (self.root / place).read_text(errors="replace").strip("\0\n ")
        except OSError:
            return None

    def number(self, place: str | Path) -> int | None:
        """The same as a whole number; `None` also when it is none."""
        try:
            return int(self.text(place) or "")
        except ValueError:
            return None

    def list(self, pattern: str) -> list[Path]:
        """Paths below `root` that fit a pattern, sorted; none where they cannot be listed."""
        try:
            return sorted(self.root.glob(pattern))
        except OSError:
            return []
