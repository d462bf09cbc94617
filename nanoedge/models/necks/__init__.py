"""Necks: backbone features to as many levels of equal width. Each module has `channels`."""

from collections.abc import Callable, Sequence

from torch import nn

from nanoedge.config.network import NeckConfig
from nanoedge.models.necks.ghost_pan import GhostPAN

NECKS: dict[str, Callable[..., nn.Module]] = {"ghost_pan": GhostPAN}


def build_neck(config: NeckConfig, in_channels: Sequence[int]) -> nn.Module:
    """The neck that the configuration names, on features of these widths (finest first)."""
    return NECKS[config.name](in_channels, config.channels, config.kernel_size, config.extra_levels, config.activation)
