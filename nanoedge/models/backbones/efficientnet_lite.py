"""EfficientNet-Lite 0, 1 and 2: EfficientNet (https://arxiv.org/abs/1905.11946, table 1) without squeeze-excite, with
ReLU6, and with a stem, a first and a last stage that do not grow."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from nanoedge.models.layers import ConvNormAct, initialise_rectified

# Each stage: kernel, expansion, stride of its first block.
STAGES = ((3, 1, 1), (3, 6, 2), (5, 6, 2), (3, 6, 2), (5, 6, 1), (5, 6, 2), (3, 6, 1))
OUT_STAGES = (2, 4, 6)
STEM_CHANNELS = 32
NORM_EPSILON = 1e-3  # TensorFlow's; the ImageNet weights belong to it


@dataclass(frozen=True)
class Variant:
    """Output channels and number of blocks of each stage."""

    channels: tuple[int, ...]
    blocks: tuple[int, ...]


# Channels are the paper's times 1.0, 1.0, 1.1, rounded to multiples of 8; blocks the paper's times 1.0, 1.1, 1.2,
# rounded up, but for the first and the last stage.
VARIANTS: dict[str, Variant] = {
    "efficientnet_lite0": Variant((16, 24, 40, 80, 112, 192, 320), (1, 2, 2, 3, 3, 4, 1)),
    "efficientnet_lite1": Variant((16, 24, 40, 80, 112, 192, 320), (1, 3, 3, 4, 4, 5, 1)),
    "efficientnet_lite2": Variant((16, 24, 48, 88, 120, 208, 352), (1, 3, 3, 4, 4, 5, 1)),
}


class HalvingConv(ConvNormAct):
    """Stride 2 with TensorFlow's padding, with which the ImageNet weights were trained.

    Of the kernel_size - 2 rows and columns that an even size needs, the odd one is added below and on the right.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, groups: int, activation: str) -> None:
        super().__init__(in_channels, out_channels, kernel_size, 2, groups, activation)
        before, after = kernel_size // 2 - 1, kernel_size // 2
        self.conv.padding = (0, 0)
        self.pads = (before, after, before, after)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(functional.pad(x, self.pads))


class InvertedBottleneck(nn.Module):
    """1 x 1 convolution up, depth-wise convolution, 1 x 1 convolution down; plus its input where the shapes agree."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, expansion: int, stride: int, activation: str
    ) -> None:
        super().__init__()
        wide = in_channels * expansion
        self.expand: nn.Module = (
            ConvNormAct(in_channels, wide, activation=activation) if expansion > 1 else nn.Identity()
        )
        self.depthwise = (
            HalvingConv(wide, wide, kernel_size, wide, activation)
            if stride == 2
            else ConvNormAct(wide, wide, kernel_size, 1, wide, activation)
        )
        self.project = ConvNormAct(wide, out_channels, activation=None)
        self.has_shortcut = stride == 1 and in_channels == out_channels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.project(self.depthwise(self.expand(x)))
        return result + x if self.has_shortcut else result


class EfficientNetLite(nn.Module):
    """Features at strides 8, 16, 32 (stages 2, 4, 6).

    Args:
        name: a key of `VARIANTS`.
        activation: a name in `layers.ACTIVATIONS`; the published one is `relu6`.
    """

    def __init__(self, name: str = "efficientnet_lite0", activation: str = "relu6") -> None:
        super().__init__()
        variant = VARIANTS[name]
        channels = STEM_CHANNELS
        self.stem = HalvingConv(3, channels, 3, 1, activation)
        stages = []
        for (kernel_size, expansion, stride), out_channels, blocks in zip(
            STAGES, variant.channels, variant.blocks, strict=True
        ):
            stage = [InvertedBottleneck(channels, out_channels, kernel_size, expansion, stride, activation)]
            stage += [
                InvertedBottleneck(out_channels, out_channels, kernel_size, expansion, 1, activation)
                for _ in range(blocks - 1)
            ]
            stages.append(nn.Sequential(*stage))
            channels = out_channels
        self.stages = nn.ModuleList(stages)
        self.out_channels = tuple(variant.channels[stage] for stage in OUT_STAGES)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                initialise_rectified(module)
            elif isinstance(module, nn.BatchNorm2d):
                module.eps = NORM_EPSILON

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """[N, 3, H, W] to three features at strides 8, 16 and 32."""
        x = self.stem(x)
        features = []
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index in OUT_STAGES:
                features.append(x)
        return features
