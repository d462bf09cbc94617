"""The typed schema of a network: backbone, neck, head and AGM. Every default is NanoDet-Plus-m's."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from nanoedge.config.base import PositiveFloat, PositiveInt, StrictModel

ActivationName = Literal["relu", "relu6", "leaky_relu", "hard_swish", "silu"]
BackboneName = Literal["shufflenet_v2", "ghostnet", "efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"]

IMAGENET_ACTIVATIONS: dict[str, ActivationName] = dict.fromkeys(
    ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"), "relu6"
)
"""Backbones with published ImageNet weights, and the activation that these were trained with."""


class BackboneConfig(StrictModel):
    """The feature extractor; it yields features at strides 8, 16 and 32."""

    name: BackboneName = Field("shufflenet_v2", description="architecture")
    width: PositiveFloat = Field(
        1.0, description="width multiplier; shufflenet_v2 has 0.5, 1.0, 1.5 and 2.0, efficientnet_lite0 to 2 have 1.0"
    )
    activation: ActivationName = Field("leaky_relu", description="activation function")

    @model_validator(mode="after")
    def _width_exists(self) -> BackboneConfig:
        if self.name == "shufflenet_v2" and self.width not in (0.5, 1.0, 1.5, 2.0):
            raise ValueError(f"shufflenet_v2 has the widths 0.5, 1.0, 1.5 and 2.0, not {self.width}")
        if self.name in IMAGENET_ACTIVATIONS and self.width != 1:
            raise ValueError(f"{self.name} has the width 1.0 only, not {self.width}; its number is its size")
        if self.width > 4:
            raise ValueError(f"a width of {self.width} is more than 4")
        return self


class NeckConfig(StrictModel):
    """GhostPAN: fuses the backbone's features top-down and bottom-up."""

    name: Literal["ghost_pan"] = Field("ghost_pan", description="architecture")
    channels: PositiveInt = Field(96, description="channels of every level")
    kernel_size: Literal[3, 5, 7] = Field(5, description="kernel of the depth-wise convolutions")
    extra_levels: Annotated[int, Field(ge=0, le=2)] = Field(1, description="levels added above the backbone's last")
    activation: ActivationName = Field("leaky_relu", description="activation function")


class HeadConfig(StrictModel):
    """NanoDet-Plus head: per level, classes and box distributions from one branch."""

    name: Literal["nanodet_plus"] = Field("nanodet_plus", description="architecture")
    channels: PositiveInt = Field(96, description="channels of the stacked convolutions")
    stacked_convs: Annotated[int, Field(ge=1, le=8)] = Field(2, description="depth-wise separable convolutions a level")
    kernel_size: Literal[3, 5, 7] = Field(5, description="kernel of the depth-wise convolutions")
    reg_max: Annotated[int, Field(ge=1, le=64)] = Field(7, description="largest box side in strides")
    activation: ActivationName = Field("leaky_relu", description="activation function")


class AssignGuidanceConfig(StrictModel):
    """The assign guidance module (AGM): a second neck and a heavier head that exist in training only."""

    enabled: bool = Field(True, description="train with the AGM")
    channels: PositiveInt = Field(192, description="channels of the auxiliary head; twice the neck's")
    stacked_convs: Annotated[int, Field(ge=1, le=8)] = Field(4, description="3x3 convolutions a branch")
    detach_epoch: Annotated[int, Field(ge=0)] = Field(
        10, description="from this epoch on the AGM's gradients no longer reach the backbone and the main neck"
    )


class ModelConfig(StrictModel):
    """The whole network."""

    backbone: BackboneConfig = BackboneConfig()
    neck: NeckConfig = NeckConfig()
    head: HeadConfig = HeadConfig()
    agm: AssignGuidanceConfig = AssignGuidanceConfig()

    @model_validator(mode="after")
    def _groups_fit(self) -> ModelConfig:
        if self.neck.channels % 2:
            raise ValueError(f"neck.channels must be even for Ghost modules, not {self.neck.channels}")
        if self.agm.enabled and self.agm.channels % 32:
            raise ValueError(f"agm.channels must be a multiple of 32 for group normalisation, not {self.agm.channels}")
        return self

    @property
    def strides(self) -> tuple[int, ...]:
        """Strides of the neck's outputs, finest first."""
        return tuple(8 * 2**level for level in range(3 + self.neck.extra_levels))
