"""The static executables of other machines, by emulation."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from nanoedge.detections import Detections
from nanoedge.evaluation.agreement import SCORE_OF_TWIN, agreement
from nanoedge.evaluation.box_iou import box_iou
from nanoedge.pictures import list_pictures, read_picture
from nanoedge.runtime.detector import Detector
from tools.cross.emulation import CPUS, detect, emulator
from tools.cross.targets import TARGETS

from tools.cross import elf

from .conftest import check_same

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
    target = TARGETS[CPUS[cpu]]
    pictures = list_pictures(shapes / "images" / "val")
    program = executables(target.name) / "nanoedge-detect"
    there = detect(target, cpu, program, small_bundle, pictures, "--score", "0.05", "--threads", "2")
    here = Detector(small_bundle, "ncnn", threads=1, score_threshold=0.05)
    check_same([here(read_picture(picture)) for picture in pictures], there)


@pytest.mark.shared
@pytest.mark.parametrize("cpu", CPUS)
def test_plus_m_finds_what_x86_finds_on_real_pictures(
    executables: Callable[[str], Path], plus_m_320_bundle: Path, shared: Path, cpu: str
) -> None:
    here, there = both(executables, plus_m_320_bundle, shared, cpu, "fp32")
    report = agreement(here, there)
    assert report.boxes > 8 and report.unmatched == 0, report


@pytest.mark.shared
@pytest.mark.parametrize("engine", ["ncnn", "native"])
def test_plus_m_finds_nearly_the_same_in_half_precision(
    executables: Callable[[str], Path], plus_m_320_bundle: Path, shared: Path, engine: str
) -> None:
    """As on a Raspberry Pi 5. Both engines add up in half precision too, which moves boxes."""
    for one, other in zip(*both(executables, plus_m_320_bundle, shared, "cortex-a76", "fp16", engine), strict=True):
        for index in np.flatnonzero(one.scores > 0.4):
            same = other.class_ids == one.class_ids[index]
            assert (box_iou(one.boxes_xyxy[index], other.boxes_xyxy[same]) > 0.9).any()


def both(
    executables: Callable[[str], Path], bundle: Path, shared: Path, cpu: str, compute: str, engine: str = "ncnn"
) -> tuple[list[Detections], list[Detections]]:
    """What this machine and the emulated one find in real pictures."""
    target = TARGETS[CPUS[cpu]]
    pictures = list_pictures(shared / "data" / "coco_open300" / "images")[:6]
    program = executables(target.name) / "nanoedge-detect"
    options = ["--engine", engine, "--score", str(SCORE_OF_TWIN), "--compute", compute]
    there = detect(target, cpu, program, bundle, pictures, *options)
    here = Detector(bundle, "ncnn", threads=1, score_threshold=SCORE_OF_TWIN)
    return [here(read_picture(picture)) for picture in pictures], there


@pytest.mark.parametrize(
    ("cpu", "option", "value", "sentence"),
    [
        ("cortex-a72", "--compute", "fp16", "half-precision arithmetic"),
        ("cortex-a15", "--engine", "openvino", "static executable cannot open OpenVINO"),
    ],
)
def test_what_a_machine_cannot_do_is_refused(
    executables: Callable[[str], Path],
    small_bundle: Path,
    shapes: Path,
    cpu: str,
    option: str,
    value: str,
    sentence: str,
) -> None:
    picture = list_pictures(shapes / "images" / "val")[0]
    program = executables(CPUS[cpu]) / "nanoedge-detect"
    done = run(CPUS[cpu], cpu, program, small_bundle, picture, option, value)
    assert done.returncode == 2 and sentence in done.stderr, done.stderr


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
