"""Counting instructions under emulation."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from filelock import FileLock
from tools.cross.compile import BUILD
from tools.cross.targets import TARGETS
from tools.instructions.measure import STAGES, count, plugin, stages_program

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("engine", ["ncnn", "native"])
def test_counts_are_the_same_every_time(small_bundle: Path, engine: str) -> None:
    missing = [name for name in ("aarch64-linux-gnu-g++", "qemu-aarch64", "cc") if shutil.which(name) is None]
    if missing:
        required = os.environ.get("NANOEDGE_REQUIRE_CROSS") == "1"
        (pytest.fail if required else pytest.skip)(f"needs {', '.join(missing)}")
    target = TARGETS["aarch64"]
    BUILD.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{BUILD}.lock"):
        program = stages_program(target)
        plugin()
    first, again = (
        {stage: count(target, "cortex-a72", program, small_bundle, stage, "--engine", engine) for stage in STAGES}
        for _ in range(2)
    )
    assert first == again
    for each in first.values():
        assert each.instructions > each.reads > 0 and each.instructions > each.writes > 0
    # A 96x64 network reads a frame of 640x480: the rows that it needs, more than a million pixels' values.
    assert first["forward"].instructions > first["preprocess"].instructions > 100_000
