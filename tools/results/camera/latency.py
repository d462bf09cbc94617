"""From capture to boxes with a clip in real time: python -m tools.results.camera.latency [SECONDS [RUNS]]."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tools.results.bundles import published_bundle
from tools.results.camera.running import RunningCamera, person_clip, status
from tools.results.figures import Figure, at_most, publish

ADDED = 10.0
ENGINES = ("native", "openvino", "ncnn")
WARM_UP = 20


def one_run(bundle: Path, engine: str, seconds: float) -> tuple[list[float], float]:
    """Latencies of all frames behind the first few, and the median forward; milliseconds."""
    arguments = ["--source", person_clip(), "--realtime", "--loop", "--jsonl", "-", "--engine", engine]
    camera = RunningCamera(bundle, *arguments, "--serve", "127.0.0.1:0")
    page, latencies, end = camera.page(), [], None
    for line in camera.lines():
        latencies.append(line["latency_ms"])
        end = end or time.monotonic() + seconds
        if time.monotonic() > end:
            break
    forward = status(page)["stages"]["forward"]["p50"]
    camera.stop()
    return latencies[WARM_UP:], forward


def main(seconds: float, runs: int) -> None:
    """Engines in turn; percentiles of all runs together."""
    latencies: dict[str, list[float]] = {engine: [] for engine in ENGINES}
    forwards: dict[str, list[float]] = {engine: [] for engine in ENGINES}
    with tempfile.TemporaryDirectory() as folder:
        bundle = published_bundle(Path(folder))
        for _ in range(runs):
            for engine in ENGINES:
                found, forward = one_run(bundle, engine, seconds)
                latencies[engine] += found
                forwards[engine].append(forward)
    figures = []
    for engine in ENGINES:
        forward, (p50, p95) = statistics.median(forwards[engine]), np.percentile(latencies[engine], (50, 95))
        figures += [
            Figure(f"{engine}: frames", len(latencies[engine])),
            Figure(f"{engine}: forward, median", round(forward, 1), "ms"),
            Figure(f"{engine}: capture to boxes, median", round(float(p50), 1), "ms"),
            Figure(f"{engine}: capture to boxes, p95", round(float(p95), 1), "ms"),
            at_most(f"{engine}: added by everything but the forward, p95", round(float(p95) - forward, 1), ADDED, "ms"),
        ]
    publish(
        figures,
        f"the person clip (768 x 432, 10 a second) with `--realtime`, Plus-m 320 fp32, page served, {runs} runs of "
        f"{seconds:g} s of each engine in turn; from the moment at which a decoded frame is there to its boxes",
    )


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 40, int(sys.argv[2]) if len(sys.argv) > 2 else 3)
