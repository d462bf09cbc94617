"""Which annotated pictures are looked at: those that a person names, or the first ones with objects."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from nanoedge.config.schema import Config
from nanoedge.data.index import DatasetIndex, Sample
from nanoedge.data.picture_source import PictureSource
from nanoedge.data.splits import read_split
from nanoedge.errors import DataError, InputError
from nanoedge.pictures import Picture

SplitName = Literal["train", "val"]


@dataclass(frozen=True, eq=False)
class ChosenPicture:
    """One annotated picture and the split that it is from."""

    split: SplitName
    sample: Sample
    read: Callable[[], Picture]


def choose_pictures(
    config: Config, classes: Sequence[str], names: Sequence[str], split: str | None, count: int
) -> list[ChosenPicture]:
    """The pictures that were asked for, in that order.

    Args:
        config: where the data lie.
        classes: the network's class names.
        names: of each picture a path, a file's name (with or without folders and suffix), or its number: the id in the
            annotations. None takes the first pictures with objects.
        split: `train` or `val`; `None` looks for names in val, then in train, and takes unnamed pictures from val.
        count: how many, when none is named.

    Raises:
        InputError: for an unknown split, or a name that no picture or more than one has.
        DataError: when the annotations are broken.
    """
    if split is not None and split not in get_args(SplitName):
        raise InputError(f"The split is train or val, not {split!r}.")
    order: tuple[SplitName, ...] = ("val", "train") if split is None else ("val",) if split == "val" else ("train",)
    indices: dict[SplitName, DatasetIndex] = {}

    def index(name: SplitName) -> DatasetIndex:
        if name not in indices:
            indices[name] = read_split(config, name, classes)[1]
        return indices[name]

    if names:
        return [_find(text, order, index) for text in names]
    first = index(order[0])
    numbers = [number for number, sample in enumerate(first.samples) if len(sample.boxes_xyxy)][:count]
    if not numbers:
        raise DataError(f"No picture of {first.source} has an object: there is nothing to assign.")
    return [_chosen(order[0], first, number) for number in numbers]


def _find(text: str, order: Sequence[SplitName], index: Callable[[SplitName], DatasetIndex]) -> ChosenPicture:
    for split in order:
        found = index(split)
        matches = _matches(text, found.samples)
        if len(matches) > 1:
            names = ", ".join(str(found.samples[number].path) for number in matches[:3])
            raise InputError(
                f"{len(matches)} pictures of {split} are called {text!r} ({names}, …): give more of the path."
            )
        if matches:
            return _chosen(split, found, matches[0])
    places = " and ".join(f"{split} ({index(split).source})" for split in order)
    raise InputError(
        f"No picture of {places} is {text!r}. A picture is named by its file or by its id in the annotations; one "
        "without annotations has no objects to assign."
    )


def _matches(text: str, samples: Sequence[Sample]) -> list[int]:
    """Numbers of the samples that a name means; the strictest reading that fits any counts."""
    wanted = Path(text)
    here = Path(os.path.abspath(text))
    readings: tuple[Callable[[Sample], bool], ...] = (
        lambda sample: Path(os.path.abspath(sample.path)) == here,
        lambda sample: sample.path.parts[-len(wanted.parts) :] == wanted.parts,
        lambda sample: sample.path.stem == text,
        lambda sample: text.isdecimal() and sample.image_id == int(text),
    )
    for fits in readings:
        matches = [number for number, sample in enumerate(samples) if fits(sample)]
        if matches:
            return matches
    return []


def _chosen(split: SplitName, index: DatasetIndex, number: int) -> ChosenPicture:
    return ChosenPicture(split, index.samples[number], lambda: PictureSource(index).read(number)[0])
