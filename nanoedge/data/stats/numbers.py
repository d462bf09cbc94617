"""Counts and distributions of a data set's pictures and boxes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nanoedge.config.schema import Config
from nanoedge.data.annotations import AnnotationSet
from nanoedge.data.boxes import problem_of_box
from nanoedge.data.check.network import sides_in_input
from nanoedge.data.folder import find_sets, what_is_looked_for
from nanoedge.errors import InputError

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SplitStatistics:
    """One split.

    Attributes:
        name: format and split.
        pictures: how many.
        negatives: how many of them have no box.
        boxes: how many, crowd regions left out.
        crowds: crowd regions.
        unusable: boxes of no size, of unknown classes, or outside their picture; left out of everything below.
        per_class: class name to number of boxes.
        sizes: picture size (width, height) to number of pictures.
        objects: float64 [pictures], boxes of each.
        sides: float64 [boxes, 2], width and height in pixels of the network's input.
        aspects: float64 [boxes], width / height in the picture.
        per_stride: stride to share of boxes for which it is the finest that can hold them.
    """

    name: str
    pictures: int
    negatives: int
    boxes: int
    crowds: int
    unusable: int
    per_class: dict[str, int]
    sizes: dict[tuple[int, int], int]
    objects: FloatArray
    sides: FloatArray
    aspects: FloatArray
    per_stride: dict[int, float]

    def as_json(self) -> dict[str, Any]:
        """Plain values; distributions as quartiles."""
        return {
            "name": self.name,
            "pictures": self.pictures,
            "negatives": self.negatives,
            "boxes": self.boxes,
            "crowds": self.crowds,
            "unusable_boxes": self.unusable,
            "per_class": self.per_class,
            "picture_sizes": {f"{width}x{height}": count for (width, height), count in self.sizes.items()},
            "objects_per_picture": quartiles(self.objects),
            "box_width_in_input": quartiles(self.sides[:, 0]),
            "box_height_in_input": quartiles(self.sides[:, 1]),
            "box_aspect_ratio": quartiles(self.aspects),
            "share_per_stride": {str(stride): round(share, 4) for stride, share in self.per_stride.items()},
        }


def folder_statistics(folder: Path, config: Config, format: str | None = None) -> list[SplitStatistics]:
    """Statistics of every split of a folder.

    Args:
        folder: of the data set.
        config: whose input size and head the boxes are seen with.
        format: coco, voc or yolo; `None` takes all that are there.

    Raises:
        InputError: when there is nothing to read.
        DataError: when a split cannot be read at all.
    """
    found = find_sets(folder, format)
    if not found:
        raise InputError(f"{folder} holds no annotations that can be read: {what_is_looked_for(format)}")
    return [statistics(each.read(), config) for each in found]


def statistics(found: AnnotationSet, config: Config) -> SplitStatistics:
    """Statistics of one split."""
    usable = []
    for box in found.boxes:
        problem = problem_of_box(box, found)
        if problem is None or problem.severity != "error":
            usable.append(box)
    objects = [box for box in usable if not box.crowd]
    per_picture = Counter(id(box.picture) for box in objects)
    labels = Counter(box.label for box in objects)
    sides = [sides for box in objects if (sides := sides_in_input(box, config)) is not None]
    corners = np.array([box.corners for box in objects]).reshape(-1, 4)
    widths, heights = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
    in_input = np.array(sides).reshape(-1, 2)
    sizes = Counter((picture.width, picture.height) for picture in found.pictures)
    return SplitStatistics(
        name=found.name,
        pictures=len(found.pictures),
        negatives=sum(id(picture) not in per_picture for picture in found.pictures),
        boxes=len(objects),
        crowds=sum(box.crowd for box in usable),
        unusable=len(found.boxes) - len(usable),
        per_class={name: labels[name] for name in found.classes},
        sizes=dict(sizes.most_common()),
        objects=np.array([per_picture[id(picture)] for picture in found.pictures], np.float64),
        sides=in_input,
        aspects=widths / heights,
        per_stride=stride_shares(in_input, config.model.strides, config.model.head.reg_max),
    )


def stride_shares(sides: FloatArray, strides: Sequence[int], reg_max: int) -> dict[int, float]:
    """For each stride the share of boxes [G, 2] for which it is the finest that can hold them.

    A prior's distance to a side is at most `reg_max` strides, so that a box around it is held by a stride when half its
    longer side is not more than that. What is larger counts for the coarsest stride. Training may choose a coarser one.
    """
    if not len(sides):
        return dict.fromkeys(strides, 0.0)
    finest = np.searchsorted(np.array(strides) * reg_max, sides.max(axis=1) / 2)
    counts = np.bincount(np.minimum(finest, len(strides) - 1), minlength=len(strides))
    return {stride: float(count / len(sides)) for stride, count in zip(strides, counts, strict=True)}


def quartiles(values: FloatArray) -> dict[str, float]:
    """Smallest, quartiles and largest of a distribution; empty for none."""
    if not len(values):
        return {}
    names = ("min", "q1", "median", "q3", "max")
    return {
        name: round(float(value), 3)
        for name, value in zip(names, np.percentile(values, [0, 25, 50, 75, 100]), strict=True)
    }
