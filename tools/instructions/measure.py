"""Counts what a stage of detection executes under emulation."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools.cross.compile import REPOSITORY, BuildError, cmake, compile_target
from tools.cross.emulation import emulator
from tools.cross.targets import Target

STAGES = ("preprocess", "forward", "postprocess")
PLUGIN = REPOSITORY / "build" / "instructions" / "count.so"


@dataclass(frozen=True)
class Count:
    """What one frame's stage executes.

    Attributes:
        instructions: executed.
        reads, writes: accesses to memory by instructions, whatever their width.
    """

    instructions: int
    reads: int
    writes: int


def plugin() -> Path:
    """The compiled plugin."""
    PLUGIN.parent.mkdir(parents=True, exist_ok=True)
    source = Path(__file__).with_name("count.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", PLUGIN, source], check=True)
    return PLUGIN


def stages_program(target: Target) -> Path:
    """nanoedge-stages for that machine, static."""
    build = compile_target(target)
    cmake("--build", build, "--target", "nanoedge-stages")
    return build / "apps" / "nanoedge-stages"


def count(target: Target, cpu: str, program: Path, bundle: Path, stage: str, *options: str) -> Count:
    """One frame's stage on the emulated `cpu`: the difference of three repetitions and one, halved.

    `options` are those of nanoedge-stages.
    """
    found = []
    for times in (1, 3):
        command = [emulator(target), "-cpu", cpu, "-plugin", PLUGIN, program, bundle, stage, str(times), *options]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
        if done.returncode or "counted " not in done.stderr:
            raise BuildError(f"{' '.join(str(word) for word in command)} failed: {done.stderr[-500:]}")
        found.append([int(word) for word in done.stderr.rpartition("counted ")[2].split()])
    return Count(*((more - less) // 2 for less, more in zip(*found, strict=True)))
