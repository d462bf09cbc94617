"""GhostNet, https://arxiv.org/abs/1911.11907, table 1, up to its final 1 x 1 convolution."""

from __future__ import annotations

import torch
from torch import nn

from nanoedge.models.layers import ConvNormAct, GhostModule, ghost_shortcut, initialise_backbone, make_activation

# Each stage: (kernel, expanded channels, output channels, squeeze-excite, stride) of its bottlenecks, at width 1.0.
STAGES: tuple[tuple[tuple[int, int, int, bool, int], ...], ...] = (
    ((3, 16, 16, False, 1),),
    ((3, 48, 24, False, 2),),
    ((3, 72, 24, False, 1),),
    ((5, 72, 40, True, 2),),
    ((5, 120, 40, True, 1),),
    ((3, 240, 80, False, 2),),
    (
        (3, 200, 80, False, 1),
        (3, 184, 80, False, 1),
        (3, 184, 80, False, 1),
        (3, 480, 112, True, 1),
        (3, 672, 112, True, 1),
    ),
    ((5, 672, 160, True, 2),),
    ((5, 960, 160, False, 1), (5, 960, 160, True, 1), (5, 960, 160, False, 1), (5, 960, 160, True, 1)),
)
STEM_CHANNELS = 16
FINAL_CHANNELS = 960
OUT_STAGES = (4, 6, 9)  # stage 9 is the final 1 x 1 convolution
SQUEEZE_RATIO = 0.25


def round_channels(channels: float) -> int:
    """Round to a multiple of 4, never more than 10 % down, at least 4."""
    rounded = max(4, int(channels + 2) // 4 * 4)
    return rounded + 4 if rounded < 0.9 * channels else rounded


class SqueezeExcite(nn.Module):
    """Scale each channel by a hard sigmoid of two 1 x 1 convolutions on the channel means."""

    def __init__(self, channels: int, activation: str) -> None:
        super().__init__()
        squeezed = round_channels(channels * SQUEEZE_RATIO)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.reduce = nn.Conv2d(channels, squeezed, 1)
        self.activation = make_activation(activation)
        self.expand = nn.Conv2d(squeezed, channels, 1)
        self.gate = nn.Hardsigmoid()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = x * self.gate(self.expand(self.activation(self.reduce(self.pool(x)))))
        return result


class GhostBottleneck(nn.Module):
    """Ghost module up, depth-wise convolution where the stride is 2, squeeze-excite, Ghost module down, plus
    shortcut."""

    def __init__(
        self,
        in_channels: int,
        expanded: int,
        out_channels: int,
        kernel_size: int,
        stride: int,
        squeeze: bool,
        activation: str,
    ) -> None:
        super().__init__()
        self.ghost1 = GhostModule(in_channels, expanded, activation)
        self.depthwise: nn.Module = (
            ConvNormAct(expanded, expanded, kernel_size, stride, expanded, activation=None)
            if stride > 1
            else nn.Identity()
        )
        self.squeeze_excite: nn.Module = SqueezeExcite(expanded, activation) if squeeze else nn.Identity()
        self.ghost2 = GhostModule(expanded, out_channels, activation=None)
        self.shortcut = ghost_shortcut(in_channels, out_channels, kernel_size, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.ghost2(self.squeeze_excite(self.depthwise(self.ghost1(x)))) + self.shortcut(x)
        return result


class GhostNet(nn.Module):
    """Features at strides 8, 16, 32 (stages 4, 6, 9).

    Args:
        width: multiplier of all channels, for example 0.75, 1.0 or 1.3.
        activation: a name in `layers.ACTIVATIONS`; the paper's is `relu`.
    """

    def __init__(self, width: float = 1.0, activation: str = "relu") -> None:
        super().__init__()
        channels = round_channels(STEM_CHANNELS * width)
        self.stem = ConvNormAct(3, channels, 3, 2, activation=activation)
        stages: list[nn.Module] = []
        self.stage_channels: list[int] = []
        for bottlenecks in STAGES:
            stage = []
            for kernel_size, expanded, out_channels, squeeze, stride in bottlenecks:
                out = round_channels(out_channels * width)
                stage.append(
                    GhostBottleneck(
                        channels, round_channels(expanded * width), out, kernel_size, stride, squeeze, activation
                    )
                )
                channels = out
            stages.append(nn.Sequential(*stage))
            self.stage_channels.append(channels)
        final = round_channels(FINAL_CHANNELS * width)
        stages.append(ConvNormAct(channels, final, activation=activation))
        self.stage_channels.append(final)
        self.stages = nn.ModuleList(stages)
        self.out_channels = tuple(self.stage_channels[stage] for stage in OUT_STAGES)
        initialise_backbone(self)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """[N, 3, H, W] to three features at strides 8, 16 and 32."""
        x = self.stem(x)
        features = []
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index in OUT_STAGES:
                features.append(x)
        return features
