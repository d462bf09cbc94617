"""Drawing an assignment: a row for each guide, a column for each stride, a dot for each prior that learns."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np

from nanoedge.inspection.assignment import Guide, PictureAssignment, Positive, mean_quality
from nanoedge.inspection.figure import as_picture, new_figure
from nanoedge.pictures import Picture, opencv
from nanoedge.runtime.drawing import class_colour

TITLES: dict[Guide, str] = {"head": "head", "agm": "AGM"}
MOST_NAMED = 12  # objects in the legend
_PANEL = 2.9  # inches of a panel's longer side
_LEFT, _GAP, _CAPTION = 0.42, 0.08, 0.27  # inches
_TITLE, _LEGEND_LINE, _LEGEND_COLUMN = 0.38, 0.24, 3.9
_BLACK, _BRIGHTNESS, _SATURATION = 38, 0.42, 0.3  # of the picture under the dots
_PURITY = 0.75  # of the objects' colours
_SMALLEST_DOT, _LARGEST_DOT = 5.0, 10.0  # points: bounds of the diameter that stands for a soft label of 1
_SCALE = (0.1, 0.3, 0.5, 0.7, 0.9)  # soft labels in the legend
_INK = "#222222"


def draw_assignment(assignment: PictureAssignment, title: str) -> Picture:
    """One picture that explains itself.

    Args:
        assignment: what to draw.
        title: one line above all; lines too long are shortened.

    Returns:
        uint8 [H, W, 3], BGR: the picture dimmed, each object's box in a colour of its own, and in that colour the
        priors that learn it, larger and more opaque the higher their soft label. All priors of a level are tiny dots.
    """
    height, width = assignment.picture.shape[:2]
    panel_width, panel_height = (_PANEL * side / max(width, height) for side in (width, height))
    columns, rows = len(assignment.strides), len(assignment.guides)
    figure_width = _LEFT + columns * (panel_width + _GAP) + _GAP
    entries = _legend_entries(assignment)
    legend_columns = max(1, int((figure_width - _LEFT) / _LEGEND_COLUMN))
    legend_height = _LEGEND_LINE * (-(-len(entries) // legend_columns) + 2) + _GAP
    figure_height = _TITLE + rows * (panel_height + _CAPTION + _GAP) + legend_height
    ground = _dimmed(assignment.picture)
    with new_figure(figure_width, figure_height) as figure:

        def place(left: float, top: float, wide: float, high: float) -> Any:
            """Axes at inches from the left upper corner."""
            bounds = (left / figure_width, 1 - (top + high) / figure_height, wide / figure_width, high / figure_height)
            return figure.add_axes(bounds)

        shown = textwrap.shorten(title, int(figure_width * 11), placeholder=" …")
        figure.text(_LEFT / figure_width, 1 - 0.1 / figure_height, shown, va="top", color=_INK, fontsize=12)
        for row, guide in enumerate(assignment.guides):
            top = _TITLE + row * (panel_height + _CAPTION + _GAP)
            y = 1 - (top + panel_height / 2) / figure_height
            figure.text(
                0.2 / figure_width, y, TITLES[guide], rotation=90, ha="center", va="center", fontsize=13, weight="bold"
            )
            for column, stride in enumerate(assignment.strides):
                axes = place(_LEFT + column * (panel_width + _GAP), top, panel_width, panel_height)
                _draw_panel(axes, ground, assignment, guide, stride)
                axes.set_xlabel(_caption(assignment.positives(guide, stride), stride), fontsize=11, labelpad=3)
        legend = place(_LEFT, figure_height - legend_height, figure_width - _LEFT - _GAP, legend_height)
        _draw_legend(
            legend, entries, legend_columns, figure_width - _LEFT - _GAP, legend_height, _largest_dot(assignment)
        )
        return as_picture(figure)


def _draw_panel(axes: Any, ground: Picture, assignment: PictureAssignment, guide: Guide, stride: int) -> None:
    from matplotlib.patches import Rectangle

    height, width = ground.shape[:2]
    axes.imshow(ground, extent=(0, width, height, 0), interpolation="bilinear", aspect="auto")
    axes.set(xlim=(0, width), ylim=(height, 0), xticks=[], yticks=[])
    x, y = np.meshgrid(np.arange(0, width, stride), np.arange(0, height, stride))
    axes.scatter(x, y, s=0.8 if stride <= 8 else 2.0, color="white", alpha=0.35, linewidths=0)
    for x1, y1, x2, y2 in assignment.ignore_xyxy.tolist():
        axes.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, edgecolor="0.7", hatch="///", linewidth=0.5))
    for number, each in enumerate(assignment.objects):
        x1, y1, x2, y2 = each.box_xyxy
        axes.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, edgecolor=object_colour(number), linewidth=1))
    for number, each in enumerate(assignment.objects):
        here = [positive for positive in each.positives[guide] if positive.stride == stride]
        _draw_dots(axes, here, object_colour(number), _largest_dot(assignment))
    for spine in axes.spines.values():
        spine.set_visible(False)


def _largest_dot(assignment: PictureAssignment) -> float:
    """Diameter in points: somewhat more than the distance of two priors of the finest level."""
    spacing: float = assignment.strides[0] / max(assignment.picture.shape[:2]) * _PANEL * 72
    return min(_LARGEST_DOT, max(_SMALLEST_DOT, 1.3 * spacing))


def _draw_dots(axes: Any, positives: Sequence[Positive], colour: str, largest: float) -> None:
    """Dots at the priors' places; those on the picture's edge are not cut."""
    if not positives:
        return
    qualities = np.array([positive.quality for positive in positives])
    axes.scatter(
        [positive.x for positive in positives],
        [positive.y for positive in positives],
        s=dot_areas(qualities, largest),
        color=colour,
        alpha=dot_opacities(qualities),
        edgecolors="black",
        linewidths=0.5,
        clip_on=False,
        zorder=3,
    )


def dot_areas(qualities: np.ndarray, largest: float) -> np.ndarray:
    """Areas of the dots of these soft labels, in square points; the diameter grows with the label up to `largest`."""
    return (largest * (0.3 + 0.7 * qualities)) ** 2


def dot_opacities(qualities: np.ndarray) -> np.ndarray:
    """Opacities 0..1 of the dots of these soft labels."""
    return np.clip(0.3 + 0.7 * qualities, 0, 1)


def object_colour(number: int) -> str:
    """The colour of a picture's object of that number, as matplotlib reads it; light, for a dark ground."""
    blue, green, red = (round(255 - (255 - value) * _PURITY) for value in class_colour(number))
    return f"#{red:02x}{green:02x}{blue:02x}"


def _caption(positives: Sequence[Positive], stride: int) -> str:
    mean = mean_quality(positives)
    if mean is None:
        return f"stride {stride}: none"
    return f"stride {stride}: {len(positives)} {'prior' if len(positives) == 1 else 'priors'}, soft label {mean:.2f}"


def _legend_entries(assignment: PictureAssignment) -> list[tuple[str | None, str]]:
    """Colour and text of each line: the objects, or the first of many."""
    entries: list[tuple[str | None, str]] = []
    for number, each in enumerate(assignment.objects[:MOST_NAMED]):
        counts = []
        for guide in assignment.guides:
            mean = mean_quality(each.positives[guide])
            counts.append(f"{TITLES[guide]} {len(each.positives[guide])}" + ("" if mean is None else f" ({mean:.2f})"))
        name = textwrap.shorten(each.label, 20, placeholder="…") or "…"
        entries.append((object_colour(number), f"{name}: {', '.join(counts)}"))
    left = len(assignment.objects) - MOST_NAMED
    return [*entries, (None, f"and {left} more objects")] if left > 0 else entries


def _draw_legend(
    axes: Any, entries: Sequence[tuple[str | None, str]], columns: int, width: float, height: float, largest: float
) -> None:
    """In inches of the axes, from the left upper corner."""
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    for number, (colour, text) in enumerate(entries):
        line, column = divmod(number, columns)
        x, y = column * _LEGEND_COLUMN, _GAP + (line + 0.5) * _LEGEND_LINE
        if colour is not None:
            axes.scatter([x + 0.07], [y], s=45, marker="s", color=colour, edgecolors="black", linewidths=0.5)
        axes.text(x + 0.2, y, text, va="center", fontsize=11, color=_INK)
    y = height - _LEGEND_LINE - 0.02
    explanation = "in brackets: mean soft label; a dot is a prior that learns, its soft label:"
    axes.text(0, y, explanation, va="center", fontsize=11, color=_INK)
    qualities = np.array(_SCALE)
    places = 6.1 + 0.6 * np.arange(len(_SCALE))
    axes.scatter(
        places,
        np.full(len(_SCALE), y),
        s=dot_areas(qualities, largest),
        color="#3b82c4",
        alpha=dot_opacities(qualities),
        edgecolors="black",
        linewidths=0.5,
    )
    for place, quality in zip(places, _SCALE, strict=True):
        axes.text(place + 0.09, y, f"{quality:g}", va="center", fontsize=11, color=_INK)


def _dimmed(picture: Picture) -> Picture:
    """RGB, darker and paler."""
    cv2 = opencv()
    grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR).astype(np.float32)
    mixed = (_SATURATION * picture + (1 - _SATURATION) * grey) * _BRIGHTNESS + _BLACK
    return np.ascontiguousarray(mixed.astype(np.uint8)[:, :, ::-1])
