"""Counts what a stage of detection executes under emulation."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.cross.compile import REPOSITORY, BuildError, cmake, configure_target
from tools.cross.emulation import emulator
from tools.cross.targets import Target

STAGES = ("preprocess", "forward", "postprocess")
WHOLE_FRAME = "detect"
"""All stages in one call: with our own engine the picture then goes straight into the network's input."""
PLUGIN = REPOSITORY / "build" / "instructions" / "count.so"
MISSES = ("l1_misses", "l1_in_order", "l2_misses", "l2_in_order")


@dataclass(frozen=True)
class CacheSize:
    """A level of data cache: its bytes, and how many lines of 64 bytes share a set."""

    size: int
    ways: int


@dataclass(frozen=True)
class Count:
    """What something executes.

    Attributes:
        instructions: executed.
        reads, writes: accesses to memory as the emulator makes them, whatever their width; a vector of 128 bits is two.
        classes: micro-operations by class (tools/instructions/classes.h); those that occur.
        misses: lines that two levels of cache missed, by the names in `MISSES`; `in_order` where the line before was
            there. Zero where no caches were asked for.
    """

    instructions: int
    reads: int
    writes: int
    classes: Mapping[str, int] = field(default_factory=dict)
    misses: Mapping[str, int] = field(default_factory=dict)


def plugin() -> Path:
    """The compiled plugin."""
    PLUGIN.parent.mkdir(parents=True, exist_ok=True)
    source = Path(__file__).with_name("count.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", PLUGIN, source], check=True)
    return PLUGIN


def stages_program(target: Target) -> Path:
    """nanoedge-stages for that machine, static."""
    build = configure_target(target)
    cmake("--build", build, "--target", "nanoedge-stages")
    return build / "apps" / "nanoedge-stages"


def count(
    target: Target,
    cpu: str,
    program: Path,
    bundle: Path,
    stage: str,
    *options: str,
    caches: tuple[CacheSize, CacheSize] | None = None,
) -> Count:
    """One frame's stage on the emulated `cpu`, after everything has run once.

    Args:
        target: the machine.
        cpu: as QEMU names it.
        program: nanoedge-stages for that machine.
        bundle: its folder.
        stage: one of `STAGES`, or `WHOLE_FRAME`.
        options: of nanoedge-stages.
        caches: the first and second level to simulate; `None`: none, which is faster.

    Raises:
        BuildError: when the program fails.
    """
    return run_counted(target, cpu, program, bundle, stage, options, caches)[1][1]


def run_counted(
    target: Target,
    cpu: str,
    program: Path,
    bundle: Path,
    stage: str,
    options: Sequence[str],
    caches: tuple[CacheSize, CacheSize] | None,
) -> tuple[str, dict[int, Count]]:
    """What the program prints, and what was counted by its marks."""
    levels = [f"{name}={cache.size}:{cache.ways}" for name, cache in zip(("l1", "l2"), caches or (), strict=False)]
    plugged = ",".join([str(PLUGIN), *levels])
    command = [emulator(target), "-cpu", cpu, "-plugin", plugged, program, bundle, stage, *options]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    counts = parse_counts(done.stderr)
    if done.returncode or not counts:
        raise BuildError(f"{' '.join(str(word) for word in command)} failed: {done.stderr[-500:]}")
    return done.stdout, counts


def parse_counts(text: str) -> dict[int, Count]:
    """What the plugin wrote on standard error, by mark."""
    rows = [line.split()[1:] for line in text.splitlines() if line.startswith("counted ")]
    found = {}
    for row in rows[1:]:
        values = dict(zip(rows[0], map(int, row), strict=True))
        mark, instructions, reads, writes = (values.pop(name) for name in ("mark", "instructions", "reads", "writes"))
        misses = {name: values.pop(name) for name in MISSES}
        classes = {name: value for name, value in values.items() if value}
        found[mark] = Count(instructions, reads, writes, classes, misses)
    return found


def total(counts: Sequence[Count]) -> Count:
    """All of them together."""
    return Count(
        sum(each.instructions for each in counts),
        sum(each.reads for each in counts),
        sum(each.writes for each in counts),
        _added([each.classes for each in counts]),
        _added([each.misses for each in counts]),
    )


def beside(whole: Count, part: Count) -> Count:
    """What the whole counts more than a part of it; nothing is less than zero."""
    return Count(
        max(0, whole.instructions - part.instructions),
        max(0, whole.reads - part.reads),
        max(0, whole.writes - part.writes),
        _less(whole.classes, part.classes),
        _less(whole.misses, part.misses),
    )


def _less(whole: Mapping[str, int], part: Mapping[str, int]) -> dict[str, int]:
    return {name: max(0, number - part.get(name, 0)) for name, number in whole.items()}


def _added(parts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: sum(part.get(name, 0) for part in parts) for name in names}
