"""Intersection over union of boxes and its generalised relatives."""

from __future__ import annotations

import math
from typing import Literal

import torch

IouKind = Literal["iou", "giou", "diou", "ciou"]
EPSILON = 1e-7


def pairwise_iou(boxes_a: torch.Tensor, boxes_b: torch.Tensor) -> torch.Tensor:
    """IoU of every box of A with every box of B: [A, 4] and [B, 4] xyxy to [A, B]."""
    top_left = torch.maximum(boxes_a[:, None, :2], boxes_b[None, :, :2])
    bottom_right = torch.minimum(boxes_a[:, None, 2:], boxes_b[None, :, 2:])
    intersection = (bottom_right - top_left).clamp(min=0).prod(dim=-1)
    union = _area(boxes_a)[:, None] + _area(boxes_b)[None, :] - intersection
    return intersection / union.clamp(min=EPSILON)


def aligned_iou(boxes_a: torch.Tensor, boxes_b: torch.Tensor, kind: IouKind = "iou") -> torch.Tensor:
    """Overlap of box i of A with box i of B.

    Args:
        boxes_a: [N, 4] xyxy; gradients flow to it.
        boxes_b: [N, 4] xyxy.
        kind: `iou`; `giou` (https://arxiv.org/abs/1902.09630); `diou` and `ciou` (https://arxiv.org/abs/1911.08287).

    Returns:
        [N]; `iou` in 0..1, the others in -1..1.
    """
    top_left = torch.maximum(boxes_a[:, :2], boxes_b[:, :2])
    bottom_right = torch.minimum(boxes_a[:, 2:], boxes_b[:, 2:])
    intersection = (bottom_right - top_left).clamp(min=0).prod(dim=-1)
    union = _area(boxes_a) + _area(boxes_b) - intersection
    iou = intersection / union.clamp(min=EPSILON)
    if kind == "iou":
        return iou
    hull = torch.maximum(boxes_a[:, 2:], boxes_b[:, 2:]) - torch.minimum(boxes_a[:, :2], boxes_b[:, :2])
    if kind == "giou":
        hull_area = hull.prod(dim=-1)
        return iou - (hull_area - union) / hull_area.clamp(min=EPSILON)
    centre_distance = (boxes_a[:, :2] + boxes_a[:, 2:] - boxes_b[:, :2] - boxes_b[:, 2:]).square().sum(dim=-1) / 4
    diou = iou - centre_distance / hull.square().sum(dim=-1).clamp(min=EPSILON)
    if kind == "diou":
        return diou
    shape = (4 / math.pi**2) * (_aspect_angle(boxes_a) - _aspect_angle(boxes_b)).square()
    weight = shape / (1 - iou + shape).clamp(min=EPSILON)
    return diou - weight.detach() * shape


def giou_loss(
    boxes: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor, normaliser: torch.Tensor
) -> torch.Tensor:
    """Weighted sum of `1 - GIoU` divided by `normaliser`.

    Args:
        boxes: [N, 4] xyxy, predicted.
        targets: [N, 4] xyxy.
        weights: [N].
        normaliser: scalar.
    """
    return ((1 - aligned_iou(boxes, targets, "giou")) * weights).sum() / normaliser


def _area(boxes: torch.Tensor) -> torch.Tensor:
    return (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(dim=-1)


def _aspect_angle(boxes: torch.Tensor) -> torch.Tensor:
    width, height = (boxes[:, 2:] - boxes[:, :2]).unbind(dim=-1)
    return torch.atan(width / height.clamp(min=EPSILON))
