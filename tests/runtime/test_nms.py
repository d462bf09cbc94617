"""Non-maximum suppression against a naive reading of its definition, in exact arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanoedge.runtime.nms import MAX_CANDIDATES, suppress

Box = tuple[int, int, int, int]

corner = st.integers(0, 12)
side = st.integers(1, 10)
candidates = st.lists(
    st.tuples(st.tuples(corner, corner, side, side), st.integers(0, 5), st.integers(0, 2)), min_size=0, max_size=25
)


def arrays_of(rows: list[tuple[Box, int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    boxes = np.array([[x, y, x + width, y + height] for (x, y, width, height), _, _ in rows], np.float32)
    scores = np.array([score / 8 for _, score, _ in rows], np.float32)  # few values, so that many are equal
    return boxes.reshape(-1, 4), scores, np.array([kind for _, _, kind in rows], np.int64)


def exact_iou(first: list[float], second: list[float]) -> Fraction:
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    shared = Fraction(max(width, 0)) * Fraction(max(height, 0))
    areas = [Fraction(box[2] - box[0]) * Fraction(box[3] - box[1]) for box in (first, second)]
    return shared / (sum(areas) - shared)


def naive(
    boxes: np.ndarray, scores: np.ndarray, kinds: np.ndarray, threshold: float, class_aware: bool, limit: int
) -> list[int]:
    """Best first; a box stays unless it overlaps one that stayed by more than the threshold."""
    kept: list[int] = []
    for index in sorted(range(len(scores)), key=lambda place: (-scores[place], place)):
        rivals = [other for other in kept if not class_aware or kinds[other] == kinds[index]]
        if all(exact_iou(boxes[index].tolist(), boxes[other].tolist()) <= Fraction(threshold) for other in rivals):
            kept.append(index)
    return kept[:limit]


@settings(max_examples=150, deadline=None)
@given(candidates, st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), st.booleans(), st.integers(1, 12))
def test_suppression_is_the_definition(rows: list, threshold: float, class_aware: bool, limit: int) -> None:
    boxes, scores, kinds = arrays_of(rows)
    kept = suppress(boxes, scores, kinds, threshold, class_aware, limit)
    assert kept.tolist() == naive(boxes, scores, kinds, threshold, class_aware, limit)


@settings(max_examples=40, deadline=None)
@given(candidates, st.booleans())
def test_suppressing_twice_takes_nothing_more(rows: list, class_aware: bool) -> None:
    boxes, scores, kinds = arrays_of(rows)
    once = suppress(boxes, scores, kinds, 0.5, class_aware, 100)
    again = suppress(boxes[once], scores[once], kinds[once], 0.5, class_aware, 100)
    assert again.tolist() == list(range(len(once)))


def test_the_better_of_two_alike_stays() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 11], [50, 50, 60, 60]], np.float32)
    kept = suppress(boxes, np.array([0.5, 0.9, 0.1], np.float32), np.zeros(3, np.int64), 0.6, True, 100)
    assert kept.tolist() == [1, 2]


def test_an_overlap_of_exactly_the_threshold_stays() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 5, 10, 15], [0, 4, 10, 14]], np.float32)  # IoU 1/3 and 6/14 with the first
    scores, kinds = np.array([0.9, 0.8, 0.1], np.float32), np.zeros(3, np.int64)
    assert suppress(boxes[:2], scores[:2], kinds[:2], float(np.float32(1 / 3)), True, 9).tolist() == [0, 1]
    assert suppress(boxes[[0, 2]], scores[:2], kinds[:2], 6 / 14 - 1e-3, True, 9).tolist() == [0]


def test_a_suppressed_box_suppresses_no_other() -> None:
    """A chain: each overlaps the next by more than the threshold, the first and the last do not meet."""
    boxes = np.array([[0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]], np.float32)
    kept = suppress(boxes, np.array([0.9, 0.8, 0.7], np.float32), np.zeros(3, np.int64), 0.3, True, 100)
    assert kept.tolist() == [0, 2]


def test_boxes_of_different_classes_meet_only_when_asked_to() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 10]], np.float32)
    scores, kinds = np.array([0.5, 0.6], np.float32), np.array([0, 1])
    assert suppress(boxes, scores, kinds, 0.6, True, 100).tolist() == [1, 0]
    assert suppress(boxes, scores, kinds, 0.6, False, 100).tolist() == [1]


@pytest.mark.parametrize("class_aware", [True, False])
def test_equal_scores_keep_their_order(class_aware: bool) -> None:
    boxes = np.array([[20 * place, 0, 20 * place + 10, 10] for place in range(50)], np.float32)
    kept = suppress(boxes, np.full(50, 0.5, np.float32), np.zeros(50, np.int64), 0.6, class_aware, 100)
    assert kept.tolist() == list(range(50))


def test_at_most_as_many_boxes_as_asked_for_stay_and_they_are_the_best() -> None:
    boxes = np.array([[20 * place, 0, 20 * place + 10, 10] for place in range(9)], np.float32)
    scores = np.array([3, 1, 9, 7, 5, 8, 2, 6, 4], np.float32) / 10
    assert suppress(boxes, scores, np.zeros(9, np.int64), 0.6, True, 4).tolist() == [2, 5, 3, 7]


def test_no_boxes_give_no_indices() -> None:
    kept = suppress(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64), 0.6, True, 100)
    assert kept.shape == (0,) and kept.dtype == np.int64


def test_of_very_many_candidates_the_best_are_looked_at() -> None:
    count = MAX_CANDIDATES + 500
    place = np.arange(count, dtype=np.float32) * 20
    boxes = np.stack([place, np.zeros(count), place + 10, np.full(count, 10)], axis=1).astype(np.float32)
    scores = np.linspace(0.1, 0.9, count, dtype=np.float32)
    kept = suppress(boxes, scores, np.zeros(count, np.int64), 0.6, True, 10 * count)
    assert len(kept) == MAX_CANDIDATES and kept[0] == count - 1 and kept.min() == 500


def test_numbers_of_any_size_do_not_warn() -> None:
    boxes = np.array([[-1e9, -1e9, 1e9, 1e9], [0, 0, 0, 0], [3, 3, 3, 9]], np.float32)
    with np.errstate(all="raise"):
        kept = suppress(boxes, np.array([0.9, 0.8, 0.7], np.float32), np.zeros(3, np.int64), 0.6, True, 100)
    assert kept.tolist() == [0, 1, 2]
