"""One index for every annotation format: which picture holds which boxes, checked and ready for training."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from nanoedge.data.annotations import AnnotatedBox, AnnotatedPicture, AnnotationSet, Corners
from nanoedge.data.boxes import DROPPABLE, clipped, problem_of_box
from nanoedge.errors import DataError

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
BadBoxes = Literal["error", "drop"]


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


def index_of(
    found: AnnotationSet,
    classes: Sequence[str] | None = None,
    bad_boxes: BadBoxes = "error",
    check_files: bool = True,
    images_setting: str = "--images",
) -> DatasetIndex:
    """What was read, checked box by box and clipped, for training or evaluation.

    Args:
        found: one split.
        classes: the class names to use, in order; `None` takes the set's.
        bad_boxes: `error`, or `drop` to leave out boxes of no size and boxes of unknown classes or pictures.
        check_files: whether each picture file must exist.
        images_setting: what the user calls the picture folder, for messages.

    Raises:
        DataError: the first thing that is wrong, with file, place and cure.
    """
    if classes is not None and not set(classes) & set(found.classes):
        raise DataError(
            f"{found.source}: none of the model's classes ({_some(classes)}) is a category of this file; "
            f"it has {_some(found.classes)}."
        )
    names = found.classes if classes is None else tuple(classes)
    for hindrance in found.problems:
        if hindrance.severity == "error":
            raise DataError(hindrance.sentence)
    if not found.pictures:
        raise DataError(f"{found.source} lists no pictures.")
    if check_files:
        for picture in found.pictures:
            if not os.path.isfile(picture.path):
                raise DataError(f"{picture.file}: {_absence(found, picture, images_setting)}")
    clipped_boxes = dropped = 0
    samples = []
    usable: dict[int, list[AnnotatedBox]] = {id(picture): [] for picture in found.pictures}
    for box in found.boxes:
        problem = problem_of_box(box, found, names)
        if problem is not None and problem.kind in DROPPABLE:
            if bad_boxes == "error":
                cure = "Mend it, or set data.bad_boxes=drop to leave such boxes out."
                raise DataError(dataclasses.replace(problem, cure=cure).sentence)
            dropped += 1
            continue
        clipped_boxes += problem is not None
        usable[id(box.picture)].append(box)
    place = {name: number for number, name in enumerate(names)}
    for picture in found.pictures:
        samples.append(_sample(picture, usable[id(picture)], place))
    return DatasetIndex(
        source=str(found.source),
        classes=names,
        samples=tuple(samples),
        clipped_boxes=clipped_boxes,
        dropped_boxes=dropped,
        fingerprint=fingerprint_of(*found.files),
    )


def _sample(picture: AnnotatedPicture, boxes: Sequence[AnnotatedBox], place: dict[str, int]) -> Sample:
    corners = [clipped(box.corners, picture) for box in boxes]
    objects = [number for number, box in enumerate(boxes) if not box.crowd]
    crowds = [number for number, box in enumerate(boxes) if box.crowd]
    areas = [area if (area := boxes[number].area) is not None else _area(corners[number]) for number in objects]
    return Sample(
        image_id=picture.id,
        path=picture.path,
        width=picture.width,
        height=picture.height,
        boxes_xyxy=np.array([corners[number] for number in objects], np.float32).reshape(-1, 4),
        class_ids=np.array([place[boxes[number].label] for number in objects], np.int64),
        areas=np.array(areas, np.float32),
        ignore_xyxy=np.array([corners[number] for number in crowds], np.float32).reshape(-1, 4),
        ignore_class_ids=np.array([place[boxes[number].label] for number in crowds], np.int64),
    )


def _area(corners: Corners) -> float:
    x1, y1, x2, y2 = corners
    return (x2 - x1) * (y2 - y1)


def _absence(found: AnnotationSet, picture: AnnotatedPicture, setting: str) -> str:
    folder, name = found.images, picture.name
    what = f"image {picture.id} is missing: there is no file {picture.path}"
    for base in (folder.parent, folder / "images"):
        if os.path.isfile(base / name):
            return f"{what}, but {base / name} is there. The file names are relative to {setting}; it should be {base}."
    return f"{what} (the file names are relative to {setting}). Is its folder or disk there?"


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:10])
    return shown if len(names) <= 10 else f"{shown} and {len(names) - 10} more"


def fingerprint_of(*files: Path) -> str:
    """sha256 of the annotation files' bytes, shortened to 16 hexadecimal digits: names the data in a bundle."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
