"""The static executables of other machines, by emulation."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from nanoedge.evaluation.agreement import SCORE_OF_TWIN, agreement
from nanoedge.pictures import list_pictures, read_picture
from nanoedge.runtime.detector import Detector
from tools.cross.emulation import CPUS, detect, emulator
from tools.cross.targets import TARGETS

from tools.cross import elf

pytestmark = pytest.mark.slow
LIMITS = {"aarch64": 4e6, "armv7": 3e6}


@pytest.mark.parametrize("name", LIMITS)
def test_executables_are_static_and_small(executables: Callable[[str], Path], name: str) -> None:
    for program in ("nanoedge-detect", "nanoedge-bench"):
        file = executables(name) / program
        assert elf.is_static(file)
        assert TARGETS[name].machine in elf.read("--file-header", file)
        assert file.stat().st_size <= LIMITS[name]


@pytest.mark.parametrize("cpu", CPUS)
def test_small_networks_find_what_x86_finds(
    executables: Callable[[str], Path], small_bundle: Path, shapes: Path, cpu: str
) -> None:
    check_agreement(executables, cpu, small_bundle, list_pictures(shapes / "images" / "val"))


@pytest.mark.shared
@pytest.mark.parametrize("cpu", CPUS)
def test_plus_m_finds_what_x86_finds_on_real_pictures(
    executables: Callable[[str], Path], plus_m_320_bundle: Path, shared: Path, cpu: str
) -> None:
    pictures = list_pictures(shared / "data" / "coco_open300" / "images")[:6]
    check_agreement(executables, cpu, plus_m_320_bundle, pictures)


def check_agreement(executables: Callable[[str], Path], cpu: str, bundle: Path, pictures: list[Path]) -> None:
    target = TARGETS[CPUS[cpu]]
    program = executables(target.name) / "nanoedge-detect"
    there = detect(target, cpu, program, bundle, pictures, "--score", str(SCORE_OF_TWIN), "--threads", "2")
    here = Detector(bundle, "ncnn", threads=1, score_threshold=SCORE_OF_TWIN)
    report = agreement([here(read_picture(picture)) for picture in pictures], there)
    assert report.boxes > 8 and report.agrees, report


@pytest.mark.parametrize("compute", ["fp16", "bf16"])
def test_lower_precisions_agree_too(
    executables: Callable[[str], Path], small_bundle: Path, shapes: Path, compute: str
) -> None:
    """A Raspberry Pi 5 calculates in half precision."""
    pictures = list_pictures(shapes / "images" / "val")
    program = executables("aarch64") / "nanoedge-detect"
    found = [
        detect(TARGETS["aarch64"], "cortex-a76", program, small_bundle, pictures, "--score", "0.2", "--compute", name)
        for name in ("fp32", compute)
    ]
    fp32 = [[(each.label, *each.box) for each in one if each.score > 0.4] for one in found[0]]
    other = [[(each.label, *each.box) for each in one if each.score > 0.3] for one in found[1]]
    assert sum(map(len, fp32)) > 8
    for mine, theirs in zip(fp32, other, strict=True):
        for label, *box in mine:
            assert any(label == name and box == pytest.approx(twin, abs=2.5) for name, *twin in theirs), (
                label,
                box,
                theirs,
            )


def test_half_precision_is_refused_by_a_cpu_without_it(
    executables: Callable[[str], Path], small_bundle: Path, shapes: Path
) -> None:
    picture = list_pictures(shapes / "images" / "val")[0]
    done = run("aarch64", "cortex-a72", executables("aarch64") / "nanoedge-detect", small_bundle, picture,
               "--compute", "fp16")  # fmt: skip
    assert done.returncode == 2 and "half-precision arithmetic" in done.stderr, done.stderr


def test_openvino_is_refused_by_a_static_executable(
    executables: Callable[[str], Path], small_bundle: Path, shapes: Path
) -> None:
    picture = list_pictures(shapes / "images" / "val")[0]
    done = run("armv7", "cortex-a15", executables("armv7") / "nanoedge-detect", small_bundle, picture,
               "--engine", "openvino")  # fmt: skip
    assert done.returncode == 2 and "static executable cannot open OpenVINO" in done.stderr, done.stderr


@pytest.mark.parametrize(
    ("cpu", "used"),
    [
        ("cortex-a53", {"NEON"}),
        ("cortex-a72", {"NEON"}),
        ("cortex-a76", {"NEON", "half-precision arithmetic", "dot product"}),
        ("max", {"NEON", "half-precision arithmetic", "dot product", "i8mm"}),
    ],
)
def test_instructions_are_chosen_at_run_time(executables: Callable[[str], Path], cpu: str, used: set[str]) -> None:
    done = run("aarch64", cpu, executables("aarch64") / "nanoedge-bench", "--cpu", "--json")
    assert {each["name"] for each in json.loads(done.stdout) if each["used"]} == used


def run(name: str, cpu: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [emulator(TARGETS[name]), "-cpu", cpu, *(str(word) for word in words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
