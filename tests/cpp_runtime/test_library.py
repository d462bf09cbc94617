"""The C++ tests pass, and the library can be used from another project."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import cv2
import pytest
from tests.conftest import changed_bundle
from tests.cpp_runtime.conftest import BUILD, REPOSITORY, Built, call

pytestmark = pytest.mark.slow
EXAMPLE = REPOSITORY / "cpp_runtime" / "examples"


def test_the_c_plus_plus_tests_pass(built: Built, small_bundle: Path) -> None:
    environment = {**built.environment, "NANOEDGE_TEST_BUNDLE": str(small_bundle)}
    done = Built(built.folder, environment).run(built.folder / "tests" / "nanoedge-tests")
    assert re.search(r"All tests passed \(\d+ assertions in \d+ test cases\)", done.stdout), done.stdout
    assert "skipped" not in done.stdout


def test_the_manuals_program_is_the_example(built: Built) -> None:
    page = (REPOSITORY / "docs" / "cpp.md").read_text()
    assert (EXAMPLE / "find_objects.cpp").read_text() in page
    assert (EXAMPLE / "CMakeLists.txt").read_text() in page


def test_the_example_builds_with_find_package_and_finds_objects(
    built: Built, small_bundle: Path, shapes: Path, tmp_path: Path
) -> None:
    call("cmake", "--install", BUILD, "--prefix", tmp_path / "installed")
    call("cmake", "-S", EXAMPLE, "-B", tmp_path / "example", f"-DCMAKE_PREFIX_PATH={tmp_path / 'installed'}")
    call("cmake", "--build", tmp_path / "example")
    frames = tmp_path / "frames.bgr"
    pictures = sorted((shapes / "images" / "val").iterdir())
    frames.write_bytes(b"".join(cv2.resize(cv2.imread(str(file)), (640, 480)).tobytes() for file in pictures))
    program = tmp_path / "example" / "find_objects"
    unsure = changed_bundle(small_bundle, tmp_path, lambda m: m["postprocess"].update(score_threshold=0.05))
    done = built.run(sys.executable, "-c", PIPE, program, unsure, frames)
    assert re.search(r"^\w+ 0\.\d\d \[\d+, \d+, \d+, \d+\]$", done.stdout, flags=re.MULTILINE), done.stdout
    assert "There is no bundle" in built.run(program, tmp_path / "nowhere", expect=1).stderr


PIPE = "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:3], stdin=open(sys.argv[3], 'rb')))"
