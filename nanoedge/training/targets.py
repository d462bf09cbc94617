"""Assigning a batch: one picture after the other, then everything side by side for the losses."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from nanoedge.assigners import ASSIGNERS, AssignerConfig, Assignment, GroundTruth
from nanoedge.losses.detection import BatchTargets


def assign_picture(
    logits: torch.Tensor, boxes_xyxy: torch.Tensor, priors: torch.Tensor, truth: GroundTruth, config: AssignerConfig
) -> Assignment:
    """Which prior of one picture learns what.

    Args:
        logits: [P, C] of the predictions that decide.
        boxes_xyxy: [P, 4], the same predictions decoded, pixels of the input.
        priors: [P, 3].
        truth: the objects.
        config: the assigner and its settings.
    """
    return ASSIGNERS[config.name](logits, boxes_xyxy, priors, truth, config.candidates, config.iou_cost)


def assign_batch(
    logits: torch.Tensor,
    boxes_xyxy: torch.Tensor,
    priors: torch.Tensor,
    truths: Sequence[GroundTruth],
    config: AssignerConfig,
) -> BatchTargets:
    """Which prior of which picture learns what.

    Args:
        logits: [N, P, C] of the predictions that decide.
        boxes_xyxy: [N, P, 4], the same predictions decoded, pixels of the input.
        priors: [P, 3].
        truths: the objects of each picture.
        config: the assigner and its settings.
    """
    count = len(priors)
    positives, class_ids, qualities, boxes, weights = [], [], [], [], []
    for picture, truth in enumerate(truths):
        found = assign_picture(logits[picture], boxes_xyxy[picture], priors, truth, config)
        positives.append(found.positives + picture * count)
        class_ids.append(truth.class_ids[found.objects])
        qualities.append(found.qualities)
        boxes.append(truth.boxes_xyxy[found.objects])
        weights.append((~found.ignored).to(logits.dtype))
    return BatchTargets(
        positives=torch.cat(positives),
        class_ids=torch.cat(class_ids),
        qualities=torch.cat(qualities),
        boxes_xyxy=torch.cat(boxes),
        weights=torch.cat(weights),
    )
