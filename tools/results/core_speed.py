"""Speed of the C++ core against Python's own way with the engines' packages: python -m tools.results.core_speed."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tools.results.bundles import published_bundle
from tools.results.figures import Figure, at_least, at_most, publish

RUNS, ROUNDS = 7, 60
LARGEST_OVERHEAD, LARGEST_FORWARD_RATIO = 8.0, 1.02
LEAST_GAIN = {"ncnn": 1.15, "openvino": 1.0}


def main() -> None:
    """Several processes, each interleaving the core and the reference round by round; medians over the processes."""
    with tempfile.TemporaryDirectory() as folder:
        bundle = published_bundle(Path(folder))
        figures: list[Figure] = []
        for engine, least_gain in LEAST_GAIN.items():
            runs = [measure(bundle, engine) for _ in range(RUNS)]
            overhead = [100 * (core["total"] - core["forward"]) / core["forward"] for core, _ in runs]
            gain = [reference["total"] / core["total"] for core, reference in runs]
            forward = [core["forward"] / reference["forward"] for core, reference in runs]
            total = statistics.median(core["total"] for core, _ in runs)
            figures += [
                Figure(f"{engine}: one frame in the core", round(total, 2), "ms"),
                at_least(
                    f"{engine}: times faster than Python's own way", round(statistics.median(gain), 3), least_gain
                ),
            ]
            if engine == "ncnn":
                figures += [
                    at_most("ncnn: all but the network, share of it", median(overhead), LARGEST_OVERHEAD, "%"),
                    at_most("ncnn: our build's forward to the wheel's", median(forward), LARGEST_FORWARD_RATIO),
                ]
    publish(
        figures,
        f"Plus-m 320, one thread, a frame of 640x480; medians of {RUNS} processes, in each the medians of {ROUNDS} "
        "rounds with core and reference in turn",
    )


def median(values: list[float]) -> float:
    """Rounded."""
    return round(statistics.median(values), 3)


def measure(bundle: Path, engine: str) -> list[dict[str, float]]:
    """Medians of each stage: the core's, the reference's."""
    command = [sys.executable, "-m", "nanoedge", "benchmark", str(bundle), "--json", "--threads", "1"]
    command += ["--engine", engine, "--engine", f"python-{engine}", "--rounds", str(ROUNDS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows: list[dict[str, Any]] = json.loads(done.stdout)["rows"]
    return [{stage: row[stage]["p50"] for stage in ("forward", "total")} for row in rows]


if __name__ == "__main__":
    main()
