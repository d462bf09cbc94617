"""The synthetic set: deterministic, honestly annotated, and careful with the user's folders."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
from nanoedge.data.readers.coco import read_coco
from nanoedge.data.synthetic import CLASSES, Scene, draw_scene, write_synthetic_set
from nanoedge.data.synthetic.dataset import is_negative
from nanoedge.data.synthetic.scene import MIN_VISIBLE_SHARE, MIN_VISIBLE_SIDE, _Canvas
from nanoedge.data.synthetic.shapes import SHAPES, rasterise
from nanoedge.errors import InputError, NanoEdgeError
from nanoedge.pictures import read_picture

SIZE = (160, 128)


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def scenes(count: int) -> list[Scene]:
    return [draw_scene(np.random.default_rng([3, number]), *SIZE) for number in range(count)]


def test_the_same_generator_state_draws_the_same_scene() -> None:
    first, second = (draw_scene(np.random.default_rng(5), *SIZE) for _ in range(2))
    np.testing.assert_array_equal(first.picture, second.picture)
    np.testing.assert_array_equal(first.boxes_xyxy, second.boxes_xyxy)
    assert not np.array_equal(first.picture, draw_scene(np.random.default_rng(6), *SIZE).picture)


def test_a_scene_has_the_promised_types() -> None:
    scene = draw_scene(np.random.default_rng(5), 200, 100)
    assert scene.picture.shape == (100, 200, 3) and scene.picture.dtype == np.uint8
    assert scene.boxes_xyxy.dtype == np.float32 and scene.boxes_xyxy.shape == (len(scene.class_ids), 4)
    assert scene.class_ids.dtype == np.int64


def test_boxes_are_the_tight_bounds_of_the_visible_pixels() -> None:
    for scene in scenes(25):
        assert len(scene.class_ids) >= 1
        for number, box in enumerate(scene.boxes_xyxy, start=1):
            rows, columns = np.nonzero(scene.owners == number)
            assert box.tolist() == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            assert min(box[2] - box[0], box[3] - box[1]) >= MIN_VISIBLE_SIDE
            assert scene.visible_pixels[number - 1] == len(rows)


def test_the_pixels_of_a_lone_shape_fill_its_size() -> None:
    for shape in SHAPES.values():
        stamp = rasterise(shape(np.random.default_rng(0)), (60.3, 70.8), 50.0, 0.7, 1.0)
        rows, columns, coverage = stamp.placed(140, 140)
        inside = np.argwhere(coverage >= 0.5) + np.array([rows.start, columns.start])
        low, high = inside.min(axis=0), inside.max(axis=0) + 1
        assert (high - low).max() == pytest.approx(50, abs=1.5)
        np.testing.assert_allclose((low + high) / 2, (70.8, 60.3), atol=1)


def test_objects_hide_each_other_but_never_beyond_recognition() -> None:
    partly_hidden = 0
    for seed in range(4):
        canvas = _Canvas(np.random.default_rng(seed), *SIZE)
        for _ in range(20):  # far more than a scene holds
            canvas.add_object()
            canvas.add_clutter(size_range=(0.1, 0.7))
        visible = canvas.finish().visible_pixels
        full = np.array([placed.pixel_count for placed in canvas.objects])
        assert (visible >= MIN_VISIBLE_SHARE * full).all()
        partly_hidden += int((visible < 0.9 * full).sum())
    assert partly_hidden > 8


def test_at_least_four_classes_appear_and_about_equally_often() -> None:
    counts = np.bincount(np.concatenate([scene.class_ids for scene in scenes(60)]), minlength=len(CLASSES))
    assert len(CLASSES) >= 4
    assert counts.min() > 0.4 * counts.mean()


def test_a_negative_has_clutter_but_no_boxes() -> None:
    scene = draw_scene(np.random.default_rng(1), *SIZE, negative=True)
    assert len(scene.boxes_xyxy) == 0 and len(scene.class_ids) == 0 and len(scene.visible_pixels) == 0
    assert scene.boxes_xyxy.shape == (0, 4)
    assert scene.picture.std() > 5


@pytest.mark.parametrize("size", [(64, 64), (64, 300), (301, 97)])
def test_odd_sizes_can_be_drawn(size: tuple[int, int]) -> None:
    for number in range(6):
        scene = draw_scene(np.random.default_rng(number), *size)
        assert scene.picture.shape == (size[1], size[0], 3)
        assert (scene.boxes_xyxy[:, 2:] <= size).all() and (scene.boxes_xyxy[:, :2] >= 0).all()


def test_the_written_set_is_read_by_the_coco_reader(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    files = write_synthetic_set(
        tmp_path / "set", {"train": 6, "val": 3}, SIZE, progress=lambda done, total: told.append((done, total))
    )
    assert told == [(number, 9) for number in range(1, 10)]
    assert {path.name for path in tmp_path.iterdir()} == {"set"}
    for split, count in (("train", 6), ("val", 3)):
        index = read_coco(files[split], tmp_path / "set" / "images")
        assert index.classes == CLASSES and len(index) == count and index.clipped_boxes == 0
        for sample in index.samples:
            assert read_picture(sample.path).shape == (SIZE[1], SIZE[0], 3)
            sides = sample.boxes_xyxy[:, 2:] - sample.boxes_xyxy[:, :2]
            assert (sample.areas <= sides.prod(axis=1)).all() and (sample.areas > 0).all()


def test_the_share_of_negatives_is_exact_and_independent_of_the_count() -> None:
    for share in (0.0, 0.1, 0.25, 0.7, 1.0):
        negatives = [is_negative(number, share) for number in range(1, 101)]
        assert sum(negatives) == round(100 * share)


def test_negatives_stand_in_the_annotation_file_without_boxes(tmp_path: Path) -> None:
    files = write_synthetic_set(tmp_path / "set", {"train": 4}, SIZE, negative_share=0.5)
    index = read_coco(files["train"], tmp_path / "set" / "images")
    assert [len(sample.boxes_xyxy) > 0 for sample in index.samples] == [True, False, True, False]


def test_a_picture_depends_on_seed_split_and_number_only(tmp_path: Path) -> None:
    write_synthetic_set(tmp_path / "small", {"val": 2}, SIZE, seed=4)
    write_synthetic_set(tmp_path / "large", {"train": 1, "val": 3}, SIZE, seed=4)
    write_synthetic_set(tmp_path / "other", {"val": 2}, SIZE, seed=5)
    small, large, other = (files_of(tmp_path / name) for name in ("small", "large", "other"))
    for name in ("images/val/000001.jpg", "images/val/000002.jpg"):
        assert small[name] == large[name] != other[name]
    assert large["images/val/000001.jpg"] != large["images/train/000001.jpg"]


def test_an_empty_folder_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    write_synthetic_set(tmp_path / "set", {"train": 1}, SIZE)
    assert (tmp_path / "set" / "synthetic.json").is_file()


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path: Path, force: bool) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "thesis.txt").write_text("ten years of work")
    with pytest.raises(InputError, match="does not belong" if force else "not empty"):
        write_synthetic_set(tmp_path / "set", {"train": 1}, SIZE, force=force)
    assert files_of(tmp_path) == {"set/thesis.txt": b"ten years of work"}


def test_an_earlier_set_is_replaced_only_with_force(tmp_path: Path) -> None:
    write_synthetic_set(tmp_path / "set", {"train": 2}, SIZE)
    before = files_of(tmp_path)
    with pytest.raises(InputError, match="not empty"):
        write_synthetic_set(tmp_path / "set", {"train": 1}, SIZE, seed=1)
    assert files_of(tmp_path) == before
    write_synthetic_set(tmp_path / "set", {"train": 1}, SIZE, seed=1, force=True)
    after = files_of(tmp_path)
    assert set(after) == {"set/synthetic.json", "set/annotations/train.json", "set/images/train/000001.jpg"}
    assert json.loads(after["set/synthetic.json"])["seed"] == 1


def test_force_does_not_remove_a_file_that_the_user_put_into_a_set(tmp_path: Path) -> None:
    write_synthetic_set(tmp_path / "set", {"train": 1}, SIZE)
    (tmp_path / "set" / "images" / "train" / "mine.jpg").write_bytes(b"mine")
    before = files_of(tmp_path)
    with pytest.raises(InputError, match=r"mine\.jpg"):
        write_synthetic_set(tmp_path / "set", {"train": 1}, SIZE, force=True)
    assert files_of(tmp_path) == before


def test_a_damaged_marker_is_no_permission_to_remove(tmp_path: Path) -> None:
    write_synthetic_set(tmp_path / "set", {"train": 1}, SIZE)
    for marker in ("[]", "{", '{"counts": 3}', '{"counts": {"train": "x"}}'):
        (tmp_path / "set" / "synthetic.json").write_text(marker)
        with pytest.raises(InputError, match="does not belong"):
            write_synthetic_set(tmp_path / "set", {"train": 1}, SIZE, force=True)


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "set").write_text("")
    with pytest.raises(InputError, match="is a file"):
        write_synthetic_set(tmp_path / "set", {"train": 1}, SIZE, force=True)


@pytest.mark.parametrize("when", ["first time", "replacing"])
def test_an_interruption_leaves_no_half_written_set(tmp_path: Path, when: str) -> None:
    if when == "replacing":
        write_synthetic_set(tmp_path / "set", {"train": 1}, SIZE)
    before = files_of(tmp_path)

    def interrupt(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_synthetic_set(tmp_path / "set", {"train": 3}, SIZE, seed=1, force=True, progress=interrupt)
    assert files_of(tmp_path) == before
    assert len(list(tmp_path.iterdir())) == (1 if when == "replacing" else 0)


def test_a_full_disk_is_explained_and_leaves_nothing_behind(tmp_path: Path) -> None:
    # Stands in for a full disk, which a test cannot fill: the error arises while pictures are written.
    def fill(done: int, total: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(NanoEdgeError, match="No space left on device"):
        write_synthetic_set(tmp_path / "set", {"train": 3}, SIZE, progress=fill)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"counts": {}}, "at least one split"),
        ({"counts": {"train": 0}}, "at least 1 picture"),
        ({"counts": {"../train": 1}}, "no name for a split"),
        ({"size": (63, 240)}, "63x240"),
        ({"size": (320, 4097)}, "320x4097"),
        ({"seed": -1}, "seed"),
        ({"negative_share": 1.01}, "negatives"),
        ({"negative_share": float("nan")}, "negatives"),
    ],
)
def test_values_out_of_range_are_refused(tmp_path: Path, change: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        write_synthetic_set(**{"folder": tmp_path / "set", "counts": {"train": 1}, "size": SIZE} | change)
    assert list(tmp_path.iterdir()) == []
