"""The typed schema of a training configuration. Every default is the published NanoDet-Plus-m recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from nanoedge.config.base import Fraction, PositiveFloat, PositiveInt, StrictModel
from nanoedge.config.interface import ClassNames, DecoderSpec, InputSpec, Interface, PostprocessSpec
from nanoedge.config.network import IMAGENET_ACTIVATIONS, ModelConfig
from nanoedge.config.recipes import SHIPPED_RECIPES, RecipeName, filled_in, recipe_for

Range = tuple[float, float]
PUBLISHED_BATCH = 96


def _one_or_several(given: object) -> object:
    """`backbone` is `[backbone]`."""
    return (given,) if isinstance(given, str) else given


class AssignerConfig(StrictModel):
    """Dynamic soft label assignment."""

    name: Literal["dynamic_soft_label"] = Field("dynamic_soft_label", description="assigner")
    candidates: PositiveInt = Field(13, description="best IoUs whose sum gives the number of positives of a box")
    iou_cost: PositiveFloat = Field(3.0, description="factor of -log(IoU) in the cost")
    predictions: Literal["agm", "head"] = Field(
        "agm", description="whose predictions assign after detach_epoch; agm is the published behaviour"
    )


class LossConfig(StrictModel):
    """Weights of the losses."""

    quality_focal: PositiveFloat = Field(1.0, description="weight of the quality focal loss (classes)")
    quality_focal_beta: PositiveFloat = Field(2.0, description="exponent of the quality focal loss")
    distribution_focal: PositiveFloat = Field(0.25, description="weight of the distribution focal loss (box sides)")
    giou: PositiveFloat = Field(2.0, description="weight of the generalised IoU loss (boxes)")


class DistillationConfig(StrictModel):
    """Learning from a larger trained network, too, on top of labels and AGM."""

    teacher: str | None = Field(None, description="checkpoint of a trained network that knows all classes")
    weight: Annotated[float, Field(ge=0)] = Field(
        1.0, description="weight of the teacher's predictions beside the labels; 0 leaves the teacher out"
    )
    box_weight: Annotated[float, Field(ge=0)] = Field(
        0.25, description="weight of its box distributions beside its class scores; needs the same head.reg_max"
    )
    temperature: PositiveFloat = Field(10.0, description="softens the box distributions of both")
    fingerprint: str | None = Field(
        None, description="sha256 of the teacher's file, filled in by the run: another file is then refused"
    )


class SplitConfig(StrictModel):
    """One part of a data set: the name of a split, or a COCO JSON file (or VOC's XML files) and their pictures."""

    split: str | None = Field(None, description="name of a split that is found in data.root, such as train or val")
    annotations: str | None = Field(
        None, description="COCO JSON, or VOC's folder of XML files or a list of ImageSets/Main; relative to data.root"
    )
    images: str | None = Field(None, description="folder of the pictures; relative to data.root")

    @model_validator(mode="before")
    @classmethod
    def _a_name_is_enough(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"split": value}
        if isinstance(value, Mapping) and value.get("annotations") and value.get("images"):
            return {**value, "split": None}  # paths on the command line are stronger than a file's name
        return value

    @model_validator(mode="after")
    def _one_way(self) -> SplitConfig:
        paths = (self.annotations, self.images)
        if None in paths and (self.split is None or paths != (None, None)):
            raise ValueError("give the name of a split, or both annotations and images")
        return self


class DataConfig(StrictModel):
    """Where the data lie and how they are read."""

    root: str = Field(".", description="folder of the data set; other paths are relative to it")
    format: Literal["auto", "coco", "voc", "yolo"] = Field("auto", description="which annotations in it are meant")
    train: SplitConfig = Field(SplitConfig(split="train"), description="pictures to learn from")
    val: SplitConfig = Field(SplitConfig(split="val"), description="pictures to measure on")
    workers: Annotated[int, Field(ge=0, le=64)] = Field(2, description="processes that load pictures")
    bad_boxes: Literal["error", "drop"] = Field("error", description="what happens to boxes of no size")
    cache: Literal["none", "memory", "disk"] = Field("none", description="where decoded training pictures are kept")
    cache_folder: str | None = Field(None, description="of cache: disk; null is ~/.cache/nanoedge/pictures")
    reduced_decoding: bool = Field(
        True, description="decode large JPEGs at a half, a quarter or an eighth where augmentation needs no more"
    )


class AugmentationConfig(StrictModel):
    """Random changes to a training picture: mosaic, one warp, colours, damage. `probability` is that of each change
    from `scale` to `saturation`; the others have their own."""

    probability: Fraction = Field(0.5, description="probability of each change from scale to saturation, but the flips")
    scale: Range = Field((0.6, 1.4), description="zoom factor")
    stretch: Range = Field((0.8, 1.2), description="separate factors for width and height")
    translate: Fraction = Field(0.2, description="largest shift as a share of the input size")
    flip: Fraction = Field(0.5, description="probability of a left-right flip")
    flip_vertical: Fraction = Field(0.0, description="probability of a top-bottom flip")
    brightness: Fraction = Field(0.2, description="largest shift of brightness as a share of 255")
    contrast: Range = Field((0.6, 1.4), description="contrast factor")
    saturation: Range = Field((0.5, 1.2), description="saturation factor")
    hue: Annotated[float, Field(ge=0, le=180)] = Field(0.0, description="largest turn of the hue, degrees")
    blur: Fraction = Field(0.0, description="probability of a Gaussian blur of up to 1.5 px")
    noise: Fraction = Field(0.0, description="probability of Gaussian noise of up to 12 grey levels")
    jpeg: Fraction = Field(0.0, description="probability of a JPEG's losses, quality 30 to 90")
    erase: Fraction = Field(0.0, description="probability of up to three erased rectangles")
    mosaic: Fraction = Field(0.0, description="probability that four pictures are put together into one")
    mosaic_scale: Range = Field((0.5, 1.0), description="size of a mosaic's pictures, in network inputs")
    mixup: Fraction = Field(0.0, description="probability that a second picture is blended in, with its boxes")
    close_epochs: Annotated[int, Field(ge=0)] = Field(0, description="last epochs without mosaic and mixup")
    multi_scale: Range = Field((1.0, 1.0), description="input size of a batch, as a factor; multiples of 32 px")
    min_box_size: Annotated[float, Field(ge=0)] = Field(2.0, description="smaller boxes after the warp are dropped, px")
    min_visible: Fraction = Field(0.1, description="boxes with a smaller visible share after the warp are dropped")

    @model_validator(mode="after")
    def _ranges_run_upwards(self) -> AugmentationConfig:
        for name in ("scale", "stretch", "contrast", "saturation", "mosaic_scale", "multi_scale"):
            low, high = getattr(self, name)
            if not 0 < low <= high:
                raise ValueError(f"{name} must be [low, high] with 0 < low <= high, not [{low}, {high}]")
        return self


class TrainingConfig(StrictModel):
    """Optimiser, schedule and bookkeeping."""

    epochs: PositiveInt = Field(300, description="passes over the training pictures")
    batch_size: PositiveInt | Literal["auto"] = Field(
        96, description="pictures of a batch, over all devices; auto is the most that fit in memory, up to 96"
    )
    accumulate: PositiveInt = Field(1, description="batches whose gradients are added up before a step")
    learning_rate: PositiveFloat = Field(1e-3, description="AdamW's learning rate after warm-up")
    final_learning_rate: PositiveFloat = Field(5e-5, description="learning rate at the end of the cosine")
    weight_decay: Annotated[float, Field(ge=0)] = Field(0.05, description="AdamW's weight decay")
    warmup_steps: Annotated[int, Field(ge=0)] = Field(500, description="steps of linear warm-up")
    gradient_clip: PositiveFloat = Field(35.0, description="largest norm of the gradient")
    ema_decay: Fraction = Field(0.9998, description="decay of the averaged weights, which are evaluated and exported")
    imagenet_backbone: bool = Field(
        False, description="start the backbone from ImageNet weights; efficientnet_lite0, 1 and 2 have them"
    )
    evaluate_every: PositiveInt = Field(10, description="epochs between two evaluations on data.val")
    early_stopping: Annotated[int, Field(ge=0)] = Field(
        0, description="evaluations in a row without a better AP after which a run ends; 0 trains all epochs"
    )
    keep_every: Annotated[int, Field(ge=0)] = Field(
        0, description="epochs between two checkpoints/epoch-N.ckpt that are kept; 0 keeps none"
    )
    deterministic: bool = Field(
        False, description="only algorithms that give the same bits each time; slower on a GPU, the same on a CPU"
    )
    report: bool = Field(True, description="whether the run ends with a report.html")
    seed: Annotated[int, Field(ge=0)] = Field(0, description="seed of weights, order and augmentation")
    accelerator: Literal["auto", "cpu", "gpu", "mps"] = Field("auto", description="Lightning accelerator")
    devices: PositiveInt = Field(1, description="devices (on a CPU: processes); each takes a part of a batch")
    precision: Literal["fp32", "bf16", "fp16"] = Field(
        "fp32", description="what convolutions are calculated in while training; weights and losses stay fp32"
    )
    compile: bool = Field(False, description="let torch.compile translate the network before the first step")
    threads: Annotated[int, Field(ge=0)] = Field(0, description="CPU threads of PyTorch; 0 leaves its choice")
    freeze: Annotated[tuple[str, ...], BeforeValidator(_one_or_several)] = Field(
        (), description="parts of the network that do not learn, such as [backbone] or [backbone.stem, backbone.stage2]"
    )
    freeze_norms: bool = Field(
        False, description="keep the statistics of all batch norms; their weights and biases still learn"
    )
    recompute: bool = Field(
        True, description="compute activated maps again in the backward pass, for half of the memory of a step"
    )

    @model_validator(mode="after")
    def _schedule_goes_down(self) -> TrainingConfig:
        if self.final_learning_rate > self.learning_rate:
            raise ValueError("final_learning_rate is larger than learning_rate")
        return self

    @property
    def pictures_a_batch(self) -> int:
        """`batch_size`; the published 96 as long as it is `auto`."""
        return PUBLISHED_BATCH if self.batch_size == "auto" else self.batch_size


class Config(StrictModel):
    """One training run."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="names the run and its bundle")
    recipe: RecipeName = Field(
        "auto",
        description="settings for augmentation and training that this file does not state; auto takes small-data below "
        "5,000 training pictures; fine-tuning is for a start with --weights",
    )
    classes: ClassNames | None = Field(None, description="class names; null takes the training data's")
    model: ModelConfig = ModelConfig()
    input: InputSpec = InputSpec()
    postprocess: PostprocessSpec = PostprocessSpec()
    assigner: AssignerConfig = AssignerConfig()
    loss: LossConfig = LossConfig()
    distillation: DistillationConfig = DistillationConfig()
    data: DataConfig = DataConfig()
    augmentation: AugmentationConfig = AugmentationConfig()
    training: TrainingConfig = TrainingConfig()

    @model_validator(mode="before")
    @classmethod
    def _recipe_fills_in(cls, document: Any) -> Any:
        known = isinstance(document, Mapping) and document.get("recipe") in SHIPPED_RECIPES
        return filled_in(document, document["recipe"]) if known else document

    @model_validator(mode="after")
    def _input_fits_the_network(self) -> Config:
        check_input_size(self.input.width, self.input.height)
        return self

    @model_validator(mode="after")
    def _imagenet_weights_exist(self) -> Config:
        name, activation = self.model.backbone.name, self.model.backbone.activation
        if not self.training.imagenet_backbone:
            return self
        if name not in IMAGENET_ACTIVATIONS:
            raise ValueError(
                f"no ImageNet weights are published for {name}, only for {', '.join(IMAGENET_ACTIVATIONS)}; "
                "training.imagenet_backbone must be false"
            )
        if activation != IMAGENET_ACTIVATIONS[name]:
            raise ValueError(
                f"the ImageNet weights of {name} were trained with {IMAGENET_ACTIVATIONS[name]}, not with "
                f"{activation}; training.imagenet_backbone must be false"
            )
        return self

    def for_pictures(self, count: int) -> Config:
        """This configuration for a training set of that many pictures: `recipe: auto` becomes the recipe it means."""
        if self.recipe != "auto":
            return self
        stated = self.model_dump(exclude_unset=True)
        return Config.model_validate({**stated, "recipe": recipe_for(count)})

    def interface(self, classes: tuple[str, ...]) -> Interface:
        """Input, decoder and post-processing of the trained network with these class names."""
        return Interface(
            classes=classes,
            input=self.input,
            decoder=DecoderSpec(strides=self.model.strides, reg_max=self.model.head.reg_max),
            postprocess=self.postprocess,
        )


def check_input_size(width: int, height: int) -> None:
    """Refuse sizes that the network cannot take: the neck adds features upsampled from stride 32.

    Raises:
        ValueError: when a side is no multiple of 32.
    """
    if width % 32 or height % 32:
        raise ValueError(f"the input size {width}x{height} must be a multiple of 32 in both directions")
