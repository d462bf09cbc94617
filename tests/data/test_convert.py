"""Conversions: around all formats boxes stay where they are, and what a format has no place for is said."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from nanoedge.data.convert import convert_folder
from nanoedge.data.folder import choose_set, find_sets
from nanoedge.data.index import DatasetIndex, index_of
from nanoedge.errors import DataError, InputError, NanoEdgeError
from tests.data.folders import CONTENTS, WRITE, picture, voc_xml, write_coco, write_voc, write_yolo

FORMATS = ("coco", "voc", "yolo")


def index_from(folder: Path, split: str) -> DatasetIndex:
    return index_of(choose_set(folder, split).read())


def same(one: DatasetIndex, other: DatasetIndex) -> None:
    assert one.classes == other.classes
    first, second = ({sample.path.name: sample for sample in index.samples} for index in (one, other))
    assert sorted(first) == sorted(second)
    for name, sample in first.items():
        assert (sample.width, sample.height) == (second[name].width, second[name].height)
        assert sample.class_ids.tolist() == second[name].class_ids.tolist()
        np.testing.assert_allclose(sample.boxes_xyxy, second[name].boxes_xyxy, atol=1e-3)
        assert sample.path.read_bytes() == second[name].path.read_bytes()


@pytest.mark.parametrize("to", FORMATS)
def test_every_format_can_be_written_from_every_other(folder: Path, tmp_path: Path, to: str) -> None:
    done = convert_folder(folder, to, tmp_path / "out")
    assert done.splits == {"train": (3, 3), "val": (1, 1)}
    for split in CONTENTS:
        same(index_from(folder, split), index_from(tmp_path / "out", split))


@pytest.mark.shared
@pytest.mark.parametrize(("name", "format", "split"), [("bccd", "coco", "val"), ("coco_open300", "coco", "open300")])
def test_boxes_of_real_data_survive_the_way_around(
    shared: Path, tmp_path: Path, name: str, format: str, split: str
) -> None:
    source = shared / "data" / name
    convert_folder(source, "voc", tmp_path / "voc", format, link=False)
    convert_folder(tmp_path / "voc", "yolo", tmp_path / "yolo", link=True)
    convert_folder(tmp_path / "yolo", "coco", tmp_path / "coco", link=True)
    before, after = index_of(choose_set(source, split, format).read()), index_from(tmp_path / "coco", split)
    same(before, after)
    assert before.box_count == after.box_count > 1000


# --- losses --------------------------------------------------------------------------------------------------------


def rich_coco(folder: Path) -> Path:
    write_coco(folder)
    path = folder / "annotations" / "instances_train.json"
    document = json.loads(path.read_text())
    document["annotations"][0].update(segmentation=[[1, 2, 3, 4, 5, 6]], area=700)
    document["annotations"].append(
        {"id": 40, "image_id": 2, "category_id": 1, "bbox": [50, 50, 20, 20], "area": 400, "iscrowd": 1}
    )
    document["info"] = {"year": 2020}
    document["images"][0]["license"] = 3
    path.write_text(json.dumps(document))
    return folder


def test_coco_to_coco_loses_nothing(tmp_path: Path) -> None:
    folder = rich_coco(tmp_path / "set")
    assert convert_folder(folder, "coco", tmp_path / "out").losses == ()
    for split in CONTENTS:
        before, after = (json.loads((place / "annotations" / f"instances_{split}.json").read_text())
                         for place in (folder, tmp_path / "out"))  # fmt: skip
        for row in before["annotations"]:
            row.setdefault("iscrowd", 0)
        assert after == before


@pytest.mark.parametrize(
    ("to", "losses"),
    [
        ("voc", ["ids of pictures", "1 crowd regions", "the masks of 1 annotations", "areas of 1 boxes", "info"]),
        ("yolo", ["ids of pictures", "1 crowd regions", "areas of 1 boxes", "segmentation of annotations", "license"]),
    ],
)
def test_what_a_format_has_no_place_for_is_said(tmp_path: Path, to: str, losses: list[str]) -> None:
    done = convert_folder(rich_coco(tmp_path / "set"), to, tmp_path / "out")
    text = "; ".join(done.losses)
    for loss in losses:
        assert loss in text
    assert json.loads((tmp_path / "out" / "nanoedge-data.json").read_text())["losses"] == list(done.losses)


def test_a_polygon_stays_one_in_yolo_and_is_a_stated_loss_elsewhere(tmp_path: Path) -> None:
    folder = write_yolo(tmp_path / "set")
    (folder / "labels" / "train" / "a.txt").write_text("1 0.1 0.5 0.3 0.25 0.4 0.75\n")
    assert convert_folder(folder, "yolo", tmp_path / "yolo").losses == ()
    assert (tmp_path / "yolo" / "labels" / "train" / "a.txt").read_text() == "1 0.1 0.5 0.3 0.25 0.4 0.75\n"
    for format in ("voc", "coco"):
        assert "1 polygons" in convert_folder(folder, format, tmp_path / format).losses[0]


def test_vocs_marks_are_kept_by_coco_and_lost_in_yolo(tmp_path: Path) -> None:
    folder = write_voc(tmp_path / "set")
    text = voc_xml("a.jpg", [("cat", 10, 20, 40, 60)]).replace("<difficult>0<", "<difficult>1<")
    (folder / "Annotations" / "a.xml").write_text(text)
    assert convert_folder(folder, "coco", tmp_path / "coco").losses == ()
    rows = json.loads((tmp_path / "coco" / "annotations" / "instances_train.json").read_text())["annotations"]
    assert rows[0]["difficult"] == "1"
    assert convert_folder(folder, "yolo", tmp_path / "yolo").losses == ("difficult of annotations",)


def test_equal_names_in_two_splits_are_kept_apart(tmp_path: Path) -> None:
    folder = write_yolo(tmp_path / "set", {"train": {"1.jpg": [("cat", 1, 1, 50, 50)]}, "val": {"1.jpg": []}})
    cv2.imwrite(str(folder / "images" / "val" / "1.jpg"), picture(99))
    done = convert_folder(folder, "voc", tmp_path / "out")
    assert done.losses == ("1 pictures have new names, because two had the same",)
    assert len(list((tmp_path / "out" / "JPEGImages").iterdir())) == 2
    (train,), (val,) = (index_from(tmp_path / "out", split).samples for split in ("train", "val"))
    assert (len(train.boxes_xyxy), len(val.boxes_xyxy)) == (1, 0)
    assert val.path.read_bytes() == (folder / "images" / "val" / "1.jpg").read_bytes()


def test_a_union_of_splits_is_left_out_of_yolo(tmp_path: Path) -> None:
    folder = write_voc(tmp_path / "set")
    lists = folder / "ImageSets" / "Main"
    (lists / "trainval.txt").write_text((lists / "train.txt").read_text() + (lists / "val.txt").read_text())
    done = convert_folder(folder, "yolo", tmp_path / "out")
    assert list(done.splits) == ["train", "val"] and "trainval, which only puts others together" in done.losses[0]


# --- splitting -----------------------------------------------------------------------------------------------------


def one_split(folder: Path, count: int = 10) -> Path:
    names = {f"{number:02d}.jpg": [("cat", 10, 10, 40, 40)] for number in range(count)}
    made = write_voc(folder, {"all": names})
    shutil.rmtree(made / "ImageSets")
    return made


def test_one_split_can_be_split_and_always_in_the_same_way(tmp_path: Path) -> None:
    folder = one_split(tmp_path / "set")
    done = convert_folder(folder, "coco", tmp_path / "out", val_share=0.3)
    assert done.splits == {"train": (7, 7), "val": (3, 3)}
    train, val = ({sample.path.name for sample in index_from(tmp_path / "out", split).samples}
                  for split in ("train", "val"))  # fmt: skip
    assert not train & val and len(train | val) == 10
    again = convert_folder(folder, "coco", tmp_path / "again", val_share=0.3)
    assert again.splits == done.splits
    assert {sample.path.name for sample in index_from(tmp_path / "again", "val").samples} == val


@pytest.mark.parametrize("share", [-0.1, 1.0, 0.01])
def test_a_share_that_leaves_a_split_empty_is_refused(tmp_path: Path, share: float) -> None:
    with pytest.raises(InputError, match="--val"):
        convert_folder(one_split(tmp_path / "set"), "coco", tmp_path / "out", val_share=share)


def test_data_with_splits_are_not_split_again(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"have splits already \(train, val\)"):
        convert_folder(folder, "coco", tmp_path / "out", val_share=0.2)


# --- refusals ------------------------------------------------------------------------------------------------------


def test_data_with_errors_are_not_converted(tmp_path: Path) -> None:
    folder = write_voc(tmp_path / "set")
    (folder / "Annotations" / "a.xml").write_text(voc_xml("a.jpg", [("cat", 5, 5, 5, 9), ("dog", 7, 7, 7, 9)]))
    with pytest.raises(DataError, match=r"object 1 .* of no size.*\(2 errors in all\) See them: nanoedge data check"):
        convert_folder(folder, "coco", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_unreadable_picture_of_yolo_is_named(tmp_path: Path) -> None:
    folder = write_yolo(tmp_path / "set")
    (folder / "images" / "train" / "a.jpg").write_bytes(b"none")
    with pytest.raises(DataError, match=r"size of the picture .*a\.jpg is not known"):
        convert_folder(folder, "voc", tmp_path / "out")


def test_several_formats_must_be_chosen_from(tmp_path: Path) -> None:
    folder = write_coco(tmp_path / "set")
    write_voc(tmp_path / "voc")
    for path in (tmp_path / "voc").iterdir():
        path.rename(folder / path.name)
    with pytest.raises(InputError, match=r"holds coco and voc annotations; choose with --format coco"):
        convert_folder(folder, "yolo", tmp_path / "out")
    assert convert_folder(folder, "yolo", tmp_path / "out", "voc").splits["train"] == (3, 3)


def test_what_is_there_is_replaced_only_by_force_and_only_a_conversion(tmp_path: Path) -> None:
    folder, out = write_coco(tmp_path / "set"), tmp_path / "out"
    convert_folder(folder, "voc", out)
    with pytest.raises(InputError, match="--force"):
        convert_folder(folder, "yolo", out)
    convert_folder(folder, "yolo", out, force=True)
    assert {found.format for found in find_sets(out)} == {"yolo"}
    with pytest.raises(InputError, match="not replaced even with --force"):
        convert_folder(out, "voc", folder, force=True)


def test_an_unknown_format_is_answered_with_the_known_ones(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="coco, voc, yolo"):
        convert_folder(folder, "tfrecord", tmp_path / "out")


def test_links_share_the_files_and_copies_do_not(folder: Path, tmp_path: Path) -> None:
    for link, count in ((True, 2), (False, 1)):
        out = tmp_path / f"out-{link}"
        convert_folder(folder, "yolo", out, link=link)
        assert (out / "images" / "train" / "a.jpg").stat().st_nlink == count
        shutil.rmtree(out)


def test_nothing_is_left_when_a_picture_cannot_be_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fills up in the middle; a real one cannot be had in a test."""
    folder = WRITE["coco"](tmp_path / "set")

    def full(source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nanoedge.data.writers.place.shutil.copyfile", full)
    with pytest.raises(NanoEdgeError, match="cannot be copied: No space left on device"):
        convert_folder(folder, "voc", tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set"]


# --- hostile names -------------------------------------------------------------------------------------------------


def test_a_name_that_leaves_its_folder_and_comes_back_does_not_lead_out_of_the_copy(tmp_path: Path) -> None:
    folder = write_coco(tmp_path / "deep" / "set")
    path = folder / "annotations" / "instances_train.json"
    path.write_text(path.read_text().replace('"a.jpg"', '"../../set/images/a.jpg"'))
    precious = tmp_path / "deep" / "out" / "set" / "images" / "a.jpg"
    convert_folder(folder, "coco", tmp_path / "deep" / "out" / "copy")
    assert not precious.exists()
    assert (tmp_path / "deep" / "out" / "copy" / "images" / "a.jpg").is_file()


def test_a_split_whose_name_is_a_path_is_no_split(tmp_path: Path) -> None:
    folder = write_yolo(tmp_path / "set")
    with (folder / "data.yaml").open("a") as stream:
        stream.write('"../../evil": images/train\n1: images/train\n')
    done = convert_folder(folder, "yolo", tmp_path / "out")
    assert set(done.splits) == {"train", "val", "1"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "set"]


def test_attributes_never_take_the_place_of_what_coco_needs(tmp_path: Path) -> None:
    folder = write_voc(tmp_path / "set")
    text = voc_xml("a.jpg", [("cat", 10, 20, 40, 60)]).replace(
        "<difficult>0<", "<id>xyz</id><area>big</area><difficult>1<"
    )
    (folder / "Annotations" / "a.xml").write_text(text.replace("<size>", "<width>7</width><size>"))
    convert_folder(folder, "coco", tmp_path / "out")
    same(index_from(tmp_path / "out", "val"), index_from(folder, "val"))
    sample = index_from(tmp_path / "out", "train").samples[0]
    assert (sample.width, sample.areas.tolist()) == (100, [1200.0])


def test_parts_of_vocs_objects_survive(tmp_path: Path) -> None:
    part = "<part><name>{0}</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox></part>"
    folder = write_voc(tmp_path / "set")
    parts = part.format("head") + part.format("foot")
    text = voc_xml("a.jpg", [("cat", 10, 20, 40, 60)]).replace("</object>", f"{parts}</object>")
    (folder / "Annotations" / "a.xml").write_text(text)
    convert_folder(folder, "voc", tmp_path / "out")
    before, after = (choose_set(place, "train").read().boxes[0] for place in (folder, tmp_path / "out"))
    assert before.attributes == after.attributes and len(after.attributes["part"]) == 2
    assert after.attributes["part"][1]["bndbox"]["ymax"] == "4"


@pytest.mark.parametrize("to", FORMATS)
def test_names_that_no_annotation_can_hold_are_refused(tmp_path: Path, to: str) -> None:
    source = write_coco(tmp_path / "set")
    file = source / "annotations" / "instances_train.json"
    file.write_text(file.read_text().replace('"cat"', '"c\\u0001t"'))
    with pytest.raises(DataError, match=r"class 'c\\x01t' holds a control character"):
        convert_folder(source, to, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_name_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    source = write_yolo(tmp_path / "set")
    os.rename(os.fsencode(source / "images/train/a.jpg"), os.fsencode(source / "images/train") + b"/\xe9.jpg")
    with pytest.raises(DataError, match=r"images/train/\\udce9.jpg' holds a control character or is not UTF-8"):
        convert_folder(source, "coco", tmp_path / "out")


@pytest.mark.parametrize("to", FORMATS)
def test_other_settings_of_data_yaml_are_a_stated_loss(tmp_path: Path, to: str) -> None:
    source = write_yolo(tmp_path / "set")
    with (source / "data.yaml").open("a") as stream:
        stream.write("licence: CC-BY\ndate: 2024-01-01\n")
    (loss,) = [loss for loss in convert_folder(source, to, tmp_path / "out").losses if "licence" in loss]
    assert loss.startswith("date, licence of")


def test_many_equal_names_are_counted_on(tmp_path: Path) -> None:
    contents = {"train": {f"{number}/frame.jpg": [] for number in range(30)}}
    convert_folder(write_coco(tmp_path / "set", contents), "voc", tmp_path / "out")
    names = {path.stem for path in (tmp_path / "out" / "JPEGImages").iterdir()}
    assert names == {"frame", *(f"frame-{number}" for number in range(2, 31))}
