"""Findings and advice as text for people and as plain values."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from nanoedge.doctor.advice import Advice
from nanoedge.doctor.board import Board
from nanoedge.doctor.cameras import Cameras
from nanoedge.doctor.clock import Clock
from nanoedge.doctor.engines import Engines
from nanoedge.doctor.findings import Findings
from nanoedge.doctor.heat import Heat
from nanoedge.doctor.memory import Disk, Limits, Memory
from nanoedge.doctor.sizes import size_text
from nanoedge.video.sources.v4l2_modes import OfferedMode

NOT_OFFERED = "not offered here"
WIDTH = 110
_INDENT = 14
_SIZES_A_LINE = 6
_TIED = "\u00a0"
"""A space at which no line ends."""


def as_json(findings: Findings, advice: Sequence[Advice]) -> dict[str, Any]:
    """Plain values: one key for each part of the findings, and `advice`."""
    return {**asdict(findings), "advice": [asdict(each) for each in advice]}


def as_text(findings: Findings, advice: Sequence[Advice]) -> str:
    """Lines for a terminal: what was found, part by part, then what to change."""
    rows: list[tuple[str, str]] = [
        *_about_board(findings.board),
        *_about_clocks(findings.clocks),
        ("load", NOT_OFFERED if findings.board.load is None else f"{findings.board.load:g}, mean of the last minute"),
        ("memory", _about_memory(findings.memory)),
        ("limits", _about_limits(findings.limits)),
        ("disk", _about_disk(findings.disk)),
        *_about_heat(findings.heat),
        *_about_cameras(findings.cameras),
        *_about_engines(findings.engines),
        ("versions", _about_versions(findings.versions)),
    ]
    lines = [line for title, text in rows for line in _row(title, text)]
    return "\n".join([*lines, "", *_about_advice(advice)])


def _row(title: str, text: str) -> list[str]:
    wrapped = textwrap.wrap(text, WIDTH - _INDENT, break_long_words=False, break_on_hyphens=False) or [""]
    first, *others = [line.replace(_TIED, " ") for line in wrapped]
    return [f"{title:<{_INDENT}}{first}", *(" " * _INDENT + line for line in others)]


def _about_board(board: Board) -> Iterable[tuple[str, str]]:
    if board.model is not None:
        yield "board", board.model
    bits = "" if board.python_bits == 64 else f", {board.python_bits}-bit programs"
    yield "CPU", f"{board.cpu}, {board.machine}{bits}, {board.usable_cpus} to use{_fast_ones(board)}"
    if board.features:
        used = [f"{each.name} ({each.used_for})" for each in board.features if each.used]
        absent = [each.name for each in board.features if not each.found]
        yield (
            "instructions",
            f"used: {', '.join(used) or 'none'}" + (f"; absent: {', '.join(absent)}" if absent else ""),
        )
    else:
        yield "instructions", NOT_OFFERED
    yield "system", f"{board.system or 'name not offered'}, Linux {board.kernel}"


def _fast_ones(board: Board) -> str:
    """Where not all CPUs are taken."""
    chosen = board.detector_cpus
    if len(chosen) == board.usable_cpus:
        return ""
    named = ", ".join(str(cpu) for cpu in chosen)
    if len(chosen) == 1:
        return f"; the network runs on the fast one, CPU {named}"
    return f"; the network runs on the {len(chosen)} fast ones, CPUs {named}"


def _about_clocks(clocks: tuple[Clock, ...]) -> Iterable[tuple[str, str]]:
    if not clocks:
        yield "clock", f"{NOT_OFFERED}, as in most virtual machines"
        return
    same: dict[str, list[int]] = {}
    for clock in clocks:
        limit = f", limited to {clock.limit_mhz}" if clock.limit_mhz and clock.limit_mhz != clock.highest_mhz else ""
        highest = f" of {clock.highest_mhz}" if clock.highest_mhz else ""
        text = f"{clock.now_mhz or '?'}{highest} MHz{limit}, governor {clock.governor or NOT_OFFERED}"
        same.setdefault(text, []).extend(clock.cpus)
    title = "clock"
    for text, cpus in same.items():
        named = f" (CPU {', '.join(str(cpu) for cpu in cpus)})" if len(same) > 1 else ""
        yield title, text + named
        title = ""


def _about_memory(memory: Memory) -> str:
    if memory.total is None or memory.available is None:
        return NOT_OFFERED
    swap = "no swap"
    if memory.swap and memory.swap_used is not None:
        swap = f"swap: {size_text(memory.swap_used)} of {size_text(memory.swap)} in use"
    return f"{size_text(memory.available)} of {size_text(memory.total)} available; {swap}"


def _about_limits(limits: Limits) -> str:
    found = [] if limits.cpus is None else [f"{limits.cpus:g} CPUs"]
    found += [] if limits.memory is None else [f"{size_text(limits.memory)} of memory"]
    return "a control group grants " + " and ".join(found) if found else "none by control groups"


def _about_disk(disk: Disk) -> str:
    if disk.free is None or disk.total is None:
        return NOT_OFFERED
    return f"{size_text(disk.free)} of {size_text(disk.total)} free in this folder"


def _about_heat(heat: Heat) -> Iterable[tuple[str, str]]:
    yield "temperature", NOT_OFFERED if heat.temperature is None else f"{heat.temperature:.1f} °C"
    if heat.now is None:
        yield "throttling", NOT_OFFERED
        return
    if heat.since_start is None:
        yield "throttling", f"now: {', '.join(heat.now) or 'no under-voltage'}; the rest needs vcgencmd"
        return
    yield (
        "throttling",
        f"now: {', '.join(heat.now) or 'none'}; since the start: {', '.join(heat.since_start) or 'none'}",
    )


def _about_cameras(cameras: Cameras) -> Iterable[tuple[str, str]]:
    title = "cameras"
    for device in cameras.devices:
        name = f" {device.name}" if device.name else ""
        yield title, f"{device.path}{name} " + (device.reason or f"({device.driver})")
        title = ""
        for line in _mode_lines(device.modes):
            yield "", line
    for camera in cameras.pi:
        yield title, f"rpicam:{camera.number} {camera.sensor} ({cameras.program})"
        title = ""
        for line in _mode_lines(camera.modes):
            yield "", line
    if title:
        yield (
            title,
            "none found: no /dev/video* that captures"
            + (f", and {cameras.program} lists none" if cameras.program and not cameras.program_problem else ""),
        )


def _mode_lines(modes: tuple[OfferedMode, ...]) -> Iterable[str]:
    """A line for each pixel format, the largest size first."""
    for fourcc in dict.fromkeys(mode.fourcc for mode in modes):
        sizes = sorted((m for m in modes if m.fourcc == fourcc), key=lambda m: m.width * m.height, reverse=True)
        texts = [f"{m.width}x{m.height}" + (f" at {max(m.rates):.3g}" if m.rates else "") for m in sizes]
        more = f" and {len(texts) - _SIZES_A_LINE} smaller" if len(texts) > _SIZES_A_LINE else ""
        yield f"- {fourcc}: {', '.join(texts[:_SIZES_A_LINE])}{more}"


def _about_engines(engines: Engines) -> Iterable[tuple[str, str]]:
    installed = ", ".join(state.name for state in engines.states if state.installed)
    yield "engines", f"installed: {installed or 'none'}"
    for state in engines.states:
        if not state.installed:
            yield "", f"{state.name} is not: {state.cure}"
    if engines.chosen is not None:
        yield "", engines.reason


def _about_versions(versions: dict[str, str | None]) -> str:
    there = [f"{name}{_TIED}{version}" for name, version in versions.items() if version is not None]
    absent = [name for name, version in versions.items() if version is None]
    return ", ".join(there) + (f"; not installed: {', '.join(absent)}" if absent else "")


def _about_advice(advice: Sequence[Advice]) -> list[str]:
    if not advice:
        return ["Nothing to change."]
    lines = ["What to change:"]
    for each in advice:
        lines += _row(f"  {each.severity}", each.sentence)
        if each.command is not None:
            lines.append(f"{' ' * _INDENT}$ {each.command}")
    return lines
