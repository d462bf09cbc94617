"""What was built for other machines, once for all tests of this folder; and whether this machine can build it."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from nanoedge.detections import Detections
from tools.cross.compile import (
    BUILD,
    build_kernel_tests,
    compile_native_only,
    compile_target,
    install_executables,
    module_of,
)
from tools.cross.emulated_python import EmulatedPython
from tools.cross.targets import TARGETS, Target
from tools.cross.wheels import assemble, pure_wheel

# .ci/run installs what these tests need: there a skip would hide a fault.
REQUIRED = os.environ.get("NANOEDGE_REQUIRE_CROSS") == "1"


def need(there: bool, what: str) -> None:
    """Skip the test, or let it fail where it must run, when something is not there."""
    if not there:
        (pytest.fail if REQUIRED else pytest.skip)(f"needs {what}")


def need_emulator(name: str) -> None:
    need(any(map(shutil.which, (name, f"{name}-static"))), f"{name} (Debian: qemu-user)")


def need_tools(target: Target) -> None:
    """What builds for a target and runs it."""
    need(shutil.which(f"{target.compiler}-g++") is not None, f"{target.compiler_package} (Debian)")
    need_emulator({"aarch64": "qemu-aarch64", "armv7": "qemu-arm"}[target.name])


def check_same(mine: list[Detections], theirs: list[Detections]) -> None:
    """What two machines find with a network of low scores: the same boxes but for rounding."""
    assert sum(map(len, mine)) > 20
    for one, other in zip(mine, theirs, strict=True):
        assert [each.label for each in one] == [each.label for each in other]
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-3)
        np.testing.assert_allclose(one.boxes_xyxy, other.boxes_xyxy, atol=0.05)


def versions(target: str) -> list[str]:
    """The wheels that the tests want; the same for all of them, so that no build folder changes its settings."""
    can = importlib.util.find_spec("ziglang") is not None and shutil.which("apt-get") is not None
    return ["3.11"] if can and target == "aarch64" else []


@pytest.fixture(scope="session")
def executables() -> Callable[[str], Path]:
    """Target to the folder with its static nanoedge-detect and nanoedge-bench."""

    def make(name: str) -> Path:
        target = TARGETS[name]
        need_tools(target)
        BUILD.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{BUILD}.lock"):
            return install_executables(compile_target(target, versions(name)), BUILD / f"nanoedge-{name}") / "bin"

    return make


@pytest.fixture(scope="session")
def native_only() -> Callable[[str], Path]:
    """Target to the folder (bin, lib, share) of what was built with no engine but our own."""

    @cache
    def make(name: str) -> Path:
        target = TARGETS[name]
        need_tools(target)
        BUILD.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{BUILD}.lock"):
            return install_executables(compile_native_only(target), BUILD / f"nanoedge-native-{name}")

    return make


@pytest.fixture(scope="session")
def kernel_tests(executables: Callable[[str], Path]) -> Callable[[str], Path]:
    """Target to the tests of our engine's kernels, built once."""

    @cache
    def make(name: str) -> Path:
        executables(name)
        with FileLock(f"{BUILD}.lock"):
            return build_kernel_tests(BUILD / name)

    return make


@pytest.fixture(scope="session")
def arm_wheel(common: Path) -> Path:
    """The aarch64 wheel for Python 3.11."""
    need(shutil.which("aarch64-linux-gnu-g++") is not None, "g++-aarch64-linux-gnu (Debian)")
    need(importlib.util.find_spec("ziglang") is not None, "ziglang (pip)")
    need(shutil.which("apt-get") is not None, "Debian's apt")
    target = TARGETS["aarch64"]
    out = common / "wheels"
    BUILD.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{BUILD}.lock"):
        if not list(out.glob("*.whl")):
            (common / "pure").mkdir(exist_ok=True)
            module = module_of(compile_target(target, versions("aarch64")), "3.11")
            assemble(pure_wheel(common / "pure"), module, "3.11", target, out)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="session")
def arm_python(arm_wheel: Path) -> EmulatedPython:
    """Debian's arm64 Python with that wheel."""
    need_emulator("qemu-aarch64")
    with FileLock(f"{BUILD}.lock"):
        python = EmulatedPython(TARGETS["aarch64"], BUILD / "debian-arm64")
        python.install(arm_wheel)
    return python
