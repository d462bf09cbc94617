"""The boxes that the best weights find in the validation pictures, and how long the network takes."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

import numpy as np
import torch

from nanoedge.data.index import DatasetIndex
from nanoedge.detections import Detections
from nanoedge.evaluation.evaluate import read_sample
from nanoedge.training.checkpoints import Checkpoint
from nanoedge.training.evaluate import LastEvaluation, checkpoint_predictor

MOST_PICTURES = 5000  # of a larger split as many are drawn at random
_TIMED_FORWARDS = 10


@dataclass(frozen=True, eq=False)
class Found:
    """What is measured and shown.

    Attributes:
        index: the validation split, or a part of it.
        boxes: image id to detections of the evaluation's thresholds.
        of: pictures of the whole split.
    """

    index: DatasetIndex
    boxes: Mapping[int, Detections]
    of: int


def find_boxes(
    checkpoint: Checkpoint, index: DatasetIndex, last: LastEvaluation | None, say: Callable[[str], None]
) -> Found:
    """The boxes of the checkpoint; those of the training's last evaluation when that was of the same weights.

    Raises:
        DataError: when a picture cannot be read.
    """
    if last is not None and last.epoch == checkpoint.epoch and last.metrics == checkpoint.metrics:
        return Found(index, last.found, len(index))
    chosen = index
    if len(index) > MOST_PICTURES:
        places = np.random.default_rng(0).choice(len(index), MOST_PICTURES, replace=False)
        chosen = dataclasses.replace(index, samples=tuple(index.samples[place] for place in sorted(places)))
    say(f"report: finding the boxes of {checkpoint.path.name} in {len(chosen)} validation pictures")
    predict = checkpoint_predictor(checkpoint)
    boxes: dict[int, Detections] = {}
    for number, sample in enumerate(chosen.samples, start=1):
        boxes[sample.image_id] = predict(read_sample(sample))
        if number % 500 == 0 and number < len(chosen):
            say(f"report: {number} of {len(chosen)} pictures")
    return Found(chosen, boxes, len(index))


def forward_milliseconds(checkpoint: Checkpoint) -> float:
    """Median time of the network alone for one picture, in PyTorch on this machine's CPU."""
    model = checkpoint.model()
    spec = checkpoint.config.input
    picture = torch.zeros(1, 3, spec.height, spec.width)
    times = []
    with torch.inference_mode():
        for _ in range(2 + _TIMED_FORWARDS):
            started = time.perf_counter()
            model(picture)
            times.append(time.perf_counter() - started)
    return 1000 * median(times[2:])
