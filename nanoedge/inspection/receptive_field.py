"""How far each part of a network sees: the theoretical receptive field, found by following gradients.

The support of an output's gradient is the receptive field if no path can cancel another. So all weights become
positive, activations and normalisations the identity, and max-pooling a mean; what is left is linear and exact.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import nn

from nanoedge.config.network import ModelConfig
from nanoedge.errors import NanoEdgeError
from nanoedge.models.backbones.ghostnet import SqueezeExcite
from nanoedge.models.layers import ACTIVATIONS
from nanoedge.models.nanodet_plus import NanoDetPlus

Part = Literal["backbone", "neck", "head"]

_STRIP_WIDTH = 32  # pixels; the least that the neck takes
_FIRST_LENGTH = 2048  # pixels of the strip that is tried first
_MOST_LENGTH = 16384
_POINTWISE: tuple[type[nn.Module], ...] = (
    nn.BatchNorm2d,
    nn.GroupNorm,
    *{type(make()) for make in ACTIVATIONS.values()},
)
_GLOBAL = (SqueezeExcite,)
"""Modules whose gate looks at the whole picture, once around: they are passed by."""


@dataclass(frozen=True)
class ReceptiveField:
    """How far one output of a part of the network sees.

    Attributes:
        part: backbone, neck, or head (what a prior sees).
        stride: of the output.
        channels: of the output; `None` when the number of classes is not known.
        first: the first pixel that it sees, relative to its own place `row * stride`; negative.
        last: the last one.
    """

    part: Part
    stride: int
    channels: int | None
    first: int
    last: int

    @property
    def pixels(self) -> int:
        """Side of the square that is seen, pixels."""
        return self.last - self.first + 1

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"part": self.part, "stride": self.stride, "channels": self.channels, "theoretical": self.pixels}


def outputs_of(
    model: NanoDetPlus, pictures: torch.Tensor, strides: Sequence[int]
) -> list[tuple[Part, int, torch.Tensor]]:
    """Every output of the detector with its part and stride: [N, C, H / stride, W / stride] each.

    Args:
        model: the detector; its AGM is not used.
        pictures: [N, 3, H, W] with sides that are multiples of the largest stride.
        strides: of the neck's levels, finest first.
    """
    features = model.backbone(pictures)
    levels = model.neck(features)
    raw = model.head(levels).transpose(1, 2)
    sizes = [level.shape[2] * level.shape[3] for level in levels]
    heads = [flat.unflatten(2, level.shape[2:]) for flat, level in zip(raw.split(sizes, dim=2), levels, strict=True)]
    parts: tuple[tuple[Part, list[torch.Tensor]], ...] = (("backbone", features), ("neck", levels), ("head", heads))
    return [(part, stride, output) for part, of in parts for stride, output in zip(strides, of, strict=False)]


def receptive_fields(config: ModelConfig, classes: int = 0) -> list[ReceptiveField]:
    """The receptive field of each of the backbone's features, the neck's levels and the head's predictions.

    It is found on the left edge of a narrow strip, upright, because all kernels are square and no path's way down
    depends on its way across. The neck upsamples, so outputs at odd and even places see different numbers of pixels;
    the largest counts.

    Args:
        config: the architecture; no weights are needed.
        classes: number of classes; 0 when it is not known, and then the head's channels are not either.

    Raises:
        NanoEdgeError: when an output sees more than 16,384 pixels: a part of the network is global.
    """
    model = linearised(NanoDetPlus(config, max(1, classes)))
    strides = config.strides
    length = _FIRST_LENGTH
    while length <= _MOST_LENGTH:
        found = _on_strip(model, strides, length)
        if found is not None:
            if classes:
                return found
            return [replace(field, channels=None) if field.part == "head" else field for field in found]
        length *= 2
    raise NanoEdgeError(f"An output of this network sees more than {_MOST_LENGTH} pixels: a part of it is global.")


def linearised(model: nn.Module) -> nn.Module:
    """A copy in double precision that is linear, with positive weights: each convolution is the mean of its inputs."""
    copied = copy.deepcopy(model)
    _linearise(copied)
    return copied.double().eval().requires_grad_(False)


def _linearise(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, (*_POINTWISE, *_GLOBAL)):
            setattr(module, name, nn.Identity())
        elif isinstance(child, nn.MaxPool2d):
            setattr(module, name, nn.AvgPool2d(child.kernel_size, child.stride, child.padding))
        elif isinstance(child, nn.Conv2d):
            nn.init.constant_(child.weight, 1 / child.weight[0].numel())
            if child.bias is not None:
                nn.init.zeros_(child.bias)
        else:
            _linearise(child)


def _on_strip(model: nn.Module, strides: Sequence[int], length: int) -> list[ReceptiveField] | None:
    """The fields on an input of `length` rows; `None` when one reaches the edge."""
    strip = torch.zeros(1, 3, length, _STRIP_WIDTH, dtype=torch.float64, requires_grad=True)
    outputs = outputs_of(model, strip, strides)  # type: ignore[arg-type]
    upsampled_from = max(stride for part, stride, _ in outputs if part == "backbone")
    middle = length // 2
    found = []
    for part, stride, output in reversed(outputs):  # the farthest first: too short a strip is noticed at once
        reaches = []
        for place in range(middle, middle + (stride if part == "backbone" else max(stride, upsampled_from)), stride):
            (gradient,) = torch.autograd.grad(output[0, :, place // stride, 0].sum(), strip, retain_graph=True)
            rows = gradient[0].any(dim=(0, 2)).nonzero().squeeze(1)
            first, last = int(rows[0]), int(rows[-1])
            if first == 0 or last == length - 1:
                return None
            reaches.append((first - place, last - place))
        first, last = max(reaches, key=lambda reach: reach[1] - reach[0])
        found.append(ReceptiveField(part, stride, output.shape[1], first, last))
    return found[::-1]


def has_global_gates(config: ModelConfig) -> bool:
    """Whether the backbone has gates that see the whole picture, which the theoretical field leaves out."""
    model = NanoDetPlus(config, 1)
    return any(isinstance(module, _GLOBAL) for module in model.modules())
