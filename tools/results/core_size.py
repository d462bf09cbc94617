"""Size, memory and start of the C++ core: python -m tools.results.core_size."""

from __future__ import annotations

import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from nanoedge.pictures import list_pictures

from tools.results.bundles import published_bundle
from tools.results.executables import build_executables
from tools.results.figures import Figure, at_most, publish, shared_folder

RUNS = 9
SCRIPT = "import sys; from nanoedge import Detector; print(len(Detector(sys.argv[1], 'ncnn')(sys.argv[2])))"


def main() -> None:
    """Build the executables for this CPU alone, then weigh and time."""
    apps = build_executables() / "apps"
    detect, bench = apps / "nanoedge-detect", apps / "nanoedge-bench"
    module = importlib.util.find_spec("nanoedge._runtime")
    assert module is not None and module.origin is not None
    picture = list_pictures(shared_folder() / "data" / "coco_open300" / "images")[0]
    with tempfile.TemporaryDirectory() as folder:
        bundle = published_bundle(Path(folder))
        words = [bench, bundle, "--engine", "ncnn", "--threads", "1", "--json"]
        memory = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)["peak_megabytes"]
        starts = {
            "C++": [detect, bundle, picture, "--engine", "ncnn"],
            "Python": [sys.executable, "-c", SCRIPT, bundle, picture],
        }
        times: dict[str, list[float]] = {name: [] for name in starts}
        for _ in range(RUNS):
            for name, command in starts.items():
                started = time.perf_counter()
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
                times[name].append(time.perf_counter() - started)
    figures: list[Figure] = [
        at_most("nanoedge._runtime, stripped, all instruction sets", megabytes(Path(module.origin)), 8, "MB"),
        at_most("nanoedge-detect for this CPU alone", megabytes(detect), 4, "MB"),
        at_most("peak memory of nanoedge-bench, ncnn, one thread", round(memory, 1), 50, "MB"),
        at_most("process start to first boxes, C++", round(statistics.median(times["C++"]), 3), 0.15, "s"),
        at_most("process start to first boxes, Python", round(statistics.median(times["Python"]), 3), 0.6, "s"),
    ]
    publish(figures, f"Plus-m 320 with ncnn; starts are medians of {RUNS} processes in turn; 1 MB is 1,000,000 bytes")


def megabytes(file: Path) -> float:
    """Size of a file."""
    return round(file.stat().st_size / 1e6, 2)


if __name__ == "__main__":
    main()
