"""The head of NanoDet-Plus: per level, not shared, classes and box distributions from one branch.

The box distributions are those of Generalized Focal Loss, https://arxiv.org/abs/2006.04388.
"""

from __future__ import annotations

import itertools

import torch
from torch import nn

from nanoedge.models.layers import DepthwiseSeparable

RARE_OBJECT_BIAS = -4.595  # sigmoid gives 0.01: at the start nearly every prior is background


class NanoDetPlusHead(nn.Module):
    """Stacked depth-wise separable convolutions and one 1 x 1 convolution a level.

    Args:
        classes: number of classes.
        in_channels: width of the neck's levels.
        channels: width of the stacked convolutions.
        levels: number of levels.
        stacked_convs: depth-wise separable convolutions a level.
        kernel_size: of the depth-wise convolutions.
        reg_max: largest box side in strides.
        activation: a name in `layers.ACTIVATIONS`.
    """

    def __init__(
        self,
        classes: int,
        in_channels: int = 96,
        channels: int = 96,
        levels: int = 4,
        stacked_convs: int = 2,
        kernel_size: int = 5,
        reg_max: int = 7,
        activation: str = "leaky_relu",
    ) -> None:
        super().__init__()
        widths = [in_channels] + [channels] * stacked_convs
        self.stacks = nn.ModuleList(
            nn.Sequential(
                *(
                    DepthwiseSeparable(narrow, wide, kernel_size, activation=activation)
                    for narrow, wide in itertools.pairwise(widths)
                )
            )
            for _ in range(levels)
        )
        self.predict = nn.ModuleList(nn.Conv2d(channels, classes + 4 * (reg_max + 1), 1) for _ in range(levels))
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=0.01)
                if module.bias is not None:
                    nn.init.constant_(module.bias, RARE_OBJECT_BIAS)

    def forward(self, features: list[torch.Tensor]) -> torch.Tensor:
        """Levels [N, C, H, W], finest first, to [N, priors, classes + 4 * (reg_max + 1)].

        The first `classes` channels are logits; the rest are the logits of the distances left, top, right, bottom.
        """
        outputs = [
            predict(stack(feature)).flatten(start_dim=2)
            for feature, stack, predict in zip(features, self.stacks, self.predict, strict=True)
        ]
        return torch.cat(outputs, dim=2).permute(0, 2, 1)
