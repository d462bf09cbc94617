"""The exponential moving average of the weights: what is evaluated and exported."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch.optim.swa_utils import get_ema_multi_avg_fn


def ramped_decay(decay: float, updates: int) -> float:
    """A decay that starts low, so that a short run's average is not dominated by its first weights.

    `min(decay, (1 + n) / (10 + n))`, the rule of TensorFlow's ExponentialMovingAverage with `num_updates`.
    """
    return min(decay, (1 + updates) / (10 + updates))


def _average(decay: float, averaged: Any, current: Any, updates: torch.Tensor | int) -> None:
    get_ema_multi_avg_fn(ramped_decay(decay, int(updates)))(  # type: ignore[no-untyped-call]
        averaged, current, updates
    )


class RampedAveraging(WeightAveraging):
    """Averages parameters and batch statistics after each step with `ramped_decay`."""

    def __init__(self, decay: float) -> None:
        super().__init__(multi_avg_fn=partial(_average, decay))

    def averaged_tensors(self) -> dict[str, torch.Tensor]:
        """The averaged weights and statistics by name, those that are numbers with a fraction."""
        assert self._average_model is not None, "made when the training begins"
        tensors = self._average_model.module.state_dict()
        return {name: tensor for name, tensor in tensors.items() if tensor.is_floating_point()}
