"""What the outside must know of a network: its input, how its output is decoded, and the post-processing.

The same three models stand in a training configuration's checkpoint and in a bundle's manifest, so that a picture is
prepared and a tensor decoded in one way only.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from nanoedge.config.base import Fraction, PositiveFloat, StrictModel

Triple = tuple[float, float, float]
InputSide = Annotated[int, Field(ge=32, le=4096)]
Stride = Annotated[int, Field(ge=1, le=4096)]


def _without_doubles(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) != len(names):
        raise ValueError("two classes have the same name")
    return names


ClassNames = Annotated[tuple[str, ...], Field(min_length=1, max_length=100_000), AfterValidator(_without_doubles)]


class InputSpec(StrictModel):
    """How a picture becomes the network's input tensor [1, 3, height, width], float32."""

    width: InputSide = Field(320, description="width of the network's input, pixels")
    height: InputSide = Field(320, description="height of the network's input, pixels")
    channels: Literal["bgr"] = Field("bgr", description="order of the colour channels")
    resize: Literal["stretch", "letterbox"] = Field("stretch", description="stretch, or keep the aspect ratio and pad")
    pad_value: Annotated[int, Field(ge=0, le=255)] = Field(0, description="grey level of letterbox padding")
    mean: Triple = Field((103.53, 116.28, 123.675), description="subtracted from each channel, 0..255")
    std: tuple[PositiveFloat, PositiveFloat, PositiveFloat] = Field(
        (57.375, 57.12, 58.395), description="each channel is divided by this after the mean is subtracted"
    )

    def place(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Where a picture of this size comes to lie in the input: left, top, width, height in pixels of the input."""
        if self.resize == "stretch":
            return 0, 0, self.width, self.height
        scale = min(self.width / width, self.height / height)
        inner_width = min(self.width, max(1, round(width * scale)))
        inner_height = min(self.height, max(1, round(height * scale)))
        return (self.width - inner_width) // 2, (self.height - inner_height) // 2, inner_width, inner_height


class DecoderSpec(StrictModel):
    """How the output [priors, classes + 4 * (reg_max + 1)] becomes boxes."""

    type: Literal["nanodet-plus"] = "nanodet-plus"
    strides: tuple[Stride, ...] = Field((8, 16, 32, 64), min_length=1, max_length=16)
    reg_max: Annotated[int, Field(ge=1, le=1024)] = 7
    prior_offset: Fraction = 0.0
    scores: Literal["logits"] = "logits"

    def prior_count(self, width: int, height: int) -> int:
        """The number of priors for an input of `width` x `height` pixels; each level's size is rounded up."""
        return sum(-(-width // stride) * -(-height // stride) for stride in self.strides)


class PostprocessSpec(StrictModel):
    """Which decoded boxes are reported."""

    score_threshold: Fraction = Field(0.35, description="boxes with a lower or equal score are dropped")
    nms_iou: Fraction = Field(0.6, description="a box is dropped when it overlaps a better one by more than this IoU")
    max_detections: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        100, description="at most this many boxes a picture"
    )
    class_aware: bool = Field(True, description="compare only boxes of the same class in non-maximum suppression")


EVALUATION_POSTPROCESS = PostprocessSpec(score_threshold=0.05, nms_iou=0.6, max_detections=100, class_aware=True)
"""Evaluation uses these whatever a bundle's defaults are, so that figures can be compared."""


class Interface(StrictModel):
    """Input, decoder and post-processing of one detector, with its class names."""

    classes: ClassNames
    input: InputSpec
    decoder: DecoderSpec
    postprocess: PostprocessSpec

    @property
    def output_channels(self) -> int:
        """Width of the network's output: one logit a class and four distributions over 0..reg_max."""
        return len(self.classes) + 4 * (self.decoder.reg_max + 1)

    @property
    def prior_count(self) -> int:
        """Number of priors at the input size."""
        return self.decoder.prior_count(self.input.width, self.input.height)
