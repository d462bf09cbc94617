"""Distribution focal loss, https://arxiv.org/abs/2006.04388, equation 6."""

from __future__ import annotations

import torch
from torch.nn import functional


def distribution_focal_loss(
    distributions: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor, normaliser: torch.Tensor
) -> torch.Tensor:
    """Cross entropy with the two bins around each target, weighted by how near they are.

    Args:
        distributions: [N, reg_max + 1], logits.
        targets: [N], distances in strides, `0 <= target < reg_max`.
        weights: [N].
        normaliser: scalar that the weighted sum is divided by.
    """
    log_probabilities = functional.log_softmax(distributions, dim=-1)
    below = targets.long()
    share_above = targets - below
    at_below = log_probabilities.gather(1, below[:, None]).squeeze(1)
    at_above = log_probabilities.gather(1, below[:, None] + 1).squeeze(1)
    losses = -(at_below * (1 - share_above) + at_above * share_above)
    return (losses * weights).sum() / normaliser
