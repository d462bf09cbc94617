"""Backbones: pictures to features at strides 8, 16 and 32. Each module has `out_channels`, three numbers."""

from collections.abc import Callable

from torch import nn

from nanoedge.config.schema import BackboneConfig
from nanoedge.models.backbones.ghostnet import GhostNet
from nanoedge.models.backbones.shufflenet_v2 import ShuffleNetV2

BACKBONES: dict[str, Callable[[float, str], nn.Module]] = {"shufflenet_v2": ShuffleNetV2, "ghostnet": GhostNet}


def build_backbone(config: BackboneConfig) -> nn.Module:
    """The backbone that the configuration names."""
    return BACKBONES[config.name](config.width, config.activation)
