"""Dynamic soft label assignment of NanoDet-Plus.

The number of positives of each object follows from how well the current predictions overlap it, as in SimOTA (YOLOX,
https://arxiv.org/abs/2107.08430); the class cost uses the soft label onehot * IoU, as in quality focal loss.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

from nanoedge.losses.iou import EPSILON, pairwise_iou


@dataclass(frozen=True)
class GroundTruth:
    """The objects of one picture, in pixels of the network's input.

    Attributes:
        boxes_xyxy: float32 [G, 4].
        class_ids: int64 [G].
        ignore_xyxy: float32 [R, 4], regions (COCO `iscrowd`) in which nothing is background.
    """

    boxes_xyxy: torch.Tensor
    class_ids: torch.Tensor
    ignore_xyxy: torch.Tensor


@dataclass(frozen=True)
class Assignment:
    """Which prior learns which object.

    Attributes:
        positives: int64 [M], indices of priors, ascending.
        objects: int64 [M], index of the object that each positive learns.
        qualities: [M] in 0..1, IoU of the positive's predicted box with its object: the soft label.
        ignored: bool [P], priors that are neither positive nor background.
    """

    positives: torch.Tensor
    objects: torch.Tensor
    qualities: torch.Tensor
    ignored: torch.Tensor


@torch.no_grad()
def assign_dynamic_soft_label(
    logits: torch.Tensor,
    boxes_xyxy: torch.Tensor,
    priors: torch.Tensor,
    truth: GroundTruth,
    candidates: int = 13,
    iou_cost: float = 3.0,
) -> Assignment:
    """Assign one picture's objects to priors.

    Candidates are the priors inside some box. The cost of learning an object is
    `sum over classes of BCE(p, s) * |s - p|^2` with `s = onehot * IoU`, plus `iou_cost * -log(IoU + 1e-7)`. An object
    gets `max(1, int(sum of its best IoUs))` positives; a prior that several objects want learns the cheapest. A box
    without any prior inside competes for the candidates of the other boxes; without candidates there are no positives.
    Priors inside an ignore region that are not positive are ignored.

    Args:
        logits: [P, C], class predictions that decide.
        boxes_xyxy: [P, 4], box predictions that decide, pixels of the input.
        priors: [P, 3] of `make_priors`.
        truth: the objects.
        candidates: number of best IoUs that are summed.
        iou_cost: factor of the IoU term.
    """
    ignored = inside(priors, truth.ignore_xyxy).any(dim=1)
    count = len(truth.boxes_xyxy)
    rows = inside(priors, truth.boxes_xyxy).any(dim=1).nonzero().squeeze(1)
    if count == 0 or len(rows) == 0:
        none = rows.new_zeros(0)
        return Assignment(none, none, logits.new_zeros(0), ignored)

    iou = pairwise_iou(boxes_xyxy[rows], truth.boxes_xyxy)
    cost = _class_cost(logits[rows], truth.class_ids, iou) - iou_cost * torch.log(iou + EPSILON)

    wanted = iou.topk(min(candidates, len(rows)), dim=0).values.sum(dim=0).int().clamp(min=1)
    most = int(wanted.max())
    cheapest = cost.topk(most, dim=0, largest=False).indices  # [most, G]
    chosen = torch.zeros_like(cost, dtype=torch.bool)
    taken = torch.arange(most, device=cost.device)[:, None] < wanted[None, :]
    chosen.scatter_(0, cheapest, taken)

    price, objects = torch.where(chosen, cost, torch.full_like(cost, float("inf"))).min(dim=1)
    won = price.isfinite().nonzero().squeeze(1)
    positives, objects = rows[won], objects[won]
    ignored[positives] = False
    return Assignment(positives, objects, iou[won, objects], ignored)


def inside(priors: torch.Tensor, boxes_xyxy: torch.Tensor) -> torch.Tensor:
    """Which priors [P, 3] lie strictly inside which boxes [G, 4]: bool [P, G]."""
    points = priors[:, None, :2]
    return ((points > boxes_xyxy[None, :, :2]) & (points < boxes_xyxy[None, :, 2:])).all(dim=-1)


def _class_cost(logits: torch.Tensor, class_ids: torch.Tensor, iou: torch.Tensor) -> torch.Tensor:
    """[R, C] logits, [G] classes, [R, G] IoUs to [R, G] costs.

    The cost of an all-background label is the same for every object; only the object's own column differs. So nothing
    of size R x G x C is ever made.
    """
    background = functional.softplus(logits) * logits.sigmoid().square()
    own_logits = logits[:, class_ids]
    own = functional.binary_cross_entropy_with_logits(own_logits, iou, reduction="none")
    own = own * (iou - own_logits.sigmoid()).square()
    return background.sum(dim=1, keepdim=True) - background[:, class_ids] + own
