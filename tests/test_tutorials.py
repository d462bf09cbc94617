"""The tutorials' commands, typed in an empty folder that holds a part of the blood cells, as their pages say."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from nanoedge.data.convert import convert_folder
from tests.test_readme import REPOSITORY, run_console_lines

ZERO_SIZE = "BloodImage_00338"  # one of BCCD's known defects
COUNT = {"train": 16, "val": 6}


def coco(bccd: Path, place: Path) -> None:
    for part in ("annotations", "images"):
        (place / part).mkdir(parents=True)
    for split, count in COUNT.items():
        document = json.loads((bccd / "annotations" / f"instances_{split}.json").read_text())
        document["images"] = document["images"][:count]
        kept = {row["id"] for row in document["images"]}
        document["annotations"] = [row for row in document["annotations"] if row["image_id"] in kept]
        document["annotations"][0]["bbox"][2] = 0
        (place / "annotations" / f"instances_{split}.json").write_text(json.dumps(document))
        for row in document["images"]:
            shutil.copy(bccd / "JPEGImages" / row["file_name"], place / "images")


def voc(bccd: Path, place: Path) -> None:
    for part in ("Annotations", "JPEGImages"):
        (place / part).mkdir(parents=True)
    names = [path.stem for path in sorted((bccd / "Annotations").glob("*.xml"))[:20]]
    for name in [*names, ZERO_SIZE]:
        shutil.copy(bccd / "Annotations" / f"{name}.xml", place / "Annotations")
        shutil.copy(bccd / "JPEGImages" / f"{name}.jpg", place / "JPEGImages")


def yolo(bccd: Path, place: Path) -> None:
    made = place.with_name("made")
    coco(bccd, made)
    for split in COUNT:
        path = made / "annotations" / f"instances_{split}.json"
        document = json.loads(path.read_text())
        document["annotations"] = document["annotations"][1:]
        path.write_text(json.dumps(document))
    convert_folder(made, "yolo", place)
    shutil.rmtree(made)
    (place / "nanoedge-data.json").unlink()
    labels = sorted((place / "labels" / "train").iterdir())
    labels[0].unlink()
    labels[1].write_text(labels[1].read_text().replace("\n", "  \n\n") + "0 0.5 0.5 0 0.1\n")


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("make", [coco, voc, yolo], ids=lambda make: make.__name__)
def test_a_tutorial_works_from_its_first_line_to_its_last(
    shared: Path, tmp_path: Path, make: Callable[[Path, Path], None]
) -> None:
    name = f"my_{make.__name__}"
    make(shared / "data" / "bccd", tmp_path / name)
    text = (REPOSITORY / "docs" / f"{name}.md").read_text()
    assert run_console_lines(text, tmp_path) >= 7
    assert len(list((tmp_path / "found").iterdir())) >= 6
    assert (tmp_path / "sheet.jpg").stat().st_size > 10_000
    assert "<svg" in (tmp_path / "my_data.html").read_text()
