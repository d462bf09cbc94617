"""COCO JSON to a `DatasetIndex`. Crowd boxes become ignore regions; pictures without boxes are negatives."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from nanoedge.data.index import DatasetIndex, Sample, fingerprint_of
from nanoedge.errors import DataError

BadBoxes = Literal["error", "drop"]
CLIP_TOLERANCE = 0.01  # pixels beyond the edge that are rounding, not a finding


def read_coco(
    annotations: str | Path,
    images: str | Path,
    classes: Sequence[str] | None = None,
    bad_boxes: BadBoxes = "error",
    check_files: bool = True,
    settings: tuple[str, str] = ("--annotations", "--images"),
) -> DatasetIndex:
    """Read an annotation file.

    Args:
        annotations: COCO JSON with `images`, `annotations` and `categories`.
        images: the folder that the file names in the annotations are relative to.
        classes: the class names to use, in order; `None` takes the file's categories in the order of their ids.
        bad_boxes: `error`, or `drop` to leave out boxes of no size and boxes of unknown classes or pictures.
        check_files: whether each picture file must exist.
        settings: what the user calls `annotations` and `images`, for messages.

    Raises:
        DataError: names file, place and cure: unreadable JSON, missing parts, duplicate ids, boxes of no size, unknown
            pictures or classes, missing picture files.
    """
    annotations, images = Path(annotations), Path(images)
    document = _read_json(annotations, settings[0])
    if not images.is_dir():
        raise DataError(f"The picture folder {images} does not exist; check {settings[1]}.")
    reader = _CocoReader(annotations, bad_boxes, settings[1])
    names, class_of_category = reader.categories(document["categories"], classes)
    entries = reader.pictures(document["images"], images, check_files)
    boxes = reader.boxes(document["annotations"], entries, class_of_category)
    samples = tuple(boxes[image_id].sample(entry) for image_id, entry in entries.items())
    if not samples:
        raise DataError(f"{annotations} lists no pictures.")
    return DatasetIndex(
        source=str(annotations),
        classes=names,
        samples=samples,
        clipped_boxes=reader.clipped,
        dropped_boxes=reader.dropped,
        fingerprint=fingerprint_of(annotations),
    )


@dataclass
class _Entry:
    image_id: int
    path: Path
    width: int
    height: int


@dataclass
class _Boxes:
    """The boxes of one picture while they are collected."""

    objects: list[tuple[list[float], int, float]] = field(default_factory=list)
    crowds: list[tuple[list[float], int]] = field(default_factory=list)

    def sample(self, entry: _Entry) -> Sample:
        return Sample(
            image_id=entry.image_id,
            path=entry.path,
            width=entry.width,
            height=entry.height,
            boxes_xyxy=np.array([box for box, _, _ in self.objects], np.float32).reshape(-1, 4),
            class_ids=np.array([kind for _, kind, _ in self.objects], np.int64),
            areas=np.array([area for _, _, area in self.objects], np.float32),
            ignore_xyxy=np.array([box for box, _ in self.crowds], np.float32).reshape(-1, 4),
            ignore_class_ids=np.array([kind for _, kind in self.crowds], np.int64),
        )


def _read_json(path: Path, setting: str) -> dict[str, list[dict[str, Any]]]:
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise DataError(f"The annotation file {path} does not exist; check {setting}.") from error
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path} is not valid JSON: {error.msg} in line {error.lineno}, column {error.colno}."
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"The annotation file {path} cannot be read: {error}.") from error
    if not isinstance(document, dict):
        raise DataError(f"{path} is not COCO JSON: it holds a {type(document).__name__}, not an object.")
    for part in ("images", "annotations", "categories"):
        rows = document.get(part)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise DataError(f"{path} is not COCO JSON: it needs a list of objects under the key {part!r}.")
    return document


class _CocoReader:
    """Checks row after row; keeps the file's name for messages and counts what was mended."""

    def __init__(self, source: Path, bad_boxes: BadBoxes, images_setting: str) -> None:
        self.source = source
        self.images_setting = images_setting
        self.drop = bad_boxes == "drop"
        self.clipped = 0
        self.dropped = 0

    def categories(
        self, rows: list[dict[str, Any]], classes: Sequence[str] | None
    ) -> tuple[tuple[str, ...], dict[int, int]]:
        """Class names in order, and category id to class id."""
        named: dict[int, str] = {}
        for row in rows:
            category, name = self._integer(row, "id", "A category"), row.get("name")
            if not isinstance(name, str) or not name:
                raise DataError(f"{self.source}: category {category} has no name.")
            if category in named:
                raise DataError(f"{self.source}: the category id {category} stands twice.")
            if name in named.values():
                raise DataError(f"{self.source}: two categories are named {name!r}.")
            named[category] = name
        if not named:
            raise DataError(f"{self.source} lists no categories.")
        if classes is None:
            names = tuple(named[category] for category in sorted(named))
        else:
            names = tuple(classes)
            missing = sorted(set(names) - set(named.values()))
            if missing and len(missing) == len(names):
                raise DataError(
                    f"{self.source}: none of the model's classes ({_some(names)}) is a category of this file; "
                    f"it has {_some(list(named.values()))}."
                )
        place = {name: index for index, name in enumerate(names)}
        return names, {category: place[name] for category, name in named.items() if name in place}

    def pictures(self, rows: list[dict[str, Any]], folder: Path, check_files: bool) -> dict[int, _Entry]:
        """Image id to file and size."""
        entries: dict[int, _Entry] = {}
        files: dict[str, int] = {}
        for row in rows:
            image_id = self._integer(row, "id", "A picture")
            name = row.get("file_name")
            if image_id in entries:
                raise DataError(f"{self.source}: the image id {image_id} stands twice; make the ids unique.")
            if not isinstance(name, str) or not name:
                raise DataError(f"{self.source}: image {image_id} has no file_name.")
            if name in files:
                raise DataError(f"{self.source}: images {files[name]} and {image_id} are the same file {name}.")
            width = self._integer(row, "width", f"Image {image_id} ({name})")
            height = self._integer(row, "height", f"Image {image_id} ({name})")
            if width < 1 or height < 1:
                raise DataError(f"{self.source}: image {image_id} ({name}) has the size {width}x{height}.")
            path = folder / name
            if "\0" in name or not path.resolve().is_relative_to(folder.resolve()):
                raise DataError(f"{self.source}: image {image_id} points out of its folder: {name!r}.")
            if check_files and not os.path.isfile(path):
                raise DataError(f"{self.source}: image {image_id} is missing: {self._absence(folder, name)}")
            files[name] = image_id
            entries[image_id] = _Entry(image_id, path, width, height)
        return entries

    def _absence(self, folder: Path, name: str) -> str:
        for base in (folder.parent, folder / "images"):
            if os.path.isfile(base / name):
                return (
                    f"there is no file {folder / name}, but {base / name} is there. The file names are relative to "
                    f"{self.images_setting}; it should be {base}."
                )
        return f"there is no file {folder / name} (the file names are relative to {self.images_setting})."

    def boxes(
        self, rows: list[dict[str, Any]], entries: dict[int, _Entry], class_of_category: dict[int, int]
    ) -> dict[int, _Boxes]:
        """Image id to its boxes, checked and clipped."""
        collected = {image_id: _Boxes() for image_id in entries}
        seen: set[int] = set()
        for row in rows:
            number = self._integer(row, "id", "An annotation")
            if number in seen:
                raise DataError(f"{self.source}: the annotation id {number} stands twice; make the ids unique.")
            seen.add(number)
            image_id = self._integer(row, "image_id", f"Annotation {number}")
            category = self._integer(row, "category_id", f"Annotation {number}")
            problem = None
            if image_id not in entries:
                problem = f"annotation {number} names the unknown image {image_id}"
            elif category not in class_of_category:
                problem = f"annotation {number} (image {image_id}) names the unknown category {category}"
            box = self._corners(row, number)
            if problem is None and not (
                np.float32(box[2]) > np.float32(box[0]) and np.float32(box[3]) > np.float32(box[1])
            ):
                problem = f"annotation {number} (image {image_id}) has a box of no size: {row['bbox']}"
            if problem is None:
                entry = entries[image_id]
                box, problem = self._clip(box, entry, number)
            if problem is not None:
                self._refuse(problem)
                continue
            kind = class_of_category[category]
            if row.get("iscrowd", 0):
                collected[image_id].crowds.append((box, kind))
            else:
                area = row.get("area", (box[2] - box[0]) * (box[3] - box[1]))
                if not _is_finite_number(area) or area < 0:
                    raise DataError(f"{self.source}: annotation {number} has an area that is none: {area!r}.")
                measured = float(area)
                collected[image_id].objects.append((box, kind, measured))
        return collected

    def _clip(self, box: list[float], entry: _Entry, number: int) -> tuple[list[float], str | None]:
        x1, y1, x2, y2 = box
        inside = [max(0.0, x1), max(0.0, y1), min(float(entry.width), x2), min(float(entry.height), y2)]
        if inside[2] <= inside[0] or inside[3] <= inside[1]:
            size = f"{entry.width}x{entry.height}"
            return box, f"annotation {number} (image {entry.image_id}, {size}) lies outside its picture: {box}"
        if any(abs(a - b) > CLIP_TOLERANCE for a, b in zip(box, inside, strict=True)):
            self.clipped += 1
        return inside, None

    def _corners(self, row: dict[str, Any], number: int) -> list[float]:
        bbox = row.get("bbox")
        numbers = isinstance(bbox, list) and len(bbox) == 4 and all(_is_finite_number(value) for value in bbox)
        if not numbers or bbox is None:
            raise DataError(f"{self.source}: annotation {number} has no bbox of four numbers [x, y, width, height].")
        x, y, width, height = (float(value) for value in bbox)
        return [x, y, x + width, y + height]

    def _refuse(self, problem: str) -> None:
        if not self.drop:
            raise DataError(f"{self.source}: {problem}. Mend it, or set data.bad_boxes=drop to leave such boxes out.")
        self.dropped += 1

    def _integer(self, row: dict[str, Any], key: str, what: str) -> int:
        value = row.get(key)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise DataError(f"{self.source}: {what} has no whole number under {key!r} (found {value!r}).")
        return value


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:10])
    return shown if len(names) <= 10 else f"{shown} and {len(names) - 10} more"


def _is_finite_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1e30
