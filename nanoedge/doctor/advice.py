"""From findings to what the owner of the machine could change; pure functions, the most urgent first."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from nanoedge.doctor.findings import Findings
from nanoedge.doctor.sizes import MB, size_text
from nanoedge.doctor.versions import VIDEO_EXTRA
from nanoedge.runtime.load import ENGINES
from nanoedge.video.sources.v4l2 import FOURCC

Severity = Literal["problem", "warning", "hint"]
SEVERITIES: tuple[Severity, ...] = ("problem", "warning", "hint")
"""Something does not work or is slowed down; will be before long; could be better."""

SCARCE_MEMORY = 256 * MB
SCARCE_DISK = 500 * MB
"""What `nanoedge camera --events` takes by itself."""

USED_SWAP = 100 * MB
HOT_BOARD, HOT_PC = 80.0, 95.0
"""Degrees Celsius, where the kernel does not say. A Raspberry Pi lowers its clock from 80 on, CPUs of PCs from 95 on.

https://www.raspberrypi.com/documentation/computers/raspberry-pi.html#frequency-management-and-thermal-control
"""

_GOVERNOR_FILES = "/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
_LIMIT_FILES = "/sys/devices/system/cpu/cpu*/cpufreq/scaling_max_freq"


@dataclass(frozen=True)
class Advice:
    """One thing to change.

    Attributes:
        severity: how urgent it is.
        sentence: what was found and what to do.
        command: what to type; `None` when it is nothing to type.
    """

    severity: Severity
    sentence: str
    command: str | None = None


def advise(findings: Findings) -> list[Advice]:
    """All advice, the most urgent first; empty when there is nothing to change."""
    found = [advice for about in TOPICS for advice in about(findings)]
    return sorted(found, key=lambda advice: SEVERITIES.index(advice.severity))


def about_engines(findings: Findings) -> Iterator[Advice]:
    """An engine that is missing or lost."""
    engines, board = findings.engines, findings.board
    if board.core_problem is not None:
        yield Advice("problem", board.core_problem)
    if engines.lost_library is not None:
        yield Advice("problem", f"NANOEDGE_OPENVINO names {engines.lost_library}, which is not there: unset it.")
    if engines.chosen is None:
        yield Advice("problem", engines.reason)
    if board.is_x86_64 and engines.chosen not in (None, "native") and not engines.has("openvino"):
        yield Advice(
            "hint", f"OpenVINO is faster here than {engines.chosen}, and not installed.", ENGINES["openvino"].missing
        )


def about_supply(findings: Findings) -> Iterator[Advice]:
    """A supply that is too weak."""
    heat = findings.heat
    cure = f"Use a better supply and a short, thick cable: {_supply(findings.board.model)}. Unplug what draws from USB."
    if "under-voltage" in (heat.now or ()):
        yield Advice("problem", f"The supply is too weak now, which slows the CPU down and may damage files. {cure}")
    elif "under-voltage" in (heat.since_start or ()):
        yield Advice("warning", f"The supply was too weak at least once since the start. {cure}")


def _supply(model: str | None) -> str:
    """Of the generation of the board."""
    found = re.search(r"Raspberry Pi (?:Compute Module )?([45])", model or "")
    amperes = {"5": "5 A", "4": "3 A"}.get(found[1] if found else "", "2.5 A")
    return f"the official one gives 5.1 V and {amperes}"


def about_heat(findings: Findings) -> Iterator[Advice]:
    """A CPU that is too hot; a lower clock that the supply explains is left to `about_supply`."""
    heat = findings.heat
    cure = "Give it a heat sink or a fan, or run nanoedge camera with --cool, which lowers the frame rate in time."
    hot = heat.slows_from or (HOT_PC if findings.board.model is None else HOT_BOARD)
    degrees = "" if heat.temperature is None else f" ({heat.temperature:.0f} °C)"
    if _slowed_by_heat(heat.now):
        yield Advice("problem", f"The CPU is slowed down now because of heat{degrees}. {cure}")
    elif heat.temperature is not None and heat.temperature >= hot:
        yield Advice("warning", f"The CPU is hot{degrees} and will be slowed down. {cure}")
    elif _slowed_by_heat(heat.since_start):
        yield Advice("warning", f"The CPU was slowed down because of heat since the start. {cure}")


def _slowed_by_heat(flags: tuple[str, ...] | None) -> bool:
    found = set(flags or ())
    return "soft temperature limit" in found or bool(found - {"under-voltage"} and "under-voltage" not in found)


def about_clock(findings: Findings) -> Iterator[Advice]:
    """A governor or a limit that keeps the clock down."""
    faster = f"echo performance | sudo tee {_GOVERNOR_FILES}"
    choosing = [
        clock
        for clock in findings.clocks
        if not clock.follows_the_hardware and (not clock.governors or "performance" in clock.governors)
    ]
    if any(clock.governor == "powersave" for clock in choosing):
        yield Advice(
            "warning", "The governor powersave keeps the CPU at its lowest clock. Until the next start:", faster
        )
    elif slow := sorted({clock.governor for clock in choosing if clock.governor} - {"performance"}):
        sentence = (
            f"The governor {' and '.join(slow)} raises the clock a moment late. For even delays, until the next start "
            "and at the price of more heat:"
        )
        yield Advice("hint", sentence, faster)
    for clock in findings.clocks:
        if clock.limit_mhz and clock.highest_mhz and clock.limit_mhz < 0.95 * clock.highest_mhz:
            sentence = f"The clock is limited to {clock.limit_mhz} of {clock.highest_mhz} MHz. Until the next start:"
            yield Advice("warning", sentence, f"echo {clock.highest_mhz}000 | sudo tee {_LIMIT_FILES}")
            return


def about_system(findings: Findings) -> Iterator[Advice]:
    """A system of 32 bits on a CPU of 64, and CPUs that are taken."""
    board, limit = findings.board, findings.limits.cpus
    if board.python_bits == 32 and board.cpu_is_64_bit:
        yield Advice(
            "warning",
            "The system has 32 bits, the CPU 64: the network is slower than it must be, and there are no wheels. "
            "Install the 64-bit image of the system.",
        )
    threads = len(board.detector_cpus)
    if limit is not None and limit < threads:
        yield Advice(
            "warning",
            f"A control group grants {limit:g} CPUs, and {threads} threads would share them. Raise the "
            f"container's or service's limit, or say --threads {max(1, int(limit))} to detect, camera and benchmark.",
        )
    if board.load is not None and board.load > board.usable_cpus + 0.5:
        yield Advice(
            "hint",
            f"Other programs keep the CPUs busy (load {board.load:g}, {board.usable_cpus} CPUs to use). Which ones:",
            "top",
        )


def about_memory(findings: Findings) -> Iterator[Advice]:
    """Little memory, or much of it in swap."""
    memory, limit = findings.memory, findings.limits.memory
    if memory.available is not None and memory.available < SCARCE_MEMORY:
        yield Advice(
            "warning",
            f"Only {size_text(memory.available)} of memory is available. End other programs, the desktop first; "
            "nanoedge-detect, the executable without Python, needs the least.",
        )
    if limit is not None and limit < SCARCE_MEMORY:
        yield Advice("warning", f"A control group grants only {size_text(limit)} of memory. Raise that limit.")
    if memory.swap and memory.swap_used and memory.swap_used > max(USED_SWAP, memory.swap // 2):
        yield Advice(
            "warning",
            f"{size_text(memory.swap_used)} of {size_text(memory.swap)} of swap is in use, which is slow and wears out "
            "SD cards. End other programs, or take a smaller network.",
        )


def about_disk(findings: Findings) -> Iterator[Advice]:
    """Little space."""
    free = findings.disk.free
    if free is not None and free < SCARCE_DISK:
        yield Advice(
            "warning",
            f"Only {size_text(free)} is free on the disk of this folder; recordings and events stop when it is full. "
            "What takes the space:",
            "du -xh . | sort -h | tail",
        )


def about_cameras(findings: Findings) -> Iterator[Advice]:
    """Cameras that are there and cannot be used."""
    cameras = findings.cameras
    refused = [device for device in cameras.devices if device.refusal == "permission"]
    if any(device.group is None for device in refused):
        yield Advice(
            "problem",
            "Only root may open the camera's device. In a container, pass it on with its group: "
            "--device /dev/video0 --group-add video.",
        )
    for group in sorted({device.group for device in refused if device.group is not None}):
        if any(device.group_waits_for_login for device in refused if device.group == group):
            yield Advice("problem", f"You are in the group {group} from the next login on: log out and in again.")
        else:
            sentence = f"Cameras belong to the group {group}, and you are not in it. Then log out and in again:"
            yield Advice("problem", sentence, f"sudo usermod -aG {group} $USER")
    for device in cameras.devices:
        if device.refusal == "busy":
            yield Advice(
                "problem", f"{device.path} is in use by another program. Which one:", f"fuser -v {device.path}"
            )
        elif device.modes and not {mode.fourcc for mode in device.modes} & set(FOURCC.values()):
            formats = ", ".join(sorted({mode.fourcc for mode in device.modes}))
            sentence = f"{device.path} gives {formats} only; NanoEdge reads {', '.join(FOURCC.values())}."
            yield Advice("warning", sentence)
    if cameras.sensor_seen and cameras.program is None:
        sentence = "A camera is on the Raspberry Pi's ribbon cable, but the program that reads it is not installed."
        yield Advice("problem", sentence, "sudo apt-get install rpicam-apps-lite")
    if cameras.program is not None and cameras.program_problem is not None:
        yield Advice("warning", f"{cameras.program} --list-cameras {cameras.program_problem}.")
    elif findings.board.is_raspberry_pi and cameras.program and not cameras.pi and not cameras.devices:
        yield Advice(
            "hint",
            "No camera was found. One on the ribbon cable is seen after a start with the cable pushed in fully, its "
            "contacts the right way round.",
        )


def about_packages(findings: Findings) -> Iterator[Advice]:
    """Extras of the package."""
    missing = [name for name in VIDEO_EXTRA if findings.versions.get(name) is None]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        sentence = (
            f"Cameras on the network, video files and the page in the browser need more: {', '.join(missing)} {verb} "
            "not installed."
        )
        yield Advice("hint", sentence, "pip install 'nanoedge[video]'")


TOPICS: tuple[Callable[[Findings], Iterator[Advice]], ...] = (
    about_engines,
    about_supply,
    about_heat,
    about_clock,
    about_system,
    about_memory,
    about_disk,
    about_cameras,
    about_packages,
)
