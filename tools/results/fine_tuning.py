"""BCCD from the COCO-trained weights, ten epochs, three seeds (half an hour): python -m tools.results.fine_tuning."""

from __future__ import annotations

import json
import tempfile
import time
from statistics import mean, median, stdev

from tools.results.figures import REPOSITORY, Figure, at_least, at_most, nanoedge, publish, shared_folder
from tools.results.forward import Forward

SEEDS = (0, 1, 2)
REFERENCE = 0.555  # val AP of the original's fine-tuning, in 30 epochs
FROM_SCRATCH = REPOSITORY / "docs" / "results" / "small-data.json"
SCRATCH_EPOCHS = 30
SCRATCH_FORWARD = 11.94  # ms, ONNX Runtime's on the machine of that figure (train-step of the same week)


def main(settings: tuple[str, ...] = ()) -> None:
    """Fine-tune NanoDet-Plus-m with each seed, evaluate the averaged weights after the last epoch on val and test.

    Args:
        settings: more of them, for a trial.
    """
    shared = shared_folder()
    data = shared / "data" / "bccd"
    weights = shared / "weights" / "nanodet-plus" / "nanodet-plus-m_320.ckpt"
    scratch_ap, scratch_minutes = (
        _from_scratch("val AP, mean of three seeds"),
        _from_scratch("a training with its evaluations"),
    )
    measured: dict[str, list[dict[str, float]]] = {"val": [], "test": []}
    forward = Forward()
    forwards = [forward.milliseconds()]
    epochs = 0
    started = time.perf_counter()
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as folder:
            given = [f"data.root={data}", "data.format=coco", "data.workers=1", "data.cache=memory"]
            given += ["recipe=fine-tuning", f"training.seed={seed}", *settings]
            result = nanoedge("train", "nanodet-plus-m_320", *given, "--weights", weights, "--out", f"{folder}/run")
            epochs = result["epochs"]
            for split, found in measured.items():
                annotations = data / "annotations" / f"instances_{split}.json"
                truth = ("--annotations", annotations, "--images", data / "JPEGImages")
                found.append(nanoedge("eval", result["last"], *truth))
        forwards.append(forward.milliseconds())
    minutes = (time.perf_counter() - started) / 60 / len(SEEDS)
    scaled = minutes * SCRATCH_FORWARD / median(forwards)
    precisions = [found["AP"] for found in measured["val"]]
    average = round(mean(precisions), 4)
    figures = [
        at_least("val AP, mean of three seeds, against the mean from scratch", average, scratch_ap),
        at_least("val AP, mean of three seeds, against the reference", average, round(REFERENCE - 0.01, 4)),
        at_most("epochs, against those from scratch", epochs, SCRATCH_EPOCHS / 3),
        at_most("a training with its evaluations, as below", round(scaled, 1), round(scratch_minutes / 3, 1), "min"),
        Figure("the same as this machine took", round(minutes, 1), "min"),
        Figure("ONNX Runtime's forward here, one thread", round(median(forwards), 2), "ms"),
        Figure("val AP, standard deviation", round(stdev(precisions), 4)),
        *(Figure(f"val AP, seed {seed}", value) for seed, value in zip(SEEDS, precisions, strict=True)),
        Figure("val AP50, mean", round(mean(found["AP50"] for found in measured["val"]), 4)),
        Figure("test AP, mean", round(mean(found["AP"] for found in measured["test"]), 4)),
        Figure("test AP50, mean", round(mean(found["AP50"] for found in measured["test"]), 4)),
    ]
    publish(
        figures,
        f"{epochs} epochs from nanodet-plus-m_320.ckpt with the recipe fine-tuning; averaged weights after the last "
        f"epoch; 205 pictures. From scratch: docs/results/small-data.json, {SCRATCH_EPOCHS} epochs, on a machine where "
        f"ONNX Runtime's forward took {SCRATCH_FORWARD} ms; minutes are counted in such forwards",
    )


def _from_scratch(name: str) -> float:
    document = json.loads(FROM_SCRATCH.read_text())
    return next(float(figure["value"]) for figure in document["figures"] if figure["name"] == name)


if __name__ == "__main__":
    main()
