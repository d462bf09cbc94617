"""BCCD from scratch with the published schedule, one seed (half an hour): python -m tools.results.bccd."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from tools.results.figures import Figure, at_least, nanoedge, publish, shared_folder


def main() -> None:
    """Train `bccd_320`, evaluate both checkpoints on val and test."""
    data = shared_folder() / "data" / "bccd"
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        started = time.perf_counter()
        result = nanoedge("train", "bccd_320", f"data.root={data}", "--out", run)
        minutes = (time.perf_counter() - started) / 60
        measured = {}
        for split in ("val", "test"):
            truth = ("--annotations", data / "annotations" / f"instances_{split}.json", "--images", data / "JPEGImages")
            measured[split] = nanoedge("eval", result["last"], *truth)
    val, test = measured["val"], measured["test"]
    figures = [
        at_least("val AP, averaged weights after the last epoch", val["AP"], 0.475),
        Figure("val AP50", val["AP50"]),
        Figure("test AP", test["AP"]),
        Figure("test AP50", test["AP50"]),
        *(Figure(f"val AP, {name}", value) for name, value in val["per_class"].items()),
        Figure("training with its evaluations", round(minutes, 1), "min"),
    ]
    publish(figures, "one run of 30 epochs, seed 0; 205 pictures to learn from, 87 for val, 72 for test")


if __name__ == "__main__":
    main()
