"""COCO JSON: pictures, categories and boxes in one file. Crowd boxes become ignore regions."""

from __future__ import annotations

import itertools
import json
import mmap
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from nanoedge.data.annotations import AnnotatedBox, AnnotatedPicture, AnnotationSet, Problem, inside
from nanoedge.data.boxes import shares_problem
from nanoedge.data.index import BadBoxes, DatasetIndex, index_of
from nanoedge.errors import DataError

_LOOKED_AT = 4_000_000  # bytes that hold the first picture names
LARGEST_SIDE = 1_000_000  # pixels
_PICTURE_KEYS = {"id", "file_name", "width", "height"}
_BOX_KEYS = {"id", "image_id", "category_id", "bbox", "area", "iscrowd"}


def read_coco(
    annotations: str | Path,
    images: str | Path,
    classes: Sequence[str] | None = None,
    bad_boxes: BadBoxes = "error",
    check_files: bool = True,
    settings: tuple[str, str] = ("--annotations", "--images"),
) -> DatasetIndex:
    """Read an annotation file for training or evaluation.

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
    found = read_coco_set(Path(annotations), Path(images), settings=settings)
    return index_of(found, classes, bad_boxes, check_files, settings[1])


def read_coco_set(
    annotations: Path, images: Path, split: str = "all", settings: tuple[str, str] = ("--annotations", "--images")
) -> AnnotationSet:
    """Read an annotation file as it stands; what does not fit is listed in `problems`.

    Raises:
        DataError: when the file is missing or no COCO JSON, or the picture folder does not exist.
    """
    document = _read_json(annotations, settings[0])
    if not images.is_dir():
        raise DataError(f"The picture folder {images} does not exist; check {settings[1]}.")
    reader = _Reader(AnnotationSet("coco", split, annotations, images, (), files=[annotations]))
    reader.read(document)
    reader.set.problems += shares_problem(reader.set)
    return reader.set


def looks_like_coco(path: Path) -> bool:
    """Whether a JSON file has COCO's three keys, without parsing it, or has one and is broken."""
    keys = (b'"images"', b'"annotations"', b'"categories"')
    try:
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as text:
            there = sum(text.find(key) >= 0 for key in keys)
        if there in (0, len(keys)):
            return there == len(keys)
        json.loads(path.read_bytes())  # lists of detections and captions are whole
    except OSError:
        return False
    except (ValueError, RecursionError):  # an empty file cannot be mapped, and is none
        return path.stat().st_size > 0
    return False


def some_file_names(path: Path, most: int) -> list[str]:
    """The first picture names of a file, without parsing it."""
    with path.open("rb") as stream:
        text = stream.read(_LOOKED_AT)
    names = []
    for match in itertools.islice(re.finditer(rb'"file_name"\s*:\s*("(?:[^"\\]|\\.)*")', text), most):
        with suppress(ValueError):  # the reader will say so
            names.append(str(json.loads(match[1].decode("utf-8", "replace"))))
    return names


def _read_json(path: Path, setting: str) -> dict[str, Any]:
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


class _RefusedError(Exception):
    """A row that cannot be used; holds message, cure and the row's id."""


class _Reader:
    """Takes row after row into the set; a row that does not fit becomes a problem."""

    def __init__(self, target: AnnotationSet) -> None:
        self.set = target
        self.class_of_category: dict[int, int] = {}
        self.pictures: dict[int, AnnotatedPicture] = {}
        self.names: dict[str, int] = {}
        self.box_ids: set[int] = set()
        self.ambiguous: set[int] = set()
        self.refused: set[Any] = set()  # image ids whose boxes are not to blame

    def read(self, document: dict[str, Any]) -> None:
        """The whole document."""
        self.set.attributes = {
            key: value for key, value in document.items() if key not in ("images", "annotations", "categories")
        }
        self._categories(document["categories"])
        for rows, take in ((document["images"], self._picture), (document["annotations"], self._box)):
            for row in rows:
                try:
                    take(row)
                except _RefusedError as refused:
                    image = row.get("image_id")
                    kind, message, cure, number = refused.args
                    picture = self.pictures.get(image) if isinstance(image, int) else None
                    self._problem(kind, message, cure, number, picture)
                    if rows is document["images"] and isinstance(row.get("id"), int | str):
                        self.refused.add(row["id"])
        if self.ambiguous:
            self.set.pictures = [picture for picture in self.set.pictures if picture.id not in self.ambiguous]
            self.set.boxes = [
                box for box in self.set.boxes if box.picture is None or box.picture.id not in self.ambiguous
            ]

    def _problem(
        self, kind: str, message: str, cure: str, number: int | str | None, picture: AnnotatedPicture | None = None
    ) -> None:
        problem = Problem(kind, "error", self.set.source, message, cure, id=number, subject=picture)
        self.set.problems.append(problem)

    def _categories(self, rows: list[dict[str, Any]]) -> None:
        named: dict[int, str] = {}
        for row in rows:
            try:
                category, name = _integer(row, "id", "A category"), row.get("name")
            except _RefusedError as refused:
                raise DataError(f"{self.set.source}: {refused.args[1]}. {refused.args[2]}") from None
            if not isinstance(name, str) or not name:
                raise DataError(f"{self.set.source}: category {category} has no name.")
            if category in named:
                raise DataError(f"{self.set.source}: the category id {category} stands twice.")
            if name in named.values():
                raise DataError(f"{self.set.source}: two categories are named {name!r}.")
            named[category] = name
        if not named:
            raise DataError(f"{self.set.source} lists no categories.")
        self.set.categories = tuple(sorted(named))
        self.set.classes = tuple(named[category] for category in self.set.categories)
        self.class_of_category = {category: place for place, category in enumerate(self.set.categories)}
        self.set.attributes["categories"] = {row["id"]: row for row in rows}

    def _picture(self, row: dict[str, Any]) -> None:
        number, name = _integer(row, "id", "A picture"), row.get("file_name")
        if number in self.pictures:
            self.ambiguous.add(number)  # whose boxes are meant, nobody knows
            raise _RefusedError("duplicate-id", f"the image id {number} stands twice", "Make the ids unique.", number)
        if not isinstance(name, str) or not name:
            raise _RefusedError("malformed-annotation", f"image {number} has no file_name", "Name its file.", number)
        plain = os.path.normpath(name.replace("\\", "/"))
        if plain in self.names:
            message = f"images {self.names[plain]} and {number} are the same file {name}"
            self.pictures[number] = self.pictures[self.names[plain]]
            raise _RefusedError("duplicate-entry", message, "Keep one, with the boxes of both, as --fix does.", number)
        what = f"Image {number} ({name})"
        width, height = _integer(row, "width", what), _integer(row, "height", what)
        if not (1 <= width <= LARGEST_SIDE and 1 <= height <= LARGEST_SIDE):
            message = f"image {number} ({name}) has the size {width}x{height}"
            raise _RefusedError("malformed-annotation", message, "Write the picture's own width and height.", number)
        path = inside(self.set.images, name)
        if path is None:
            message = f"image {number} points out of its folder: {name!r}"
            raise _RefusedError("path-outside-folder", message, self._other_name(name), number)
        if "\\" in name and not os.path.isfile(path):
            path = inside(self.set.images, name.replace("\\", "/")) or path  # written on Windows
        attributes = {key: value for key, value in row.items() if key not in _PICTURE_KEYS}
        picture = AnnotatedPicture(number, name, path, width, height, self.set.source, attributes=attributes)
        self.names[plain] = number
        self.pictures[number] = picture
        self.set.pictures.append(picture)

    def _other_name(self, name: str) -> str:
        last = re.split(r"[/\\\\]", name)[-1]
        if last and os.path.isfile(self.set.images / last):
            return f"The file is in {self.set.images}: write its file_name as {last!r}."
        return f"Move the file below {self.set.images}, and write its name relative to that folder."

    def _box(self, row: dict[str, Any]) -> None:
        number = _integer(row, "id", "An annotation")
        doubled = number in self.box_ids
        if doubled:
            message = f"the annotation id {number} stands twice"
            self._problem("duplicate-id", message, "Make the ids unique; --fix counts anew.", number)
        self.box_ids.add(number)
        what = f"Annotation {number}"
        image, category = _integer(row, "image_id", what), _integer(row, "category_id", what)
        if image in self.refused and image not in self.pictures:
            return
        bbox = row.get("bbox")
        if not (isinstance(bbox, list) and len(bbox) == 4 and all(_is_finite_number(value) for value in bbox)):
            message = f"annotation {number} has no bbox of four numbers [x, y, width, height]"
            raise _RefusedError("malformed-annotation", message, "Draw the box anew or delete the annotation.", number)
        x, y, width, height = (float(value) for value in bbox)
        area = row.get("area")
        if area is not None and (not _is_finite_number(area) or area < 0):
            message = f"annotation {number} has an area that is none: {area!r}"
            raise _RefusedError("malformed-annotation", message, "Leave it out, or write pixels squared.", number)
        place = self.class_of_category.get(category)
        self.set.boxes.append(
            AnnotatedBox(
                picture=self.pictures.get(image),
                class_id=place,
                label=self.set.classes[place] if place is not None else str(category),
                corners=(x, y, x + width, y + height),
                written=str(bbox),
                id=None if doubled else number,
                area=None if area is None else float(area),
                crowd=bool(row.get("iscrowd", 0)),
                attributes={
                    **{key: value for key, value in row.items() if key not in _BOX_KEYS},
                    **({} if image in self.pictures else {"image_id": image}),
                },
            )
        )


def _integer(row: dict[str, Any], key: str, what: str) -> int:
    value = row.get(key)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        number = row.get("id")
        raise _RefusedError(
            "malformed-annotation",
            f"{what} has no whole number under {key!r} (found {value!r})",
            "Write one.",
            number if isinstance(number, int | str) else None,
        )
    return value


def _is_finite_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1e30
