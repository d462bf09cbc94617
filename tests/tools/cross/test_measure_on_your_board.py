"""The script that measures a board, with the static executable on an emulated CPU."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tools.cross.compile import REPOSITORY
from tools.cross.emulation import emulator
from tools.cross.targets import TARGETS

pytestmark = pytest.mark.slow


def test_the_executable_and_a_shell_are_enough(
    executables: Callable[[str], Path], small_bundle: Path, tmp_path: Path
) -> None:
    bench = tmp_path / "nanoedge-bench-aarch64"
    command = [emulator(TARGETS["aarch64"]), "-cpu", "cortex-a76", str(executables("aarch64") / "nanoedge-bench")]
    bench.write_text(f'#!/bin/sh\nexec {" ".join(command)} "$@"\n')
    bench.chmod(0o755)
    script = REPOSITORY / "tools" / "measure_on_your_board.sh"
    done = subprocess.run(
        ["sh", script, bench, small_bundle, "1"],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0 and done.stdout.count("\n") == 1, done.stderr
    fields = dict(part.split("=", 1) for part in done.stdout.strip().split("; ")[1:])
    assert {"native-float-fp32-1t", "ncnn-float-fp32-1t", "ncnn-float-fp16-1t"} <= set(fields)
    assert fields["nanoedge"].count(".") == 2 and fields["rounds"] == "1"
