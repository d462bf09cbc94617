"""The network as it is deployed: without training-only branches, with batch norms folded into the convolutions."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from nanoedge.errors import ExportError
from nanoedge.models.layers import ConvNormAct
from nanoedge.models.nanodet_plus import NanoDetPlus

WeightStorage = Literal["fp16", "fp32"]
"""How a file stores the weights of convolutions; biases are always fp32."""

SMALLEST_HALF = 2.0**-14


@dataclass(frozen=True)
class Census:
    """What a graph is made of: enough to see that nothing was added, lost or left.

    Attributes:
        convolutions: number of convolutions.
        weights: number of their weights, without biases.
    """

    convolutions: int
    weights: int


def strip(model: NanoDetPlus) -> NanoDetPlus:
    """A copy of the network in evaluation mode without the AGM, batch norms folded. The model stays as it is."""
    stripped: NanoDetPlus = copy.deepcopy(model).to(memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload]
    stripped.agm_neck = stripped.agm_head = None
    for block in stripped.modules():
        if isinstance(block, ConvNormAct) and isinstance(block.norm, nn.BatchNorm2d):
            block.conv = fuse_conv_bn_eval(block.conv, block.norm)
            block.norm = nn.Identity()
    for parameter in stripped.parameters():
        parameter.requires_grad_(False)
    return stripped


def with_stored_weights(network: nn.Module, storage: WeightStorage) -> nn.Module:
    """A copy whose convolutions hold what a file with this storage holds; this copy is what gets converted.

    Weights are rounded here, so that it does not depend on a converter how: to the nearest fp16 value, and values below
    the smallest normal fp16 number to zero, because not every engine has smaller ones.
    """
    stored = copy.deepcopy(network)
    if storage == "fp16":
        for module in stored.modules():
            if isinstance(module, nn.Conv2d):
                rounded = module.weight.data.half().float()
                module.weight.data = torch.where(rounded.abs() < SMALLEST_HALF, torch.zeros_like(rounded), rounded)
    return stored


def census(model: nn.Module) -> Census:
    """Count a PyTorch network's convolutions and weights."""
    convolutions = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
    return Census(len(convolutions), sum(convolution.weight.numel() for convolution in convolutions))


def check_census(found: Census, expected: Census, engine: str) -> None:
    """Prove that a converted graph holds the deployed network's convolutions and nothing else.

    Raises:
        ExportError: when convolutions or weights were added or lost; the AGM alone would add millions of weights.
    """
    if found != expected:
        raise ExportError(
            f"The {engine} model has {found.convolutions} convolutions with {found.weights} weights, but the network "
            f"to deploy has {expected.convolutions} with {expected.weights}; the conversion is not to be trusted."
        )
