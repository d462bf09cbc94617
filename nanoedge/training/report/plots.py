"""The report's plots as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nanoedge.evaluation.precision_recall import PrecisionRecall
from nanoedge.pages.plots import BAR, INK, LINES, SIZE, drawn, shortened
from nanoedge.training.report.numbers import Epoch

NAMED_CURVES = 8  # more classes have thin curves without names; the page marks the one whose row is pointed at
MOST_CURVES = 200
_TERMS = {"quality_focal": "classes (QFL)", "distribution_focal": "sides (DFL)", "giou": "boxes (GIoU)"}


def training_curves(epochs: Sequence[Epoch], detach_epoch: int | None, best: int | None) -> dict[str, str]:
    """Title to SVG text of the curves over the epochs; empty without an epoch.

    Args:
        epochs: of the run.
        detach_epoch: epochs after which the AGM's gradients no longer reach the backbone; `None` without an AGM.
        best: number of the epoch with the best AP.
    """
    plots: dict[str, str] = {}
    if not epochs:
        return plots
    detach = detach_epoch if detach_epoch is not None and 0 < detach_epoch < epochs[-1].number else None
    plots["Loss"] = drawn(lambda axes: _loss(axes, epochs, detach))
    if any(epoch.terms for epoch in epochs):
        plots["Terms of the loss"] = drawn(lambda axes: _terms(axes, epochs, detach), (SIZE[0], 1.25 * SIZE[1]))
    plots["Learning rate"] = drawn(lambda axes: _learning_rate(axes, epochs))
    if any(epoch.metrics for epoch in epochs):
        plots["AP on the validation pictures"] = drawn(lambda axes: _metrics(axes, epochs, best))
    return plots


def precision_recall_plot(curves: PrecisionRecall) -> str | None:
    """The curves of all classes and their mean; each class's has the id `curve-PLACE`. `None` without a true box."""
    if curves.mean is None:
        return None
    return drawn(lambda axes: _precision_recall(axes, curves), (6.2, 4.4))


def confusion_heat_map(matrix: npt.NDArray[np.int64]) -> str:
    """The confusion matrix of many classes, as shares of each row; empty cells are clear."""
    return drawn(lambda axes: _heat_map(axes, matrix), (6.4, 5.6))


def _line(axes: Any, epochs: Sequence[Epoch], values: Sequence[float | None], **style: Any) -> None:
    points = [(epoch.number, value) for epoch, value in zip(epochs, values, strict=True) if value is not None]
    if points:
        marker = "o" if len(points) < 25 else None
        axes.plot(*zip(*points, strict=True), marker=marker, markersize=3, linewidth=1.4, **style)


def _over_epochs(axes: Any, epochs: Sequence[Epoch], label: str, detach: int | None = None) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    first, last = epochs[0].number, epochs[-1].number
    axes.set(xlabel="epoch", ylabel=label, xlim=(first - 0.5, last + 0.5))
    if detach is not None:
        axes.axvline(detach + 0.5, color=INK, linewidth=0.8, linestyle=":", label="AGM detached")


def _loss(axes: Any, epochs: Sequence[Epoch], detach: int | None) -> None:
    _line(axes, epochs, [epoch.loss for epoch in epochs], color=LINES[0], label="all")
    for part, colour in (("head", LINES[1]), ("agm", LINES[2])):
        sums = [_sum(epoch, part) for epoch in epochs]
        _line(axes, epochs, sums, color=colour, label={"head": "head", "agm": "AGM"}[part])
    _over_epochs(axes, epochs, "loss", detach)
    axes.set_ylim(bottom=0)
    axes.legend()


def _sum(epoch: Epoch, part: str) -> float | None:
    values = [value for term, value in epoch.terms.items() if term.startswith(f"{part}_")]
    return sum(values) if values else None


def _terms(axes: Any, epochs: Sequence[Epoch], detach: int | None) -> None:
    for part, style in (("head", "-"), ("agm", "--")):
        for (term, title), colour in zip(_TERMS.items(), LINES, strict=False):
            values = [epoch.terms.get(f"{part}_{term}") for epoch in epochs]
            label = f"{'head' if part == 'head' else 'AGM'}: {title}"
            _line(axes, epochs, values, color=colour, linestyle=style, label=label)
    _over_epochs(axes, epochs, "weighted loss", detach)
    axes.set_ylim(bottom=0)
    axes.legend(ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.16))


def _learning_rate(axes: Any, epochs: Sequence[Epoch]) -> None:
    _line(axes, epochs, [epoch.learning_rate for epoch in epochs], color=BAR)
    _over_epochs(axes, epochs, "at the epoch's end")
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")


def _metrics(axes: Any, epochs: Sequence[Epoch], best: int | None) -> None:
    for name, colour in zip(("AP50", "AP", "AP75"), (LINES[1], LINES[0], LINES[2]), strict=True):
        values = [_measured(epoch.metrics.get(name)) for epoch in epochs]
        _line(axes, epochs, values, color=colour, label=name)
    _over_epochs(axes, epochs, "AP")
    axes.set_ylim(bottom=0)
    if best is not None:
        axes.axvline(best, color=INK, linewidth=0.8, linestyle=":", label="best AP")
    axes.legend()


def _measured(value: float | None) -> float | None:
    return None if value is None or value < 0 else value


def _precision_recall(axes: Any, curves: PrecisionRecall) -> None:
    places = curves.measured[:MOST_CURVES]
    few = len(places) <= NAMED_CURVES
    step = 1 if len(places) <= 20 else 2
    recall = curves.recall[::step]
    for number, place in enumerate(places):
        style: dict[str, Any] = {"color": INK, "linewidth": 0.7, "alpha": 0.45}
        if few:
            label = f"{shortened(curves.classes[place])} {curves.average(place):.3f}"
            style = {"color": LINES[number % len(LINES)], "linewidth": 1.2, "label": label}
        axes.plot(recall, curves.precision[place, ::step], gid=f"curve-{place}", **style)
    assert curves.mean is not None
    if len(places) > 1:
        label = f"mean of {len(curves.measured)} classes {curves.mean.mean():.3f}"
        axes.plot(curves.recall, curves.mean, color=BAR, linewidth=2.4, linestyle="--" if few else "-", label=label)
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    axes.legend(loc="best")


def _heat_map(axes: Any, matrix: npt.NDArray[np.int64]) -> None:
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(np.ma.masked_equal(shares, 0), cmap="cool", vmin=0, vmax=1, interpolation="none")
    bar = axes.figure.colorbar(image, ax=axes, shrink=0.8)
    bar.ax.tick_params(colors=INK)
    bar.outline.set_visible(False)
    bar.set_label("share of the row", color=INK)
    axes.set(xlabel="found (number of the class; the last: missed)", ylabel="truth (the last: no object)")
