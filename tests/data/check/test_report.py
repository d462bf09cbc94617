"""Checking a folder: every kind of defect is found once, and named with its place and its cure."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from nanoedge.config.load import load_config
from nanoedge.config.schema import Config
from nanoedge.data.annotations import Problem
from nanoedge.data.check.quick import quick_check, summary
from nanoedge.data.check.report import CheckResult, check_folder
from nanoedge.data.convert import convert_folder
from nanoedge.data.splits import read_splits
from nanoedge.errors import DataError, InputError
from PIL import Image
from tests.data.folders import CONTENTS, SIZE, WRITE, picture, voc_xml, write_coco, write_voc, write_yolo

Document = dict[str, Any]


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config("nanodet-plus-m_320")


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    return write_coco(tmp_path / "set")


def change(folder: Path, edit: Callable[[Document], object], split: str = "train") -> None:
    path = folder / "annotations" / f"instances_{split}.json"
    document = json.loads(path.read_text())
    edit(document)
    path.write_text(json.dumps(document))


def only(result: CheckResult) -> Problem:
    assert len(result.problems) == 1, [(problem.kind, problem.message) for problem in result.problems]
    return result.problems[0]


# --- nothing is wrong ----------------------------------------------------------------------------------------------


def test_nothing_is_wrong_with_good_data(folder: Path, config: Config) -> None:
    result = check_folder(folder, config)
    assert result.problems == () and result.passed
    assert result.as_json() == {"problems": []}


def test_a_union_of_splits_is_no_leak(tmp_path: Path, config: Config) -> None:
    folder = write_voc(tmp_path / "set")
    lists = folder / "ImageSets" / "Main"
    (lists / "trainval.txt").write_text((lists / "train.txt").read_text() + (lists / "val.txt").read_text())
    assert check_folder(folder, config).problems == ()


def test_pictures_of_one_colour_are_not_taken_for_the_same(coco: Path, config: Config) -> None:
    for name, level in (("a.jpg", 10), ("d.jpg", 11)):
        cv2.imwrite(str(coco / "images" / name), np.full((SIZE[1], SIZE[0], 3), level * 10, np.uint8))
    assert check_folder(coco, config).problems == ()


@pytest.mark.parametrize(
    "make",
    [
        lambda size: Image.fromarray(picture(5, size)[:, :, 0]),
        lambda size: Image.fromarray(picture(5, size)).convert("P"),
        lambda size: Image.fromarray(picture(5, size)).convert("RGBA"),
        lambda size: Image.fromarray(picture(5, size)[:, :, 0].astype(np.uint16) * 257),
        lambda size: Image.fromarray(picture(5, size)).convert("1"),
    ],
    ids=["grey", "palette", "alpha", "16-bit", "bilevel"],
)
def test_unusual_pictures_are_fine(tmp_path: Path, config: Config, make: Callable) -> None:
    folder = write_voc(tmp_path / "set", {"train": {"a.png": [("cat", 10, 10, 50, 50)]}, "val": CONTENTS["val"]})
    make(SIZE).save(folder / "JPEGImages" / "a.png")
    kinds = {problem.kind for problem in check_folder(folder, config).problems}
    assert kinds <= {"class-without-examples"}


def test_a_cmyk_jpeg_is_fine(coco: Path, config: Config) -> None:
    Image.fromarray(picture(7)).convert("CMYK").save(coco / "images" / "a.jpg")
    assert check_folder(coco, config).problems == ()


# --- pictures ------------------------------------------------------------------------------------------------------


def damaged(kind: str, path: Path) -> None:
    if kind == "missing-picture":
        path.unlink()
    elif kind == "unreadable-picture":
        path.write_bytes(b"no picture" * 30)
    elif kind == "truncated-picture":
        data = path.read_bytes()
        path.write_bytes(data[: len(data) * 2 // 3])
    else:
        cv2.imwrite(str(path), picture(3, (50, 40)))


@pytest.mark.parametrize("kind", ["missing-picture", "unreadable-picture", "truncated-picture", "size-disagreement"])
@pytest.mark.parametrize("format", ["coco", "voc"])
def test_a_damaged_picture_is_named_once(tmp_path: Path, config: Config, kind: str, format: str) -> None:
    folder = {"coco": write_coco, "voc": write_voc}[format](tmp_path / "set")
    path = folder / ("images" if format == "coco" else "JPEGImages") / "a.jpg"
    damaged(kind, path)
    problem = only(check_folder(folder, config))
    assert (problem.kind, problem.severity) == (kind, "error")
    assert "a.jpg" in f"{problem.file} {problem.message}" and problem.cure


def test_an_empty_picture_file_is_named(coco: Path, config: Config) -> None:
    (coco / "images" / "a.jpg").write_bytes(b"")
    problem = only(check_folder(coco, config))
    assert problem.kind == "unreadable-picture" and "empty (0 bytes)" in problem.message


def turn(path: Path, orientation: int) -> None:
    image = Image.open(path)
    image.load()
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(path, exif=exif)


def test_a_turned_picture_that_is_annotated_as_stored_is_an_error(coco: Path, config: Config) -> None:
    turn(coco / "images" / "a.jpg", 6)
    problem = only(check_folder(coco, config))
    assert (problem.kind, problem.severity) == ("exif-turn", "error")
    assert "annotated as 100x80, as it is stored, but EXIF orientation 6 turns it to 80x100" in problem.message


def test_a_turned_picture_that_is_annotated_as_turned_is_fine(coco: Path, config: Config) -> None:
    turn(coco / "images" / "c.jpg", 8)
    change(coco, lambda document: document["images"][2].update(width=80, height=100))
    assert check_folder(coco, config).problems == ()


def test_a_turn_that_the_size_does_not_show_is_a_warning(coco: Path, config: Config) -> None:
    turn(coco / "images" / "a.jpg", 3)
    problem = only(check_folder(coco, config))
    assert (problem.kind, problem.severity) == ("exif-turn", "warning")


# --- boxes and classes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("box", "kind", "severity"),
    [
        ([10, 20, 0, 40], "zero-size-box", "error"),
        ([10, 20, 30, -1], "zero-size-box", "error"),
        ([100, 20, 30, 30], "box-outside-picture", "error"),
        ([-50, 20, 30, 30], "box-outside-picture", "error"),
        ([90, 20, 30, 30], "box-beyond-edge", "warning"),
        ([50.6, 0.2, 49.4, 79.8], "duplicate-box", "warning"),
        ([10, 20, 0.6, 30], "tiny-box", "warning"),
    ],
)
def test_a_bad_box_is_named_once(coco: Path, config: Config, box: list[float], kind: str, severity: str) -> None:
    row = {"id": 77, "image_id": 1, "category_id": 2, "bbox": box}
    change(coco, lambda document: document["annotations"].append(row))
    problem = only(check_folder(coco, config))
    assert (problem.kind, problem.severity, problem.id) == (kind, severity, 77)


def test_boxes_of_two_classes_may_lie_on_each_other(coco: Path, config: Config) -> None:
    row = {"id": 77, "image_id": 1, "category_id": 1, "bbox": [50.6, 0.2, 49.4, 79.8]}
    change(coco, lambda document: document["annotations"].append(row))
    assert check_folder(coco, config).problems == ()


def test_a_box_too_large_for_the_distributions_is_named(coco: Path) -> None:
    wide = load_config("nanodet-plus-m_320", ["input.width=1280", "input.height=1280"])
    problem = only(check_folder(coco, wide))
    assert (problem.kind, problem.id) == ("huge-box", 2)
    assert "633.60x1280.00 pixels" in problem.message and "the largest that can be found is 896" in problem.message


def test_an_unknown_class_picture_or_doubled_id_is_named_once(coco: Path, config: Config) -> None:
    good = {"image_id": 2, "category_id": 1, "bbox": [60, 40, 20, 20]}
    bad = [{**good, "id": 70, "category_id": 99}, {**good, "id": 71, "image_id": 99},
           {**good, "id": 1, "bbox": [1, 1, 9, 9]}]  # fmt: skip
    change(coco, lambda document: document["annotations"].extend(bad))
    found = {(problem.kind, problem.id) for problem in check_folder(coco, config).problems}
    assert found == {("unknown-class", 70), ("unknown-picture", 71), ("duplicate-id", 1)}


def test_a_picture_row_that_cannot_be_used_does_not_blame_its_boxes(coco: Path, config: Config) -> None:
    change(coco, lambda document: document["images"][0].update(width=0))
    assert [problem.kind for problem in check_folder(coco, config).problems] == ["malformed-annotation"]


def test_a_class_without_boxes_in_any_split_is_named(coco: Path, config: Config) -> None:
    for split in CONTENTS:
        change(coco, lambda document: document["categories"].append({"id": 9, "name": "unicorn"}), split)
    problem = only(check_folder(coco, config))
    assert (problem.kind, problem.id) == ("class-without-examples", "unicorn")


def test_extreme_imbalance_is_named(coco: Path, config: Config) -> None:
    def crowd(document: Document) -> None:
        for number in range(300):
            box = [number % 20 * 5, number // 20 * 5, 4, 4]
            document["annotations"].append({"id": 500 + number, "image_id": 3, "category_id": 2, "bbox": box})

    change(coco, crowd)
    problem = only(check_folder(coco, config))
    assert problem.kind == "class-imbalance" and "dog has 302 boxes" in problem.message and "cat 2" in problem.message


# --- splits --------------------------------------------------------------------------------------------------------


def test_one_file_in_two_splits_is_a_leak(tmp_path: Path, config: Config) -> None:
    folder = write_voc(tmp_path / "set")
    with (folder / "ImageSets" / "Main" / "val.txt").open("a") as stream:
        stream.write("b\n")
    problem = only(check_folder(folder, config))
    assert (problem.kind, problem.severity) == ("leak", "error") and "splits train and val" in problem.message


def test_equal_files_in_two_splits_are_a_leak(tmp_path: Path, config: Config) -> None:
    folder = write_yolo(tmp_path / "set")
    shutil.copy(folder / "images" / "train" / "b.jpg", folder / "images" / "val" / "d.jpg")
    problem = only(check_folder(folder, config))
    assert problem.kind == "leak" and problem.file.name == "b.jpg" and "d.jpg" in problem.message


def test_a_picture_photographed_again_is_a_near_duplicate(coco: Path, config: Config) -> None:
    pixels = cv2.imread(str(coco / "images" / "b.jpg"))
    again = cv2.GaussianBlur(pixels, (0, 0), 1.5).astype(np.float32) * 0.85 + 12
    cv2.imwrite(str(coco / "images" / "d.jpg"), again, [cv2.IMWRITE_JPEG_QUALITY, 60])
    problem = only(check_folder(coco, config))
    assert (problem.kind, problem.severity) == ("near-duplicate", "warning") and problem.file.name == "b.jpg"


def test_a_folder_may_be_given_relative_to_where_one_is(
    coco: Path, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = cv2.imread(str(coco / "images" / "b.jpg"))
    cv2.imwrite(str(coco / "images" / "d.jpg"), pixels, [cv2.IMWRITE_JPEG_QUALITY, 60])
    monkeypatch.chdir(coco.parent)
    assert only(check_folder(Path(coco.name), config)).kind == "near-duplicate"


def test_when_no_picture_can_be_read_each_is_named(folder: Path, config: Config) -> None:
    for path in folder.rglob("*.jpg"):
        path.write_bytes(b"a disk that is gone")
    assert {problem.kind for problem in check_folder(folder, config).problems} == {"unreadable-picture"}


def test_equal_files_in_one_split_are_a_warning(coco: Path, config: Config) -> None:
    shutil.copy(coco / "images" / "a.jpg", coco / "images" / "b.jpg")
    problem = only(check_folder(coco, config))
    assert (problem.kind, problem.severity) == ("duplicate-picture", "warning")


def test_of_equal_files_the_one_with_boxes_is_kept(coco: Path, config: Config) -> None:
    shutil.copy(coco / "images" / "b.jpg", coco / "images" / "c.jpg")  # c has no boxes
    change(coco, lambda document: document["images"].reverse())
    problem = only(check_folder(coco, config))
    assert (problem.kind, problem.file.name) == ("duplicate-picture", "c.jpg")


@pytest.mark.parametrize("format", ["coco", "voc"])
def test_shares_where_pixels_are_meant_are_named_once(tmp_path: Path, config: Config, format: str) -> None:
    contents = {"train": {"a.jpg": [("cat", 0.1, 0.2, 0.4, 0.6), ("dog", 0.5, 0, 1, 1)]}}
    folder = WRITE[format](tmp_path / "set", contents)
    (problem,) = [each for each in check_folder(folder, config).problems if each.severity == "error"]
    assert problem.kind == "normalised-boxes" and "all 2 boxes lie between 0 and 1" in problem.message
    with pytest.raises(DataError, match="shares of the picture's size, not pixels"):
        convert_folder(folder, "yolo", tmp_path / "out")


@pytest.mark.parametrize(("split", "severity"), [("train", "error"), ("val", "error"), ("test", "warning")])
def test_a_split_whose_labels_are_not_found_is_named(tmp_path: Path, config: Config, split: str, severity: str) -> None:
    contents = {**CONTENTS, "test": {"t.jpg": [("dog", 10, 10, 50, 50), ("cat", 40, 5, 90, 50)]}}
    folder = write_yolo(tmp_path / "set", contents)
    shutil.rmtree(folder / "labels" / split)
    found = [each for each in check_folder(folder, config).problems if each.kind == "split-without-boxes"]
    assert [(each.id, each.severity) for each in found] == [(split, severity)]


def test_an_empty_split_is_named(coco: Path, config: Config) -> None:
    change(coco, lambda document: document.update(images=[], annotations=[]), "val")
    kinds = {problem.kind for problem in check_folder(coco, config).problems}
    assert kinds == {"empty-set"}


def test_a_split_that_cannot_be_read_does_not_hide_the_others(coco: Path, config: Config) -> None:
    path = coco / "annotations" / "instances_val.json"
    path.write_text(path.read_text()[:-20])
    change(coco, lambda document: document["annotations"][0]["bbox"].__setitem__(2, 0))
    kinds = [problem.kind for problem in check_folder(coco, config).problems]
    assert sorted(kinds) == ["unreadable-annotations", "zero-size-box"]


# --- formats beside each other -------------------------------------------------------------------------------------


def test_a_defect_in_several_formats_is_reported_once(tmp_path: Path, config: Config) -> None:
    folder = write_voc(tmp_path / "set")
    made = write_coco(tmp_path / "made")
    shutil.copytree(made / "annotations", folder / "annotations")
    change(folder, lambda document: document["annotations"][0].update(bbox=[10, 20, 0, 40]))
    (folder / "Annotations" / "a.xml").write_text(
        voc_xml("a.jpg", [("cat", 10, 20, 10, 60), ("dog", 50.5, 0, 100, 80)])
    )
    (folder / "JPEGImages" / "b.jpg").unlink()
    result = check_folder(folder, config)
    assert sorted(problem.kind for problem in result.problems) == ["missing-picture", "zero-size-box"]
    assert {found.format for found in result.sets} == {"coco", "voc"}
    only_voc = check_folder(folder, config, "voc")
    assert {found.format for found in only_voc.sets} == {"voc"} and len(only_voc.problems) == 2


def test_a_folder_without_annotations_is_refused(tmp_path: Path, config: Config) -> None:
    with pytest.raises(InputError, match="holds no annotations"):
        check_folder(tmp_path, config)


def test_the_document_has_the_contracts_keys(coco: Path, config: Config) -> None:
    change(coco, lambda document: document["annotations"][0].update(bbox=[10, 20, 0, 40]))
    (row,) = check_folder(coco, config).as_json()["problems"]
    assert list(row) == ["kind", "severity", "file", "line", "id", "cure"]
    assert row["file"].endswith("instances_train.json") and row["id"] == 1
    assert row["cure"] == "annotation 1 (image 1) has a box of no size: [10, 20, 0, 40]. Draw it anew or delete it."


# --- the quick part ------------------------------------------------------------------------------------------------


def settings(folder: Path, *more: str) -> Config:
    return load_config("nanodet-plus-m_320", [f"data.root={folder}", *more])


def test_training_is_warned_of_what_it_can_live_with(coco: Path) -> None:
    change(coco, lambda document: document["annotations"][0].update(bbox=[90, 20, 30, 30]))
    config = settings(coco)
    lines = summary(quick_check(read_splits(config).sets, config))
    assert len(lines) == 1 and lines[0].startswith("warning: box-beyond-edge: annotation 1")


def test_training_is_warned_when_it_measures_on_what_it_learned(coco: Path) -> None:
    config = settings(coco, "data.val=train")
    line, *_ = summary(quick_check(read_splits(config).sets, config))
    assert line.startswith("warning: leak: 3 of 3 validation pictures are training pictures too")


def test_training_is_stopped_by_a_picture_of_another_size(coco: Path) -> None:
    cv2.imwrite(str(coco / "images" / "d.jpg"), picture(3, (50, 40)))
    config = settings(coco)
    with pytest.raises(DataError, match=r"d\.jpg: is 50x40 pixels, but is annotated as 100x80"):
        quick_check(read_splits(config).sets, config)


# --- what belongs to nothing ---------------------------------------------------------------------------------------


def test_pictures_without_annotation_are_named(tmp_path: Path, config: Config) -> None:
    for make, inside in ((write_coco, "images"), (write_voc, "JPEGImages")):
        folder = make(tmp_path / make.__name__)
        for number in range(5):
            cv2.imwrite(str(folder / inside / f"new{number}.jpg"), picture(200 + number))
        problem = only(check_folder(folder, config))
        assert problem.kind == "picture-without-annotation"
        assert (
            "5 files have no annotation, and are left out: new0.jpg, new1.jpg, new2.jpg and 2 more" in problem.message
        )


def test_xml_files_of_no_split_are_named(tmp_path: Path, config: Config) -> None:
    folder = write_voc(tmp_path / "set")
    (folder / "ImageSets" / "Main" / "train.txt").write_text("a\nb\n")
    problem = only(check_folder(folder, config))
    assert (problem.kind, problem.id) == ("unlisted-annotation", "c.xml")


def test_text_files_without_a_picture_are_named(tmp_path: Path, config: Config) -> None:
    folder = write_yolo(tmp_path / "set")
    (folder / "labels" / "val" / "orphan.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    problem = only(check_folder(folder, config))
    assert (problem.kind, problem.id) == ("annotation-without-picture", "orphan.txt")


def test_data_without_a_single_box_are_an_error(tmp_path: Path, config: Config) -> None:
    folder = write_yolo(tmp_path / "set", {"train": {"a.jpg": [], "b.jpg": []}, "val": {"d.jpg": []}})
    result = check_folder(folder, config)
    assert only(result).kind == "no-boxes" and not result.passed


def test_a_class_that_only_other_splits_show_is_named(tmp_path: Path, config: Config) -> None:
    contents = {"train": {"b.jpg": [("dog", 5, 5, 30, 30)]}, "val": CONTENTS["val"]}
    problem = only(check_folder(write_coco(tmp_path / "set", contents), config))
    assert problem.kind == "class-not-in-train" and "split val without any box in train: cat" in problem.message


def test_class_names_that_differ_in_case_only_are_named(tmp_path: Path, config: Config) -> None:
    folder = write_yolo(tmp_path / "set")
    (folder / "data.yaml").write_text("train: images/train\nval: images/val\nnames: [cat, Cat]\n")
    assert only(check_folder(folder, config)).kind == "similar-classes"


def test_broken_json_is_named_wherever_it_breaks(coco: Path, config: Config) -> None:
    path = coco / "annotations" / "instances_val.json"
    whole = path.read_text()
    for length in (13, 60, len(whole) // 2, len(whole) - 1):
        path.write_text(whole[:length])
        (problem,) = check_folder(coco, config).problems
        assert problem.kind == "unreadable-annotations" and problem.file == path


def test_a_test_split_that_was_not_exported_is_a_warning_and_another_an_error(tmp_path: Path, config: Config) -> None:
    folder = write_yolo(tmp_path / "set")
    text = (folder / "data.yaml").read_text()
    for split, severity in (("test", "warning"), ("val2", None), ("val", "error")):
        (folder / "data.yaml").write_text(text.replace("val:", "was:") + f"{split}: ../{split}/images\n")
        found = [
            problem.severity for problem in check_folder(folder, config).problems if problem.kind == "missing-split"
        ]
        assert found == ([severity] if severity else [])


def test_names_written_on_windows_are_found(tmp_path: Path, config: Config) -> None:
    contents = {"train": {"deep/a.jpg": [("cat", 10, 20, 40, 60)]}, "val": {"d.jpg": [("dog", 20, 20, 70, 70)]}}
    folder = write_coco(tmp_path / "set", contents)
    change(folder, lambda document: document["images"][0].update(file_name="deep\\a.jpg"))
    assert {problem.kind for problem in check_folder(folder, config).problems} == {"class-not-in-train"}


def test_an_absolute_name_is_answered_with_the_right_one(coco: Path, config: Config) -> None:
    change(coco, lambda document: document["images"][0].update(file_name="/home/somebody/a.jpg"))
    (problem,) = check_folder(coco, config).problems
    assert problem.kind == "path-outside-folder" and "write its file_name as 'a.jpg'" in problem.cure


def test_keypoints_behind_a_box_are_left_out(tmp_path: Path, config: Config) -> None:
    folder = write_yolo(tmp_path / "set")
    (folder / "labels" / "train" / "a.txt").write_text("0 0.5 0.5 0.2 0.2 0.4 0.4 2 0.6 0.6 2\n1 0.2 0.2 0.2 0.2\n")
    (folder / "data.yaml").write_text((folder / "data.yaml").read_text() + "kpt_shape: [2, 3]\n")
    result = check_folder(folder, config)
    assert result.problems == () and result.sets[0].boxes[0].corners == pytest.approx((40, 32, 60, 48))


# --- hostile input -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edit", "kind"),
    [
        (lambda row: row.update(id=[1]), "malformed-annotation"),
        (lambda row: row.update(width=10**400), "malformed-annotation"),
        (lambda row: row.update(file_name="\ud800.png"), "path-outside-folder"),
        (lambda row: row.update(file_name="x" * 300 + ".jpg"), "missing-picture"),
        (lambda row: row.update(id=2), "duplicate-id"),
    ],
    ids=["list-id", "huge", "surrogate", "long", "doubled"],
)
def test_hostile_rows_are_named(coco: Path, config: Config, edit: Callable[[Document], object], kind: str) -> None:
    change(coco, lambda document: edit(document["images"][0]))
    assert kind in {problem.kind for problem in check_folder(coco, config).problems}


def test_other_programs_yaml_and_odd_pictures_do_not_stop_a_check(coco: Path, config: Config) -> None:
    (coco / "ci.yaml").write_text("- a\n- b\n")
    (coco / "images" / "a.jpg").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 80\n")
    assert only(check_folder(coco, config)).kind == "unreadable-picture"


def test_two_names_of_one_file_are_one_picture(tmp_path: Path, config: Config) -> None:
    folder = write_coco(tmp_path / "coco")
    change(folder, lambda document: document["images"][1].update(file_name="./a.jpg"))
    assert "duplicate-entry" in {problem.kind for problem in check_folder(folder, config).problems}
    voc = write_voc(tmp_path / "voc")
    (voc / "JPEGImages" / "b.jpg").unlink()
    (voc / "Annotations" / "b.xml").write_text(voc_xml("a.jpg", [("dog", 5, 5, 30, 30)]))
    assert [problem.kind for problem in check_folder(voc, config).problems] == ["duplicate-entry"]
