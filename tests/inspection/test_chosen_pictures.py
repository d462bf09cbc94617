"""A picture is found by whatever a person calls it, or the answer says why not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from nanoedge.config.load import load_config
from nanoedge.config.schema import Config
from nanoedge.errors import DataError, InputError
from nanoedge.inspection.chosen_pictures import choose_pictures
from tests.data.folders import CLASSES, write_coco, write_yolo

TWO_FOLDERS = {
    "train": {"day/a.jpg": [("cat", 10, 20, 40, 60)], "night/a.jpg": [("dog", 5, 5, 30, 30)]},
    "val": {"e.jpg": [], "d.jpg": [("cat", 20, 20, 70, 70)]},
}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_config(
        "demo", [f"data.root={write_coco(tmp_path / 'set', TWO_FOLDERS)}", "data.train=train", "data.val=val"]
    )


def names(config: Config, *asked: str, split: str | None = None, count: int = 3) -> list[tuple[str, str]]:
    chosen = choose_pictures(config, CLASSES, asked, split, count)
    return [(each.split, "/".join(each.sample.path.parts[-2:])) for each in chosen]


def test_without_a_name_the_first_pictures_with_objects_are_taken(config: Config) -> None:
    assert names(config) == [("val", "images/d.jpg")]
    assert names(config, split="train", count=1) == [("train", "day/a.jpg")]


def test_a_picture_is_named_by_file_stem_id_path_or_a_part_of_it(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(config.data.root)
    monkeypatch.chdir(root / "images" / "night")
    for asked in ("d.jpg", "d", "2", str(root / "images" / "d.jpg"), "images/d.jpg"):
        assert names(config, asked) == [("val", "images/d.jpg")], asked
    for asked in ("night/a.jpg", "./a.jpg"):
        assert names(config, asked) == [("train", "night/a.jpg")], asked
    assert names(config, "night/a.jpg", "e.jpg") == [("train", "night/a.jpg"), ("val", "images/e.jpg")]


def test_what_is_in_neither_split_or_twice_is_refused(config: Config) -> None:
    with pytest.raises(InputError, match=r"No picture of val \(.*\) and train \(.*\) is 'street\.jpg'.*no objects"):
        choose_pictures(config, CLASSES, ["street.jpg"], None, 3)
    with pytest.raises(InputError, match=r"2 pictures of train are called 'a\.jpg'"):
        choose_pictures(config, CLASSES, ["a.jpg"], None, 3)
    with pytest.raises(InputError, match="No picture of val"):
        choose_pictures(config, CLASSES, ["night/a.jpg"], "val", 3)
    with pytest.raises(InputError, match="train or val, not 'test'"):
        choose_pictures(config, CLASSES, [], "test", 3)


def test_a_split_without_any_object_has_nothing_to_show(tmp_path: Path) -> None:
    folder = write_coco(tmp_path / "set", {"train": TWO_FOLDERS["train"], "val": {"e.jpg": []}})
    config = load_config("demo", [f"data.root={folder}", "data.train=train", "data.val=val"])
    with pytest.raises(DataError, match="has an object"):
        choose_pictures(config, CLASSES, [], None, 3)


def test_the_other_split_is_only_read_when_it_is_needed(tmp_path: Path) -> None:
    folder = write_yolo(tmp_path / "set")
    broken = folder / "labels" / "train" / "a.txt"
    broken.write_text("rubbish\n")
    config = load_config("demo", [f"data.root={folder}", "data.train=train", "data.val=val"])
    assert names(config, "d.jpg") == [("val", "val/d.jpg")]
    with pytest.raises(DataError, match=r"a\.txt"):
        names(config, "b.jpg")


def test_class_ids_are_the_networks_whatever_the_files_order(tmp_path: Path) -> None:
    folder = write_coco(tmp_path / "set")
    path = folder / "annotations" / "instances_val.json"
    document = json.loads(path.read_text())
    document["categories"].reverse()
    path.write_text(json.dumps(document))
    config = load_config("demo", [f"data.root={folder}", "data.train=train", "data.val=val"])
    (chosen,) = choose_pictures(config, ("bird", "cat", "dog"), [], None, 1)
    assert chosen.sample.class_ids.tolist() == [1]
