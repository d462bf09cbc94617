"""The C++ executables, built for this CPU alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tools.results.figures import REPOSITORY

BUILD = REPOSITORY / "build" / "one-cpu"


def build_executables() -> Path:
    """Configure and build; later calls compile what changed. Returns the build folder: programs are in `apps`."""
    tools = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    source = REPOSITORY / "cpp_runtime"
    configure = ["-S", source, "-B", BUILD, f"-DPython3_EXECUTABLE={sys.executable}", "-DNANOEDGE_CPU=native"]
    for command in (configure, ["--build", BUILD, "--parallel", os.cpu_count()]):
        subprocess.run(["cmake", *map(str, command)], env=tools, check=True, stdout=subprocess.DEVNULL)
    return BUILD
