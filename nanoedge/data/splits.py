"""The splits that a configuration trains and measures on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nanoedge.config.schema import Config
from nanoedge.data.annotations import AnnotationSet
from nanoedge.data.folder import choose_set, read_paths
from nanoedge.data.index import DatasetIndex, index_of


@dataclass(frozen=True, eq=False)
class Splits:
    """Both splits, ready for training and as they were annotated."""

    train: DatasetIndex
    val: DatasetIndex
    sets: tuple[AnnotationSet, AnnotationSet]


def read_splits(config: Config) -> Splits:
    """Read `data.train` and `data.val`.

    Raises:
        InputError: when there is no such split.
        DataError: the first thing that is wrong with the annotations.
    """
    train, train_index = read_split(config, "train", config.classes)
    val, val_index = read_split(config, "val", train_index.classes)
    return Splits(train_index, val_index, (train, val))


def read_split(
    config: Config, name: Literal["train", "val"], classes: Sequence[str] | None
) -> tuple[AnnotationSet, DatasetIndex]:
    """Read `data.train` or `data.val` alone.

    Args:
        config: names the data.
        name: which of both.
        classes: the class names to use, in order; `None` takes the split's own.

    Raises:
        InputError: when there is no such split.
        DataError: the first thing that is wrong with the annotations.
    """
    data = config.data
    split = data.train if name == "train" else data.val
    root = Path(data.root).expanduser()
    images_setting = f"data.{name}.images (or data.root)"
    if split.annotations is not None and split.images is not None:
        settings = (f"data.{name}.annotations (or data.root)", images_setting)
        found = read_paths(root / split.annotations, root / split.images, name, settings)
    else:
        given = None if data.format == "auto" else data.format
        found = choose_set(root, split.split or name, given).read()
    return found, index_of(found, classes, data.bad_boxes, images_setting=images_setting)
