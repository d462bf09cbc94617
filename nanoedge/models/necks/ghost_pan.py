"""GhostPAN, the neck of NanoDet-Plus: a path aggregation network (https://arxiv.org/abs/1803.01534) of Ghost blocks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from nanoedge.models.layers import ConvNormAct, DepthwiseSeparable, GhostModule, ghost_shortcut, initialise_rectified


class GhostBlock(nn.Module):
    """Two Ghost modules beside a depth-wise separable shortcut."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, activation: str) -> None:
        super().__init__()
        self.ghost1 = GhostModule(in_channels, out_channels, activation)
        self.ghost2 = GhostModule(out_channels, out_channels, activation=None)
        self.shortcut = ghost_shortcut(in_channels, out_channels, kernel_size, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.ghost2(self.ghost1(x)) + self.shortcut(x)
        return result


class GhostPAN(nn.Module):
    """Reduce, merge top-down, merge bottom-up, add levels above.

    Args:
        in_channels: widths of the backbone's features, finest first.
        channels: width of every output.
        kernel_size: of the depth-wise convolutions.
        extra_levels: number of levels above the backbone's last, each at twice the stride.
        activation: a name in `layers.ACTIVATIONS`.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        channels: int = 96,
        kernel_size: int = 5,
        extra_levels: int = 1,
        activation: str = "leaky_relu",
    ) -> None:
        super().__init__()
        self.channels = channels
        steps = len(in_channels) - 1

        def halve() -> DepthwiseSeparable:
            return DepthwiseSeparable(channels, channels, kernel_size, 2, activation)

        def merge() -> GhostBlock:
            return GhostBlock(2 * channels, channels, kernel_size, activation)

        self.reduce = nn.ModuleList([ConvNormAct(width, channels, activation=activation) for width in in_channels])
        self.upsample = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        self.top_down = nn.ModuleList([merge() for _ in range(steps)])  # coarsest merge first
        self.downsample = nn.ModuleList([halve() for _ in range(steps)])
        self.bottom_up = nn.ModuleList([merge() for _ in range(steps)])
        self.extra_from_reduced = nn.ModuleList([halve() for _ in range(extra_levels)])
        self.extra_from_output = nn.ModuleList([halve() for _ in range(extra_levels)])
        for part in (self.reduce, self.downsample, self.extra_from_reduced, self.extra_from_output):
            for module in part.modules():
                if isinstance(module, nn.Conv2d):
                    initialise_rectified(module)

    def forward(self, features: list[torch.Tensor]) -> list[torch.Tensor]:
        """Features finest first in; outputs [N, channels, H, W] finest first, the extra levels last."""
        reduced = [reduce(feature) for reduce, feature in zip(self.reduce, features, strict=True)]
        merged = [reduced[-1]]  # built from the coarsest to the finest
        for lateral, merge in zip(reversed(reduced[:-1]), self.top_down, strict=True):
            merged.append(merge(torch.cat([self.upsample(merged[-1]), lateral], dim=1)))
        merged.reverse()
        outputs = [merged[0]]
        for lateral, halve, merge in zip(merged[1:], self.downsample, self.bottom_up, strict=True):
            outputs.append(merge(torch.cat([halve(outputs[-1]), lateral], dim=1)))
        above = reduced[-1]
        for from_reduced, from_output in zip(self.extra_from_reduced, self.extra_from_output, strict=True):
            above = from_reduced(above)
            outputs.append(above + from_output(outputs[-1]))
        return outputs
