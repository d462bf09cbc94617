"""Damage planted into a copy of a COCO data set, one defect of each kind, at random places."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

Document = dict[str, Any]
Found = tuple[str, str]
"""Kind of problem, and the name of what it is found at: a picture, an annotation's id, a class."""


def split_copy(annotations: Path, images: Path, folder: Path, val: int) -> Path:
    """A copy of a set, its last `val` pictures as another split."""
    document = json.loads(annotations.read_text())
    shutil.copytree(images, folder / "images")
    (folder / "annotations").mkdir()
    count = len(document["images"]) - val
    for split, pictures in (("train", document["images"][:count]), ("val", document["images"][count:])):
        ids = {picture["id"] for picture in pictures}
        rows = [row for row in document["annotations"] if row["image_id"] in ids]
        part = {"images": pictures, "annotations": rows, "categories": document["categories"]}
        _file(folder, split).write_text(json.dumps(part))
    return folder


class Planter:
    """Plants into a copy made by `split_copy`; each damage gets a picture of its own.

    Args:
        folder: the copy.
        random: chooses the places.
        spared: names of pictures and ids of annotations that have a defect already.
    """

    def __init__(self, folder: Path, random: np.random.Generator, spared: set[str]) -> None:
        self.folder = folder
        self.random = random
        self.sets: dict[str, Document] = {split: json.loads(_file(folder, split).read_text()) for split in SPLITS}
        hurt = {
            row["image_id"] for part in self.sets.values() for row in part["annotations"] if str(row["id"]) in spared
        }
        self.left: dict[str, list[Document]] = {}
        for split, part in self.sets.items():
            busy = {row["image_id"] for row in part["annotations"] if not row["iscrowd"]}
            whole = [
                picture
                for picture in part["images"]
                if picture["id"] not in hurt and picture["file_name"] not in spared and picture["id"] in busy
            ]
            self.left[split] = [whole[place] for place in random.permutation(len(whole))]

    def plant(self, kind: str) -> Found:
        """Plant one defect; what a check must find."""
        return kind, PLANT[kind](self)

    def write(self) -> None:
        """The changed annotations."""
        for split, document in self.sets.items():
            _file(self.folder, split).write_text(json.dumps(document))

    def picture(self, split: str | None = None) -> tuple[str, Document]:
        """A picture that nothing was done to yet."""
        split = split or str(self.random.choice(SPLITS, p=(0.8, 0.2)))
        return split, self.left[split].pop()

    def path(self, picture: Document) -> Path:
        return self.folder / "images" / str(picture["file_name"])

    def box(self) -> tuple[str, Document, Document]:
        """A split, a picture, and one of its boxes."""
        split, picture = self.picture()
        rows = [row for row in self.sets[split]["annotations"] if row["image_id"] == picture["id"]]
        plain = [row for row in rows if not row["iscrowd"]]
        return split, picture, plain[int(self.random.integers(len(plain)))]

    def new_id(self, what: str) -> int:
        return 1 + max(row["id"] for part in self.sets.values() for row in part[what])


SPLITS = ("train", "val")


def _file(folder: Path, split: str) -> Path:
    return folder / "annotations" / f"instances_{split}.json"


def _unreadable(planter: Planter) -> str:
    _, picture = planter.picture()
    path = planter.path(picture)
    path.write_bytes(planter.random.bytes(path.stat().st_size))
    return str(picture["file_name"])


def _truncated(planter: Planter) -> str:
    _, picture = planter.picture()
    data = planter.path(picture).read_bytes()
    planter.path(picture).write_bytes(data[: int(len(data) * planter.random.uniform(0.3, 0.95))])
    return str(picture["file_name"])


def _turned(planter: Planter) -> str:
    _, picture = planter.picture()
    with Image.open(planter.path(picture)) as image:
        exif = image.getexif()
        exif[0x0112] = int(planter.random.choice([3, 6, 8]))
        image.save(planter.path(picture), exif=exif, quality="keep")
    return str(picture["file_name"])


def _resized(planter: Planter) -> str:
    _, picture = planter.picture()
    pixels = cv2.imread(str(planter.path(picture)))
    factor = planter.random.uniform(0.4, 0.9)
    cv2.imwrite(str(planter.path(picture)), cv2.resize(pixels, None, fx=factor, fy=factor))
    return str(picture["file_name"])


def _outside(planter: Planter) -> str:
    _, picture, row = planter.box()
    x, _, _, height = row["bbox"]
    row["bbox"] = [x, picture["height"] + float(planter.random.uniform(1, 200)), 40.0, height]
    return str(row["id"])


def _zero(planter: Planter) -> str:
    _, _, row = planter.box()
    row["bbox"][int(planter.random.integers(2, 4))] = 0
    return str(row["id"])


def _doubled(planter: Planter) -> str:
    split, _, row = planter.box()
    again = copy.deepcopy(row)
    again["id"] = planter.new_id("annotations")
    again["bbox"] = [side + float(planter.random.uniform(-0.01, 0.01)) * row["bbox"][2 + place % 2]
                     for place, side in enumerate(row["bbox"])]  # fmt: skip
    planter.sets[split]["annotations"].append(again)
    return str(again["id"])


def _unknown_class(planter: Planter) -> str:
    row = planter.box()[2]
    while sum(other["category_id"] == row["category_id"] for other in planter.sets["train"]["annotations"]) < 20:
        row = planter.box()[2]  # a class that keeps examples
    row["category_id"] = 1000 + int(planter.random.integers(1000))
    return str(row["id"])


def _unused_class(planter: Planter) -> str:
    name = f"class-{planter.random.integers(10**6)}"
    for document in planter.sets.values():
        document["categories"].append({"id": 5000, "name": name})
    return name


def _leak(planter: Planter) -> str:
    return _copied(planter, lambda data: data)


def _near_leak(planter: Planter) -> str:
    def photographed_again(data: bytes) -> bytes:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        pixels = cv2.GaussianBlur(pixels, (0, 0), planter.random.uniform(0.5, 1.5))
        shifted = pixels.astype(np.float32) * planter.random.uniform(0.8, 1.2) + planter.random.uniform(-15, 15)
        quality = int(planter.random.integers(40, 90))
        pixels = np.clip(shifted, 0, 255).astype(np.uint8)
        return bytes(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes())

    return _copied(planter, photographed_again)


def _copied(planter: Planter, change: Callable[[bytes], bytes]) -> str:
    """A picture of `train`, also in `val` under another name with its boxes."""
    _, picture = planter.picture("train")
    val = planter.sets["val"]
    again = {**picture, "id": planter.new_id("images"), "file_name": f"again-{picture['file_name']}"}
    planter.path(again).write_bytes(change(planter.path(picture).read_bytes()))
    val["images"].append(again)
    for row in planter.sets["train"]["annotations"]:
        if row["image_id"] == picture["id"]:
            val["annotations"].append({**row, "id": planter.new_id("annotations"), "image_id": again["id"]})
    return str(picture["file_name"])


def _tiny(planter: Planter) -> str:
    _, picture, row = planter.box()
    row["bbox"][2] = 1.5 * picture["width"] / 320
    return str(row["id"])


PLANT: dict[str, Callable[[Planter], str]] = {
    "unreadable-picture": _unreadable,
    "truncated-picture": _truncated,
    "exif-turn": _turned,
    "size-disagreement": _resized,
    "box-outside-picture": _outside,
    "zero-size-box": _zero,
    "duplicate-box": _doubled,
    "unknown-class": _unknown_class,
    "class-without-examples": _unused_class,
    "leak": _leak,
    "near-duplicate": _near_leak,
    "tiny-box": _tiny,
}
"""Kind of problem to what plants it; gives the name of what the problem must be found at."""


def found_at(problem: Document) -> Found:
    """What a check's problem was found at: the picture's file, else the annotation's or class's id."""
    file = Path(problem["file"])
    return problem["kind"], file.name if file.suffix.lower() == ".jpg" else str(problem["id"])
