"""Greedy non-maximum suppression in NumPy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

MAX_CANDIDATES = 4096
"""At most this many boxes enter the suppression, best scores first; more never matter among 100 detections."""


def suppress(
    boxes_xyxy: FloatArray, scores: FloatArray, class_ids: IntArray, iou_threshold: float, class_aware: bool, limit: int
) -> IntArray:
    """Indices of the boxes that stay, best score first; equal scores keep their order.

    Args:
        boxes_xyxy: [N, 4].
        scores: [N].
        class_ids: [N].
        iou_threshold: a box goes when it overlaps a better one by more than this.
        class_aware: compare only boxes of the same class.
        limit: at most this many indices.
    """
    order = np.argsort(-scores, kind="stable")[:MAX_CANDIDATES]
    boxes, kinds = boxes_xyxy[order], class_ids[order]
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    alive = np.ones(len(order), bool)
    kept: list[int] = []
    for index in range(len(order)):
        if not alive[index]:
            continue
        kept.append(index)
        if len(kept) == limit:
            break
        rest = index + 1 + np.flatnonzero(alive[index + 1 :])
        if class_aware:
            rest = rest[kinds[rest] == kinds[index]]
        width = np.minimum(boxes[index, 2], boxes[rest, 2]) - np.maximum(boxes[index, 0], boxes[rest, 0])
        height = np.minimum(boxes[index, 3], boxes[rest, 3]) - np.maximum(boxes[index, 1], boxes[rest, 1])
        intersection = np.maximum(width, 0) * np.maximum(height, 0)
        union = areas[index] + areas[rest] - intersection
        alive[rest[intersection > iou_threshold * union]] = False
    return order[np.array(kept, np.int64)] if kept else np.zeros(0, np.int64)
