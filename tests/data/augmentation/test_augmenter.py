"""The whole augmentation: mosaic and mixup with their boxes, damage, closing, and the same for the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
from nanoedge.config.interface import InputSpec
from nanoedge.config.schema import AugmentationConfig
from nanoedge.data.augmentation.augmenter import AugmentedPicture, Augmenter
from nanoedge.data.augmentation.damage import Damage, apply_damage, draw_damage, visible_after
from nanoedge.data.augmentation.mosaic import draw_regions, draw_tile
from nanoedge.data.index import DatasetIndex, Sample
from nanoedge.data.picture_source import PictureSource
from nanoedge.pictures import write_picture

SIZE = (96, 64)
STILL = {"probability": 0.0, "flip": 0.0, "stretch": (1.0, 1.0)}
GREYS = (60, 110, 160, 210)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> DatasetIndex:
    """Four pictures, each of one grey with a darker rectangle of its own class."""
    folder = tmp_path_factory.mktemp("greys")
    samples = []
    for number, grey in enumerate(GREYS):
        width, height = 80 + 20 * number, 60 + 10 * number
        pixels = np.full((height, width, 3), grey, np.uint8)
        x1, y1, x2, y2 = 20, 15, width - 20, height - 15
        pixels[y1:y2, x1:x2] = grey - 40
        write_picture(folder / f"{number}.png", pixels)
        boxes, none = np.array([[x1, y1, x2, y2]], np.float32), np.zeros((0, 4), np.float32)
        kinds = np.array([number])
        samples.append(
            Sample(number, folder / f"{number}.png", width, height, boxes, kinds, boxes[:, 0], none, kinds[:0])
        )
    return DatasetIndex("greys", ("a", "b", "c", "d"), tuple(samples))


def augmenter(index: DatasetIndex, spec: InputSpec | None = None, **settings: object) -> Augmenter:
    config = AugmentationConfig.model_validate(settings)
    spec = spec or InputSpec(width=SIZE[0], height=SIZE[1])
    return Augmenter(index, PictureSource(index), spec, config, seed=3, epochs=10)


def check_rectangles(drawn: AugmentedPicture) -> int:
    """The inside of each box is its class's dark grey; gives how many boxes could be looked at."""
    looked = 0
    for box, kind in zip(drawn.boxes_xyxy, drawn.class_ids, strict=True):
        x1, y1, x2, y2 = np.round(box).astype(int)
        inner = drawn.picture[y1 + 1 : y2 - 1, x1 + 1 : x2 - 1]
        if inner.size:
            np.testing.assert_allclose(inner, GREYS[kind] - 40, atol=1)
            looked += 1
    return looked


def test_a_mosaics_boxes_lie_on_their_objects(index: DatasetIndex) -> None:
    drawn = augmenter(index, mosaic=1.0, mosaic_scale=(0.5, 1.4), **STILL)
    looked, classes, most = 0, set(), 0
    for epoch in range(10):
        for number in range(4):
            picture = drawn.picture(epoch, number, SIZE)
            looked += check_rectangles(picture)
            classes |= set(picture.class_ids.tolist())
            most = max(most, len(picture.boxes_xyxy))
            assert picture.picture.shape == (SIZE[1], SIZE[0], 3)
    assert looked > 60 and classes == {0, 1, 2, 3} and most == 4


@pytest.mark.parametrize("flips", [{"flip": 1.0}, {"flip_vertical": 1.0}, {"flip": 0.5, "flip_vertical": 0.5}])
def test_flipped_tiles_keep_their_boxes(index: DatasetIndex, flips: dict[str, float]) -> None:
    drawn = augmenter(index, mosaic=1.0, mosaic_scale=(0.6, 1.2), **{**STILL, **flips})
    assert sum(check_rectangles(drawn.picture(0, number, SIZE)) for number in range(4)) > 4


def test_the_regions_of_a_mosaic_fill_the_input_once() -> None:
    for seed in range(20):
        covered = np.zeros((SIZE[1], SIZE[0]), int)
        for x1, y1, x2, y2 in draw_regions(SIZE, np.random.default_rng(seed)):
            covered[y1:y2, x1:x2] += 1
        assert (covered == 1).all()


def test_a_tile_that_is_large_enough_leaves_no_gap() -> None:
    config = AugmentationConfig(mosaic_scale=(0.8, 1.5), stretch=(1.0, 1.0))
    for seed in range(30):
        random = np.random.default_rng(seed)
        for region in draw_regions(SIZE, random):
            tile = draw_tile(region, (50, 50), SIZE, config, random)
            corners = tile.matrix[:2, :2] @ np.array([[0, 50], [0, 50]]) + tile.matrix[:2, 2:]
            assert (corners.min(axis=1) <= 1e-9).all() and (corners.max(axis=1) >= np.array(tile.size) - 1e-9).all()


def test_mixup_shows_both_pictures_and_learns_both(index: DatasetIndex) -> None:
    plain, mixed = augmenter(index, **STILL), augmenter(index, mixup=1.0, **STILL)
    seen = set()
    for epoch in range(8):
        one, both = plain.picture(epoch, 0, SIZE), mixed.picture(epoch, 0, SIZE)
        assert len(both.boxes_xyxy) == 2 and both.class_ids[0] == 0
        other = plain.picture(0, int(both.class_ids[1]), SIZE).picture
        low, high = np.minimum(one.picture, other), np.maximum(one.picture, other)
        assert (both.picture >= low - 1).all() and (both.picture <= high + 1).all()
        seen.add(int(both.class_ids[1]))
    assert len(seen) > 1


def test_mosaic_and_mixup_close_for_the_last_epochs(index: DatasetIndex) -> None:
    plain = augmenter(index, **STILL)
    closing = augmenter(index, mosaic=1.0, mixup=1.0, close_epochs=3, **STILL)
    for epoch, open_still in ((6, True), (7, False), (9, False)):
        same = np.array_equal(closing.picture(epoch, 1, SIZE).picture, plain.picture(epoch, 1, SIZE).picture)
        assert same != open_still


def test_a_picture_depends_on_seed_epoch_number_and_size_only(index: DatasetIndex) -> None:
    everything = {"mosaic": 0.5, "mixup": 0.5, "hue": 20, "blur": 0.5, "noise": 0.5, "jpeg": 0.5, "erase": 0.5}
    first, second = augmenter(index, **everything), augmenter(index, **everything)
    wanted = [first.picture(epoch, number, SIZE) for epoch in (0, 3) for number in range(4)]
    second.picture(5, 2, SIZE)
    again = [second.picture(epoch, number, SIZE) for epoch in (3, 0) for number in range(4)]
    for one, other in zip(wanted, again[4:] + again[:4], strict=True):
        np.testing.assert_array_equal(one.picture, other.picture)
        np.testing.assert_array_equal(one.boxes_xyxy, other.boxes_xyxy)


def test_a_letterbox_keeps_the_aspect_ratio_also_in_a_mosaic(index: DatasetIndex) -> None:
    spec = InputSpec(width=96, height=96, resize="letterbox", pad_value=114)
    plain = augmenter(index, spec, **STILL).picture(0, 0, (96, 96))
    x1, y1, x2, y2 = plain.boxes_xyxy[0]
    assert (x2 - x1) / (y2 - y1) == pytest.approx(40 / 30, rel=1e-3)
    assert (plain.picture[:4] == 114).all() and check_rectangles(plain) == 1
    mosaic = augmenter(index, spec, mosaic=1.0, mosaic_scale=(0.4, 0.4), **STILL)
    for number in range(4):
        drawn = mosaic.picture(1, number, (96, 96))
        assert check_rectangles(drawn) == 4 and (drawn.picture == 114).any()


# --- damage --------------------------------------------------------------------------------------------------------


def texture() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (64, 96, 3), dtype=np.uint8)


def test_no_damage_changes_nothing() -> None:
    np.testing.assert_array_equal(apply_damage(texture(), Damage()), texture())
    assert draw_damage(AugmentationConfig(), np.random.default_rng(0), SIZE) == Damage(
        seed=draw_damage(AugmentationConfig(), np.random.default_rng(0), SIZE).seed
    )


def test_blur_smooths_noise_roughens_and_jpeg_loses() -> None:
    flat = np.full((64, 96, 3), 120, np.uint8)
    assert apply_damage(texture(), Damage(blur=1.5)).std() < texture().std() / 2
    assert 7 < apply_damage(flat, Damage(noise=8.0, seed=4)).std() < 9
    assert 1 < np.abs(apply_damage(texture(), Damage(jpeg=40)).astype(int) - texture()).mean() < 80


def test_erased_rectangles_hide_what_they_cover() -> None:
    config = AugmentationConfig(erase=1.0)
    for seed in range(20):
        damage = draw_damage(config, np.random.default_rng(seed), SIZE)
        assert damage.erased_xyxy is not None and damage.colours is not None
        low, high = damage.erased_xyxy[:, :2], damage.erased_xyxy[:, 2:]
        assert (low >= 0).all() and (high <= SIZE).all() and (high >= low).all()
        picture = apply_damage(np.full((64, 96, 3), 7, np.uint8), damage)
        x1, y1, x2, y2 = damage.erased_xyxy[-1]
        assert (picture[y1:y2, x1:x2] == damage.colours[-1]).all()


def test_a_covered_box_is_less_visible() -> None:
    damage = Damage(erased_xyxy=np.array([[0, 0, 50, 64]]), colours=np.zeros((1, 3), np.uint8))
    boxes = np.array([[10, 10, 30, 30], [40, 10, 60, 30], [60, 10, 90, 30]], np.float32)
    np.testing.assert_allclose(visible_after(boxes, damage), [0, 0.5, 1])
    assert visible_after(boxes[:0], damage).shape == (0,)
