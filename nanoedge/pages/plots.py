"""Plots as SVG text for a page, drawn by matplotlib without a display."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

from nanoedge.errors import NanoEdgeError

SIZE = (5.2, 3.2)  # inches
INK = "#777777"  # readable on white and on black
BAR = "#3b82c4"
LINES = (BAR, "#e08a1e", "#2a9d6f", "#a05fb4", "#d1495b", "#8a6f3c", "#4aa3a3", "#c46aa0")


def drawn(draw: Callable[[Any], None], size: tuple[float, float] = SIZE) -> str:
    """What `draw` draws, as SVG text that scales with its place and is readable on white and on black.

    Args:
        draw: gets matplotlib's axes.
        size: width and height in inches, which decide the proportions and how large the letters are.

    Raises:
        NanoEdgeError: when matplotlib is not installed.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        raise NanoEdgeError("Plots are drawn by matplotlib: pip install 'nanoedge[train]'.") from error
    with matplotlib.rc_context(
        {
            "svg.hashsalt": "nanoedge",
            "svg.fonttype": "none",
            "font.size": 9,
            "text.parse_math": False,
            "legend.frameon": False,
            "legend.labelcolor": INK,
            "legend.fontsize": 8,
        }
    ):
        figure = Figure(figsize=size, layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.subplots()
        axes.patch.set_alpha(0)
        draw(axes)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        for side in ("left", "bottom"):
            axes.spines[side].set_color(INK)
        axes.tick_params(colors=INK)
        for label in (axes.xaxis.label, axes.yaxis.label):
            label.set_color(INK)
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    return re.sub(r'(<svg [^>]*?)width="[^"]*" height="[^"]*"', r"\1", text.replace("\n", " "), count=1)


def shortened(name: str, letters: int = 24) -> str:
    """A class name that leaves room for the plot."""
    return name if len(name) <= letters else f"{name[: letters - 1]}…"
