"""Drawing receptive fields: a row for each part, a column for each stride, all on one scale."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np

from nanoedge.inspection.effective_field import EffectiveField
from nanoedge.inspection.figure import as_picture, new_figure
from nanoedge.inspection.receptive_field import Part, ReceptiveField
from nanoedge.pictures import Picture

PARTS: tuple[Part, ...] = ("backbone", "neck", "head")
_PANEL = 2.2  # inches
_LEFT, _GAP, _CAPTION, _TITLE, _LEGEND = 0.42, 0.1, 0.48, 0.38, 0.36  # inches
_FAINTEST = 1e-3  # of the strongest gradient: what the heat map still shows
_INK = "#222222"
_THEORETICAL, _EFFECTIVE, _INPUT = "#2f7fd1", "#13a10e", "#888888"


def draw_receptive_fields(
    fields: Sequence[ReceptiveField],
    effective: Sequence[EffectiveField],
    input_size: tuple[int, int],
    title: str,
) -> Picture:
    """Squares to scale, and under them the gradient where it was measured.

    Args:
        fields: theoretical ones.
        effective: measured ones of the same parts and strides; may be empty.
        input_size: width and height of the network's input, drawn for comparison.
        title: one line above all.

    Returns:
        uint8 [H, W, 3], BGR.
    """
    strides = sorted({field.stride for field in fields})
    measured = {(field.part, field.stride): field for field in effective}
    half = max(max(-field.first, field.last) for field in fields) * 1.04
    half = max(half, max(input_size) / 2)
    width = _LEFT + len(strides) * (_PANEL + _GAP)
    height = _TITLE + len(PARTS) * (_PANEL + _CAPTION) + _LEGEND
    with new_figure(width, height) as figure:
        shown = textwrap.shorten(title, int(width * 11), placeholder=" …")
        figure.text(_LEFT / width, 1 - 0.1 / height, shown, va="top", fontsize=12, color=_INK)
        for row, part in enumerate(PARTS):
            top = _TITLE + row * (_PANEL + _CAPTION)
            centre = 1 - (top + _PANEL / 2) / height
            figure.text(0.2 / width, centre, part, rotation=90, ha="center", va="center", fontsize=13, weight="bold")
            for field in (each for each in fields if each.part == part):
                left = _LEFT + strides.index(field.stride) * (_PANEL + _GAP)
                bounds = (left / width, 1 - (top + _PANEL) / height, _PANEL / width, _PANEL / height)
                axes = figure.add_axes(bounds)
                _draw_panel(axes, field, measured.get((part, field.stride)), half, input_size)
        legend = figure.add_axes((_LEFT / width, 0, 1 - _LEFT / width, _LEGEND / height))
        _draw_legend(legend, input_size, bool(effective))
        return as_picture(figure)


def _draw_panel(
    axes: Any, field: ReceptiveField, measured: EffectiveField | None, half: float, input_size: tuple[int, int]
) -> None:
    from matplotlib.patches import Rectangle

    def square(first: float, last: float, colour: str) -> None:
        axes.add_patch(Rectangle((first, first), last - first, last - first, fill=False, edgecolor=colour, lw=1.5))

    axes.set(xlim=(-half, half), ylim=(half, -half), xticks=[], yticks=[], aspect="equal")
    caption = f"stride {field.stride}: theoretical {field.pixels} px"
    if measured is not None:
        side = len(measured.magnitude)
        shares = measured.magnitude / max(float(measured.magnitude.max()), 1e-30)
        strength = 1 - np.log10(np.clip(shares, _FAINTEST, 1)) / np.log10(_FAINTEST)
        extent = (-side / 2, side / 2, side / 2, -side / 2)
        axes.imshow(strength, extent=extent, cmap="Oranges", vmin=0, vmax=1.1, interpolation="antialiased")
        reach = measured.pixels / 2
        square(-reach, reach, _EFFECTIVE)
        caption += f"\neffective {measured.pixels} px"
    width, height = input_size
    axes.add_patch(
        Rectangle((-width / 2, -height / 2), width, height, fill=False, edgecolor=_INPUT, linestyle=(0, (4, 3)), lw=1)
    )
    square(field.first, field.last + 1, _THEORETICAL)
    axes.set_xlabel(caption, fontsize=10.5, labelpad=3)
    for spine in axes.spines.values():
        spine.set_color("#cccccc")


def _draw_legend(axes: Any, input_size: tuple[int, int], measured: bool) -> None:
    from matplotlib.lines import Line2D

    lines = [
        Line2D([], [], color=_THEORETICAL, lw=1.5, label="theoretical"),
        Line2D([], [], color=_INPUT, lw=1, linestyle=(0, (4, 3)), label=f"input {input_size[0]} x {input_size[1]}"),
    ]
    if measured:
        label = "effective: 95 % of the gradient (shades: its strength, logarithmic)"
        lines.append(Line2D([], [], color=_EFFECTIVE, lw=1.5, label=label))
    axes.axis("off")
    axes.legend(handles=lines, loc="center left", ncols=3, frameon=False, fontsize=10.5)
