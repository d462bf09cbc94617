"""Executables with no engine but our own: small, and they find what others find."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from nanoedge.pictures import list_pictures, read_picture
from nanoedge.runtime.detector import Detector
from tools.cross.emulation import detect, emulator
from tools.cross.targets import TARGETS

from tools.cross import elf

from .conftest import check_same

pytestmark = pytest.mark.slow

# Target to an emulated CPU of its kind.
CPUS = {"aarch64": "cortex-a72", "armv7": "cortex-a15"}
LIMIT = 1.2e6


def run(name: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [emulator(TARGETS[name]), "-cpu", CPUS[name], *(str(word) for word in words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize("name", CPUS)
def test_they_are_static_and_small(native_only: Callable[[str], Path], name: str) -> None:
    for program in ("nanoedge-detect", "nanoedge-bench"):
        file = native_only(name) / "bin" / program
        assert elf.is_static(file)
        assert TARGETS[name].machine in elf.read("--file-header", file)
        assert file.stat().st_size <= LIMIT


@pytest.mark.parametrize("name", CPUS)
def test_our_engine_is_taken_and_finds_what_it_finds_on_x86(
    native_only: Callable[[str], Path], small_bundle: Path, shapes: Path, name: str
) -> None:
    """The bundle has a model for ncnn too, which comes first on ARM where it is built in."""
    pictures = list_pictures(shapes / "images" / "val")
    program = native_only(name) / "bin" / "nanoedge-detect"
    there = detect(TARGETS[name], CPUS[name], program, small_bundle, pictures, "--score", "0.05", "--threads", "2")
    here = Detector(small_bundle, "native", threads=1, score_threshold=0.05)
    check_same([here(read_picture(picture)) for picture in pictures], there)


@pytest.mark.parametrize("engine", ["ncnn", "openvino"])
def test_another_engine_is_refused_with_a_sentence(
    native_only: Callable[[str], Path], small_bundle: Path, shapes: Path, engine: str
) -> None:
    picture = list_pictures(shapes / "images" / "val")[0]
    done = run("aarch64", native_only("aarch64") / "bin" / "nanoedge-detect", small_bundle, picture, "--engine", engine)
    assert done.returncode == 2 and done.stdout == ""
    assert f"This NanoEdge was built without the engine {engine}; export the bundle with --target native" in done.stderr


def test_the_benchmark_says_what_is_left_out_and_what_is_used_of_the_cpu(
    native_only: Callable[[str], Path], small_bundle: Path
) -> None:
    program = native_only("aarch64") / "bin" / "nanoedge-bench"
    done = run("aarch64", program, small_bundle, "--rounds", "1", "--json")
    assert [row["engine"] for row in json.loads(done.stdout)["rows"]] == ["native"]
    assert "left out: This NanoEdge was built without the engine ncnn" in done.stderr
    done = run("aarch64", program, "--cpu", "--json")
    assert {each["name"] for each in json.loads(done.stdout) if each["used"]} == {"NEON"}


def test_notices_and_library_are_those_of_the_build(native_only: Callable[[str], Path]) -> None:
    folder = native_only("aarch64")
    assert [file.name for file in (folder / "lib").glob("*.a")] == ["libnanoedge.a"]
    about = folder / "share" / "doc" / "nanoedge"
    components = {each["name"] for each in json.loads((about / "nanoedge.cdx.json").read_text())["components"]}
    assert {"nlohmann/json", "libjpeg-turbo", "GNU C library"} <= components and "ncnn" not in components
    notices = (about / "THIRD_PARTY_NOTICES.txt").read_text()
    assert "Tencent" not in notices and "OpenMP" in notices
