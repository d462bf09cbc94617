"""The report as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from nanoedge.config.schema import Config
from nanoedge.data.stats import page as statistics_page
from nanoedge.data.stats.numbers import SplitStatistics, quartiles
from nanoedge.evaluation.best_scores import BestScore
from nanoedge.evaluation.coco_metrics import CocoMetrics
from nanoedge.evaluation.matching import MATCHING_IOU
from nanoedge.pages.page import rendered
from nanoedge.training.report.numbers import ClassRow, Speed
from nanoedge.training.report.pictures import ShownPicture
from nanoedge.training.report.plots import confusion_heat_map

TEMPLATE = Path(__file__).with_name("page.html")
LARGEST_TABLE = 20  # classes; the confusion matrix of more is a heat map and a list
MOST_CONFUSIONS = 30
_METRICS = {
    "AP": "AP",
    "AP50": "AP50",
    "AP75": "AP75",
    "AP_small": "AP, small",
    "AP_medium": "AP, medium",
    "AP_large": "AP, large",
    "AR100": "AR100",
}


@dataclass(frozen=True, eq=False)
class Report:
    """All that the page says.

    Attributes:
        name: of the run.
        notes: sentences that the reader should know first.
        metrics: of the best weights.
        best_epoch: whose weights they are; `None` when it is not written down.
        epochs: trained.
        config: of the run.
        score: threshold of the confusion matrix and the pictures.
        measured: validation pictures behind the curves and the matrix.
        curves: title to plot, over the epochs.
        classes: one row a class.
        overall: the best threshold for all classes together.
        precision_recall: the plot; `None` without a true box.
        confusion: int64 [classes + 1, classes + 1] of `confusion_matrix`.
        best: pictures.
        worst: pictures.
        splits: statistics of the data.
        data_plots: title to plot.
        warnings: of the data's quick check.
        speed: of the training; `None` without a row.
        forward_ms: of the network, one picture, PyTorch on the CPU.
        threads: of that.
        machine: that this was measured on.
        starts: command lines, versions and machines.
        changed: key, shipped value, own value; `None` when no configuration of that name ships.
        made: date and time.
    """

    name: str
    notes: Sequence[str]
    metrics: CocoMetrics
    best_epoch: int | None
    epochs: int
    config: Config
    score: float
    measured: int
    curves: dict[str, str]
    classes: Sequence[ClassRow]
    overall: BestScore | None
    precision_recall: str | None
    confusion: npt.NDArray[np.int64]
    best: Sequence[ShownPicture]
    worst: Sequence[ShownPicture]
    splits: Sequence[SplitStatistics]
    data_plots: dict[str, str]
    warnings: Sequence[str]
    speed: Speed | None
    forward_ms: float
    threads: int
    machine: str
    starts: Sequence[dict[str, Any]]
    changed: Sequence[tuple[str, str, str]] | None
    made: str


def report_page(report: Report) -> str:
    """The page's text."""
    names = [row.name for row in report.classes]
    few = len(names) <= LARGEST_TABLE
    values = {
        "title": f"Training run {report.name}",
        "report": report,
        "cards": [(title, _fraction(getattr(report.metrics, key))) for key, title in _METRICS.items()],
        "names": names,
        "matrix": _cells(report.confusion) if few else None,
        "heat_map": None if few else confusion_heat_map(report.confusion),
        "confusions": confusions(report.confusion, names),
        "galleries": [("Worst pictures", report.worst), ("Best pictures", report.best)],
        "configuration": yaml.safe_dump(report.config.model_dump(mode="json"), sort_keys=False),
        "iou": MATCHING_IOU,
        "fraction": _fraction,
        "duration": _duration,
        "quartiles": quartiles,
        "splits": report.splits,
    }
    return rendered(TEMPLATE, values, includes=[statistics_page.TEMPLATE.parent])


def confusions(matrix: npt.NDArray[np.int64], names: Sequence[str]) -> list[tuple[str, str, int, float]]:
    """Which class was taken for which most often: truth, found, how often, as a share of the true boxes."""
    pairs = matrix[:-1, :-1].copy()
    np.fill_diagonal(pairs, 0)
    totals = matrix.sum(axis=1)
    order = np.argsort(-pairs, axis=None, kind="stable")[:MOST_CONFUSIONS]
    listed = []
    for place in order:
        truth, found = divmod(int(place), len(names)) if names else (0, 0)
        count = int(pairs[truth, found])
        if count:
            listed.append((names[truth], names[found], count, count / int(totals[truth])))
    return listed


def _cells(matrix: npt.NDArray[np.int64]) -> list[list[tuple[int, float]]]:
    """Each cell's count, and its share of the row for the colour."""
    totals = np.maximum(matrix.sum(axis=1), 1)
    return [
        [(int(count), round(float(count / total), 3)) for count in row]
        for row, total in zip(matrix, totals, strict=True)
    ]


def _fraction(value: float) -> str:
    """A fraction 0..1; COCO's -1 says that there was nothing to measure."""
    return "-" if value < 0 else f"{value:.3f}"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
