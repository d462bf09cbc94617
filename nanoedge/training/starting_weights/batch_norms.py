"""Batch norms that were folded into their convolutions get statistics again.

A checkpoint that was made for inference may hold batch norms that do nothing: mean 0, variance 1, and in `bias` what
folding left. In evaluation mode that is the same function as before folding. In training mode such a norm divides by
the deviation of its batch, which is not 1, and so the network would be another one from the first step on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from nanoedge.models.nanodet_plus import NanoDetPlus

FOLDED_TOLERANCE = 1e-3  # some tools write a variance of 1 - eps, so that the division is by exactly 1


def folded_norms(model: nn.Module, among: Collection[str]) -> dict[str, nn.BatchNorm2d]:
    """Batch norms whose statistics are those of no data: mean 0 and variance 1 in every channel.

    Args:
        model: the network.
        among: names of tensors that were loaded; fresh norms look the same but have nothing to keep.
    """
    return {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.BatchNorm2d) and f"{name}.running_var" in among and _is_folded(module)
    }


def _is_folded(norm: nn.BatchNorm2d) -> bool:
    mean, variance = norm.running_mean, norm.running_var
    assert mean is not None and variance is not None
    return not mean.any() and bool((variance - 1).abs().max() <= FOLDED_TOLERANCE)


def unfold_norms(model: NanoDetPlus, norms: Iterable[nn.BatchNorm2d], pictures: Iterable[torch.Tensor]) -> None:
    """Measure what enters each norm, and write the norm anew with these statistics: the same function.

    All norms are measured in one pass. That is exact, because the network in evaluation mode computes the same before
    and after. With mean m and variance v of the input, `weight = s * sqrt(v + eps)` and `bias = b + s * m` give
    `s * x + b` again, whatever s and b a folded norm had.

    Args:
        model: the network; its modes are as they were afterwards.
        norms: of the network, folded.
        pictures: batches [N, 3, H, W], normalised.
    """
    measured = {norm: _Moments() for norm in norms}
    handles = [norm.register_forward_pre_hook(moments.add) for norm, moments in measured.items()]
    try:
        with _evaluation_mode(model), torch.no_grad():
            for batch in pictures:
                features = model.backbone(batch)
                model.head(model.neck(features))
                if model.agm_neck is not None:  # the AGM's head has no batch norms, and is half of the work
                    model.agm_neck(features)
    finally:
        for handle in handles:
            handle.remove()
    for norm, moments in measured.items():
        _write(norm, moments)


class _Moments:
    """Mean and mean square of each channel over all pictures and places, summed over batches in float64."""

    def __init__(self) -> None:
        self.count = 0
        self.sum: torch.Tensor | float = 0.0
        self.squares: torch.Tensor | float = 0.0

    def add(self, module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        (features,) = inputs
        values = features.permute(0, 2, 3, 1).reshape(-1, features.shape[1])  # [N * H * W, C]
        mean = values.mean(dim=0)
        variance = (values - mean).square().mean(dim=0)
        mean, variance = mean.cpu().double(), variance.cpu().double()
        self.count += len(values)
        self.sum = self.sum + len(values) * mean
        self.squares = self.squares + len(values) * (variance + mean.square())


def _write(norm: nn.BatchNorm2d, moments: _Moments) -> None:
    assert norm.running_mean is not None and norm.running_var is not None
    mean = torch.as_tensor(moments.sum / moments.count)
    # A channel that is the same everywhere has no deviation to divide by; eps keeps its weight off zero.
    variance = (torch.as_tensor(moments.squares / moments.count) - mean.square()).clamp(min=norm.eps)
    old_mean, old_variance = norm.running_mean.cpu().double(), norm.running_var.cpu().double()
    slope = norm.weight.detach().cpu().double() / (old_variance + norm.eps).sqrt()
    with torch.no_grad():
        norm.weight.copy_(slope * (variance + norm.eps).sqrt())
        norm.bias.copy_(norm.bias.cpu().double() + slope * (mean - old_mean))
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)


@contextmanager
def _evaluation_mode(model: nn.Module) -> Iterator[None]:
    modes: list[tuple[Any, bool]] = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
