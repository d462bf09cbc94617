"""What decoding JPEGs at a part of their size costs in accuracy: python -m tools.results.reduced_decoding."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch
from nanoedge.data.folder import choose_set
from nanoedge.data.index import DatasetIndex, index_of
from nanoedge.data.picture_source import reduction
from nanoedge.detections import Detections
from nanoedge.evaluation.coco_metrics import coco_metrics
from nanoedge.pictures import read_picture
from nanoedge.training.checkpoints import Checkpoint, load_checkpoint
from nanoedge.training.evaluate import checkpoint_predictor

from tools.results.figures import Figure, at_most, nanoedge, publish, shared_folder

LIMIT = 0.002  # AP
ROUNDS = 3
CASES = ((320, 1), (320, 2), (160, 1), (160, 2), (160, 4), (96, 1), (96, 2))
"""Side of the input, reduction. The pictures are 640 wide: 320 with 2 and 160 with 4 leave just as many pixels."""
ZOOM = 1.68  # what augmentation may enlarge at most: training decodes at a part only where this much is left


def main() -> None:
    """AP of the COCO-trained Plus-m, its pictures decoded whole or at a part of their size; the time of decoding."""
    torch.set_num_threads(1)
    shared = shared_folder()
    index = index_of(choose_set(shared / "data" / "coco_open300", "open300").read(), bad_boxes="drop")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plus-m.ckpt"
        source = shared / "weights" / "nanodet-plus" / "nanodet-plus-m_320.ckpt"
        nanoedge("import-nanodet", source, "--config", "nanodet-plus-m_320", "--out", path)
        checkpoint = load_checkpoint(path)
    found = {case: average_precision(checkpoint, index, *case) for case in CASES}
    figures = []
    for side, factor in CASES:
        title = f"AP at {side}, {'whole pictures' if factor == 1 else f'decoded at 1/{factor}'}"
        figures.append(Figure(title, round(found[side, factor], 4)))
        if factor > 1:
            loss = round(found[side, 1] - found[side, factor], 4)
            title = f"loss at {side}, decoded at 1/{factor}"
            done = median(reduction(sample, (side * ZOOM, side * ZOOM)) for sample in index.samples) >= factor
            figures.append(
                at_most(title, loss, LIMIT) if done else Figure(f"{title}, which training does not do", loss)
            )
    for factor in (1, 2, 4):
        figures.append(Figure(f"reading a picture, reduction {factor}", round(decoding_time(index, factor), 2), "ms"))
    publish(figures, f"coco_open300, PyTorch; times are medians of {ROUNDS} rounds over 100 pictures")


def average_precision(checkpoint: Checkpoint, index: DatasetIndex, side: int, factor: int) -> float:
    """AP with an input of that side on pictures decoded at 1/factor."""
    spec = checkpoint.config.input.model_copy(update={"width": side, "height": side})
    config = checkpoint.config.model_copy(update={"input": spec})
    predict = checkpoint_predictor(dataclasses.replace(checkpoint, config=config))
    found: dict[int, Detections] = {}
    for sample in index.samples:
        detections = predict(read_picture(sample.path, factor))
        limit = np.array([sample.width, sample.height] * 2, np.float32)
        boxes = np.minimum(detections.boxes_xyxy * np.float32(factor), limit)
        found[sample.image_id] = dataclasses.replace(detections, boxes_xyxy=boxes)
    return float(coco_metrics(index, found).AP)


def decoding_time(index: DatasetIndex, factor: int) -> float:
    """Milliseconds a picture."""
    rounds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for sample in index.samples[:100]:
            read_picture(sample.path, factor)
        rounds.append((time.perf_counter() - started) * 10)
    return median(rounds)


if __name__ == "__main__":
    main()
