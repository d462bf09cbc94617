"""YOLO: `images/SPLIT/`, `labels/SPLIT/NAME.txt`, `data.yaml`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import yaml

from nanoedge.data.annotations import AnnotatedBox, AnnotationSet
from nanoedge.data.writers.place import Placed


def write_yolo(sets: Sequence[AnnotationSet], folder: Path, places: Mapping[tuple[str, Path], Placed]) -> list[str]:
    """Write a file a picture, ten decimals a number; a negative gets an empty file."""
    classes = list(dict.fromkeys(name for found in sets for name in found.classes))
    for found in sets:
        labels = folder / "labels" / found.split
        labels.mkdir(parents=True, exist_ok=True)
        boxes_of = found.boxes_of()
        for picture in found.pictures:
            stem = places[found.split, picture.path].stem
            lines = [_line(box, classes) for box in boxes_of[id(picture)] if not box.crowd and box.class_id is not None]
            (labels / f"{stem}.txt").write_text("".join(lines), encoding="utf-8")
    document = {
        "path": ".",
        **{found.split: f"images/{found.split}" for found in sets},
        "names": dict(enumerate(classes)),
    }
    (folder / "data.yaml").write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return list(_losses(sets))


def _line(box: AnnotatedBox, classes: Sequence[str]) -> str:
    assert box.picture is not None
    width, height = box.picture.width, box.picture.height
    number = classes.index(box.label)
    if polygon := box.attributes.get("polygon"):
        return " ".join([str(number), *(f"{share:.10g}" for share in polygon)]) + "\n"
    x1, y1, x2, y2 = box.corners
    shares = ((x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height)
    return " ".join([str(number), *(f"{share:.10f}" for share in shares)]) + "\n"


def _losses(sets: Sequence[AnnotationSet]) -> Iterable[str]:
    boxes = [box for found in sets for box in found.boxes]
    if any(found.format == "coco" for found in sets):
        yield "ids of pictures, annotations and categories (YOLO has none); pictures follow by name"
    if crowds := sum(box.crowd for box in boxes):
        yield f"{crowds} crowd regions (YOLO has none)"
    if areas := sum(box.has_own_area and not box.crowd for box in boxes):
        yield f"the annotated areas of {areas} boxes (the box's own is taken)"
    if others := sorted({key for box in boxes for key in box.attributes} - {"polygon"}):
        yield f"{', '.join(others)} of annotations"
    of_pictures = {key for found in sets for picture in found.pictures for key in picture.attributes}
    of_sets = {key for found in sets for key in found.attributes} - {"categories"}
    if of_pictures | of_sets:
        yield f"{', '.join(sorted(of_pictures | of_sets))} of pictures and files"
