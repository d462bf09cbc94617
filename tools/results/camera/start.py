"""From the command line to the first boxes: python -m tools.results.camera.start [ROUNDS]."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools.results.bundles import published_bundle
from tools.results.camera.running import RunningCamera, person_clip
from tools.results.figures import Figure, at_most, publish

ROUNDS = 6
WAYS = {
    "auto (native)": [],
    "auto, page served": ["--serve", "127.0.0.1:0"],
    "ncnn": ["--engine", "ncnn"],
    "ncnn, page served": ["--engine", "ncnn", "--serve", "127.0.0.1:0"],
}


def first_boxes(bundle: Path, arguments: list[str]) -> float:
    """Seconds from the start of the process to the first line, of a frame that shows people."""
    camera = RunningCamera(bundle, "--source", person_clip(), "--realtime", "--loop", "--jsonl", "-", *arguments)
    line = next(camera.lines())
    seconds = time.monotonic() - camera.started
    camera.stop()
    if not line["detections"]:
        sys.exit(f"The first line is {line}: it should have boxes.")
    return seconds


def main(rounds: int) -> None:
    """The ways in turn."""
    found: dict[str, list[float]] = {name: [] for name in WAYS}
    bare: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        bundle = published_bundle(Path(folder))
        for _ in range(rounds):
            begin = time.monotonic()
            subprocess.run([sys.executable, "-c", "import numpy, cv2, typer, pydantic"], check=True)
            bare.append(time.monotonic() - begin)
            for name, arguments in WAYS.items():
                found[name].append(first_boxes(bundle, arguments))
    figures = [at_most(name, round(statistics.median(values), 2), 1.0, "s") for name, values in found.items()]
    figures.append(
        Figure("for comparison: python -c 'import numpy, cv2, typer, pydantic'", round(statistics.median(bare), 2), "s")
    )
    publish(
        figures,
        f"from the start of the process to its first line of JSON, for the person clip, which begins with two; "
        f"Plus-m 320 fp32; files in the system's cache; median of {rounds} starts each way in turn",
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
