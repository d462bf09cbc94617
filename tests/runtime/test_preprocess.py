"""From picture to tensor and back: the literal formula, placements that invert, odd sizes, refusals."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanoedge.bundle import InputSpec
from nanoedge.errors import InputError
from nanoedge.runtime.preprocess import check_picture, placement, to_tensor

STRETCH = InputSpec(width=96, height=64)
LETTERBOX = InputSpec(width=96, height=64, resize="letterbox", pad_value=114)
ODD_SIZES = [(640, 480), (97, 61), (1, 1), (1, 300), (300, 1), (95, 64), (13, 500), (96, 64)]


def texture(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(width * 1000 + height).integers(0, 256, (height, width, 3), dtype=np.uint8)


def normalised(picture: np.ndarray, spec: InputSpec) -> np.ndarray:
    """(x - mean) / std, channel by channel, in double precision: [3, H, W]."""
    planes = [
        (picture[:, :, channel].astype(np.float64) - spec.mean[channel]) / spec.std[channel] for channel in range(3)
    ]
    return np.stack(planes)


@pytest.mark.parametrize("size", ODD_SIZES)
def test_stretching_is_resize_then_normalisation(size: tuple[int, int]) -> None:
    picture = texture(*size)
    tensor, _ = to_tensor(picture, STRETCH)
    assert tensor.shape == (1, 3, 64, 96) and tensor.dtype == np.float32 and tensor.flags.c_contiguous
    resized = cv2.resize(picture, (96, 64), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(tensor[0], normalised(resized, STRETCH), atol=1e-6)


@pytest.mark.parametrize("size", ODD_SIZES)
def test_letterboxing_keeps_the_aspect_and_centres_on_the_pad_value(size: tuple[int, int]) -> None:
    picture = np.full((size[1], size[0], 3), 255, np.uint8)
    tensor, placed = to_tensor(picture, LETTERBOX)
    assert tensor.shape == (1, 3, 64, 96) and tensor.dtype == np.float32 and tensor.flags.c_contiguous
    white = np.isclose(tensor[0], normalised(np.full((1, 1, 3), 255), LETTERBOX), atol=1e-5).all(axis=0)
    rows, columns = np.nonzero(white)
    left, top, right, bottom = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    assert white[top:bottom, left:right].all() and white.sum() == (bottom - top) * (right - left)
    assert (right - left == 96) or (bottom - top == 64)
    assert abs(left - (96 - right)) <= 1 and abs(top - (64 - bottom)) <= 1
    assert (placed.shift_x, placed.shift_y) == (left, top)
    scale = min(96 / size[0], 64 / size[1])
    assert abs(right - left - max(1, size[0] * scale)) <= 0.51 and abs(bottom - top - max(1, size[1] * scale)) <= 0.51
    padding = normalised(np.full((1, 1, 3), 114), LETTERBOX)[:, 0, 0]
    np.testing.assert_allclose(tensor[0][:, ~white].T, np.broadcast_to(padding, ((~white).sum(), 3)), atol=1e-5)


def test_a_picture_of_the_inputs_size_passes_through_unchanged() -> None:
    picture = texture(96, 64)
    for spec in (STRETCH, LETTERBOX):
        tensor, _ = to_tensor(picture, spec)
        np.testing.assert_allclose(tensor[0], normalised(picture, spec), atol=1e-6)


def test_channels_stay_in_bgr_order() -> None:
    picture = np.zeros((64, 96, 3), np.uint8)
    picture[:, :, 0] = 200  # blue
    spec = InputSpec(width=96, height=64, mean=(0, 0, 0), std=(1, 2, 4))
    tensor, _ = to_tensor(picture, spec)
    assert tensor[0, 0].min() == tensor[0, 0].max() == 200 and not tensor[0, 1:].any()


def test_a_view_that_is_not_contiguous_gives_the_same_tensor() -> None:
    picture = texture(60, 40)
    mirrored = picture[:, ::-1]
    np.testing.assert_array_equal(to_tensor(mirrored, STRETCH)[0], to_tensor(mirrored.copy(), STRETCH)[0])


def test_the_picture_is_not_changed() -> None:
    picture = texture(60, 40)
    before = picture.copy()
    for spec in (STRETCH, LETTERBOX):
        to_tensor(picture, spec)
    np.testing.assert_array_equal(picture, before)


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 5000), st.integers(1, 5000), st.sampled_from([STRETCH, LETTERBOX]), st.integers(0, 1000))
def test_boxes_come_back_to_where_they_were(width: int, height: int, spec: InputSpec, seed: int) -> None:
    placed, _ = placement(width, height, spec)
    corners = np.sort(np.random.default_rng(seed).uniform(0, 1, (4, 2, 2)), axis=1).reshape(4, 4)
    boxes = corners * [width, height, width, height]
    scale = [placed.scale_x, placed.scale_y] * 2
    shift = [placed.shift_x, placed.shift_y] * 2
    back = placed.to_picture((boxes * scale + shift).astype(np.float32))
    np.testing.assert_allclose(back, boxes, atol=2e-5 * max(spec.width, width, height))


@pytest.mark.parametrize("spec", [STRETCH, LETTERBOX])
@pytest.mark.parametrize("size", ODD_SIZES)
def test_the_whole_picture_is_where_the_placement_says(size: tuple[int, int], spec: InputSpec) -> None:
    placed, (inner_width, inner_height) = placement(*size, spec)
    left, top = placed.shift_x, placed.shift_y
    whole = np.array([[left, top, left + inner_width, top + inner_height]], np.float32)
    np.testing.assert_allclose(placed.to_picture(whole), [[0, 0, *size]], rtol=1e-5)
    assert 1 <= inner_width <= spec.width and 1 <= inner_height <= spec.height


def test_a_point_of_the_picture_is_found_in_the_tensor_where_the_placement_says() -> None:
    picture = np.zeros((480, 640, 3), np.uint8)
    picture[240:300, 320:400] = 255
    for spec in (STRETCH, LETTERBOX):
        tensor, placed = to_tensor(picture, spec)
        rows, columns = np.nonzero(tensor[0, 0] > 1.3)
        seen = np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], np.float32)
        np.testing.assert_allclose(placed.to_picture(seen), [[320, 240, 400, 300]], atol=8)


def test_boxes_are_clipped_to_the_picture() -> None:
    placed, _ = placement(200, 100, LETTERBOX)
    boxes = placed.to_picture(np.array([[-50, -50, 500, 500], [0, 0, 96, 4], [-9, 30, -5, 40]], np.float32))
    np.testing.assert_allclose(boxes[0], [0, 0, 200, 100])
    assert boxes[1, 1] == boxes[1, 3] == 0  # lies in the padding above the picture
    assert boxes[2, 0] == boxes[2, 2] == 0
    assert boxes.dtype == np.float32


def test_no_boxes_come_back_as_no_boxes() -> None:
    placed, _ = placement(200, 100, STRETCH)
    assert placed.to_picture(np.zeros((0, 4), np.float32)).shape == (0, 4)


def test_a_picture_is_accepted_as_it_is() -> None:
    picture = texture(1, 1)
    assert check_picture(picture) is picture


@pytest.mark.parametrize(
    ("array", "named"),
    [
        (np.zeros((4, 4, 3), np.float32), r"not float32 \[4, 4, 3\]"),
        (np.zeros((4, 4, 3), np.int64), "not int64"),
        (np.zeros((4, 4, 3), np.uint16), "not uint16"),
        (np.zeros((4, 4), np.uint8), r"not uint8 \[4, 4\]"),
        (np.zeros((4, 4, 4), np.uint8), r"not uint8 \[4, 4, 4\]"),
        (np.zeros((3, 4, 5), np.uint8), r"not uint8 \[3, 4, 5\]"),
        (np.zeros((1, 4, 4, 3), np.uint8), r"not uint8 \[1, 4, 4, 3\]"),
        (np.zeros((0, 4, 3), np.uint8), r"not uint8 \[0, 4, 3\]"),
        (np.zeros((4, 0, 3), np.uint8), r"not uint8 \[4, 0, 3\]"),
    ],
)
def test_an_array_that_is_no_picture_is_refused_with_what_it_is(array: np.ndarray, named: str) -> None:
    with pytest.raises(InputError, match=r"must be uint8 \[height, width, 3\] in BGR, " + named):
        check_picture(array)


@pytest.mark.parametrize("value", [None, 3, [[1, 2, 3]], b"bytes"])
def test_something_else_than_an_array_is_refused_with_its_type(value: Any) -> None:
    with pytest.raises(InputError, match=f"a NumPy array or a path, not {type(value).__name__}"):
        check_picture(value)
