"""How much boxes overlap."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


def box_iou(boxes_xyxy: FloatArray, others_xyxy: FloatArray) -> FloatArray:
    """Intersection over union of boxes [..., 4] with others [..., 4], broadcast against each other: float32 [...]."""
    shared = _shared_area(boxes_xyxy, others_xyxy)
    union = _area(boxes_xyxy) + _area(others_xyxy) - shared
    return np.asarray(shared / np.maximum(union, 1e-9), np.float32)


def share_inside(boxes_xyxy: FloatArray, regions_xyxy: FloatArray) -> FloatArray:
    """Which share of boxes [..., 4] lies in regions [..., 4]; COCO's measure for crowd regions: float32 [...]."""
    return np.asarray(_shared_area(boxes_xyxy, regions_xyxy) / np.maximum(_area(boxes_xyxy), 1e-9), np.float32)


def _shared_area(one: FloatArray, other: FloatArray) -> FloatArray:
    width = np.minimum(one[..., 2], other[..., 2]) - np.maximum(one[..., 0], other[..., 0])
    height = np.minimum(one[..., 3], other[..., 3]) - np.maximum(one[..., 1], other[..., 1])
    return np.asarray(np.maximum(width, 0) * np.maximum(height, 0), np.float32)


def _area(boxes: FloatArray) -> FloatArray:
    return np.asarray((boxes[..., 2:] - boxes[..., :2]).prod(axis=-1), np.float32)
