"""Whether two engines, or two implementations, find the same boxes: the contract's definition in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nanoedge.detections import Detections
from nanoedge.evaluation.box_iou import box_iou

SCORE_OF_INTEREST = 0.32
SCORE_OF_TWIN = 0.28
LOWEST_IOU = 0.99
MAX_UNMATCHED_SHARE = 0.001
MAX_SCORE_DIFFERENCE = {"fp32": 0.01, "fp16": 0.02, "bf16": 0.02}


@dataclass(frozen=True)
class Agreement:
    """How well two lists of detections agree.

    Attributes:
        boxes: boxes of interest on both sides.
        unmatched: those without a twin.
        lowest_iou: of all matched pairs; 1 without pairs.
        largest_score_difference: of all matched pairs; 0 without pairs.
        agrees: at most 0.1 % are unmatched.
    """

    boxes: int
    unmatched: int
    lowest_iou: float
    largest_score_difference: float
    agrees: bool

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def agreement(first: Sequence[Detections], second: Sequence[Detections], compute: str = "fp32") -> Agreement:
    """Compare picture by picture.

    A box with a score above 0.32 on one side needs a twin on the other: same class, score above 0.28, IoU at least
    0.99, scores no further apart than the compute precision allows.

    Args:
        first: detections of each picture, made with a score threshold of 0.28 or lower.
        second: of the same pictures.
        compute: `fp32`, `fp16` or `bf16`.
    """
    tolerance = MAX_SCORE_DIFFERENCE[compute]
    boxes = unmatched = 0
    lowest_iou, largest_difference = 1.0, 0.0
    for one, other in zip(first, second, strict=True):
        for mine, theirs in ((one, other), (other, one)):
            for index in np.flatnonzero(mine.scores > SCORE_OF_INTEREST):
                boxes += 1
                twin = _best_twin(mine, int(index), theirs, tolerance)
                if twin is None:
                    unmatched += 1
                    continue
                iou, difference = twin
                lowest_iou = min(lowest_iou, iou)
                largest_difference = max(largest_difference, difference)
    agrees = unmatched <= MAX_UNMATCHED_SHARE * boxes
    return Agreement(boxes, unmatched, lowest_iou, largest_difference, agrees)


def _best_twin(mine: Detections, index: int, theirs: Detections, tolerance: float) -> tuple[float, float] | None:
    possible = (theirs.class_ids == mine.class_ids[index]) & (theirs.scores > SCORE_OF_TWIN)
    difference = np.abs(theirs.scores - mine.scores[index])
    possible &= difference <= tolerance
    places = np.flatnonzero(possible)
    if not len(places):
        return None
    overlaps = box_iou(mine.boxes_xyxy[index], theirs.boxes_xyxy[places])
    best = int(overlaps.argmax())
    if overlaps[best] < LOWEST_IOU:
        return None
    return float(overlaps[best]), float(difference[places[best]])
