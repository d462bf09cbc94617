"""The splits that a configuration trains and measures on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nanoedge.config.schema import Config, SplitConfig
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
    data = config.data
    root = Path(data.root).expanduser()
    given = None if data.format == "auto" else data.format

    def read(name: str, split: SplitConfig, classes: Sequence[str] | None) -> tuple[AnnotationSet, DatasetIndex]:
        images_setting = f"data.{name}.images (or data.root)"
        if split.annotations is not None and split.images is not None:
            settings = (f"data.{name}.annotations (or data.root)", images_setting)
            found = read_paths(root / split.annotations, root / split.images, name, settings)
        else:
            found = choose_set(root, split.split or name, given).read()
        return found, index_of(found, classes, data.bad_boxes, images_setting=images_setting)

    train, train_index = read("train", data.train, config.classes)
    val, val_index = read("val", data.val, train_index.classes)
    return Splits(train_index, val_index, (train, val))
