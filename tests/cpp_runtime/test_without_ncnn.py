"""A build with no engine but our own: its tests pass, and other projects can use it."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from tests.cpp_runtime.conftest import REPOSITORY, Built, call

pytestmark = pytest.mark.slow
BUILD = REPOSITORY / "build" / "without-ncnn"
EXAMPLE = REPOSITORY / "cpp_runtime" / "examples"


@pytest.fixture(scope="session")
def built_without_ncnn() -> Built:
    BUILD.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{BUILD}.lock"):
        call(
            "cmake", "-S", REPOSITORY / "cpp_runtime", "-B", BUILD, f"-DPython3_EXECUTABLE={sys.executable}",
            "-DNANOEDGE_NCNN=OFF", "-DNANOEDGE_OPENVINO=OFF", "-DNANOEDGE_TESTS=ON",
        )  # fmt: skip
        call("cmake", "--build", BUILD, "--parallel", str(os.cpu_count()))
    return Built(BUILD, {**os.environ})


def test_the_c_plus_plus_tests_pass(built_without_ncnn: Built, small_bundle: Path) -> None:
    environment = {**built_without_ncnn.environment, "NANOEDGE_TEST_BUNDLE": str(small_bundle)}
    done = Built(BUILD, environment).run(BUILD / "tests" / "nanoedge-tests")
    assert re.search(r"All tests passed \(\d+ assertions in \d+ test cases\)", done.stdout), done.stdout
    assert "ncnn_DIR" not in (BUILD / "CMakeCache.txt").read_text()


def test_a_program_links_what_is_installed_and_is_told_what_is_absent(
    built_without_ncnn: Built, small_bundle: Path, tmp_path: Path
) -> None:
    call("cmake", "--install", BUILD, "--prefix", tmp_path / "installed")
    call("cmake", "-S", EXAMPLE, "-B", tmp_path / "example", f"-DCMAKE_PREFIX_PATH={tmp_path / 'installed'}")
    call("cmake", "--build", tmp_path / "example")
    done = built_without_ncnn.run(tmp_path / "example" / "find_objects", small_bundle, expect=1)
    assert "built without the engine ncnn" in done.stderr
