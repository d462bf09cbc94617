"""Our engine's kernels on ARM CPUs, by emulation: each against the scalar ones."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from nanoedge.bundle import FilePrecision
from nanoedge.pictures import list_pictures, read_picture
from nanoedge.runtime.detector import Detector
from tests.conftest import made_once, run_nanoedge
from tools.cross.emulation import detect, emulator
from tools.cross.targets import TARGETS

from .conftest import check_same

pytestmark = pytest.mark.slow

# CPU to target and what it has of our kernels, the fastest first. A Cortex-A9 rounds twice in a multiply-add.
KERNELS = {
    "cortex-a53": ("aarch64", ["neon", "scalar"]),
    "cortex-a72": ("aarch64", ["neon", "scalar"]),
    "cortex-a76": ("aarch64", ["neon-dot", "neon", "scalar"]),
    "max": ("aarch64", ["neon-i8mm", "neon-dot", "neon", "scalar"]),
    "cortex-a15": ("armv7", ["neon", "scalar"]),
    "cortex-a9": ("armv7", ["scalar"]),
}


def run(kernel_tests: Callable[[str], Path], cpu: str, *words: str) -> str:
    target = TARGETS[KERNELS[cpu][0]]
    command = [emulator(target), "-cpu", cpu, str(kernel_tests(target.name)), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    return done.stdout


@pytest.mark.parametrize("cpu", KERNELS)
def test_kernels_are_chosen_by_what_the_cpu_has(kernel_tests: Callable[[str], Path], cpu: str) -> None:
    names = run(kernel_tests, cpu, "kernels of this CPU").splitlines()
    assert [line for line in names if line in ("scalar", *KERNELS["max"][1])] == KERNELS[cpu][1]


@pytest.mark.parametrize("cpu", [cpu for cpu, (_, names) in KERNELS.items() if len(names) > 1])
def test_every_kernel_gives_what_the_scalar_one_gives(kernel_tests: Callable[[str], Path], cpu: str) -> None:
    assert "All tests passed" in run(kernel_tests, cpu)


@pytest.fixture(scope="module")
def int8_bundle(common: Path, small_run: Path, shapes: Path) -> Path:
    """The small network for our engine, in float32 and int8."""
    place = common / "small-int8.nanoedge"
    checkpoint, pictures = small_run / "checkpoints" / "best.ckpt", shapes / "images" / "train"
    asked = ["--target", "native", "--int8", "--calibration", str(pictures), "--calibration-images", "40"]
    return made_once(place, lambda: run_nanoedge("export", str(checkpoint), *asked, "--out", str(place)))


@pytest.mark.parametrize("precision", ["float", "int8"])
@pytest.mark.parametrize("cpu", [cpu for cpu, (_, names) in KERNELS.items() if len(names) > 1])
def test_our_engine_finds_what_it_finds_on_x86(
    executables: Callable[[str], Path], int8_bundle: Path, shapes: Path, cpu: str, precision: FilePrecision
) -> None:
    target = TARGETS[KERNELS[cpu][0]]
    pictures = list_pictures(shapes / "images" / "val")
    program = executables(target.name) / "nanoedge-detect"
    options = ["--engine", "native", "--precision", precision, "--score", "0.05", "--threads", "2"]
    there = detect(target, cpu, program, int8_bundle, pictures, *options)
    here = Detector(int8_bundle, "native", threads=1, precision=precision, score_threshold=0.05)
    check_same([here(read_picture(picture)) for picture in pictures], there)
