"""The pictures of `coco_open300` in two parts: some to calibrate int8 with, the others to measure on."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.results.figures import shared_folder

EVERY = 3
"""Each third picture, by name, calibrates."""


@dataclass(frozen=True)
class Parts:
    """Of the data set.

    Attributes:
        calibration: folder with links to the pictures to calibrate with.
        calibration_pictures: how many there are.
        annotations: COCO JSON of the other pictures.
        other_pictures: how many those are.
        images: folder of all pictures.
    """

    calibration: Path
    calibration_pictures: int
    annotations: Path
    other_pictures: int
    images: Path


def split(folder: Path) -> Parts:
    """Write the folder of links and the annotations of the others into `folder`."""
    data = shared_folder() / "data" / "coco_open300"
    images = (data / "images").resolve()
    document = json.loads((data / "annotations" / "instances_open300.json").read_text())
    names = sorted(picture["file_name"] for picture in document["images"])
    chosen = names[::EVERY]
    calibration, annotations = folder / "calibration", folder / "others.json"
    calibration.mkdir()
    for name in chosen:
        (calibration / name).symlink_to(images / name)
    annotations.write_text(json.dumps(without(document, chosen)))
    return Parts(calibration, len(chosen), annotations, len(names) - len(chosen), images)


def without(document: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    """A COCO document without some pictures, named by their files, and without the boxes in them."""
    left = [picture for picture in document["images"] if picture["file_name"] not in set(names)]
    numbers = {picture["id"] for picture in left}
    boxes = [box for box in document["annotations"] if box["image_id"] in numbers]
    return {**document, "images": left, "annotations": boxes}
