"""How each format lies in a folder: one format a file, each with `find` and a sentence on what it needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nanoedge.data.annotations import Format
from nanoedge.data.layouts import coco, voc, yolo
from nanoedge.data.layouts.found import FoundSet

LAYOUTS: dict[Format, tuple[Callable[[Path], list[FoundSet]], str]] = {
    "coco": (coco.find, coco.NEEDS),
    "voc": (voc.find, voc.NEEDS),
    "yolo": (yolo.find, yolo.NEEDS),
}
"""Format to (folder to its splits, what it needs)."""

__all__ = ["LAYOUTS", "FoundSet"]
