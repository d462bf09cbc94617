"""CMake for another machine, with Debian's cross compiler or with zig."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.cross.headers import python_headers
from tools.cross.targets import Target

REPOSITORY = Path(__file__).resolve().parents[2]
CORE = REPOSITORY / "cpp_runtime"
BUILD = REPOSITORY / "build" / "cross"


class CannotBuild(Exception):
    """A build is not possible here; the message says why and what to do."""


def compile_executables(target: Target, out: Path) -> Path:
    """The library and the static executables, installed into `out` (bin, lib, include, share). Gives `out`."""
    if shutil.which(f"{target.compiler}-g++") is None:
        raise CannotBuild(
            f"Executables for {target.name} need the compiler {target.compiler}-g++; on Debian: apt-get install "
            f"{target.compiler_package}"
        )
    build = BUILD / f"{target.name}-static"
    configure(build, target.name, {}, "-DNANOEDGE_STATIC=ON")
    shutil.rmtree(out, ignore_errors=True)
    cmake({}, "--install", build, "--prefix", out)
    return out


def compile_modules(target: Target, versions: list[str]) -> dict[str, Path]:
    """The module for each of those Python versions, for old glibc. Gives the files by version."""
    headers = ";".join(f"{version}={python_headers(version, target.debian)}" for version in versions)
    build = BUILD / f"{target.name}-modules"
    configure(
        build, "zig", zig_environment(target), "-DNANOEDGE_PYTHON=ON", "-DNANOEDGE_APPS=OFF",
        f"-DNANOEDGE_PYTHON_HEADERS={headers}",
    )  # fmt: skip
    return {version: next((build / f"cp{version.replace('.', '')}").glob("_runtime.*.so")) for version in versions}


def zig_environment(target: Target) -> dict[str, str]:
    """What cmake/toolchains/zig.cmake asks for."""
    try:
        import ziglang
    except ImportError:
        raise CannotBuild("Wheels need zig: pip install ziglang") from None
    zig = Path(ziglang.__file__).parent / "zig"
    return {"NANOEDGE_ZIG": str(zig), "NANOEDGE_ZIG_TARGET": target.zig}


def configure(build: Path, toolchain: str, environment: dict[str, str], *options: str) -> None:
    """Configure and build a folder."""
    cmake(
        environment, "-S", CORE, "-B", build, "-G", "Ninja", f"-DPython3_EXECUTABLE={sys.executable}",
        f"-DCMAKE_TOOLCHAIN_FILE={CORE / 'cmake' / 'toolchains' / toolchain}.cmake", *options,
    )  # fmt: skip
    cmake(environment, "--build", build)


def cmake(environment: dict[str, str], *words: str | Path) -> None:
    """Run the virtual environment's cmake; its last lines say why it failed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, **environment, "PATH": path}
    command = ["cmake", *(str(word) for word in words)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotBuild(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-4000:]}")
