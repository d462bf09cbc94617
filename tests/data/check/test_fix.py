"""`--fix` writes a copy in which what can be mended by rule is mended, and leaves the original alone."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from nanoedge.config.load import load_config
from nanoedge.config.schema import Config
from nanoedge.data.check.fix import turned, write_fixed
from nanoedge.data.check.report import check_folder
from nanoedge.data.folder import choose_set
from nanoedge.data.index import index_of
from nanoedge.errors import InputError
from nanoedge.pictures import read_picture
from PIL import Image
from tests.data.folders import picture, voc_xml, write_coco, write_voc, write_yolo


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config("nanodet-plus-m_320")


def state(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def damage_coco(folder: Path) -> None:
    """One defect of each kind that can be mended."""
    path = folder / "annotations" / "instances_train.json"
    document = json.loads(path.read_text())
    good = {"image_id": 2, "category_id": 1, "bbox": [60, 40, 20, 20], "area": 400, "iscrowd": 0}
    document["annotations"] += [
        {**good, "id": 60, "bbox": [10, 10, 0, 10]},
        {**good, "id": 61, "bbox": [200, 10, 10, 10]},
        {**good, "id": 62, "category_id": 9},
        {**good, "id": 63, "image_id": 9},
        {**good, "id": 64, "bbox": [5.2, 5.2, 25, 25], "category_id": 2},
        {**good, "id": 65, "bbox": [90, 60, 30, 30], "segmentation": [[1, 2, 3, 4, 5, 6]]},
        {**good, "id": 1, "bbox": [1, 1, 9, 9]},
        {**good, "id": 66, "bbox": ["left", 1, 9, 9]},
    ]
    document["licenses"] = [{"id": 1, "name": "CC BY"}]
    document["images"].append({"id": 8, "file_name": "gone.jpg", "width": 100, "height": 80})
    path.write_text(json.dumps(document))


def test_the_copy_is_clean_and_the_original_untouched(tmp_path: Path, config: Config) -> None:
    folder = write_coco(tmp_path / "set")
    damage_coco(folder)
    before = state(folder)
    result = check_folder(folder, config)
    assert len(result.problems) == 9
    fixed = write_fixed(result, tmp_path / "copy")
    assert [each.kind for each in fixed.left] == ["unknown-class"] and sum(fixed.done.values()) == 8
    assert state(folder) == before
    assert check_folder(tmp_path / "copy", config).problems == ()


def test_what_was_good_is_kept_as_it_was(tmp_path: Path, config: Config) -> None:
    folder = write_coco(tmp_path / "set")
    damage_coco(folder)
    write_fixed(check_folder(folder, config), tmp_path / "copy")
    document = json.loads((tmp_path / "copy" / "annotations" / "instances_train.json").read_text())
    rows = {row["id"]: row for row in document["annotations"]}
    original = json.loads((folder / "annotations" / "instances_train.json").read_text())
    for row in original["annotations"][:3]:
        assert rows[row["id"]] == {**row, "iscrowd": 0}
    assert rows[65]["bbox"] == [90, 60, 10, 20] and rows[65]["segmentation"] == [[1, 2, 3, 4, 5, 6]]
    (fresh,) = [row for row in rows.values() if row["bbox"] == [1, 1, 9, 9]]
    assert fresh["id"] not in {row["id"] for row in original["annotations"][:9]}
    assert document["licenses"] == original["licenses"] and document["categories"] == original["categories"]
    assert [row["file_name"] for row in document["images"]] == ["a.jpg", "b.jpg", "c.jpg"]


def test_the_boxes_of_a_resized_picture_move_along(tmp_path: Path, config: Config) -> None:
    folder = write_voc(tmp_path / "set")
    cv2.imwrite(str(folder / "JPEGImages" / "a.jpg"), picture(3, (50, 40)))
    write_fixed(check_folder(folder, config), tmp_path / "copy")
    sample = index_of(choose_set(tmp_path / "copy", "train").read()).samples[0]
    assert (sample.width, sample.height) == (50, 40)
    np.testing.assert_allclose(sample.boxes_xyxy, [[5, 10, 20, 30], [25.25, 0, 50, 40]])


def test_a_picture_cut_to_another_shape_is_left_to_a_person(tmp_path: Path, config: Config) -> None:
    folder = write_voc(tmp_path / "set")
    cv2.imwrite(str(folder / "JPEGImages" / "a.jpg"), picture(3, (50, 80)))
    fixed = write_fixed(check_folder(folder, config), tmp_path / "copy")
    assert [problem.kind for problem in fixed.left] == ["size-disagreement"] and fixed.done == {}


@pytest.mark.parametrize("orientation", range(2, 9))
def test_boxes_turn_as_their_picture_does(tmp_path: Path, orientation: int) -> None:
    pixels = np.zeros((80, 100, 3), np.uint8)
    pixels[10:30, 15:65] = 255
    image = Image.fromarray(pixels)
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(tmp_path / "a.png", exif=exif)
    shown = read_picture(tmp_path / "a.png")
    rows, columns = np.nonzero(shown[:, :, 0])
    seen = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert turned((15, 10, 65, 30), 100, 80, orientation) == seen


def test_boxes_drawn_on_the_stored_picture_are_turned(tmp_path: Path, config: Config) -> None:
    folder = write_voc(tmp_path / "set")
    path = folder / "JPEGImages" / "a.jpg"
    image = Image.open(path)
    image.load()
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(path, exif=exif)
    fixed = write_fixed(check_folder(folder, config), tmp_path / "copy")
    assert fixed.done == {"exif-turn": 1}
    sample = index_of(choose_set(tmp_path / "copy", "train").read()).samples[0]
    assert (sample.width, sample.height) == (80, 100)
    np.testing.assert_allclose(sample.boxes_xyxy[0], [20, 10, 60, 40])
    assert check_folder(tmp_path / "copy", config).problems == ()


def test_a_leaked_picture_leaves_the_training_split(tmp_path: Path, config: Config) -> None:
    folder = write_yolo(tmp_path / "set")
    data = (folder / "images" / "train" / "b.jpg").read_bytes()
    (folder / "images" / "val" / "d.jpg").write_bytes(data)
    write_fixed(check_folder(folder, config), tmp_path / "copy")
    names = {split: [path.name for path in sorted((tmp_path / "copy" / "images" / split).iterdir())]
             for split in ("train", "val")}  # fmt: skip
    assert names == {"train": ["a.jpg", "c.jpg"], "val": ["d.jpg"]}
    assert check_folder(tmp_path / "copy", config).passed


def test_other_marks_of_voc_survive(tmp_path: Path, config: Config) -> None:
    folder = write_voc(tmp_path / "set")
    text = voc_xml("a.jpg", [("cat", 10, 20, 40, 60), ("dog", 90, 60, 120, 90)])
    text = text.replace("<difficult>0<", "<pose>Left</pose><difficult>1<", 1)
    (folder / "Annotations" / "a.xml").write_text(text)
    write_fixed(check_folder(folder, config), tmp_path / "copy")
    found = choose_set(tmp_path / "copy", "train").read()
    assert found.boxes[0].attributes == {"pose": "Left", "difficult": "1"}
    assert found.boxes[1].corners == (90, 60, 100, 80)


def test_one_format_must_be_chosen(tmp_path: Path, config: Config) -> None:
    folder = write_voc(tmp_path / "set")
    (write_coco(tmp_path / "made") / "annotations").rename(folder / "annotations")
    with pytest.raises(InputError, match="--fix writes one format; choose with --format coco"):
        write_fixed(check_folder(folder, config), tmp_path / "copy")


def test_the_original_is_never_the_place_of_the_copy(tmp_path: Path, config: Config) -> None:
    folder = write_coco(tmp_path / "set")
    damage_coco(folder)
    before = state(folder)
    for force in (False, True):
        with pytest.raises(InputError):
            write_fixed(check_folder(folder, config), folder, force=force)
    assert state(folder) == before


# --- what must not be called mended --------------------------------------------------------------------------------


def test_a_picture_that_loses_all_its_boxes_is_left_out_and_is_no_negative(tmp_path: Path, config: Config) -> None:
    folder = write_yolo(tmp_path / "set")
    (folder / "labels" / "train" / "a.txt").write_text("cat 0.5 0.5 0.2 0.2\n0 0.5 0.5 0 0.2\n")
    (folder / "labels" / "train" / "b.txt").write_bytes(b"\xff\xfe0")
    fixed = write_fixed(check_folder(folder, config), tmp_path / "copy")
    assert fixed.before["train"] == (3, 1) and fixed.copy.splits["train"] == (1, 0)
    assert "2 pictures none of whose boxes could be used; they are no negatives" in fixed.copy.losses
    assert [path.name for path in (tmp_path / "copy" / "images" / "train").iterdir()] == ["c.jpg"]


def test_pixels_in_yolo_files_become_shares(tmp_path: Path, config: Config) -> None:
    folder = write_yolo(tmp_path / "set")
    (folder / "labels" / "train" / "b.txt").write_text("1 17.5 17.5 25 25\n")
    fixed = write_fixed(check_folder(folder, config), tmp_path / "copy")
    assert fixed.done == {"not-normalised": 1} and fixed.left == ()
    sample = index_of(choose_set(tmp_path / "copy", "train").read()).samples[1]
    np.testing.assert_allclose(sample.boxes_xyxy, [[5, 5, 30, 30]], atol=1e-4)


def test_exchanged_corners_and_exchanged_sides_are_put_right(tmp_path: Path, config: Config) -> None:
    folder = write_voc(tmp_path / "set")
    (folder / "Annotations" / "a.xml").write_text(voc_xml("a.jpg", [("cat", 40, 60, 10, 20)]))
    (folder / "Annotations" / "b.xml").write_text(voc_xml("b.jpg", [("dog", 5, 5, 99, 30)], (80, 100)))
    fixed = write_fixed(check_folder(folder, config), tmp_path / "copy")
    assert fixed.done["zero-size-box"] == 1 and fixed.done["size-disagreement"] == 1
    first, second, _ = index_of(choose_set(tmp_path / "copy", "train").read()).samples
    assert first.boxes_xyxy.tolist() == [[10, 20, 40, 60]]
    assert (second.width, second.height) == (100, 80) and second.boxes_xyxy.tolist() == [[5, 5, 99, 30]]
    assert check_folder(tmp_path / "copy", config).passed


def test_a_clipped_polygon_is_written_as_its_box(tmp_path: Path, config: Config) -> None:
    folder = write_yolo(tmp_path / "set")
    (folder / "labels" / "train" / "a.txt").write_text("1 0.9 0.5 1.2 0.25 1.1 0.75\n")
    write_fixed(check_folder(folder, config), tmp_path / "copy")
    assert check_folder(tmp_path / "copy", config).passed
    assert (tmp_path / "copy" / "labels" / "train" / "a.txt").read_text().startswith("1 0.9500000000 0.5")


def test_nothing_is_written_when_no_picture_can_be_used(tmp_path: Path, config: Config) -> None:
    folder = write_coco(tmp_path / "set")
    for path in (folder / "images").iterdir():
        path.unlink()
    with pytest.raises(InputError, match=r"Nothing would be left of .* Is it the right folder"):
        write_fixed(check_folder(folder, config), tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_copy_never_replaces_its_source_nor_lies_in_it(tmp_path: Path, config: Config) -> None:
    folder = write_coco(tmp_path / "set")
    damage_coco(folder)
    write_fixed(check_folder(folder, config), tmp_path / "copy")
    before = state(tmp_path / "copy")
    again = check_folder(tmp_path / "copy", config)
    for place in (tmp_path / "copy", tmp_path / "copy" / "inside", tmp_path):
        with pytest.raises(InputError, match="lie in each other"):
            write_fixed(again, place, force=True)
    assert state(tmp_path / "copy") == before


def test_doubles_are_mended_in_every_list_that_holds_them(tmp_path: Path, config: Config) -> None:
    """VOC's trainval reads the same files as train; a second and a third twin go as well."""
    folder = write_voc(tmp_path / "set")
    boxes = [("cat", 10, 20, 40, 60), ("cat", 10, 20, 40.5, 60), ("cat", 10, 20, 40, 60.2), ("dog", 60, 10, 90, 70)]
    (folder / "Annotations" / "a.xml").write_text(voc_xml("a.jpg", boxes))
    lists = folder / "ImageSets" / "Main"
    (lists / "trainval.txt").write_text((lists / "train.txt").read_text() + (lists / "val.txt").read_text())
    data = (folder / "JPEGImages" / "b.jpg").read_bytes()
    (folder / "JPEGImages" / "c.jpg").write_bytes(data)
    write_fixed(check_folder(folder, config), tmp_path / "copy")
    result = check_folder(tmp_path / "copy", config)
    assert result.problems == ()
    assert {found.split: len(found.pictures) for found in result.sets} == {"train": 2, "val": 1, "trainval": 3}
    assert sum(box.picture.name == "a.jpg" for box in result.sets[0].boxes) == 2


def test_the_mask_of_a_turned_picture_is_a_stated_loss(tmp_path: Path, config: Config) -> None:
    folder = write_coco(tmp_path / "set")
    path = folder / "annotations" / "instances_train.json"
    document = json.loads(path.read_text())
    document["annotations"][0].update(segmentation=[[10, 20, 40, 20, 40, 60]])
    path.write_text(json.dumps(document))
    cv2.imwrite(str(folder / "images" / "a.jpg"), picture(3, (50, 40)))
    fixed = write_fixed(check_folder(folder, config), tmp_path / "copy")
    assert "masks and keypoints of 1 boxes that were turned or scaled" in fixed.copy.losses
    rows = json.loads((tmp_path / "copy" / "annotations" / "instances_train.json").read_text())["annotations"]
    assert "segmentation" not in rows[0] and rows[0]["area"] == 300


def test_a_class_in_other_letters_gets_its_name_and_an_unknown_one_is_left_to_a_person(
    tmp_path: Path, config: Config
) -> None:
    folder = write_voc(tmp_path / "set")
    (folder / "classes.txt").write_text("cat\ndog\n")
    file = folder / "Annotations" / "a.xml"
    file.write_text(file.read_text().replace("<name>dog<", "<name>Dog<").replace("<name>cat<", "<name>bird<"))
    fixed = write_fixed(check_folder(folder, config), tmp_path / "fixed")
    assert fixed.done == {"unknown-class": 1} and "unknown-class" in {each.kind for each in fixed.left}
    assert any("1 boxes of unknown classes" in loss for loss in fixed.copy.losses)
    text = (tmp_path / "fixed" / "Annotations" / "a.xml").read_text()
    assert "<name>dog<" in text and "Dog" not in text and "bird" not in text


def test_a_split_that_is_not_found_is_left_to_a_person(tmp_path: Path, config: Config) -> None:
    folder = write_yolo(tmp_path / "set")
    (folder / "data.yaml").write_text((folder / "data.yaml").read_text().replace("images/train", "images/trian"))
    fixed = write_fixed(check_folder(folder, config), tmp_path / "fixed")
    assert "missing-split" in {each.kind for each in fixed.left}


def test_a_number_that_is_no_category_is_not_taken_for_a_name(tmp_path: Path, config: Config) -> None:
    folder = write_coco(tmp_path / "set")
    path = folder / "annotations" / "instances_train.json"
    document = json.loads(path.read_text().replace('"dog"', '"9"'))
    document["annotations"][0].update(category_id=9)
    path.write_text(json.dumps(document))
    fixed = write_fixed(check_folder(folder, config), tmp_path / "fixed")
    assert "unknown-class" in {each.kind for each in fixed.left} and "unknown-class" not in fixed.done


def test_a_class_gets_its_name_from_its_own_split(tmp_path: Path, config: Config) -> None:
    """Two exports beside each other, whose classes stand in another order."""
    for name, classes in (("train", "cat\ndog\n"), ("val", "dog\ncat\n")):
        part = write_voc(
            tmp_path / "made" / name, {name: {f"{name}.jpg": [("dog", 10, 20, 40, 60), ("cat", 50, 5, 90, 70)]}}
        )
        shutil.copytree(part / "Annotations", tmp_path / "set" / name)
        shutil.copytree(part / "JPEGImages", tmp_path / "set" / name, dirs_exist_ok=True)
        (tmp_path / "set" / name / "classes.txt").write_text(classes)
    file = tmp_path / "set" / "train" / "train.xml"
    file.write_text(file.read_text().replace("<name>dog<", "<name>Dog<"))
    write_fixed(check_folder(tmp_path / "set", config), tmp_path / "fixed")
    text = (tmp_path / "fixed" / "Annotations" / "train.xml").read_text()
    assert text.count("<name>dog<") == 1 and text.count("<name>cat<") == 1
