"""COCO JSON: `annotations/instances_SPLIT.json` and `images/`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nanoedge.data.annotations import AnnotatedBox, AnnotationSet
from nanoedge.data.writers.place import Placed


def write_coco(sets: Sequence[AnnotationSet], folder: Path, places: Mapping[tuple[str, Path], Placed]) -> list[str]:
    """Write a file a split; what a format said beyond boxes stands in the rows under its own names."""
    (folder / "annotations").mkdir(parents=True, exist_ok=True)
    polygons = 0
    for found in sets:
        document = _document(found, places)
        polygons += sum("polygon" in box.attributes for box in found.boxes)
        text = json.dumps(document, ensure_ascii=False)
        (folder / "annotations" / f"instances_{found.split}.json").write_text(text + "\n", encoding="utf-8")
    losses = [f"{polygons} polygons are kept as boxes only"] if polygons else []
    settings = sorted({key for found in sets if found.format != "coco" for key in found.attributes})
    return [*losses, f"{', '.join(settings)} of the file"] if settings else losses


def _document(found: AnnotationSet, places: Mapping[tuple[str, Path], Placed]) -> dict[str, Any]:
    attributes = dict(found.attributes) if found.format == "coco" else {}
    rows: dict[int, dict[str, Any]] = attributes.pop("categories", {})
    categories = found.categories or tuple(range(1, len(found.classes) + 1))
    used = [box.id for box in found.boxes if box.id is not None]
    keep_ids = found.format == "coco" and len(set(used)) == len(used)
    fresh = max(used, default=0) + 1 if keep_ids else 1
    annotations = []
    for box in found.boxes:
        if box.picture is None or box.class_id is None:
            continue
        number = box.id if keep_ids and box.id is not None else fresh
        fresh += number == fresh
        annotations.append(_row(box, number, categories[box.class_id]))
    return {
        **attributes,
        "images": [
            {
                **picture.attributes,
                "id": picture.id,
                "file_name": places[found.split, picture.path].name,
                "width": picture.width,
                "height": picture.height,
            }
            for picture in found.pictures
        ],
        "annotations": annotations,
        "categories": [
            rows.get(category, {"id": category, "name": name})
            for category, name in zip(categories, found.classes, strict=True)
        ],
    }


def _row(box: AnnotatedBox, number: int, category: int) -> dict[str, Any]:
    assert box.picture is not None
    x1, y1, x2, y2 = box.corners
    bbox = [_short(value) for value in (x1, y1, x2 - x1, y2 - y1)]
    more = {key: value for key, value in box.attributes.items() if key != "polygon"}
    return {
        **more,
        "id": number,
        "image_id": box.picture.id,
        "category_id": category,
        "bbox": bbox,
        "area": box.area if box.area is not None else _short((x2 - x1) * (y2 - y1)),
        "iscrowd": int(box.crowd),
    }


def _short(value: float) -> float:
    return round(value, 6)
