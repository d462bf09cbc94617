"""Writing annotation sets: one format a file. Each says in sentences what its format has no place for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from nanoedge.data.annotations import AnnotationSet, Format
from nanoedge.data.writers.coco import write_coco
from nanoedge.data.writers.place import Placed
from nanoedge.data.writers.voc import write_voc
from nanoedge.data.writers.yolo import write_yolo

Writer = Callable[[Sequence[AnnotationSet], Path, Mapping[tuple[str, Path], Placed]], list[str]]
WRITERS: dict[Format, Writer] = {"coco": write_coco, "voc": write_voc, "yolo": write_yolo}
"""Format to its writer: (splits, new folder, where each split's picture files lie there) to what was lost."""

__all__ = ["WRITERS", "Placed", "Writer"]
