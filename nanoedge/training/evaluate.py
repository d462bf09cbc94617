"""Evaluating a checkpoint in PyTorch: the engine `torch`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from nanoedge.data.readers.coco import read_coco
from nanoedge.detections import Detections
from nanoedge.evaluation.bundles import EvaluationResult
from nanoedge.evaluation.evaluate import Progress, evaluate
from nanoedge.evaluation.tensor_predictor import FloatArray, tensor_predictor
from nanoedge.pictures import Picture
from nanoedge.training.checkpoints import Checkpoint, load_checkpoint


@dataclass(frozen=True, eq=False)
class LastEvaluation:
    """What the training's last evaluation found: of these metrics, after so many whole epochs, image id to boxes."""

    epoch: int
    metrics: Mapping[str, object]
    found: Mapping[int, Detections]


def evaluate_checkpoint(
    checkpoint: Path,
    annotations: Path,
    images: Path,
    threads: int | None = None,
    progress: Progress | None = None,
) -> EvaluationResult:
    """COCO metrics of a checkpoint's averaged weights.

    Args:
        checkpoint: one of our checkpoints.
        annotations: COCO JSON.
        images: folder of the pictures.
        threads: CPU threads of PyTorch; `None` leaves its choice.
        progress: called with (pictures done, pictures in all).
    """
    if threads is not None:
        torch.set_num_threads(threads)
    source = load_checkpoint(checkpoint)
    index = read_coco(annotations, images, source.classes)
    metrics = evaluate(checkpoint_predictor(source), index, progress)
    return EvaluationResult(metrics, "torch", "float", "fp32")


def checkpoint_predictor(source: Checkpoint) -> Callable[[Picture], Detections]:
    """Picture to detections with the evaluation's thresholds, in PyTorch on the CPU."""
    model = source.model()

    def forward(tensor: FloatArray) -> FloatArray:
        with torch.inference_mode():
            output: FloatArray = model(torch.from_numpy(tensor)).numpy()
            return output

    return tensor_predictor(forward, source.config.interface(source.classes))
