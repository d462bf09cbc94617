"""Backbones: pictures to features at strides 8, 16 and 32. Each module has `out_channels`, three numbers."""

from collections.abc import Callable

from torch import nn

from nanoedge.config.network import BackboneConfig
from nanoedge.models.backbones.efficientnet_lite import EfficientNetLite
from nanoedge.models.backbones.ghostnet import GhostNet
from nanoedge.models.backbones.shufflenet_v2 import ShuffleNetV2

BACKBONES: dict[str, Callable[[BackboneConfig], nn.Module]] = {
    "shufflenet_v2": lambda config: ShuffleNetV2(config.width, config.activation),
    "ghostnet": lambda config: GhostNet(config.width, config.activation),
    "efficientnet_lite0": lambda config: EfficientNetLite("efficientnet_lite0", config.activation),
    "efficientnet_lite1": lambda config: EfficientNetLite("efficientnet_lite1", config.activation),
    "efficientnet_lite2": lambda config: EfficientNetLite("efficientnet_lite2", config.activation),
}


def build_backbone(config: BackboneConfig) -> nn.Module:
    """The backbone that the configuration names."""
    return BACKBONES[config.name](config)
