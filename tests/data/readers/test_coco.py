"""The COCO reader: what counts as what, and a sentence with file, id and cure for everything that does not fit."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nanoedge.data.index import DatasetIndex
from nanoedge.data.readers.coco import read_coco
from nanoedge.errors import DataError

Document = dict[str, Any]
Change = Callable[[Document], None]


def document() -> Document:
    """Two pictures of 100 x 80; three boxes in the first, none in the second."""
    return {
        "images": [
            {"id": 7, "file_name": "a.jpg", "width": 100, "height": 80},
            {"id": 9, "file_name": "b.jpg", "width": 100, "height": 80},
        ],
        "categories": [{"id": 5, "name": "dog"}, {"id": 2, "name": "cat"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 2, "bbox": [10, 20, 30, 40], "area": 900.5, "iscrowd": 0},
            {"id": 2, "image_id": 7, "category_id": 5, "bbox": [0.5, 0, 99.5, 80]},
            {"id": 3, "image_id": 7, "category_id": 2, "bbox": [50, 50, 10, 10], "iscrowd": 1},
        ],
    }


class Place:
    """A folder with pictures (the reader does not open them) and an annotation file."""

    def __init__(self, folder: Path) -> None:
        self.annotations = folder / "instances.json"
        self.images = folder / "pictures"
        self.images.mkdir()
        for name in ("a.jpg", "b.jpg"):
            (self.images / name).write_bytes(b"not opened")

    def read(self, change: Change | None = None, **settings: Any) -> DatasetIndex:
        content = copy.deepcopy(document())
        if change is not None:
            change(content)
        self.annotations.write_text(json.dumps(content), encoding="utf-8")
        return read_coco(self.annotations, self.images, **settings)

    def read_text(self, text: str | bytes) -> DatasetIndex:
        self.annotations.write_bytes(text.encode() if isinstance(text, str) else text)
        return read_coco(self.annotations, self.images)

    def refusal(self, change: Change, **settings: Any) -> str:
        with pytest.raises(DataError) as caught:
            self.read(change, **settings)
        assert str(self.annotations) in str(caught.value)
        return str(caught.value)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def box(*bbox: Any, image: int = 7, category: int = 2, number: int = 4, **more: Any) -> Change:
    """Adds one annotation."""
    row = {"id": number, "image_id": image, "category_id": category, "bbox": list(bbox), **more}
    return lambda content: content["annotations"].append(row)


def put(part: str, row: int, **values: Any) -> Change:
    """Sets keys of one row."""
    return lambda content: content[part][row].update(values)


def drop_key(part: str, row: int, key: str) -> Change:
    return lambda content: content[part][row].pop(key)


# --- what counts as what -------------------------------------------------------------------------------------------


def test_boxes_become_corners_and_classes_follow_the_category_ids(place: Place) -> None:
    index = place.read()
    assert index.classes == ("cat", "dog")  # category 2 before category 5
    first = index.samples[0]
    assert (first.image_id, first.path, first.width, first.height) == (7, place.images / "a.jpg", 100, 80)
    np.testing.assert_array_equal(first.boxes_xyxy, np.array([[10, 20, 40, 60], [0.5, 0, 100, 80]], np.float32))
    assert first.class_ids.tolist() == [0, 1]
    assert (first.boxes_xyxy.dtype, first.class_ids.dtype) == (np.float32, np.int64)


def test_the_annotated_area_is_kept_and_else_the_boxs_is_taken(place: Place) -> None:
    assert place.read().samples[0].areas.tolist() == [900.5, 99.5 * 80]


def test_a_crowd_becomes_an_ignore_region_and_no_object(place: Place) -> None:
    index = place.read()
    assert index.samples[0].ignore_xyxy.tolist() == [[50, 50, 60, 60]]
    assert index.samples[0].ignore_class_ids.tolist() == [0]
    assert index.box_count == 2


def test_a_picture_without_boxes_is_kept_as_a_negative(place: Place) -> None:
    second = place.read().samples[1]
    assert second.image_id == 9
    assert second.boxes_xyxy.shape == second.ignore_xyxy.shape == (0, 4)
    assert second.class_ids.shape == second.areas.shape == (0,)
    assert (second.boxes_xyxy.dtype, second.class_ids.dtype) == (np.float32, np.int64)


def test_pictures_keep_the_files_order(place: Place) -> None:
    assert [sample.image_id for sample in place.read(lambda content: content["images"].reverse()).samples] == [9, 7]


def test_given_classes_decide_the_order(place: Place) -> None:
    index = place.read(classes=["dog", "zebra", "cat"])
    assert index.classes == ("dog", "zebra", "cat")
    assert index.samples[0].class_ids.tolist() == [2, 0] and index.samples[0].ignore_class_ids.tolist() == [2]


def test_a_box_partly_outside_is_clipped_and_counted(place: Place) -> None:
    index = place.read(box(-5, 70, 20, 30))
    assert index.samples[0].boxes_xyxy[2].tolist() == [0, 70, 15, 80]
    assert (index.clipped_boxes, index.dropped_boxes) == (1, 0)
    assert index.samples[0].areas[2] == 15 * 10


def test_rounding_at_the_edge_is_clipped_but_no_finding(place: Place) -> None:
    index = place.read(box(90.005, 10, 10, 10))
    assert index.samples[0].boxes_xyxy[2, 2] == 100
    assert index.clipped_boxes == 0


def test_whole_numbers_may_be_written_with_a_point(place: Place) -> None:
    assert place.read(put("images", 0, width=100.0)).samples[0].width == 100


def test_files_in_subfolders_are_fine(place: Place) -> None:
    (place.images / "deep").mkdir()
    (place.images / "deep" / "c.jpg").write_bytes(b"")
    assert place.read(put("images", 0, file_name="deep/c.jpg")).samples[0].path == place.images / "deep" / "c.jpg"


def test_the_fingerprint_names_the_annotations(place: Place) -> None:
    first, again, other = place.read(), place.read(), place.read(box(1, 1, 5, 5))
    assert first.fingerprint == again.fingerprint != other.fingerprint
    assert len(first.fingerprint) == 16


def test_missing_files_are_no_matter_when_they_are_not_asked_for(place: Place) -> None:
    (place.images / "a.jpg").unlink()
    assert len(place.read(check_files=False)) == 2


# --- bad boxes: refused, or dropped and counted --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (box(10, 10, 0, 5), r"annotation 4 (image 7) has a box of no size: [10, 10, 0, 5]"),
        (box(10, 10, 5, -5), r"annotation 4 (image 7) has a box of no size: [10, 10, 5, -5]"),
        (box(10, 10, 5, 5, image=99), "annotation 4 names the unknown image 99"),
        (box(10, 10, 5, 5, category=99), "annotation 4 (image 7) names the unknown category 99"),
        (box(100, 0, 20, 20), "annotation 4 (image 7, 100x80) lies outside its picture"),
        (box(10, -30, 20, 20), "annotation 4 (image 7, 100x80) lies outside its picture"),
        (box(10, 10, 0, 5, iscrowd=1), "annotation 4 (image 7) has a box of no size"),
    ],
)
def test_a_bad_box_is_named_with_its_cure_and_can_be_dropped(place: Place, change: Change, named: str) -> None:
    message = place.refusal(change)
    assert named in message and "data.bad_boxes=drop" in message
    index = place.read(change, bad_boxes="drop")
    assert (index.dropped_boxes, index.box_count) == (1, 2)


def test_a_box_too_thin_for_float32_counts_as_one_of_no_size(place: Place) -> None:
    """The index would hold x1 == x2 otherwise."""
    assert "annotation 4 (image 7) has a box of no size" in place.refusal(box(90, 10, 1e-9, 5))


def test_dropping_leaves_good_boxes_as_they_are(place: Place) -> None:
    kept = place.read(box(10, 10, 0, 5), bad_boxes="drop").samples[0]
    np.testing.assert_array_equal(kept.boxes_xyxy, place.read().samples[0].boxes_xyxy)


def test_a_box_of_a_class_that_was_not_asked_for_is_an_unknown_category(place: Place) -> None:
    message = place.refusal(lambda content: None, classes=["cat"])
    assert "annotation 2 (image 7) names the unknown category 5" in message
    assert place.read(classes=["cat"], bad_boxes="drop").dropped_boxes == 1


# --- always refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad_boxes", ["error", "drop"])
@pytest.mark.parametrize(
    "bbox",
    [
        [float("nan"), 0, 5, 5],
        [0, 0, float("inf"), 5],
        [0, 0, 5],
        [0, 0, 5, 5, 5],
        ["0", 0, 5, 5],
        [0, 0, None, 5],
        [True, 0, 5, 5],
        [10**400, 0, 5, 5],
    ],
)
def test_a_bbox_that_is_no_four_numbers_is_refused(place: Place, bbox: list, bad_boxes: str) -> None:
    message = place.refusal(box(*bbox), bad_boxes=bad_boxes)
    assert "annotation 4 has no bbox of four numbers" in message


def test_an_annotation_without_bbox_is_refused(place: Place) -> None:
    assert "annotation 1 has no bbox" in place.refusal(drop_key("annotations", 0, "bbox"))
    assert "annotation 1 has no bbox" in place.refusal(put("annotations", 0, bbox={"x": 1}))


@pytest.mark.parametrize("area", [float("nan"), float("inf"), -5, "large", True])
def test_an_area_that_is_no_measure_is_refused(place: Place, area: Any) -> None:
    """It decides whether an object counts as small, medium or large."""
    assert "annotation 1" in place.refusal(put("annotations", 0, area=area))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (put("images", 1, id=7), "the image id 7 stands twice"),
        (put("annotations", 1, id=1), "the annotation id 1 stands twice"),
        (put("categories", 1, id=5), "the category id 5 stands twice"),
        (put("categories", 1, name="dog"), "two categories are named 'dog'"),
        (put("images", 1, file_name="a.jpg"), "images 7 and 9 are the same file a.jpg"),
    ],
)
def test_what_stands_twice_is_named(place: Place, change: Change, named: str) -> None:
    assert named in place.refusal(change)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (put("images", 0, id="7"), "A picture has no whole number under 'id' (found '7')"),
        (put("images", 0, width=0), "image 7 (a.jpg) has the size 0x80"),
        (put("images", 0, height=-1), "image 7 (a.jpg) has the size 100x-1"),
        (put("images", 0, width=99.5), "Image 7 (a.jpg) has no whole number under 'width' (found 99.5)"),
        (drop_key("images", 0, "height"), "Image 7 (a.jpg) has no whole number under 'height' (found None)"),
        (drop_key("images", 0, "file_name"), "image 7 has no file_name"),
        (put("images", 0, file_name=3), "image 7 has no file_name"),
        (put("images", 0, file_name=""), "image 7 has no file_name"),
        (put("annotations", 0, image_id=None), "Annotation 1 has no whole number under 'image_id'"),
        (put("annotations", 0, category_id=True), "Annotation 1 has no whole number under 'category_id' (found True)"),
        (drop_key("annotations", 0, "id"), "An annotation has no whole number under 'id'"),
        (drop_key("categories", 0, "name"), "category 5 has no name"),
        (put("categories", 0, name=""), "category 5 has no name"),
    ],
)
def test_a_value_that_is_missing_or_of_the_wrong_kind_is_named(place: Place, change: Change, named: str) -> None:
    assert named in place.refusal(change)


def test_a_picture_file_that_is_missing_is_named(place: Place) -> None:
    message = place.refusal(put("images", 1, file_name="gone.jpg"))
    assert "image 9 is missing" in message and str(place.images / "gone.jpg") in message


@pytest.mark.parametrize("name", ["../a.jpg", "/etc/hostname", "deep/../../x.jpg"])
@pytest.mark.parametrize("check_files", [True, False])
def test_a_file_name_never_leads_out_of_the_folder(place: Place, name: str, check_files: bool) -> None:
    message = place.refusal(put("images", 0, file_name=name), check_files=check_files)
    assert "image 7 points out of its folder" in message and name in message


def test_a_link_never_leads_out_of_the_folder(place: Place) -> None:
    os.symlink("/etc/hostname", place.images / "link.jpg")
    assert "image 7 points out of its folder" in place.refusal(put("images", 0, file_name="link.jpg"))


@pytest.mark.parametrize("name", ["a\0b.jpg", "a" * 300 + ".jpg"], ids=["nul", "long"])
def test_a_file_name_that_no_file_can_have_is_refused(place: Place, name: str) -> None:
    assert "image 7" in place.refusal(put("images", 0, file_name=name))


def test_a_missing_picture_folder_is_named_with_its_cure(place: Place, tmp_path: Path) -> None:
    place.read()
    with pytest.raises(DataError, match=r"picture folder .*nowhere does not exist; check --images\."):
        read_coco(place.annotations, tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"does not exist; check data\.train\.images\."):
        read_coco(place.annotations, tmp_path / "nowhere", settings=("data.train.annotations", "data.train.images"))


def test_a_folder_one_level_too_deep_is_answered_with_the_right_one(place: Place) -> None:
    place.read()
    inner = place.images / "inner"
    inner.mkdir()
    with pytest.raises(DataError, match=rf"it should be {place.images}\."):
        read_coco(place.annotations, inner)


def test_a_missing_annotation_file_is_named_with_its_cure(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"annotation file .*gone\.json does not exist; check --annotations"):
        read_coco(tmp_path / "gone.json", tmp_path)


def test_a_folder_in_the_place_of_the_annotation_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_coco(tmp_path, tmp_path)


def test_broken_json_is_refused_with_line_and_column(place: Place) -> None:
    with pytest.raises(DataError, match=r"instances\.json is not valid JSON: .* in line 2, column 13\."):
        place.read_text('{\n  "images": }')


@pytest.mark.parametrize(
    "text",
    [b"", b"\xff\xfe\x00", b'{"images": "\xff"}', "[" * 100_000, '{"images": ' + "9" * 5000 + "}"],
    ids=["empty", "bytes", "no-utf8", "deep", "long-number"],
)
def test_what_is_no_json_is_refused_by_name(place: Place, text: str | bytes) -> None:
    with pytest.raises(DataError, match=r"instances\.json"):
        place.read_text(text)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[]", "holds a list, not an object"),
        ("3", "holds a int, not an object"),
        ("{}", "a list of objects under the key 'images'"),
        ('{"images": [], "annotations": {}}', "under the key 'annotations'"),
        ('{"images": [], "annotations": [], "categories": [1]}', "under the key 'categories'"),
        ('{"images": [], "annotations": [], "categories": []}', "lists no categories"),
        ('{"images": [], "annotations": [], "categories": [{"id": 1, "name": "a"}]}', "lists no pictures"),
    ],
)
def test_json_that_is_not_cocos_is_refused(place: Place, text: str, named: str) -> None:
    with pytest.raises(DataError, match=named):
        place.read_text(text)


def test_classes_of_which_the_file_has_none_are_refused(place: Place) -> None:
    message = place.refusal(lambda content: None, classes=["zebra", "okapi"])
    assert "none of the model's classes (zebra, okapi)" in message and "it has cat, dog" in message


@pytest.mark.shared
def test_blood_cells_are_read_without_a_finding(shared: Path) -> None:
    folder = shared / "data" / "bccd"
    for split, count in (("train", 205), ("val", 87), ("test", 72)):
        index = read_coco(folder / "annotations" / f"instances_{split}.json", folder / "JPEGImages")
        assert len(index) == count
        assert set(index.classes) == {"RBC", "WBC", "Platelets"}
        for sample in index.samples:
            assert (sample.boxes_xyxy[:, 2:] > sample.boxes_xyxy[:, :2]).all()


@pytest.mark.shared
def test_three_hundred_coco_pictures_have_the_known_boxes(shared: Path) -> None:
    folder = shared / "data" / "coco_open300"
    annotations = next(path for path in folder.rglob("*.json") if "instances" in path.name)
    images = next(path.parent for path in folder.rglob("*.jpg"))
    index = read_coco(annotations, images)
    crowds = sum(len(sample.ignore_xyxy) for sample in index.samples)
    assert len(index) == 300 and index.box_count + crowds == 3047 and len(index.classes) == 80
