"""From capture to boxes with a clip in real time: python -m tools.results.camera.latency [SECONDS [RUNS]]."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tools.results.bundles import published_bundle
from tools.results.camera.running import RunningCamera, person_clip
from tools.results.figures import Figure, at_most, publish

ADDED = 10.0
ENGINES = ("native", "openvino", "ncnn")
WARM_UP = 20


def one_run(bundle: Path, engine: str, seconds: float) -> list[tuple[float, float]]:
    """From capture to boxes, and the forward, of all frames behind the first few; milliseconds."""
    arguments = ["--source", person_clip(), "--realtime", "--loop", "--jsonl", "-", "--engine", engine]
    camera = RunningCamera(bundle, *arguments, "--serve", "127.0.0.1:0")
    camera.page()
    times, end = [], None
    for line in camera.lines():
        times.append((line["latency_ms"], line["forward_ms"]))
        end = end or time.monotonic() + seconds
        if time.monotonic() > end:
            break
    camera.stop()
    return times[WARM_UP:]


def main(seconds: float, runs: int) -> None:
    """Engines in turn; percentiles of all runs together."""
    times: dict[str, list[tuple[float, float]]] = {engine: [] for engine in ENGINES}
    with tempfile.TemporaryDirectory() as folder:
        bundle = published_bundle(Path(folder))
        for _ in range(runs):
            for engine in ENGINES:
                times[engine] += one_run(bundle, engine, seconds)
    figures = []
    for engine in ENGINES:
        latency, forward = np.array(times[engine]).T
        added = latency - forward
        figures += [
            Figure(f"{engine}: frames", len(latency)),
            Figure(f"{engine}: forward, median", round(float(np.median(forward)), 1), "ms"),
            Figure(f"{engine}: capture to boxes, median", round(float(np.median(latency)), 1), "ms"),
            Figure(f"{engine}: capture to boxes, p95", round(float(np.percentile(latency, 95)), 1), "ms"),
            at_most(
                f"{engine}: added to a frame's forward, p95", round(float(np.percentile(added, 95)), 1), ADDED, "ms"
            ),
        ]
    publish(
        figures,
        f"the person clip (768 x 432, 10 a second) with `--realtime`, Plus-m 320 fp32, page served, {runs} runs of "
        f"{seconds:g} s of each engine in turn; from the moment at which a decoded frame is there to its boxes; what "
        "is added is the difference to the same frame's forward, since a machine's clock changes from second to second",
    )


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 40, int(sys.argv[2]) if len(sys.argv) > 2 else 3)
