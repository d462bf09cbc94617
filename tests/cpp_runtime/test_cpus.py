"""The executable on CPUs that this machine is not, by emulation."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from .conftest import REPOSITORY, Built, call

EMULATOR = shutil.which("qemu-x86_64") or shutil.which("qemu-x86_64-static")
ONE_CPU = REPOSITORY / "build" / "x86-64-v4"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(EMULATOR is None, reason="qemu-x86_64 is not installed (Debian: qemu-user)"),
    pytest.mark.skipif(platform.machine() != "x86_64", reason="builds for the machine it runs on, and that is no x86"),
]


def emulate(cpu: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [str(EMULATOR), "-cpu", cpu, *(str(word) for word in words)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize("cpu", ["Nehalem", "SandyBridge", "Haswell"])
def test_older_cpus_find_what_this_one_finds(built: Built, small_bundle: Path, shapes: Path, cpu: str) -> None:
    """SSE alone, AVX, AVX2: other kernels of ncnn and other variants of ours."""
    picture = min((shapes / "images" / "val").iterdir())
    words = [built.detect, small_bundle, picture, "--engine", "ncnn", "--score", "0.05", "--json"]
    done = emulate(cpu, *words)
    assert done.returncode == 0, done.stderr
    here, there = (json.loads(text)[0]["detections"] for text in (built.run(*words).stdout, done.stdout))
    assert len(here) == len(there) > 3
    for one, other in zip(here, there, strict=True):
        assert one["label"] == other["label"]
        assert one["score"] == pytest.approx(other["score"], abs=1e-3)
        np.testing.assert_allclose(one["box"], other["box"], atol=0.05)


def test_a_cpu_without_the_needed_instructions_is_refused(small_bundle: Path, shapes: Path) -> None:
    with FileLock(f"{ONE_CPU}.lock"):
        call(
            "cmake", "-S", REPOSITORY / "cpp_runtime", "-B", ONE_CPU, f"-DPython3_EXECUTABLE={sys.executable}",
            "-DNANOEDGE_CPU=x86-64-v4",
        )  # fmt: skip
        call("cmake", "--build", ONE_CPU, "--parallel", str(os.cpu_count()), "--target", "nanoedge-detect")
    picture = min((shapes / "images" / "val").iterdir())
    done = emulate("Haswell", ONE_CPU / "apps" / "nanoedge-detect", small_bundle, picture, "--engine", "ncnn")
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert "built for CPUs with AVX-512" in done.stderr and "NANOEDGE_CPU=all" in done.stderr
    assert done.stdout == ""
