"""Pascal VOC: `Annotations/NAME.xml`, `JPEGImages/`, `ImageSets/Main/SPLIT.txt`, and `classes.txt` with the order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from nanoedge.data.annotations import AnnotatedBox, AnnotatedPicture, AnnotationSet
from nanoedge.data.writers.place import Placed

_MARKS = {"pose": "Unspecified", "truncated": "0", "difficult": "0"}


def write_voc(sets: Sequence[AnnotationSet], folder: Path, places: Mapping[tuple[str, Path], Placed]) -> list[str]:
    """Write a file a picture and a list a split; coordinates keep four decimals."""
    for name in ("Annotations", "ImageSets/Main"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for found in sets:
        boxes_of = found.boxes_of()
        stems = []
        for picture in found.pictures:
            placed = places[found.split, picture.path]
            root = _annotation(picture, placed, boxes_of[id(picture)], found.format)
            indent(root, "\t")
            file = folder / "Annotations" / f"{placed.stem}.xml"
            ElementTree(root).write(file, encoding="utf-8", xml_declaration=False)
            stems.append(placed.stem)
        text = "".join(f"{stem}\n" for stem in stems)
        (folder / "ImageSets" / "Main" / f"{found.split}.txt").write_text(text, encoding="utf-8")
    classes = dict.fromkeys(name for found in sets for name in found.classes)
    (folder / "classes.txt").write_text("".join(f"{name}\n" for name in classes), encoding="utf-8")
    return list(_losses(sets))


def _annotation(picture: AnnotatedPicture, placed: Placed, boxes: Iterable[AnnotatedBox], format: str) -> Element:
    root = Element("annotation")
    own = picture.attributes if format == "voc" else {}
    _add(root, {"folder": "JPEGImages", "filename": placed.name})
    _add(root, {"size": {"width": picture.width, "height": picture.height, "depth": 3}})
    _add(root, {"segmented": "0", **{key: value for key, value in own.items() if key != "folder"}})
    for box in boxes:
        if box.crowd or box.class_id is None:
            continue
        marks = {**_MARKS, **{key: value for key, value in box.attributes.items() if format == "voc" or key in _MARKS}}
        sides = {
            name: f"{side:.4f}".rstrip("0").rstrip(".")
            for name, side in zip(("xmin", "ymin", "xmax", "ymax"), box.corners, strict=True)
        }
        _add(SubElement(root, "object"), {"name": box.label, **marks, "bndbox": sides})
    return root


def _add(parent: Element, values: Mapping[str, Any]) -> None:
    """Texts, or elements with texts, in the order given."""
    for name, value in values.items():
        if isinstance(value, list):
            for each in value:
                _add(parent, {name: each})
            continue
        child = SubElement(parent, name)
        if isinstance(value, Mapping):
            _add(child, value)
        else:
            child.text = str(value)


def _losses(sets: Sequence[AnnotationSet]) -> Iterable[str]:
    boxes = [box for found in sets for box in found.boxes]
    if any(found.format == "coco" for found in sets):
        yield "ids of pictures, annotations and categories (VOC has none)"
    if crowds := sum(box.crowd for box in boxes):
        yield f"{crowds} crowd regions (VOC has none)"
    if masks := sum("segmentation" in box.attributes for box in boxes):
        yield f"the masks of {masks} annotations (kept as boxes only)"
    if polygons := sum("polygon" in box.attributes for box in boxes):
        yield f"{polygons} polygons (kept as boxes only)"
    if areas := sum(box.has_own_area and not box.crowd for box in boxes):
        yield f"the annotated areas of {areas} boxes (the box's own is taken)"
    known = {*_MARKS, "segmentation", "polygon"}
    elsewhere = [box for found in sets if found.format != "voc" for box in found.boxes]
    if others := sorted({key for box in elsewhere for key in box.attributes} - known):
        yield f"{', '.join(others)} of annotations"
    of_pictures = {
        key for found in sets if found.format != "voc" for picture in found.pictures for key in picture.attributes
    }
    if of_pictures:
        yield f"{', '.join(sorted(of_pictures))} of pictures"
    of_sets = {key for found in sets for key in found.attributes} - {"categories"}
    if of_sets:
        yield f"{', '.join(sorted(of_sets))} of the file"
