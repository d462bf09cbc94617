"""Running a detector over a data set and measuring it."""

from __future__ import annotations

from collections.abc import Callable

from nanoedge.data.index import DatasetIndex, Sample
from nanoedge.detections import Detections
from nanoedge.errors import DataError
from nanoedge.evaluation.coco_metrics import CocoMetrics, coco_metrics
from nanoedge.pictures import Picture, read_picture

Predict = Callable[[Picture], Detections]
Progress = Callable[[int, int], None]


def evaluate(predict: Predict, index: DatasetIndex, progress: Progress | None = None) -> CocoMetrics:
    """COCO metrics of `predict` on every picture of `index`.

    Args:
        predict: picture (uint8 BGR) to detections. It must use `EVALUATION_POSTPROCESS`; its class names must be
            `index.classes`.
        index: pictures and truth.
        progress: called with (pictures done, pictures in all).

    Raises:
        DataError: when a picture cannot be read or its size is not the annotated one.
    """
    found: dict[int, Detections] = {}
    for number, sample in enumerate(index.samples, start=1):
        found[sample.image_id] = predict(read_sample(sample))
        if progress is not None:
            progress(number, len(index))
    return coco_metrics(index, found)


def read_sample(sample: Sample) -> Picture:
    """The picture of a sample, if it has the annotated size.

    Raises:
        DataError: when it cannot be read or its size differs.
    """
    picture = read_picture(sample.path)
    height, width = picture.shape[:2]
    if (width, height) != (sample.width, sample.height):
        raise DataError(
            f"{sample.path} is {width}x{height} pixels (turned as its EXIF data say), but image {sample.image_id} is "
            f"annotated as {sample.width}x{sample.height}; the boxes would lie in the wrong place."
        )
    return picture
