"""Around all formats: COCO to VOC to YOLO to COCO: python -m tools.results.data_convert."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tools.results.figures import Figure, at_most, nanoedge, publish, shared_folder

LIMIT = 1e-3  # px
Boxes = dict[str, list[tuple[str, list[float]]]]
"""Picture name to class names and corners, in the file's order."""


def main() -> None:
    """Both real data sets; boxes compared by picture and order."""
    figures = []
    for name in ("coco_open300", "bccd"):
        with tempfile.TemporaryDirectory() as place:
            figures += around(shared_folder() / "data" / name, Path(place))
    publish(figures, "nanoedge data convert three times; boxes by picture name, in their order; crowd regions left out")


def around(source: Path, work: Path) -> list[Figure]:
    """Convert three times and compare."""
    name = source.name
    losses: list[str] = []
    place = source
    for number, format in enumerate(("voc", "yolo", "coco")):
        done = nanoedge("data", "convert", place, "--to", format, "--out", work / format,
                        *(("--format", "coco") if number == 0 else ()))  # fmt: skip
        losses += [f"to {format}: {loss}" for loss in done["losses"]]
        place = work / format
    before = boxes_of(source / "annotations")
    after = boxes_of(work / "coco" / "annotations")
    assert list(before) and sorted(before) == sorted(after), "other pictures"
    pairs = [pair for key in before for pair in zip(before[key], after[key], strict=True)]
    moved = max(float(np.abs(np.subtract(one, other)).max()) for (_, one), (_, other) in pairs)
    renamed = sum(label != again for (label, _), (again, _) in pairs)
    return [
        Figure(f"{name}: boxes compared", len(pairs)),
        at_most(f"{name}: a box's largest shift", float(f"{moved:.2g}"), LIMIT, "px"),
        at_most(f"{name}: boxes of another class name", renamed, 0),
        Figure(f"{name}: stated losses", "; ".join(losses)),
    ]


def boxes_of(folder: Path) -> Boxes:
    """All boxes of the splits of a folder; unions of splits are left out."""
    found: Boxes = {}
    for path in sorted(folder.glob("*.json")):
        if "trainval" in path.name:
            continue
        document: dict[str, Any] = json.loads(path.read_text())
        names = {row["id"]: row["file_name"] for row in document["images"]}
        classes = {row["id"]: row["name"] for row in document["categories"]}
        for name in names.values():
            found.setdefault(name, [])
        for row in document["annotations"]:
            if not row.get("iscrowd"):
                x, y, width, height = row["bbox"]
                corners = [x, y, x + width, y + height]
                found[names[row["image_id"]]].append((classes[row["category_id"]], corners))
    return found


if __name__ == "__main__":
    main()
