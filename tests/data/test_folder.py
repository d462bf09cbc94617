"""Finding annotation sets: every usual layout of COCO, VOC and YOLO, and sentences for what is not there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from nanoedge.data.folder import choose_set, find_sets, read_paths
from nanoedge.data.index import DatasetIndex, index_of
from nanoedge.data.layouts.found import split_name
from nanoedge.errors import DataError, InputError
from tests.data.folders import CLASSES, CONTENTS, SIZE, write_coco, write_pictures, write_voc, write_yolo


def index_from(folder: Path, split: str, format: str | None = None) -> DatasetIndex:
    return index_of(choose_set(folder, split, format).read())


def check_contents(index: DatasetIndex, split: str) -> None:
    assert index.classes == CLASSES
    found = {sample.path.name: sample for sample in index.samples}
    assert sorted(found) == sorted(CONTENTS[split])
    for name, boxes in CONTENTS[split].items():
        sample = found[name]
        assert (sample.width, sample.height) == SIZE and sample.path.is_file()
        assert [CLASSES[kind] for kind in sample.class_ids] == [box[0] for box in boxes]
        np.testing.assert_allclose(sample.boxes_xyxy.reshape(-1, 4), np.reshape([box[1:] for box in boxes], (-1, 4)))


def test_every_format_gives_the_same_index(folder: Path) -> None:
    for split in CONTENTS:
        check_contents(index_from(folder, split), split)


def test_the_fingerprint_names_the_annotations(folder: Path, any_format: str) -> None:
    before = index_from(folder, "train").fingerprint
    assert before == index_from(folder, "train").fingerprint
    changed = {"coco": "annotations/instances_train.json", "voc": "Annotations/a.xml", "yolo": "labels/train/a.txt"}
    path = folder / changed[any_format]
    path.write_text(path.read_text().replace("5", "4"))
    assert index_from(folder, "train").fingerprint != before


# --- layouts -------------------------------------------------------------------------------------------------------


def test_cocos_own_layout(tmp_path: Path) -> None:
    """instances_train2017.json beside person_keypoints_ and captions_, pictures in train2017."""
    folder = write_coco(tmp_path / "coco")
    for split in CONTENTS:
        source = folder / "annotations" / f"instances_{split}.json"
        shutil.copy(source, folder / "annotations" / f"person_keypoints_{split}2017.json")
        source.rename(folder / "annotations" / f"instances_{split}2017.json")
        (folder / "annotations" / f"captions_{split}2017.json").write_text('{"images": [], "annotations": []}')
        write_pictures(folder / f"{split}2017", list(CONTENTS[split]))
    shutil.rmtree(folder / "images")
    for split in CONTENTS:
        check_contents(index_from(folder, split), split)
    assert len(find_sets(folder)) == 2


def test_roboflows_coco_layout(tmp_path: Path) -> None:
    """train/_annotations.coco.json beside its pictures; valid is val."""
    made = write_coco(tmp_path / "made")
    folder = tmp_path / "coco"
    for split, place in (("train", "train"), ("val", "valid")):
        write_pictures(folder / place, list(CONTENTS[split]))
        shutil.copy(made / "annotations" / f"instances_{split}.json", folder / place / "_annotations.coco.json")
    for split in CONTENTS:
        check_contents(index_from(folder, split), split)


def test_roboflows_voc_layout_and_labelimgs(tmp_path: Path) -> None:
    """XML files beside their pictures, in a folder a split or in one."""
    made = write_voc(tmp_path / "made")
    for split, place in (("train", "train"), ("val", "valid")):
        (tmp_path / "flow" / place).mkdir(parents=True)
        for name in CONTENTS[split]:
            shutil.copy(made / "JPEGImages" / name, tmp_path / "flow" / place)
            shutil.copy(made / "Annotations" / f"{Path(name).stem}.xml", tmp_path / "flow" / place)
    check_contents(index_from(tmp_path / "flow", "train"), "train")
    val = index_from(tmp_path / "flow", "val")
    assert val.classes == ("cat",) and len(val) == 1  # only what its own files name
    one = shutil.copytree(tmp_path / "flow" / "train", tmp_path / "one")
    check_contents(index_from(Path(one), "all"), "train")


def test_roboflows_yolo_layout(tmp_path: Path) -> None:
    """data.yaml says ../train/images, and the folders are train/images and train/labels."""
    made = write_yolo(tmp_path / "made")
    folder = tmp_path / "flow"
    for split, place in (("train", "train"), ("val", "valid")):
        shutil.copytree(made / "images" / split, folder / place / "images")
        shutil.copytree(made / "labels" / split, folder / place / "labels")
    (folder / "data.yaml").write_text(
        "train: ../train/images\nval: ../valid/images\n\nnc: 2\nnames: ['cat', 'dog']\nroboflow: {license: MIT}\n"
    )
    for split in CONTENTS:
        check_contents(index_from(folder, split), split)


def test_labelimgs_yolo_layout(tmp_path: Path) -> None:
    """Text files and classes.txt beside the pictures."""
    made = write_yolo(tmp_path / "made")
    folder = tmp_path / "one"
    shutil.copytree(made / "images" / "train", folder)
    for path in (made / "labels" / "train").iterdir():
        shutil.copy(path, folder)
    (folder / "classes.txt").write_text("cat\ndog\n")
    check_contents(index_from(folder, "all"), "train")


def test_darknets_lists_of_pictures(tmp_path: Path) -> None:
    folder = write_yolo(tmp_path / "set")
    (folder / "train.txt").write_text("".join(f"./images/train/{name}\n" for name in CONTENTS["train"]) + "\n")
    (folder / "data.yaml").write_text("train: train.txt\nval: [images/val]\nnames: {0: cat, 1: dog}\n")
    for split in CONTENTS:
        check_contents(index_from(folder, split), split)


def test_vocs_lists_of_one_class_are_no_splits(tmp_path: Path) -> None:
    folder = write_voc(tmp_path / "set")
    (folder / "ImageSets" / "Main" / "cat_train.txt").write_text("a  1\nb -1\nc  0\n")
    assert [found.split for found in find_sets(folder)] == ["train", "val"]


@pytest.mark.parametrize(
    ("text", "name"),
    [("instances_train2017", "train"), ("valid", "val"), ("Validation", "val"), ("my-test_set", "test"),
     ("trainval", "trainval"), ("open300", "open300"), ("2007_train", "train")],
)  # fmt: skip
def test_splits_have_their_usual_names(text: str, name: str) -> None:
    assert split_name(text) == name


# --- named paths ---------------------------------------------------------------------------------------------------


def test_paths_may_name_vocs_folder_or_one_of_its_lists(tmp_path: Path) -> None:
    folder = write_voc(tmp_path / "set")
    settings = ("data.train.annotations", "data.train.images")
    listed = read_paths(folder / "ImageSets" / "Main" / "train.txt", folder / "JPEGImages", "train", settings)
    check_contents(index_of(listed), "train")
    whole = read_paths(folder / "Annotations", folder / "JPEGImages", "train", settings)
    assert len(whole.pictures) == 4
    (folder / "ImageSets" / "Main" / "cat_train.txt").write_text("a  1\nb -1\n")
    with pytest.raises(DataError, match="lists one class"):
        read_paths(folder / "ImageSets" / "Main" / "cat_train.txt", folder / "JPEGImages", "train", settings)


def test_a_data_yaml_as_annotations_points_to_its_splits(tmp_path: Path) -> None:
    folder = write_yolo(tmp_path / "set")
    with pytest.raises(DataError, match=r"set data\.train=train instead"):
        read_paths(folder / "data.yaml", folder, "train", ("data.train.annotations (or data.root)", ""))


# --- what is not there ---------------------------------------------------------------------------------------------


def test_an_empty_folder_is_answered_with_what_each_format_needs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no annotations .* COCO: .* VOC: .* YOLO: "):
        choose_set(tmp_path, "train")
    with pytest.raises(InputError, match=r"read: VOC: a folder of XML files\.$"):
        choose_set(tmp_path, "train", "voc")
    with pytest.raises(InputError, match="does not exist"):
        choose_set(tmp_path / "gone", "train")
    with pytest.raises(InputError, match=r"format 'tfrecord' is unknown; there are coco, voc, yolo"):
        choose_set(tmp_path, "train", "tfrecord")


def test_a_split_that_is_not_there_is_answered_with_those_that_are(folder: Path) -> None:
    with pytest.raises(InputError, match=r"no split 'test'; it has .*train.*val.*--val 0\.2"):
        choose_set(folder, "test")


def test_two_formats_in_one_folder_must_be_chosen_from(tmp_path: Path) -> None:
    folder = write_coco(tmp_path / "set")
    write_voc(tmp_path / "voc")
    for path in (tmp_path / "voc").iterdir():
        path.rename(folder / path.name)
    with pytest.raises(InputError, match=r"several sets for the split 'train'.*data\.format=coco") as refused:
        choose_set(folder, "train")
    assert "val" not in str(refused.value).replace(str(folder), "")
    for format in ("coco", "voc"):
        check_contents(index_from(folder, "train", format), "train")


def test_hidden_files_and_other_json_are_left_alone(tmp_path: Path) -> None:
    folder = write_coco(tmp_path / "set")
    (folder / ".cache").mkdir()
    shutil.copy(folder / "annotations" / "instances_train.json", folder / ".cache" / "old.json")
    (folder / "detections.json").write_text(json.dumps([{"image_id": 1}]))
    (folder / "empty.json").write_text("")
    assert len(find_sets(folder)) == 2
