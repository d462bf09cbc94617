"""NanoDet-Plus: backbone, GhostPAN, head, and in training the assign guidance module (AGM)."""

from __future__ import annotations

import copy
from typing import NamedTuple

import torch
from torch import nn

from nanoedge.config.network import ModelConfig
from nanoedge.models.backbones import build_backbone
from nanoedge.models.heads import build_head
from nanoedge.models.heads.simple_conv import SimpleConvHead
from nanoedge.models.necks import build_neck


class TrainingOutput(NamedTuple):
    """Raw predictions [N, priors, classes + 4 * (reg_max + 1)] of the head and, with an AGM, of the AGM."""

    head: torch.Tensor
    agm: torch.Tensor | None


class NanoDetPlus(nn.Module):
    """The detector.

    Args:
        config: the architecture.
        classes: number of classes.

    The AGM's neck starts as a copy of the main neck. It reads the backbone's features; its head reads both necks'
    levels side by side.
    """

    def __init__(self, config: ModelConfig, classes: int) -> None:
        super().__init__()
        head = config.head
        levels = len(config.strides)
        self.backbone = build_backbone(config.backbone)
        self.neck = build_neck(config.neck, self.backbone.out_channels)  # type: ignore[arg-type]
        self.head = build_head(head, classes, config.neck.channels, levels)
        self.agm_neck: nn.Module | None = None
        self.agm_head: nn.Module | None = None
        if config.agm.enabled:
            self.agm_neck = copy.deepcopy(self.neck)
            self.agm_head = SimpleConvHead(
                classes,
                2 * config.neck.channels,
                config.agm.channels,
                levels,
                config.agm.stacked_convs,
                head.reg_max,
                head.activation,
            )

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Normalised pictures [N, 3, H, W] to raw predictions [N, priors, classes + 4 * (reg_max + 1)]."""
        result: torch.Tensor = self.head(self.neck(self.backbone(pictures)))
        return result

    def forward_training(self, pictures: torch.Tensor, detach_agm: bool) -> TrainingOutput:
        """Both heads' raw predictions; with `detach_agm` the AGM sends no gradient to the backbone and main neck."""
        features = self.backbone(pictures)
        levels = self.neck(features)
        predictions = self.head(levels)
        if self.agm_neck is None or self.agm_head is None:
            return TrainingOutput(predictions, None)
        guide_features, guide_levels = features, levels
        if detach_agm:
            guide_features = [feature.detach() for feature in features]
            guide_levels = [level.detach() for level in levels]
        agm_levels = self.agm_neck(guide_features)
        both = [torch.cat(pair, dim=1) for pair in zip(guide_levels, agm_levels, strict=True)]
        return TrainingOutput(predictions, self.agm_head(both))
