"""The AGM's head: 3 x 3 convolutions with group normalisation, shared over levels. Training only."""

from __future__ import annotations

import itertools

import torch
from torch import nn

from nanoedge.models.heads.nanodet_plus import RARE_OBJECT_BIAS
from nanoedge.models.layers import ConvNormAct

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
        outputs = []
        for feature, scale in zip(features, self.scales, strict=True):
            classes = self.predict_classes(self.class_stack(feature))
            boxes = self.predict_boxes(self.box_stack(feature)) * scale
            outputs.append(torch.cat([classes, boxes], dim=1).flatten(start_dim=2))
        return torch.cat(outputs, dim=2).permute(0, 2, 1)
