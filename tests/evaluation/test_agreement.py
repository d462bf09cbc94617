"""Agreement of two engines, at the limits that the contract sets."""

from __future__ import annotations

import numpy as np
import pytest
from nanoedge.detections import Detections
from nanoedge.evaluation.agreement import agreement
from nanoedge.evaluation.box_iou import box_iou

NAMES = ("cat", "dog")
BOX = [100.0, 100.0, 200.0, 200.0]


def one(score: float = 0.8, box: list[float] | None = None, kind: int = 0) -> Detections:
    return Detections.of([box or BOX], [score], [kind], NAMES)


def shrunk(iou: float) -> list[float]:
    """A part of BOX with this IoU."""
    return [100.0, 100.0, 200.0, 100 + 100 * iou]


NONE = Detections.empty(NAMES)


def test_the_same_boxes_agree_and_are_counted_on_both_sides() -> None:
    found = Detections.of([BOX, [0, 0, 50, 50], [0, 0, 9, 9]], [0.9, 0.5, 0.31], [0, 1, 0], NAMES)
    result = agreement([found, NONE], [found, NONE])
    assert (result.boxes, result.unmatched, result.agrees) == (4, 0, True)
    assert result.lowest_iou == pytest.approx(1) and result.largest_score_difference == 0


@pytest.mark.parametrize(("score", "boxes"), [(0.32, 0), (0.321, 2), (0.319, 0), (0.4, 2)])
def test_only_boxes_above_0_32_are_of_interest(score: float, boxes: int) -> None:
    result = agreement([one(score)], [one(score)])
    assert result.boxes == boxes and result.agrees
    assert agreement([one(score)], [NONE]).unmatched == boxes / 2


def test_a_box_just_of_interest_may_have_a_twin_that_is_not() -> None:
    result = agreement([one(0.325)], [one(0.3185)])
    assert (result.boxes, result.unmatched, result.agrees) == (1, 0, True)


@pytest.mark.parametrize(
    ("compute", "difference", "agrees"),
    [
        ("fp32", 0.0099, True),
        ("fp32", 0.0101, False),
        ("fp16", 0.0199, True),
        ("fp16", 0.0201, False),
        ("bf16", 0.0199, True),
        ("bf16", 0.0201, False),
    ],
)
def test_scores_may_differ_by_what_the_compute_precision_allows(compute: str, difference: float, agrees: bool) -> None:
    for first, second in ((0.8, 0.8 - difference), (0.8 - difference, 0.8)):
        result = agreement([one(first)], [one(second)], compute)
        assert result.agrees == agrees and result.unmatched == (0 if agrees else 2)
        if agrees:
            assert result.largest_score_difference == pytest.approx(difference, abs=1e-6)


@pytest.mark.parametrize(("iou", "agrees"), [(0.9905, True), (0.9895, False), (0.5, False)])
def test_twins_overlap_by_at_least_0_99(iou: float, agrees: bool) -> None:
    result = agreement([one()], [one(box=shrunk(iou))])
    assert result.agrees == agrees
    assert result.lowest_iou == pytest.approx(iou if agrees else 1.0, abs=1e-5)


def test_a_twin_has_the_same_class() -> None:
    assert agreement([one(kind=0)], [one(kind=1)]).unmatched == 2


def test_a_box_that_only_one_side_has_is_unmatched_whichever_side_that_is() -> None:
    assert agreement([one()], [NONE]).unmatched == agreement([NONE], [one()]).unmatched == 1


def test_pictures_are_compared_with_their_own_counterparts() -> None:
    assert agreement([one(), NONE], [NONE, one()]).unmatched == 2


def test_the_best_overlap_is_the_twin() -> None:
    many = Detections.of([shrunk(0.992), BOX, shrunk(0.995)], [0.8, 0.8, 0.8], [0, 0, 0], NAMES)
    result = agreement([one()], [many])
    assert result.unmatched == 0 and result.lowest_iou == pytest.approx(0.992, abs=1e-4)  # of the others, towards us


@pytest.mark.parametrize(("unmatched", "agrees"), [(0, True), (1, True), (2, False)])
def test_one_box_in_a_thousand_may_be_without_a_twin(unmatched: int, agrees: bool) -> None:
    """500 pairs are 1000 boxes; the lonely ones come on top."""
    pairs = [one()] * 500
    result = agreement(pairs + [one()] * unmatched, pairs + [NONE] * unmatched)
    assert (result.boxes, result.unmatched, result.agrees) == (1000 + unmatched, unmatched, agrees)


def test_without_boxes_there_is_nothing_to_disagree_about() -> None:
    result = agreement([NONE], [NONE])
    assert result.as_json() == {
        "boxes": 0,
        "unmatched": 0,
        "lowest_iou": 1.0,
        "largest_score_difference": 0.0,
        "agrees": True,
    }


def test_lists_of_different_length_are_a_mistake() -> None:
    with pytest.raises(ValueError, match=r"shorter|longer"):
        agreement([one()], [])


@pytest.mark.parametrize(
    ("box", "iou"), [(BOX, 1), ([150, 150, 250, 250], 1 / 7), ([200, 100, 300, 200], 0), ([120, 120, 120, 180], 0)]
)
def test_the_iou_of_one_box_with_others(box: list[float], iou: float) -> None:
    values = box_iou(np.array(BOX, np.float32), np.array([box, BOX], np.float32))
    np.testing.assert_allclose(values, [iou, 1], atol=1e-6)
