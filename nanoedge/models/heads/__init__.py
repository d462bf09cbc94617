"""Heads: neck levels to raw predictions [N, priors, classes + 4 * (reg_max + 1)]."""

from collections.abc import Callable

from torch import nn

from nanoedge.config.network import HeadConfig
from nanoedge.models.heads.nanodet_plus import NanoDetPlusHead

HEADS: dict[str, Callable[..., nn.Module]] = {"nanodet_plus": NanoDetPlusHead}


def build_head(config: HeadConfig, classes: int, in_channels: int, levels: int) -> nn.Module:
    """The head that the configuration names, on `levels` levels of the neck, each `in_channels` wide."""
    return HEADS[config.name](
        classes,
        in_channels,
        config.channels,
        levels,
        config.stacked_convs,
        config.kernel_size,
        config.reg_max,
        config.activation,
    )
