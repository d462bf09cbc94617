"""The AGM's head: 3 x 3 convolutions with group normalisation, shared over levels. Training only."""

from __future__ import annotations

import itertools

import torch
from torch import nn
from torch.nn import functional

from nanoedge.models.heads.nanodet_plus import RARE_OBJECT_BIAS
from nanoedge.models.layers import ConvNormAct
from nanoedge.models.recompute import group_normalise_and_activate, normalise_and_activate
from nanoedge.models.winograd.convolution import convolve_levels, winograd_pays

NORM_GROUPS = 32


class SimpleConvHead(nn.Module):
    """Two branches of stacked 3 x 3 convolutions: classes, and box distributions with one learnable scale a level.

    Args:
        classes: number of classes.
        in_channels: width of the input levels.
        channels: width of the stacked convolutions; a multiple of 32.
        levels: number of levels that share the convolutions.
        stacked_convs: convolutions a branch.
        reg_max: largest box side in strides.
        activation: a name in `layers.ACTIVATIONS`.
    """

    def __init__(
        self,
        classes: int,
        in_channels: int = 192,
        channels: int = 192,
        levels: int = 4,
        stacked_convs: int = 4,
        reg_max: int = 7,
        activation: str = "leaky_relu",
    ) -> None:
        super().__init__()

        def stack() -> nn.Sequential:
            widths = [in_channels] + [channels] * stacked_convs
            return nn.Sequential(
                *(
                    ConvNormAct(narrow, wide, 3, activation=activation, norm_groups=NORM_GROUPS)
                    for narrow, wide in itertools.pairwise(widths)
                )
            )

        self.class_stack = stack()
        self.box_stack = stack()
        self.predict_classes = nn.Conv2d(channels, classes, 3, padding=1)
        self.predict_boxes = nn.Conv2d(channels, 4 * (reg_max + 1), 3, padding=1)
        self.scales = nn.Parameter(torch.ones(levels))
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=0.01)
        nn.init.constant_(self.predict_classes.bias, RARE_OBJECT_BIAS)  # type: ignore[arg-type]
        nn.init.zeros_(self.predict_boxes.bias)  # type: ignore[arg-type]

    def forward(self, features: list[torch.Tensor]) -> torch.Tensor:
        """Levels [N, C, H, W], finest first, to [N, priors, classes + 4 * (reg_max + 1)]."""
        for_classes, for_boxes = self._first_of_both(features)
        for block in list(self.class_stack)[1:]:
            for_classes = _through(block, for_classes)
        for block in list(self.box_stack)[1:]:
            for_boxes = _through(block, for_boxes)
        classes = _convolve(for_classes, self.predict_classes.weight, self.predict_classes.bias)
        boxes = _convolve(for_boxes, self.predict_boxes.weight, self.predict_boxes.bias)
        outputs = [
            torch.cat([logits, distributions * scale], dim=1).flatten(start_dim=2)
            for logits, distributions, scale in zip(classes, boxes, self.scales, strict=True)
        ]
        return torch.cat(outputs, dim=2).permute(0, 2, 1)

    def _first_of_both(self, features: list[torch.Tensor]) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """The first block of each stack. They read the same levels, so they are one convolution of double width."""
        first: tuple[ConvNormAct, ...] = (self.class_stack[0], self.box_stack[0])  # type: ignore[assignment]
        norms: list[nn.GroupNorm] = [block.norm for block in first]  # type: ignore[misc]
        weight = torch.cat([norm.weight for norm in norms])
        bias = torch.cat([norm.bias for norm in norms])
        both = [
            group_normalise_and_activate(level, 2 * NORM_GROUPS, weight, bias, norms[0].eps, first[0].activation).chunk(
                2, dim=1
            )
            for level in _convolve(features, torch.cat([block.conv.weight for block in first]))
        ]
        return [classes for classes, _ in both], [boxes for _, boxes in both]


def _through(block: nn.Module, levels: list[torch.Tensor]) -> list[torch.Tensor]:
    """All levels through a block of a stack."""
    assert isinstance(block, ConvNormAct)
    convolved = _convolve(levels, block.conv.weight)
    return [normalise_and_activate(level, block.norm, block.activation) for level in convolved]


def _convolve(levels: list[torch.Tensor], weight: torch.Tensor, bias: torch.Tensor | None = None) -> list[torch.Tensor]:
    """The same 3 x 3 convolution of all levels, in the faster way."""
    if not winograd_pays(levels[0], weight):
        return [functional.conv2d(level, weight, bias, padding=1) for level in levels]
    convolved = convolve_levels(levels, weight)
    return convolved if bias is None else [level + bias[:, None, None] for level in convolved]
