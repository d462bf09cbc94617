"""COCO average precision of detections against a `DatasetIndex`, computed by faster-coco-eval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nanoedge.data.index import DatasetIndex
from nanoedge.detections import Detections
from nanoedge.errors import NanoEdgeError
from nanoedge.evaluation.precision_recall import PrecisionRecall


@dataclass(frozen=True)
class CocoMetrics:
    """Fractions 0..1 of COCO's definition; -1 where there is nothing to measure (no small objects, say)."""

    AP: float
    AP50: float
    AP75: float
    AP_small: float
    AP_medium: float
    AP_large: float
    AR100: float
    per_class: dict[str, float]
    images: int

    def as_json(self) -> dict[str, Any]:
        """The contract's keys; figures to 5 decimals."""
        document: dict[str, Any] = {}
        for key, value in asdict(self).items():
            if isinstance(value, dict):
                document[key] = {name: round(part, 5) for name, part in value.items()}
            else:
                document[key] = round(value, 5) if isinstance(value, float) else value
        return document


@dataclass(frozen=True, eq=False)
class CocoEvaluation:
    """The metrics, and the curves that they summarise.

    Attributes:
        metrics: of all classes and each.
        curves: precision over recall of each class at IoU 0.5.
    """

    metrics: CocoMetrics
    curves: PrecisionRecall


def coco_metrics(index: DatasetIndex, found: Mapping[int, Detections]) -> CocoMetrics:
    """The metrics alone of `coco_evaluation`."""
    return coco_evaluation(index, found).metrics


def coco_evaluation(index: DatasetIndex, found: Mapping[int, Detections]) -> CocoEvaluation:
    """Measure.

    Args:
        index: the truth.
        found: image id to detections, whose class ids refer to `index.classes`; a picture that is not there counts as
            one without detections.

    Raises:
        NanoEdgeError: when faster-coco-eval is not installed.
    """
    try:
        from faster_coco_eval import COCO, COCOeval_faster
    except ImportError as error:
        raise NanoEdgeError("Evaluation needs faster-coco-eval: pip install 'nanoedge[eval]'.") from error

    truth = COCO(_truth_document(index))
    evaluation = COCOeval_faster(truth, truth.loadRes(_result_rows(found)), "bbox", print_function=lambda *_: None)
    evaluation.params.maxDets = [1, 10, 100]
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    stats = [float(value) for value in evaluation.stats]
    precision = evaluation.eval["precision"]  # [IoU, recall, class, area, max detections]
    per_class = {}
    for position, name in enumerate(index.classes):
        values = precision[:, :, position, 0, -1]
        values = values[values > -1]
        per_class[name] = float(np.mean(values)) if values.size else -1.0
    metrics = CocoMetrics(
        AP=stats[0],
        AP50=stats[1],
        AP75=stats[2],
        AP_small=stats[3],
        AP_medium=stats[4],
        AP_large=stats[5],
        AR100=stats[8],
        per_class=per_class,
        images=len(index),
    )
    at_half = precision[0, :, :, 0, -1].T
    curves = PrecisionRecall(
        index.classes,
        recall=np.asarray(evaluation.params.recThrs, np.float64),
        precision=np.where(at_half < 0, np.nan, at_half),
    )
    return CocoEvaluation(metrics, curves)


def _truth_document(index: DatasetIndex) -> dict[str, Any]:
    annotations: list[dict[str, Any]] = []
    for sample in index.samples:
        crowd_areas = (sample.ignore_xyxy[:, 2:] - sample.ignore_xyxy[:, :2]).prod(axis=1)
        for boxes, kinds, areas, crowd in (
            (sample.boxes_xyxy, sample.class_ids, sample.areas, 0),
            (sample.ignore_xyxy, sample.ignore_class_ids, crowd_areas, 1),
        ):
            for box, kind, area in zip(boxes, kinds, areas, strict=True):
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": sample.image_id,
                        "category_id": int(kind),
                        "bbox": _width_height(box),
                        "area": float(area),
                        "iscrowd": crowd,
                    }
                )
    return {
        "info": {},
        "images": [{"id": sample.image_id, "width": sample.width, "height": sample.height} for sample in index.samples],
        "annotations": annotations,
        "categories": [{"id": position, "name": name} for position, name in enumerate(index.classes)],
    }


def _result_rows(found: Mapping[int, Detections]) -> list[dict[str, Any]]:
    return [
        {"image_id": image_id, "category_id": int(kind), "bbox": _width_height(box), "score": float(score)}
        for image_id, detections in found.items()
        for box, score, kind in zip(detections.boxes_xyxy, detections.scores, detections.class_ids, strict=True)
    ]


def _width_height(box: np.ndarray[Any, np.dtype[np.float32]]) -> list[float]:
    x1, y1, x2, y2 = (float(value) for value in box)
    return [x1, y1, x2 - x1, y2 - y1]
