"""Small data sets that tests write, in every format."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

Box = tuple[str, float, float, float, float]
"""Class, x1, y1, x2, y2."""
Contents = Mapping[str, Mapping[str, Sequence[Box]]]
"""Split to picture name to boxes."""

SIZE = (100, 80)
CONTENTS: Contents = {
    "train": {
        "a.jpg": [("cat", 10, 20, 40, 60), ("dog", 50.5, 0, 100, 80)],
        "b.jpg": [("dog", 5, 5, 30, 30)],
        "c.jpg": [],
    },
    "val": {"d.jpg": [("cat", 20, 20, 70, 70)]},
}
CLASSES = ("cat", "dog")


def picture(seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A picture unlike those of other seeds: smooth random blobs."""
    small = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return cv2.resize(small, size, interpolation=cv2.INTER_CUBIC)


def write_pictures(folder: Path, names: Sequence[str], size: tuple[int, int] = SIZE) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        seed = sum(ord(letter) * 31**place for place, letter in enumerate(name)) % 100_000
        cv2.imwrite(str(folder / name), picture(seed, size))


def write_coco(folder: Path, contents: Contents = CONTENTS) -> Path:
    """`annotations/instances_SPLIT.json` and `images/`."""
    (folder / "annotations").mkdir(parents=True)
    number = 0
    for split, pictures in contents.items():
        write_pictures(folder / "images", list(pictures))
        images = [{"id": place, "file_name": name, "width": SIZE[0], "height": SIZE[1]}
                  for place, name in enumerate(pictures, 1)]  # fmt: skip
        rows = []
        for image, boxes in enumerate(pictures.values(), 1):
            for label, x1, y1, x2, y2 in boxes:
                number += 1
                bbox, area = [x1, y1, x2 - x1, y2 - y1], (x2 - x1) * (y2 - y1)
                category = CLASSES.index(label) + 1
                rows.append({"id": number, "image_id": image, "category_id": category, "bbox": bbox, "area": area})
        categories = [{"id": place, "name": name} for place, name in enumerate(CLASSES, 1)]
        document = {"images": images, "annotations": rows, "categories": categories}
        (folder / "annotations" / f"instances_{split}.json").write_text(json.dumps(document))
    return folder


def voc_xml(name: str, boxes: Sequence[Box], size: tuple[int, int] = SIZE) -> str:
    objects = "".join(
        f"\n<object><name>{label}</name><difficult>0</difficult>\n<bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin>"
        f"<xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>"
        for label, x1, y1, x2, y2 in boxes
    )
    return (
        f"<annotation>\n<filename>{name}</filename>\n<size><width>{size[0]}</width><height>{size[1]}</height>"
        f"<depth>3</depth></size>{objects}\n</annotation>\n"
    )


def write_voc(folder: Path, contents: Contents = CONTENTS) -> Path:
    """`Annotations/`, `JPEGImages/`, `ImageSets/Main/`."""
    for name in ("Annotations", "ImageSets/Main"):
        (folder / name).mkdir(parents=True)
    for split, pictures in contents.items():
        write_pictures(folder / "JPEGImages", list(pictures))
        for name, boxes in pictures.items():
            (folder / "Annotations" / f"{Path(name).stem}.xml").write_text(voc_xml(name, boxes))
        stems = "".join(f"{Path(name).stem}\n" for name in pictures)
        (folder / "ImageSets" / "Main" / f"{split}.txt").write_text(stems)
    return folder


def write_yolo(folder: Path, contents: Contents = CONTENTS) -> Path:
    """`images/SPLIT/`, `labels/SPLIT/`, `data.yaml`; a picture without boxes has no text file."""
    folder.mkdir(parents=True)
    width, height = SIZE
    for split, pictures in contents.items():
        write_pictures(folder / "images" / split, list(pictures))
        (folder / "labels" / split).mkdir(parents=True)
        for name, boxes in pictures.items():
            lines = [
                f"{CLASSES.index(label)} {(x1 + x2) / 2 / width} {(y1 + y2) / 2 / height} "
                f"{(x2 - x1) / width} {(y2 - y1) / height}\n"
                for label, x1, y1, x2, y2 in boxes
            ]
            if lines:
                (folder / "labels" / split / f"{Path(name).stem}.txt").write_text("".join(lines))
    splits = "".join(f"{split}: images/{split}\n" for split in contents)
    (folder / "data.yaml").write_text(f"path: .\n{splits}names: [{', '.join(CLASSES)}]\n")
    return folder


WRITE = {"coco": write_coco, "voc": write_voc, "yolo": write_yolo}
