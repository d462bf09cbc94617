"""Warps: pixels and boxes move together, the identity is cv2.resize; what is drawn keeps to its ranges."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanoedge.config.interface import InputSpec
from nanoedge.config.schema import AugmentationConfig
from nanoedge.data.augmentation.colours import ColourParameters, draw_colours
from nanoedge.data.augmentation.warp import (
    WarpParameters,
    draw_warp,
    warp_boxes,
    warp_matrix,
    warp_picture,
    worth_learning,
)
from nanoedge.runtime.preprocess import to_tensor

SIZES = [((100, 75), (320, 320)), ((333, 217), (160, 96)), ((97, 64), (320, 320)), ((64, 201), (96, 160))]
ALWAYS = AugmentationConfig(probability=1.0)


def texture(width: int, height: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def identity(picture: np.ndarray, out_size: tuple[int, int]) -> np.ndarray:
    size = (picture.shape[1], picture.shape[0])
    return warp_picture(picture, warp_matrix(size, out_size, WarpParameters()), out_size)


def difference(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.abs(first.astype(int) - second.astype(int))


# --- the identity --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "out_size"), SIZES)
def test_without_augmentation_the_inner_picture_is_that_of_resize(size: tuple, out_size: tuple) -> None:
    picture = texture(*size)
    resized = cv2.resize(picture, out_size, interpolation=cv2.INTER_LINEAR)
    rim = 4  # at most half a source pixel of these enlargements
    inner = (slice(rim, -rim), slice(rim, -rim))
    assert difference(identity(picture, out_size), resized)[inner].max() <= 1


@pytest.mark.parametrize(("size", "out_size"), SIZES)
def test_without_augmentation_the_picture_is_that_of_resize_up_to_its_edges(size: tuple, out_size: tuple) -> None:
    """Enlarging, the outermost output pixels lie outside the outermost pixel centres, but still in the picture."""
    picture = texture(*size)
    resized = cv2.resize(picture, out_size, interpolation=cv2.INTER_LINEAR)
    assert difference(identity(picture, out_size), resized).max() <= 1


def test_a_white_picture_stays_white_when_it_is_enlarged() -> None:
    assert identity(np.full((20, 30, 3), 255, np.uint8), (96, 64)).min() == 255


def test_the_same_size_gives_the_same_picture() -> None:
    picture = texture(61, 47)
    np.testing.assert_array_equal(identity(picture, (61, 47)), picture)


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(st.integers(1, 900), st.integers(1, 900)), st.sampled_from([(320, 320), (160, 96)]), st.integers(0, 99)
)
def test_without_augmentation_boxes_are_stretched(size: tuple, out_size: tuple, seed: int) -> None:
    corners = np.sort(np.random.default_rng(seed).uniform(0, 1, (3, 2, 2)), axis=1).reshape(3, 4)
    boxes = (corners * [*size, *size]).astype(np.float32)
    warped, visible = warp_boxes(boxes, warp_matrix(size, out_size, WarpParameters()), out_size)
    np.testing.assert_allclose(warped, corners * [*out_size, *out_size], atol=1e-3)
    np.testing.assert_allclose(visible, 1, atol=1e-2)


# --- pixels and boxes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(30))
def test_a_rectangles_pixels_lie_in_its_warped_box(seed: int) -> None:
    random = np.random.default_rng(seed)
    width, height = (int(side) for side in random.integers(120, 400, 2))
    out_size = ((160, 128), (320, 320), (96, 192))[seed % 3]
    x1, y1 = (int(random.integers(5, side // 2)) for side in (width, height))
    x2, y2 = (int(random.integers(start + 30, side)) for start, side in ((x1, width), (y1, height)))
    picture = np.full((height, width, 3), 60, np.uint8)
    picture[y1:y2, x1:x2] = (20, 60, 240)

    matrix = warp_matrix((width, height), out_size, draw_warp(ALWAYS, random))
    warped = warp_picture(picture, matrix, out_size)
    (box,), (visible,) = warp_boxes(np.array([[x1, y1, x2, y2]], np.float32), matrix, out_size)
    rows, columns = np.nonzero(warped[:, :, 2] > 150)
    if not len(rows):
        assert min(box[2] - box[0], box[3] - box[1]) <= 1
        return
    found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    np.testing.assert_allclose(found, box, atol=1)
    assert visible > 0


def test_the_draws_of_the_test_above_flip_zoom_and_shift() -> None:
    drawn = [draw_warp(ALWAYS, np.random.default_rng(seed)) for seed in range(30)]
    assert 5 < sum(warp.flip for warp in drawn) < 25
    assert min(warp.zoom_x for warp in drawn) < 0.7 and max(warp.zoom_x for warp in drawn) > 1.3
    assert min(warp.shift_x for warp in drawn) < -0.1 and max(warp.shift_y for warp in drawn) > 0.1


def test_a_flip_mirrors_the_pixels_exactly_and_twice_is_nothing() -> None:
    picture = texture(61, 47)
    matrix = warp_matrix((61, 47), (61, 47), WarpParameters(flip=True))
    flipped = warp_picture(picture, matrix, (61, 47))
    np.testing.assert_array_equal(flipped, picture[:, ::-1])
    np.testing.assert_array_equal(warp_picture(flipped, matrix, (61, 47)), picture)


def test_a_flip_mirrors_the_boxes() -> None:
    matrix = warp_matrix((60, 40), (60, 40), WarpParameters(flip=True))
    boxes, _ = warp_boxes(np.array([[0, 5, 20, 15]], np.float32), matrix, (60, 40))
    np.testing.assert_allclose(boxes, [[40, 5, 60, 15]], atol=1e-5)


def test_a_vertical_flip_mirrors_pixels_and_boxes() -> None:
    picture = texture(61, 47)
    matrix = warp_matrix((61, 47), (61, 47), WarpParameters(flip_vertical=True))
    np.testing.assert_array_equal(warp_picture(picture, matrix, (61, 47)), picture[::-1])
    boxes, _ = warp_boxes(np.array([[5, 0, 15, 20]], np.float32), matrix, (61, 47))
    np.testing.assert_allclose(boxes, [[5, 27, 15, 47]], atol=1e-4)


@pytest.mark.parametrize("size", [(200, 75), (75, 200), (333, 217), (320, 320)])
@pytest.mark.parametrize("out_size", [(320, 320), (160, 96)])
def test_an_unchanged_letterbox_is_the_runtimes(size: tuple, out_size: tuple) -> None:
    spec = InputSpec(width=out_size[0], height=out_size[1], resize="letterbox", pad_value=114)
    picture = texture(*size)
    matrix = warp_matrix(size, out_size, WarpParameters(), spec.place(*size))
    tensor, placed = to_tensor(picture, spec)
    wanted = tensor[0].transpose(1, 2, 0) * spec.std + spec.mean
    assert difference(warp_picture(picture, matrix, out_size, 114), np.rint(wanted)).max() <= 1
    whole, _ = warp_boxes(np.array([[0, 0, *size]], np.float32), matrix, out_size)
    np.testing.assert_allclose(placed.to_picture(whole), [[0, 0, *size]], atol=1e-3)


def test_a_zoom_keeps_the_centre_and_a_shift_moves_it_by_shares_of_the_output() -> None:
    matrix = warp_matrix((60, 40), (120, 120), WarpParameters(zoom_x=0.5, zoom_y=2.0, shift_x=0.25, shift_y=-0.1))
    boxes, _ = warp_boxes(np.array([[24, 18, 36, 22]], np.float32), matrix, (120, 120))
    centre_x, centre_y = 60 + 30, 60 - 12
    np.testing.assert_allclose(
        boxes, [[centre_x - 6, centre_y - 12, centre_x + 6, centre_y + 12]], atol=1e-4
    )  # 12 x 4 pixels, times 2 and 3, times the zoom


def test_what_lies_outside_the_picture_is_black() -> None:
    white = np.full((40, 60, 3), 255, np.uint8)
    warped = warp_picture(white, warp_matrix((60, 40), (120, 120), WarpParameters(0.5, 0.5)), (120, 120))
    assert (warped[31:89, 31:89] == 255).all()
    outside = np.ones((120, 120), bool)
    outside[29:91, 29:91] = False
    assert (warped[outside] == 0).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_boxes_are_clipped_to_the_output_and_know_their_visible_share(seed: int) -> None:
    random = np.random.default_rng(seed)
    corners = np.sort(random.uniform(0, 100, (6, 2, 2)), axis=1).reshape(6, 4).astype(np.float32)
    warp = WarpParameters(*random.uniform(0.5, 2, 2), *random.uniform(-0.6, 0.6, 2), flip=bool(seed % 2))
    boxes, visible = warp_boxes(corners, warp_matrix((100, 100), (64, 96), warp), (64, 96))
    assert boxes.dtype == visible.dtype == np.float32
    assert (boxes >= 0).all() and (boxes[:, 2:] <= (64, 96)).all() and (boxes[:, :2] <= boxes[:, 2:]).all()
    full = (corners[:, 2:] - corners[:, :2]).prod(axis=1) * warp.zoom_x * warp.zoom_y * 0.64 * 0.96
    inside = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    np.testing.assert_allclose(visible, inside / full, atol=2e-3)


def test_a_box_half_outside_is_half_visible_and_one_far_outside_not_at_all() -> None:
    matrix = warp_matrix((100, 100), (100, 100), WarpParameters(shift_x=0.5))
    boxes, visible = warp_boxes(np.array([[40, 10, 60, 30], [80, 10, 90, 30]], np.float32), matrix, (100, 100))
    np.testing.assert_allclose(boxes[0], [90, 10, 100, 30], atol=1e-4)
    np.testing.assert_allclose(visible, [0.5, 0], atol=1e-5)


def test_no_boxes_stay_no_boxes() -> None:
    boxes, visible = warp_boxes(np.zeros((0, 4), np.float32), np.eye(3), (32, 32))
    assert boxes.shape == (0, 4) and visible.shape == (0,)
    assert worth_learning(boxes, visible, ALWAYS).shape == (0,)


def test_boxes_that_are_too_small_or_hardly_visible_are_not_learned() -> None:
    boxes = np.array([[0, 0, 9, 9], [0, 0, 2, 9], [0, 0, 9, 2], [0, 0, 2.1, 2.1], [0, 0, 9, 9]], np.float32)
    visible = np.array([1, 1, 1, 1, 0.09], np.float32)
    assert worth_learning(boxes, visible, ALWAYS).tolist() == [True, False, False, True, False]
    generous = AugmentationConfig(min_box_size=0, min_visible=0)
    assert worth_learning(boxes, visible, generous).all()


# --- what is drawn -------------------------------------------------------------------------------------------------


def test_draws_keep_to_their_ranges() -> None:
    config = AugmentationConfig(probability=1.0, scale=(0.9, 1.1), stretch=(1.0, 1.0), translate=0.1, flip=0.0)
    random = np.random.default_rng(0)
    for _ in range(200):
        warp, colours = draw_warp(config, random), draw_colours(config, random)
        assert 0.9 <= warp.zoom_x <= 1.1 and warp.zoom_x == warp.zoom_y
        assert abs(warp.shift_x) <= 0.1 and abs(warp.shift_y) <= 0.1 and not warp.flip
        assert abs(colours.brightness) <= 0.2 * 255
        assert 0.6 <= colours.contrast <= 1.4 and 0.5 <= colours.saturation <= 1.2


def test_width_and_height_are_stretched_independently_within_one_zoom() -> None:
    drawn = [draw_warp(ALWAYS, np.random.default_rng(seed)) for seed in range(100)]
    ratios = np.array([warp.zoom_x / warp.zoom_y for warp in drawn])
    assert ratios.min() < 0.8 and ratios.max() > 1.25
    assert ratios.min() >= 0.8 / 1.2 and ratios.max() <= 1.2 / 0.8


def test_probability_0_and_no_flip_draw_nothing() -> None:
    config = AugmentationConfig(probability=0.0, flip=0.0)
    random = np.random.default_rng(0)
    for _ in range(20):
        assert draw_warp(config, random) == WarpParameters()
        assert draw_colours(config, random) == ColourParameters()


def test_each_change_is_used_as_often_as_its_probability() -> None:
    config = AugmentationConfig(probability=0.25, flip=0.75)
    random = np.random.default_rng(0)
    warps = [draw_warp(config, random) for _ in range(1000)]
    colours = [draw_colours(config, random) for _ in range(1000)]
    for used in (
        sum(warp.shift_x != 0 for warp in warps),
        sum(change.brightness != 0 for change in colours),
        sum(change.contrast != 1 for change in colours),
        sum(change.saturation != 1 for change in colours),
    ):
        assert 180 < used < 320
    assert 680 < sum(warp.flip for warp in warps) < 820


def test_one_setting_does_not_disturb_what_is_drawn_for_the_others() -> None:
    plain, other = AugmentationConfig(), AugmentationConfig(scale=(1.0, 1.0), brightness=0.0, translate=0.05)
    for seed in range(20):
        first, second = (np.random.default_rng(seed) for _ in range(2))
        assert draw_warp(plain, first).flip == draw_warp(other, second).flip
        assert draw_colours(plain, first).contrast == draw_colours(other, second).contrast
        assert first.random() == second.random()
