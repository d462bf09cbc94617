"""What sums of losses are divided by."""

from __future__ import annotations

from collections.abc import Callable

import torch

Divisor = Callable[[torch.Tensor], torch.Tensor]
"""Makes a divisor of a sum over one process' pictures."""


def at_least_one(total: torch.Tensor) -> torch.Tensor:
    """The divisor where one process has the whole batch: the sum, at least 1."""
    return total.clamp(min=1.0)
