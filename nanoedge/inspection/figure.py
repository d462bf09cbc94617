"""Figures of matplotlib as pictures, without a display and the same on every machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from nanoedge.errors import NanoEdgeError
from nanoedge.pictures import Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DOTS_AN_INCH = 110


@contextmanager
def new_figure(width: float, height: float) -> Iterator[Figure]:
    """A figure of that many inches, on white, to draw on and pass to `as_picture` inside the block.

    Raises:
        NanoEdgeError: without matplotlib.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        raise NanoEdgeError("Figures are drawn by matplotlib: pip install 'nanoedge[train]'.") from error
    with matplotlib.rc_context({"font.family": "DejaVu Sans", "font.size": 9, "text.parse_math": False}):
        yield Figure(figsize=(width, height), dpi=DOTS_AN_INCH, facecolor="white")


def as_picture(figure: Figure) -> Picture:
    """uint8 [H, W, 3], BGR."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[:, :, 2::-1])
