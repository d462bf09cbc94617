"""The loss of one set of raw predictions under an assignment: QFL + DFL + GIoU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from nanoedge.config.schema import LossConfig
from nanoedge.losses.distillation import DistillationLoss
from nanoedge.losses.distribution_focal import distribution_focal_loss
from nanoedge.losses.divisor import Divisor, at_least_one
from nanoedge.losses.iou import giou_loss
from nanoedge.losses.quality_focal import quality_focal_loss

MAX_DISTANCE_MARGIN = 0.1  # targets stay below reg_max, so that the bin above exists


@dataclass(frozen=True)
class BatchTargets:
    """What each prior of a batch learns; the images' priors stand one after the other.

    Attributes:
        positives: int64 [M], rows of the flattened predictions [N * priors, ...].
        class_ids: int64 [M].
        qualities: [M] in 0..1, the soft labels.
        boxes_xyxy: [M, 4] in pixels of the input.
        weights: [N * priors]; 0 for priors in ignore regions, else 1.
    """

    positives: torch.Tensor
    class_ids: torch.Tensor
    qualities: torch.Tensor
    boxes_xyxy: torch.Tensor
    weights: torch.Tensor


@dataclass(frozen=True)
class DetectionLoss:
    """Three weighted terms, each a scalar."""

    quality_focal: torch.Tensor
    distribution_focal: torch.Tensor
    giou: torch.Tensor

    @property
    def total(self) -> torch.Tensor:
        """Their sum."""
        return self.quality_focal + self.distribution_focal + self.giou


def detection_loss(
    predictions: torch.Tensor,
    boxes_xyxy: torch.Tensor,
    priors: torch.Tensor,
    targets: BatchTargets,
    classes: int,
    config: LossConfig,
    divisor: Divisor = at_least_one,
) -> DetectionLoss:
    """The loss of the head's or the AGM's predictions.

    DFL and GIoU are weighted by the positive's highest class probability (detached) and divided by the sum of those
    weights (DFL: four sides); QFL is divided by the number of positives. Each divisor is at least 1.

    Args:
        predictions: [N, priors, classes + 4 * (reg_max + 1)], raw.
        boxes_xyxy: [N, priors, 4], the same predictions decoded.
        priors: [priors, 3] of `make_priors`.
        targets: the assignment.
        classes: number of classes.
        config: weights of the terms.
        divisor: makes a divisor of a sum over these pictures; where several processes share a batch, the sum over all
            of it, at least 1, as one process' share.
    """
    flat = predictions.flatten(0, 1)
    logits, distributions = flat[:, :classes], flat[:, classes:]
    positives = targets.positives
    count = divisor(torch.tensor(float(len(positives)), device=flat.device))
    quality = quality_focal_loss(
        logits, positives, targets.class_ids, targets.qualities, targets.weights, config.quality_focal_beta
    )

    weights = logits.detach()[positives].amax(dim=1).sigmoid() if len(positives) else logits.new_zeros(0)
    weight_sum = divisor(weights.sum())
    own_priors = priors[positives % len(priors)]
    bins = distributions.shape[1] // 4
    distances = box_distances(targets.boxes_xyxy, own_priors, bins - 1)
    return DetectionLoss(
        quality_focal=config.quality_focal * quality / count,
        distribution_focal=config.distribution_focal
        * distribution_focal_loss(
            distributions[positives].reshape(-1, bins),
            distances.reshape(-1),
            weights.repeat_interleave(4),
            4 * weight_sum,
        ),
        giou=config.giou * giou_loss(boxes_xyxy.flatten(0, 1)[positives], targets.boxes_xyxy, weights, weight_sum),
    )


def box_distances(boxes_xyxy: torch.Tensor, priors: torch.Tensor, reg_max: int) -> torch.Tensor:
    """Distances left, top, right, bottom from priors [M, 3] to boxes [M, 4], in strides, within 0..reg_max."""
    sides = torch.cat([priors[:, :2] - boxes_xyxy[:, :2], boxes_xyxy[:, 2:] - priors[:, :2]], dim=1)
    return (sides / priors[:, 2:]).clamp(min=0, max=reg_max - MAX_DISTANCE_MARGIN)


def total_loss(losses: Sequence[DetectionLoss | DistillationLoss]) -> torch.Tensor:
    """The sum over the sets of predictions (head, AGM), and what a teacher adds."""
    return torch.stack([loss.total for loss in losses]).sum()
