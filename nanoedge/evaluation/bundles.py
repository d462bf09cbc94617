"""Evaluating a bundle on one of its engines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoedge.data.readers.coco import read_coco
from nanoedge.errors import DataError
from nanoedge.evaluation.coco_metrics import CocoMetrics
from nanoedge.evaluation.evaluate import Progress, evaluate
from nanoedge.runtime import EVALUATION_POSTPROCESS
from nanoedge.runtime.detector import Detector

if TYPE_CHECKING:
    from nanoedge.bundle import FilePrecision
    from nanoedge.runtime.engines import ComputePrecision


@dataclass(frozen=True)
class EvaluationResult:
    """Metrics, and what they were measured with."""

    metrics: CocoMetrics
    engine: str
    precision: str
    compute: str

    def as_json(self) -> dict[str, Any]:
        """The contract's keys."""
        return {
            **self.metrics.as_json(),
            "engine": self.engine,
            "precision": self.precision,
            "compute": self.compute,
        }


def evaluate_bundle(
    bundle: Path,
    annotations: Path,
    images: Path,
    engine: str = "auto",
    precision: FilePrecision = "float",
    compute: ComputePrecision = "fp32",
    threads: int | None = None,
    progress: Progress | None = None,
) -> EvaluationResult:
    """COCO metrics of a bundle.

    Args:
        bundle: its folder.
        annotations: COCO JSON.
        images: folder of the pictures.
        engine: as `Detector` takes it.
        precision: as `Detector` takes it.
        compute: as `Detector` takes it.
        threads: as `Detector` takes it.
        progress: called with (pictures done, pictures in all).

    Raises:
        NanoEdgeError: for a damaged bundle or data set.
    """
    evaluating = EVALUATION_POSTPROCESS
    detector = Detector(
        bundle,
        engine,
        threads,
        precision=precision,
        compute=compute,
        score_threshold=evaluating.score_threshold,
        nms_iou=evaluating.nms_iou,
        max_detections=evaluating.max_detections,
        class_aware=evaluating.class_aware,
    )
    index = read_coco(annotations, images, detector.class_names)
    return EvaluationResult(evaluate(detector, index, progress), detector.engine, precision, compute)


def check_truth(annotations: Path, images: Path, classes: Sequence[str]) -> None:
    """Read annotations as `evaluate_bundle` will, so that what is wrong with them is known before long work.

    Args:
        annotations: COCO JSON.
        images: folder of the pictures; they are not opened.
        classes: names of the network's classes.

    Raises:
        DataError: for what is wrong, or when there is no box to measure AP with.
    """
    index = read_coco(annotations, images, classes)
    if not index.box_count:
        raise DataError(f"{annotations} has no boxes, so that no AP can be measured with it; give another file.")
