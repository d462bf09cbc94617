"""Plots of a split's statistics as SVG, drawn by matplotlib without a display."""

from __future__ import annotations

from typing import Any

import numpy as np

from nanoedge.data.stats.numbers import SplitStatistics
from nanoedge.pages.plots import BAR, INK, SIZE, drawn, shortened

MOST_CLASSES = 40  # bars of a plot


def plots_of(statistics: SplitStatistics) -> dict[str, str]:
    """Title to SVG text, for what there is to draw."""
    plots: dict[str, str] = {}
    if statistics.pictures:
        plots["Objects a picture"] = drawn(lambda axes: _objects(axes, statistics))
    if statistics.boxes:
        height = max(SIZE[1], 0.22 * min(MOST_CLASSES, len(statistics.per_class)))
        plots["Boxes a class"] = drawn(lambda axes: _classes(axes, statistics), (SIZE[0], height))
        plots["Width and height in the network's input"] = drawn(lambda axes: _sides(axes, statistics))
        plots["Aspect ratios of the boxes"] = drawn(lambda axes: _aspects(axes, statistics))
        plots["Finest stride that holds a box"] = drawn(lambda axes: _strides(axes, statistics))
    return plots


def _objects(axes: Any, statistics: SplitStatistics) -> None:
    most = int(statistics.objects.max())
    step = max(1, -(-(most + 1) // 40))
    axes.hist(statistics.objects, bins=np.arange(-0.5, most + step + 0.5, step), color=BAR)
    axes.set(xlabel="objects", ylabel="pictures")


def _classes(axes: Any, statistics: SplitStatistics) -> None:
    ranked = sorted(statistics.per_class.items(), key=lambda item: -item[1])
    shown = ranked if len(ranked) <= MOST_CLASSES else ranked[: MOST_CLASSES // 2] + ranked[-MOST_CLASSES // 2 :]
    names, counts = [name for name, _ in shown], [count for _, count in shown]
    axes.barh(range(len(shown)), counts, color=BAR)
    axes.set_yticks(range(len(shown)), [shortened(name) for name in names], fontsize=7)
    axes.margins(y=0.01)
    axes.invert_yaxis()
    axes.set_xscale("symlog")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")  # the scale's own labels are formulas
    title = "boxes" if shown is ranked else f"boxes (the {MOST_CLASSES // 2} most and least frequent classes)"
    axes.set(xlabel=title)


def _sides(axes: Any, statistics: SplitStatistics) -> None:
    width, height = statistics.sides[:, 0], statistics.sides[:, 1]
    if len(width) > 2000:
        axes.hexbin(width, height, gridsize=40, bins="log", mincnt=1, cmap="Blues")
    else:
        axes.scatter(width, height, s=4, alpha=0.5, color=BAR, linewidths=0)
    axes.set(xlabel="width, pixels", ylabel="height, pixels", xlim=(0, None), ylim=(0, None))


def _aspects(axes: Any, statistics: SplitStatistics) -> None:
    axes.hist(np.log2(statistics.aspects), bins=40, color=BAR)
    low, high = axes.get_xlim()
    marks = range(int(np.floor(low)), int(np.ceil(high)) + 1)
    axes.set_xticks(list(marks), [f"{2.0**mark:g}" for mark in marks])
    axes.set(xlabel="width / height", ylabel="boxes", xlim=(low, high))


def _strides(axes: Any, statistics: SplitStatistics) -> None:
    strides = list(statistics.per_stride)
    bars = axes.bar(range(len(strides)), [100 * share for share in statistics.per_stride.values()], color=BAR)
    axes.bar_label(bars, fmt="%.1f %%", fontsize=8, color=INK)
    axes.set_xticks(range(len(strides)), [str(stride) for stride in strides])
    axes.set(xlabel="stride", ylabel="% of boxes", ylim=(0, 110))
