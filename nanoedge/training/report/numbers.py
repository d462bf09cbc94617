"""What the report says in numbers: the epochs, the speed, the classes, what the configuration changes."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from nanoedge.config.documents import shipped_configs
from nanoedge.config.load import load_config
from nanoedge.config.schema import Config
from nanoedge.data.index import DatasetIndex
from nanoedge.errors import ConfigError
from nanoedge.evaluation.best_scores import BestScore, BestScores
from nanoedge.evaluation.coco_metrics import CocoEvaluation
from nanoedge.training.callbacks.metrics_file import LOSS_TERMS


@dataclass(frozen=True)
class Epoch:
    """One row of `metrics.csv`.

    Attributes:
        number: from 1.
        learning_rate: at its end.
        loss: of the training, mean of its steps.
        terms: parts of the loss that were written, `head_giou` for example.
        metrics: AP, AP50 and AP75 of the validation pictures; empty for an epoch without evaluation.
        seconds: of the whole epoch.
        evaluation_seconds: those of them that the evaluation took; `None` in a file of before this column.
    """

    number: int
    learning_rate: float
    loss: float
    terms: dict[str, float]
    metrics: dict[str, float]
    seconds: float
    evaluation_seconds: float | None


@dataclass(frozen=True)
class Speed:
    """How fast a run was.

    Attributes:
        epoch_seconds: median of the epochs, without evaluation.
        pictures_per_second: training pictures in that time.
        evaluation_seconds: median of the evaluations; `None` where it was not written down.
        total_seconds: all epochs together.
    """

    epoch_seconds: float
    pictures_per_second: float
    evaluation_seconds: float | None
    total_seconds: float


@dataclass(frozen=True)
class ClassRow:
    """One class.

    Attributes:
        place: in the class list.
        name: of the class.
        train_boxes: true boxes to learn from.
        val_boxes: true boxes to measure on.
        ap: COCO's AP; -1 without a true box.
        ap50: at IoU 0.5; likewise.
        best: threshold with the largest F1; `None` where nothing right is found.
    """

    place: int
    name: str
    train_boxes: int
    val_boxes: int
    ap: float
    ap50: float
    best: BestScore | None


def read_epochs(path: Path) -> list[Epoch]:
    """The rows of `metrics.csv`; none when it is not there. A row that was cut off is left out."""
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error):
        return []
    epochs = []
    for row in rows:
        try:
            epochs.append(_epoch(row))
        except (KeyError, ValueError, TypeError):
            continue
    return epochs


def _epoch(row: Mapping[str, str | None]) -> Epoch:
    evaluation = row.get("val_seconds")
    return Epoch(
        number=int(row["epoch"] or ""),
        learning_rate=float(row["learning_rate"] or ""),
        loss=float(row["train_loss"] or ""),
        terms={term: float(value) for term in LOSS_TERMS if (value := row.get(term))},
        metrics={name: float(value) for name in ("AP", "AP50", "AP75") if (value := row.get(f"val_{name}"))},
        seconds=float(row["seconds"] or ""),
        evaluation_seconds=float(evaluation) if evaluation else None,
    )


def best_epoch(epochs: Sequence[Epoch]) -> int | None:
    """Number of the first epoch with the best AP, whose weights are `best.ckpt`; `None` without an evaluation."""
    evaluated = [epoch for epoch in epochs if "AP" in epoch.metrics]
    return max(evaluated, key=lambda epoch: epoch.metrics["AP"]).number if evaluated else None


def speed_of(epochs: Sequence[Epoch], pictures: int) -> Speed | None:
    """The speed of training with `pictures` an epoch; `None` without an epoch."""
    if not epochs:
        return None
    training = median(max(0.0, epoch.seconds - (epoch.evaluation_seconds or 0)) for epoch in epochs)
    evaluations = [epoch.evaluation_seconds for epoch in epochs if epoch.metrics and epoch.evaluation_seconds]
    return Speed(
        epoch_seconds=training,
        pictures_per_second=pictures / max(training, 0.05),  # seconds are written to one decimal
        evaluation_seconds=median(evaluations) if evaluations else None,
        total_seconds=sum(epoch.seconds for epoch in epochs),
    )


def class_rows(train: DatasetIndex, val: DatasetIndex, evaluation: CocoEvaluation, best: BestScores) -> list[ClassRow]:
    """One row a class, in the order of the class list; `val` is what was measured."""
    in_train, in_val = boxes_per_class(train), boxes_per_class(val)
    return [
        ClassRow(
            place=place,
            name=name,
            train_boxes=in_train[place],
            val_boxes=in_val[place],
            ap=evaluation.metrics.per_class[name],
            ap50=evaluation.curves.average(place),
            best=best.per_class[place],
        )
        for place, name in enumerate(val.classes)
    ]


def boxes_per_class(index: DatasetIndex) -> list[int]:
    """True boxes of each class, crowd regions left out."""
    ids = np.concatenate([np.zeros(0, np.int64), *(sample.class_ids for sample in index.samples)])
    return [int(count) for count in np.bincount(ids, minlength=len(index.classes))]


def differences(config: Config, train_pictures: int) -> list[tuple[str, str, str]] | None:
    """What a run's configuration changes in the shipped one of its name: key, shipped value, own value.

    `None` when none of that name ships.
    """
    if config.name not in shipped_configs():
        return None
    try:
        shipped = load_config(config.name).for_pictures(train_pictures)
    except ConfigError:
        return None
    before, after = _flat(shipped.model_dump(mode="json")), _flat(config.model_dump(mode="json"))
    keys = dict.fromkeys([*before, *after])
    return [
        (key, str(before.get(key, "")), str(after.get(key, ""))) for key in keys if before.get(key) != after.get(key)
    ]


def _flat(document: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in document.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat
