"""Building blocks that more than one architecture uses."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from nanoedge.models.recompute import normalise_and_activate

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": lambda: nn.ReLU(inplace=True),
    "relu6": lambda: nn.ReLU6(inplace=True),
    "leaky_relu": lambda: nn.LeakyReLU(0.1, inplace=True),
    "hard_swish": lambda: nn.Hardswish(inplace=True),
    "silu": lambda: nn.SiLU(inplace=True),
}


def make_activation(name: str | None) -> nn.Module:
    """The activation module of that name; `None` is the identity."""
    return nn.Identity() if name is None else ACTIVATIONS[name]()


class ConvNormAct(nn.Module):
    """Convolution without bias, batch (or group) normalisation, activation.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: odd; the padding keeps the size at stride 1.
        stride: of the convolution.
        groups: of the convolution.
        activation: a name in `ACTIVATIONS`, or `None`.
        norm_groups: groups of a group normalisation; 0 takes batch normalisation.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 1,
        stride: int = 1,
        groups: int = 1,
        activation: str | None = "leaky_relu",
        norm_groups: int = 0,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, out_channels, kernel_size, stride, kernel_size // 2, groups=groups, bias=False
        )
        self.norm: nn.Module = nn.GroupNorm(norm_groups, out_channels) if norm_groups else nn.BatchNorm2d(out_channels)
        self.activation = make_activation(activation)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return normalise_and_activate(self.conv(x), self.norm, self.activation)


class DepthwiseSeparable(nn.Module):
    """Depth-wise k x k, then point-wise 1 x 1, each with normalisation and activation."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, activation: str = "leaky_relu"
    ) -> None:
        super().__init__()
        self.depthwise = ConvNormAct(in_channels, in_channels, kernel_size, stride, in_channels, activation)
        self.pointwise = ConvNormAct(in_channels, out_channels, activation=activation)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.pointwise(self.depthwise(x))
        return result


class GhostModule(nn.Module):
    """Half of the channels by a 1 x 1 convolution, the other half by a depth-wise 3 x 3 of the first half.

    GhostNet, https://arxiv.org/abs/1911.11907, section 3.1, with ratio 2.
    """

    def __init__(self, in_channels: int, out_channels: int, activation: str | None) -> None:
        super().__init__()
        primary = -(-out_channels // 2)
        self.out_channels = out_channels
        self.primary = ConvNormAct(in_channels, primary, activation=activation)
        self.cheap = ConvNormAct(primary, primary, 3, groups=primary, activation=activation)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        primary = self.primary(x)
        both = torch.cat([primary, self.cheap(primary)], dim=1)
        return both if both.shape[1] == self.out_channels else both[:, : self.out_channels]


def ghost_shortcut(in_channels: int, out_channels: int, kernel_size: int, stride: int) -> nn.Module:
    """The residual way of a Ghost bottleneck: identity where shapes agree, else depth-wise k x k and 1 x 1."""
    if in_channels == out_channels and stride == 1:
        return nn.Identity()
    return nn.Sequential(
        ConvNormAct(in_channels, in_channels, kernel_size, stride, in_channels, activation=None),
        ConvNormAct(in_channels, out_channels, activation=None),
    )


def initialise_backbone(backbone: nn.Module) -> None:
    """Normal weights with deviation 1 / (input channels a group), as published for ShuffleNetV2 and NanoDet."""
    for module in backbone.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, std=1.0 / module.weight.shape[1])
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.constant_(module.bias, 0.0001)


def initialise_rectified(convolution: nn.Conv2d) -> None:
    """He's normal weights for rectified activations, https://arxiv.org/abs/1502.01852, scaled by the outputs."""
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
