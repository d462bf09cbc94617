"""ShuffleNetV2, https://arxiv.org/abs/1807.11164, without its last convolution and classifier."""

from __future__ import annotations

import torch
from torch import nn

from nanoedge.models.layers import ConvNormAct, initialise_backbone

STAGE_CHANNELS: dict[float, tuple[int, int, int]] = {
    0.5: (48, 96, 192),
    1.0: (116, 232, 464),
    1.5: (176, 352, 704),
    2.0: (244, 488, 976),
}
STAGE_UNITS = (4, 8, 4)
STEM_CHANNELS = 24


def channel_shuffle(x: torch.Tensor) -> torch.Tensor:
    """Interleave the two halves of the channels; [N, C, H, W] in and out, C even."""
    batch, channels, height, width = x.shape
    return x.view(batch, 2, channels // 2, height, width).transpose(1, 2).reshape(batch, channels, height, width)


class ShuffleUnit(nn.Module):
    """One unit: at stride 1 half of the channels pass untouched; at stride 2 both branches halve the size."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, activation: str) -> None:
        super().__init__()
        half = out_channels // 2
        self.stride = stride
        entry = in_channels if stride == 2 else half
        self.branch1 = (
            nn.Sequential(
                ConvNormAct(in_channels, in_channels, 3, 2, in_channels, activation=None),
                ConvNormAct(in_channels, half, activation=activation),
            )
            if stride == 2
            else nn.Identity()
        )
        self.branch2 = nn.Sequential(
            ConvNormAct(entry, half, activation=activation),
            ConvNormAct(half, half, 3, stride, half, activation=None),
            ConvNormAct(half, half, activation=activation),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        left, right = x.chunk(2, dim=1) if self.stride == 1 else (x, x)
        if self.training:  # or the backward pass of the right half's convolution keeps the left half too
            right = right.contiguous(memory_format=torch.channels_last)
        return channel_shuffle(torch.cat([self.branch1(left), self.branch2(right)], dim=1))


class ShuffleNetV2(nn.Module):
    """Features at strides 8, 16, 32 (stages 2, 3, 4).

    Args:
        width: 0.5, 1.0, 1.5 or 2.0.
        activation: a name in `layers.ACTIVATIONS`.
    """

    def __init__(self, width: float = 1.0, activation: str = "leaky_relu") -> None:
        super().__init__()
        self.out_channels = STAGE_CHANNELS[width]
        self.stem = ConvNormAct(3, STEM_CHANNELS, 3, 2, activation=activation)
        self.pool = nn.MaxPool2d(3, 2, padding=1)
        stages = []
        channels = STEM_CHANNELS
        for out_channels, units in zip(self.out_channels, STAGE_UNITS, strict=True):
            stage = [ShuffleUnit(channels, out_channels, 2, activation)]
            stage += [ShuffleUnit(out_channels, out_channels, 1, activation) for _ in range(units - 1)]
            stages.append(nn.Sequential(*stage))
            channels = out_channels
        self.stage2, self.stage3, self.stage4 = stages
        initialise_backbone(self)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """[N, 3, H, W] to three features [N, C, H/8, W/8], [N, C, H/16, W/16], [N, C, H/32, W/32]."""
        stride8 = self.stage2(self.pool(self.stem(x)))
        stride16 = self.stage3(stride8)
        return [stride8, stride16, self.stage4(stride16)]
