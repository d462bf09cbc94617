"""CMake for another machine: Debian's cross compiler, and zig to link for an old glibc."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.cross.headers import python_headers
from tools.cross.targets import Target

REPOSITORY = Path(__file__).resolve().parents[2]
CORE = REPOSITORY / "cpp_runtime"
BUILD = REPOSITORY / "build" / "cross"


class BuildError(Exception):
    """A build is not possible here; the message says why and what to do."""


def compile_target(target: Target, versions: Sequence[str] = ()) -> Path:
    """The library, the static executables and a module for each of those Python versions. Gives the build folder."""
    build = configure_target(target, versions)
    cmake("--build", build)
    return build


def compile_native_only(target: Target) -> Path:
    """The library and the static executables with no engine but our own. Gives the build folder."""
    build = configure_target(target, native_only=True)
    cmake("--build", build)
    return build


def configure_target(target: Target, versions: Sequence[str] = (), native_only: bool = False) -> Path:
    """A build folder for `compile_target`, in which nothing is compiled yet. Raises BuildError without a compiler."""
    if shutil.which(f"{target.compiler}-g++") is None:
        raise BuildError(
            f"Builds for {target.name} need the compiler {target.compiler}-g++; on Debian: apt-get install "
            f"{target.compiler_package}"
        )
    build = BUILD / (f"native-{target.name}" if native_only else target.name)
    options = ["-DNANOEDGE_STATIC=ON", "-DNANOEDGE_PYTHON=OFF"]
    if versions:
        headers = ";".join(f"{version}={python_headers(version, target.debian)}" for version in versions)
        linker = f"{zig()};cc;-target;{target.zig}"
        options = [
            "-DNANOEDGE_STATIC=ON", "-DNANOEDGE_PYTHON=ON", f"-DNANOEDGE_PYTHON_HEADERS={headers}",
            f"-DNANOEDGE_LINKER={linker}",
        ]  # fmt: skip
    if native_only:
        options += ["-DNANOEDGE_NCNN=OFF", "-DNANOEDGE_OPENVINO=OFF"]
    cmake(
        "-S", CORE, "-B", build, "-G", "Ninja", f"-DPython3_EXECUTABLE={sys.executable}", "-DNANOEDGE_TESTS=OFF",
        f"-DCMAKE_TOOLCHAIN_FILE={CORE / 'cmake' / 'toolchains' / target.name}.cmake", *options,
    )  # fmt: skip
    return build


def build_kernel_tests(build: Path) -> Path:
    """The tests of our engine's kernels, in the build folder of a target."""
    cmake("-S", CORE, "-B", build, "-DNANOEDGE_TESTS=ON")
    cmake("--build", build, "--target", "nanoedge-kernel-tests")
    return build / "tests" / "nanoedge-kernel-tests"


def install_executables(build: Path, out: Path) -> Path:
    """The executables, the library and its notices from a build folder into `out` (bin, lib, include, share)."""
    shutil.rmtree(out, ignore_errors=True)
    cmake("--install", build, "--prefix", out)
    return out


def module_of(build: Path, version: str) -> Path:
    """The module for that Python version in a build folder."""
    return next((build / f"cp{version.replace('.', '')}").glob("_runtime.*.so"))


def zig() -> Path:
    """zig's program, from the package ziglang."""
    try:
        import ziglang
    except ImportError:
        raise BuildError("Wheels are linked by zig: pip install ziglang") from None
    return Path(ziglang.__file__).parent / "zig"


def cmake(*words: str | Path) -> None:
    """Run the virtual environment's cmake; its last lines say why it failed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    command = ["cmake", *(str(word) for word in words)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-4000:]}")
