"""One index for every annotation format: which picture holds which boxes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sample:
    """One picture and its boxes.

    Attributes:
        image_id: the annotation file's id of the picture.
        path: the picture file.
        width: of the (turned) picture as annotated, pixels.
        height: likewise.
        boxes_xyxy: float32 [G, 4], pixels of the picture.
        class_ids: int64 [G], indices into the index's classes.
        areas: float32 [G], pixels squared, as annotated (COCO's is the mask's, not the box's).
        ignore_xyxy: float32 [R, 4], crowd regions.
        ignore_class_ids: int64 [R].
    """

    image_id: int
    path: Path
    width: int
    height: int
    boxes_xyxy: FloatArray
    class_ids: IntArray
    areas: FloatArray
    ignore_xyxy: FloatArray
    ignore_class_ids: IntArray


@dataclass(frozen=True, eq=False)
class DatasetIndex:
    """A data set, read and checked; pictures are not opened.

    Attributes:
        source: what it was read from, for messages.
        classes: class names in the order of `class_ids`.
        samples: one entry a picture, with or without boxes.
        clipped_boxes: how many boxes reached beyond their picture and were clipped.
        dropped_boxes: how many unusable boxes were left out (`bad_boxes: drop`).
    """

    source: str
    classes: tuple[str, ...]
    samples: tuple[Sample, ...]
    clipped_boxes: int = 0
    dropped_boxes: int = 0
    fingerprint: str = field(default="")

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def box_count(self) -> int:
        """Boxes in all pictures, crowd regions left out."""
        return sum(len(sample.boxes_xyxy) for sample in self.samples)


def fingerprint_of(*files: Path) -> str:
    """sha256 of the annotation files' bytes, shortened to 16 hexadecimal digits: names the data in a bundle."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
