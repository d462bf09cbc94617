"""What the network will really see: training pictures after augmentation, validation pictures as they are prepared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nanoedge.config.schema import Config
from nanoedge.data.augmentation.warp import WarpParameters, warp_boxes, warp_matrix, warp_picture
from nanoedge.data.index import Sample
from nanoedge.data.loader import TrainingLoader, training_dataset
from nanoedge.data.picture_source import PictureSource
from nanoedge.data.splits import Splits
from nanoedge.detections import Detections
from nanoedge.errors import InputError
from nanoedge.pictures import Picture

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Seen:
    """One picture as the network gets it: uint8 BGR of the input's size, its boxes, and its file's name.

    Attributes:
        picture: uint8 [H, W, 3], BGR.
        truth: its boxes, pixels of the network's input; the scores are 1.
        ignore_xyxy: float32 [R, 4], regions in which nothing is background, likewise.
        name: of its file.
    """

    picture: Picture
    truth: Detections
    ignore_xyxy: FloatArray
    name: str


def seen_in_training(splits: Splits, config: Config, count: int, epoch: int = 0) -> list[Seen]:
    """The first pictures of an epoch, in the order and with the changes that a training would use.

    Args:
        splits: the data.
        config: with its recipe chosen (`Config.for_pictures`).
        count: how many.
        epoch: from 0; late epochs may have closed mosaic and mixup.

    Raises:
        InputError: for an epoch that the run does not have.
        NanoEdgeError: when a picture cannot be read.
    """
    if not 0 <= epoch < config.training.epochs:
        raise InputError(f"The run has the epochs 1 to {config.training.epochs}, not {epoch + 1}.")
    loader = TrainingLoader(training_dataset(splits.train, config), config.training.pictures_a_batch, workers=0)
    loader.order.set_epoch(epoch)
    seen = []
    for place in list(loader.order)[:count]:
        sample = loader.training_set.sample(*place)
        pixels = np.clip(np.rint(sample.picture.numpy().transpose(1, 2, 0)), 0, 255).astype(np.uint8)
        truth = _truth(sample.boxes_xyxy.numpy(), sample.class_ids.numpy(), splits.train.classes)
        seen.append(Seen(np.ascontiguousarray(pixels), truth, sample.ignore_xyxy.numpy(), sample.name))
    return seen


def seen_in_evaluation(splits: Splits, config: Config, count: int) -> list[Seen]:
    """The first validation pictures, prepared as evaluation and the runtime do."""
    source = PictureSource(splits.val)
    numbers = range(min(count, len(splits.val)))
    classes = splits.val.classes
    return [
        prepared_for_evaluation(source.read(number)[0], splits.val.samples[number], config, classes)
        for number in numbers
    ]


def prepared_for_evaluation(pixels: Picture, sample: Sample, config: Config, classes: tuple[str, ...]) -> Seen:
    """One picture without augmentation, resized as the configuration's input says, and its boxes with it.

    Args:
        pixels: the whole picture, uint8 [H, W, 3], BGR.
        sample: its boxes.
        config: of the network.
        classes: the names of the sample's class ids.
    """
    spec = config.input
    size, out_size = (sample.width, sample.height), (spec.width, spec.height)
    matrix = warp_matrix(size, out_size, WarpParameters(), spec.place(*size))
    boxes, _ = warp_boxes(sample.boxes_xyxy, matrix, out_size)
    ignore, _ = warp_boxes(sample.ignore_xyxy, matrix, out_size)
    picture = warp_picture(pixels, matrix, out_size, spec.pad_value)
    return Seen(picture, _truth(boxes, sample.class_ids, classes), ignore, sample.path.name)


def _truth(boxes_xyxy: np.ndarray, class_ids: np.ndarray, classes: tuple[str, ...]) -> Detections:
    return Detections.of(boxes_xyxy.tolist(), [1.0] * len(class_ids), class_ids.tolist(), classes)
