"""How long cross builds take: python -m tools.results.cross_build."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools.cross.targets import TARGETS
from tools.results.figures import REPOSITORY, at_most, publish

LIMIT = 300.0  # s


def main() -> None:
    """Each target from empty caches, then again with ncnn and the compiler's libraries in them."""
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        archives = work / "archives"
        command = [sys.executable, "cpp_runtime/cmake/sources.py", "--all", archives]
        subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.DEVNULL)
        for name in TARGETS:
            environment = {
                **os.environ,
                "NANOEDGE_CACHE": str(work / name),
                "NANOEDGE_SOURCES": str(archives),
                "ZIG_GLOBAL_CACHE_DIR": str(work / f"{name}-zig"),
            }
            for title in ("from empty caches", "with ncnn in the cache"):
                shutil.rmtree(REPOSITORY / "build" / "cross", ignore_errors=True)
                started = time.monotonic()
                command = [sys.executable, "-m", "tools.cross", name, "--out", str(work / "dist")]
                subprocess.run(command, cwd=REPOSITORY, env=environment, check=True, stdout=subprocess.DEVNULL)
                figures.append(at_most(f"{name}: {title}", round(time.monotonic() - started), LIMIT, "s"))
    publish(figures, "wheels for three Pythons, static executables, library (as far as the target has them); one run")


if __name__ == "__main__":
    main()
