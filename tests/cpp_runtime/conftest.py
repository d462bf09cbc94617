"""The C++ side, built once for all tests of this folder."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = REPOSITORY / "build" / "cpp"


@dataclass(frozen=True)
class Built:
    """Where the executables lie, and the environment that they run in."""

    folder: Path
    environment: dict[str, str]

    def run(self, *words: str | Path, expect: int = 0) -> subprocess.CompletedProcess[str]:
        command = [str(word) for word in words]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == expect, f"{command}\n{done.stdout}\n{done.stderr}"
        return done

    @property
    def detect(self) -> Path:
        return self.folder / "apps" / "nanoedge-detect"

    @property
    def bench(self) -> Path:
        return self.folder / "apps" / "nanoedge-bench"


@pytest.fixture(scope="session")
def built() -> Built:
    """The library, its tests and the executables, by CMake; later runs compile only what changed."""
    from nanoedge.runtime.core import find_openvino

    configure = [
        "cmake", "-S", REPOSITORY / "cpp_runtime", "-B", BUILD, f"-DPython3_EXECUTABLE={sys.executable}",
        "-DNANOEDGE_TESTS=ON",
    ]  # fmt: skip
    BUILD.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{BUILD}.lock"):  # worker processes of one test session share the folder: one builds at a time
        call(*configure)
        call("cmake", "--build", BUILD, "--parallel", str(os.cpu_count()))
    return Built(BUILD, {**os.environ, "NANOEDGE_OPENVINO": str(find_openvino() or "")})


def call(*words: str | Path) -> None:
    """Run a tool of the virtual environment or of the system; its last lines tell why it failed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [str(word) for word in words], env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
