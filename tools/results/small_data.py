"""BCCD from scratch with the recipe small-data, three seeds (80 minutes): python -m tools.results.small_data."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import mean, stdev

from tools.results.figures import Figure, at_least, nanoedge, publish, shared_folder

SEEDS = (0, 1, 2)
EPOCHS = 30
REFERENCE = 0.495  # val AP of the original's model and augmentation, in as many epochs
GAIN = 0.03


def main() -> None:
    """Train NanoDet-Plus-m with each seed, evaluate the averaged weights after the last epoch on val and test."""
    data = shared_folder() / "data" / "bccd"
    measured: dict[str, list[dict[str, float]]] = {"val": [], "test": []}
    started = time.perf_counter()
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as folder:
            run = Path(folder) / "run"
            settings = [f"data.root={data}", "data.format=coco", "data.workers=1", "data.cache=memory"]
            settings += [f"training.epochs={EPOCHS}", f"training.seed={seed}"]
            result = nanoedge("train", "nanodet-plus-m_320", *settings, "--out", run)
            for split, found in measured.items():
                annotations = data / "annotations" / f"instances_{split}.json"
                truth = ("--annotations", annotations, "--images", data / "JPEGImages")
                found.append(nanoedge("eval", result["last"], *truth))
    minutes = (time.perf_counter() - started) / 60
    precisions = [found["AP"] for found in measured["val"]]
    figures = [
        at_least("val AP, mean of three seeds", round(mean(precisions), 4), REFERENCE + GAIN),
        Figure("val AP, standard deviation", round(stdev(precisions), 4)),
        *(Figure(f"val AP, seed {seed}", value) for seed, value in zip(SEEDS, precisions, strict=True)),
        Figure("val AP50, mean", round(mean(found["AP50"] for found in measured["val"]), 4)),
        Figure("test AP, mean", round(mean(found["AP"] for found in measured["test"]), 4)),
        Figure("test AP50, mean", round(mean(found["AP50"] for found in measured["test"]), 4)),
        Figure("a training with its evaluations", round(minutes / len(SEEDS), 1), "min"),
    ]
    publish(figures, f"{EPOCHS} epochs from random weights; averaged weights after the last epoch; 205 pictures")


if __name__ == "__main__":
    main()
