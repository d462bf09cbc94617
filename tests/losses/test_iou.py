"""IoU and its relatives: golden values, properties, and boxes of no size."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nanoedge.losses.iou import aligned_iou, giou_loss, pairwise_iou

KINDS = ("iou", "giou", "diou", "ciou")
GOLDEN = [
    ((0, 0, 10, 10), (5, 5, 15, 15), (0.142857, -0.079365, 0.031746, 0.031746)),
    ((0, 0, 10, 20), (0, 0, 20, 10), (0.333333, 0.083333, 0.270833, 0.237082)),
    ((0, 0, 10, 10), (20, 20, 30, 30), (0.0, -0.777778, -0.444444, -0.444444)),
    ((2, 2, 6, 6), (0, 0, 8, 8), (0.25, 0.25, 0.25, 0.25)),
]
DEGENERATE = [
    ((5, 5, 5, 5), (5, 5, 5, 5)),
    ((0, 0, 0, 0), (0, 0, 10, 10)),
    ((5, 0, 5, 10), (0, 5, 10, 5)),
    ((0, 3, 10, 3), (0, 3, 10, 3)),
    ((0, 0, 1e-4, 1e-4), (0, 0, 1e-4, 1e-4)),
    ((10, 10, 0, 0), (0, 0, 10, 10)),
    ((-1e4, -1e4, 1e4, 1e4), (3, 3, 3, 3)),
]

coordinates = st.floats(-500, 500, width=32)
sides = st.floats(0.5, 500, width=32)


@st.composite
def boxes(draw: st.DrawFn, count: int = 5) -> torch.Tensor:
    rows = [[draw(coordinates), draw(coordinates), draw(sides), draw(sides)] for _ in range(count)]
    return torch.tensor([[x, y, x + width, y + height] for x, y, width, height in rows], dtype=torch.float64)


@pytest.mark.parametrize(("box_a", "box_b", "values"), GOLDEN)
def test_the_golden_values_hold_in_both_directions(box_a: tuple, box_b: tuple, values: tuple) -> None:
    first, second = torch.tensor([box_a], dtype=torch.float32), torch.tensor([box_b], dtype=torch.float32)
    for kind, value in zip(KINDS, values, strict=True):
        assert float(aligned_iou(first, second, kind)) == pytest.approx(value, abs=1e-6)
        assert float(aligned_iou(second, first, kind)) == pytest.approx(value, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(boxes(), boxes())
def test_pairwise_is_aligned_for_every_pair(first: torch.Tensor, second: torch.Tensor) -> None:
    table = pairwise_iou(first, second)
    assert table.shape == (5, 5)
    for row in range(5):
        torch.testing.assert_close(table[row], aligned_iou(first[row].expand(5, 4), second))


@settings(max_examples=60, deadline=None)
@given(boxes(), boxes(), st.sampled_from(KINDS))
def test_every_kind_is_symmetric_and_bounded(first: torch.Tensor, second: torch.Tensor, kind: str) -> None:
    values = aligned_iou(first, second, kind)
    torch.testing.assert_close(values, aligned_iou(second, first, kind))
    lowest = {"iou": 0.0, "giou": -1.0, "diou": -1.0, "ciou": -1.5}[kind]  # CIoU: DIoU less at most a half
    assert bool((values >= lowest - 1e-9).all()) and bool((values <= 1 + 1e-9).all())


@settings(max_examples=40, deadline=None)
@given(boxes(), boxes())
def test_the_penalties_only_take_away(first: torch.Tensor, second: torch.Tensor) -> None:
    iou, giou, diou, ciou = (aligned_iou(first, second, kind) for kind in KINDS)
    assert bool((giou <= iou + 1e-9).all()) and bool((diou <= iou + 1e-9).all())
    assert bool((ciou <= diou + 1e-9).all())


@settings(max_examples=30, deadline=None)
@given(boxes())
def test_a_box_overlaps_itself_completely(first: torch.Tensor) -> None:
    for kind in KINDS:
        torch.testing.assert_close(aligned_iou(first, first, kind), torch.ones(5, dtype=torch.float64))


@settings(max_examples=30, deadline=None)
@given(boxes(), boxes(), st.floats(0.1, 10), coordinates, st.sampled_from(KINDS))
def test_moving_and_scaling_both_boxes_changes_nothing(
    first: torch.Tensor, second: torch.Tensor, scale: float, shift: float, kind: str
) -> None:
    torch.testing.assert_close(
        aligned_iou(first * scale + shift, second * scale + shift, kind), aligned_iou(first, second, kind)
    )


@pytest.mark.parametrize(("box_a", "box_b"), DEGENERATE)
@pytest.mark.parametrize("kind", KINDS)
def test_boxes_of_no_size_have_finite_values_and_gradients(box_a: tuple, box_b: tuple, kind: str) -> None:
    first = torch.tensor([box_a], dtype=torch.float32, requires_grad=True)
    second = torch.tensor([box_b], dtype=torch.float32)
    value = aligned_iou(first, second, kind)
    assert bool(value.isfinite().all())
    value.sum().backward()
    assert bool(first.grad.isfinite().all())


def test_boxes_that_touch_or_miss_do_not_overlap() -> None:
    first = torch.tensor([[0.0, 0, 10, 10]] * 3)
    second = torch.tensor([[10.0, 0, 20, 10], [0, 10, 10, 20], [11, 11, 12, 12]])
    assert pairwise_iou(first, second).abs().max() == 0


def test_no_boxes_give_empty_tables() -> None:
    none, some = torch.zeros(0, 4), torch.rand(3, 4)
    assert pairwise_iou(none, some).shape == (0, 3) and pairwise_iou(some, none).shape == (3, 0)
    for kind in KINDS:
        assert aligned_iou(none, none, kind).shape == (0,)


@pytest.mark.parametrize("kind", ["giou", "diou", "ciou"])
def test_a_box_that_misses_its_target_is_still_pulled_towards_it(kind: str) -> None:
    box = torch.tensor([[0.0, 0, 10, 10]], requires_grad=True)
    aligned_iou(box, torch.tensor([[30.0, 0, 40, 10]]), kind).sum().backward()
    assert float(box.grad[0, 2]) > 0  # a larger x2 raises the value
    plain = torch.tensor([[0.0, 0, 10, 10]], requires_grad=True)
    aligned_iou(plain, torch.tensor([[30.0, 0, 40, 10]])).sum().backward()
    assert float(plain.grad.abs().sum()) == 0


def test_the_aspect_term_compares_angles() -> None:
    """Same centre, hull = second box: CIoU differs from IoU by alpha * v alone."""
    first, second = torch.tensor([[2.0, 4, 8, 6]]), torch.tensor([[0.0, 0, 10, 10]])
    iou = 12 / 100
    shape = 4 / math.pi**2 * (math.atan(1) - math.atan(3)) ** 2
    expected = iou - shape * shape / (1 - iou + shape)
    assert float(aligned_iou(first, second, "ciou")) == pytest.approx(expected, abs=1e-6)


def test_the_loss_is_the_weighted_sum_over_the_normaliser() -> None:
    first = torch.tensor([row[0] for row in GOLDEN], dtype=torch.float32)
    second = torch.tensor([row[1] for row in GOLDEN], dtype=torch.float32)
    weights = torch.tensor([1.0, 0.5, 0.0, 0.25])
    expected = sum(float(weight) * (1 - row[2][1]) for weight, row in zip(weights, GOLDEN, strict=True)) / 3
    assert float(giou_loss(first, second, weights, torch.tensor(3.0))) == pytest.approx(expected, abs=1e-5)
