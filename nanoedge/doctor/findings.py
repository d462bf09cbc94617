"""Everything that was found, as one value."""

from __future__ import annotations

from dataclasses import dataclass

from nanoedge.bundle import Bundle
from nanoedge.doctor.board import Board, look_at_board
from nanoedge.doctor.cameras import Cameras, look_at_cameras
from nanoedge.doctor.clock import Clock, look_at_clocks
from nanoedge.doctor.engines import Engines, look_at_engines
from nanoedge.doctor.heat import Heat, look_at_heat
from nanoedge.doctor.memory import Disk, Limits, Memory, look_at_disk, look_at_limits, look_at_memory
from nanoedge.doctor.system import System
from nanoedge.doctor.versions import look_at_versions


@dataclass(frozen=True)
class Findings:
    """One part each; what a machine does not offer is `None` or empty in its part.

    Attributes:
        board: the machine and its CPU.
        clocks: one for each group of CPUs.
        memory: and swap.
        limits: of control groups.
        disk: where the user works.
        heat: temperature, supply and throttling.
        cameras: of both kinds.
        engines: and the choice among them.
        versions: name to version; `None` is not installed.
    """

    board: Board
    clocks: tuple[Clock, ...]
    memory: Memory
    limits: Limits
    disk: Disk
    heat: Heat
    cameras: Cameras
    engines: Engines
    versions: dict[str, str | None]


def look(bundle: Bundle | None = None, system: System | None = None) -> Findings:
    """Look at everything; writes nothing and takes no picture.

    Raises:
        BundleError: when a file of the bundle is damaged.
    """
    system = system or System()
    return Findings(
        look_at_board(system),
        look_at_clocks(system),
        look_at_memory(system),
        look_at_limits(system),
        look_at_disk(),
        look_at_heat(system),
        look_at_cameras(system),
        look_at_engines(bundle, system.machine),
        look_at_versions(),
    )
