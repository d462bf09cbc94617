"""Quality focal loss, https://arxiv.org/abs/2006.04388, equation 4."""

from __future__ import annotations

import torch
from torch.nn import functional


def quality_focal_loss(
    logits: torch.Tensor,
    positives: torch.Tensor,
    class_ids: torch.Tensor,
    qualities: torch.Tensor,
    weights: torch.Tensor,
    beta: float = 2.0,
) -> torch.Tensor:
    """Sum over all predictions of `|quality - p|^beta * BCE(p, quality)`.

    The target is 0 everywhere but in a positive's own class, where it is the positive's quality. The background term is
    computed for the whole matrix, and the positives' own columns are then corrected.

    Args:
        logits: [P, C].
        positives: int64 [M], rows of `logits` that learn an object.
        class_ids: int64 [M].
        qualities: [M] in 0..1, the soft labels.
        weights: [P]; 0 takes a prior out of the loss.
        beta: focusing exponent.

    Returns:
        Scalar, not normalised.
    """
    probabilities = logits.sigmoid()
    background = functional.softplus(logits) * probabilities.pow(beta)
    own_logits = logits[positives, class_ids]
    own_probabilities = probabilities[positives, class_ids]
    own = functional.binary_cross_entropy_with_logits(own_logits, qualities, reduction="none")
    own = own * (qualities - own_probabilities).abs().pow(beta)
    correction = (own - background[positives, class_ids]) * weights[positives]
    return (background.sum(dim=1) * weights).sum() + correction.sum()
