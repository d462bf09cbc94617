"""Matching, confusion, best scores, a picture's quality and the curves: small cases counted by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nanoedge.data.index import DatasetIndex, Sample
from nanoedge.detections import Detections
from nanoedge.evaluation.best_scores import best_scores
from nanoedge.evaluation.box_iou import box_iou, share_inside
from nanoedge.evaluation.coco_metrics import coco_evaluation
from nanoedge.evaluation.confusion import confusion_matrix
from nanoedge.evaluation.matching import match_boxes
from nanoedge.evaluation.picture_quality import picture_quality

NAMES = ("cat", "dog")
LEFT, RIGHT = [10.0, 10.0, 50.0, 50.0], [60.0, 10.0, 100.0, 50.0]
NEAR_LEFT = [20.0, 10.0, 50.0, 50.0]  # IoU 0.75 with LEFT
FAR = [10.0, 100.0, 50.0, 140.0]


def sample(
    image_id: int, boxes: list[list[float]], kinds: list[int], crowds: list[list[float]] | None = None
) -> Sample:
    array = np.array(boxes, np.float32).reshape(-1, 4)
    regions = np.array(crowds or [], np.float32).reshape(-1, 4)
    return Sample(
        image_id=image_id,
        path=Path(f"{image_id}.png"),
        width=200,
        height=200,
        boxes_xyxy=array,
        class_ids=np.array(kinds, np.int64),
        areas=(array[:, 2:] - array[:, :2]).prod(axis=1),
        ignore_xyxy=regions,
        ignore_class_ids=np.zeros(len(regions), np.int64),
    )


def said(boxes: list[list[float]], kinds: list[int], scores: list[float]) -> Detections:
    return Detections.of(boxes, scores, kinds, NAMES)


def test_iou_and_share_are_those_of_the_areas() -> None:
    one = np.array([LEFT], np.float32)[:, None]
    others = np.array([LEFT, NEAR_LEFT, RIGHT], np.float32)[None]
    np.testing.assert_allclose(box_iou(one, others), [[1, 0.75, 0]])
    np.testing.assert_allclose(share_inside(others, np.array([[0, 0, 20, 200]], np.float32)), [[0.25, 0, 0]])


def test_a_true_box_is_taken_once_by_the_best_score() -> None:
    matches = match_boxes(sample(1, [LEFT, RIGHT], [0, 0]), said([NEAR_LEFT, LEFT, FAR], [0, 0, 0], [0.9, 0.8, 0.7]))
    assert matches.own.tolist() == [0, -1, -1] and matches.other.tolist() == [-1, -1, -1]
    assert matches.wrong.tolist() == [False, True, True] and matches.missed.tolist() == [False, True]
    np.testing.assert_allclose(matches.ious, [0.75, 1, 0])


def test_the_right_class_goes_before_a_better_score_of_another() -> None:
    matches = match_boxes(sample(1, [LEFT], [0]), said([LEFT, NEAR_LEFT], [1, 0], [0.9, 0.3]))
    assert matches.own.tolist() == [-1, 0] and matches.other.tolist() == [-1, -1]


def test_what_is_left_over_is_taken_by_another_class() -> None:
    matches = match_boxes(sample(1, [LEFT, RIGHT], [0, 1]), said([LEFT, RIGHT], [1, 1], [0.9, 0.8]))
    assert matches.own.tolist() == [-1, 1] and matches.other.tolist() == [0, -1]
    assert matches.missed.tolist() == [True, False]


def test_boxes_in_a_crowd_are_neither_right_nor_wrong() -> None:
    truth = sample(1, [LEFT], [0], crowds=[[0, 90, 60, 150]])
    matches = match_boxes(truth, said([LEFT, FAR, FAR], [0, 0, 1], [0.9, 0.8, 0.7]))
    assert matches.ignored.tolist() == [False, True, False] and matches.wrong.tolist() == [False, False, True]


@pytest.mark.parametrize(("boxes", "found"), [([], []), ([LEFT], []), ([], [LEFT])])
def test_nothing_there_and_nothing_found_can_be_matched(boxes: list[list[float]], found: list[list[float]]) -> None:
    matches = match_boxes(sample(1, boxes, [0] * len(boxes)), said(found, [0] * len(found), [0.9] * len(found)))
    assert (len(matches.own), len(matches.missed)) == (len(found), len(boxes))
    assert (matches.wrong.sum(), matches.missed.sum()) == (len(found), len(boxes))


def test_a_confusion_matrix_counted_by_hand() -> None:
    index = DatasetIndex(
        "test", NAMES, (sample(1, [LEFT, RIGHT], [0, 1]), sample(2, [LEFT, RIGHT], [0, 1]), sample(3, [], []))
    )
    found = {
        1: said([LEFT, RIGHT, FAR], [0, 0, 1], [0.9, 0.8, 0.4]),  # cat right, dog taken for a cat, a dog of air
        3: said([LEFT, RIGHT], [0, 0], [0.5, 0.2]),  # a cat of air; the weak one does not count
    }
    expected = [[1, 0, 1], [1, 0, 1], [1, 1, 0]]  # picture 2 is missed altogether
    assert confusion_matrix(index, found, 0.4).tolist() == expected
    assert confusion_matrix(index, {}, 0.4).tolist() == [[0, 0, 2], [0, 0, 2], [0, 0, 0]]


def test_the_best_score_is_where_f1_is_largest() -> None:
    index = DatasetIndex("test", NAMES, (sample(1, [LEFT, RIGHT, FAR], [0, 0, 0]), sample(2, [LEFT], [1])))
    found = {1: said([LEFT, RIGHT, [150, 150, 190, 190], FAR], [0, 0, 0, 0], [0.9, 0.7, 0.5, 0.1])}
    cat, dog = best_scores(index, found).per_class
    # F1 after each box: 2/4, 4/5, 4/6, 6/7
    assert cat is not None and dog is None
    assert (cat.f1, cat.precision, cat.recall) == pytest.approx((6 / 7, 3 / 4, 1))
    assert cat.score == pytest.approx((0.1 + 0.05) / 2)
    overall = best_scores(index, {1: found[1].select(np.array([0, 1, 2]))}).overall
    assert overall is not None
    assert (overall.score, overall.f1, overall.precision, overall.recall) == pytest.approx((0.6, 4 / 6, 1, 2 / 4))


def test_no_threshold_cuts_between_equal_scores() -> None:
    index = DatasetIndex("test", NAMES, (sample(1, [LEFT], [0]),))
    best = best_scores(index, {1: said([LEFT, FAR], [0, 0], [0.5, 0.5])}).overall
    assert best is not None and best.f1 == pytest.approx(2 / 3)
    assert best_scores(index, {}).overall is None


def test_a_pictures_quality_counted_by_hand() -> None:
    truth = sample(1, [LEFT, RIGHT], [0, 1])
    result = picture_quality(match_boxes(truth, said([NEAR_LEFT, FAR], [0, 0], [0.9, 0.8])))
    assert (result.right, result.wrong, result.missed) == (1, 1, 1)
    assert result.quality == pytest.approx(0.75 / (1 + 0.5 + 0.5))
    assert picture_quality(match_boxes(truth, said([LEFT, RIGHT], [0, 1], [0.9, 0.8]))).quality == pytest.approx(1)
    assert picture_quality(match_boxes(sample(1, [], []), said([], [], []))).quality is None
    assert picture_quality(match_boxes(sample(1, [], []), said([FAR], [0], [0.9]))).quality == 0


def test_curves_are_those_of_a_case_counted_by_hand() -> None:
    index = DatasetIndex("test", NAMES, (sample(1, [LEFT, RIGHT], [0, 0]),))
    curves = coco_evaluation(index, {1: said([LEFT, FAR, RIGHT], [0, 0, 0], [0.9, 0.8, 0.7])}).curves
    assert curves.measured == [0] and curves.mean is not None
    # precision 1 up to a recall of 1/2, then 2/3
    np.testing.assert_allclose(curves.precision[0], np.where(curves.recall <= 0.5, 1, 2 / 3), atol=1e-6)
    np.testing.assert_allclose(curves.mean, curves.precision[0])
    assert curves.average(1) == -1


def test_without_truth_there_are_no_curves() -> None:
    curves = coco_evaluation(DatasetIndex("test", NAMES, (sample(1, [], []),)), {1: said([LEFT], [0], [0.9])}).curves
    assert curves.mean is None and curves.measured == []


def test_matching_agrees_with_cocos_evaluation_on_random_boxes() -> None:
    random = np.random.default_rng(0)
    samples, found = [], {}
    for number in range(40):
        boxes = random.uniform(0, 120, (8, 2)).astype(np.float32)
        truth = sample(number + 1, np.hstack([boxes, boxes + 40]).tolist(), random.integers(0, 2, 8).tolist())
        moved = truth.boxes_xyxy + random.normal(0, 5, (8, 4)).astype(np.float32)
        kinds = np.where(random.random(8) < 0.8, truth.class_ids, 1 - truth.class_ids)
        samples.append(truth)
        found[truth.image_id] = Detections.of(moved, random.uniform(0.05, 1, 8), kinds, NAMES)
    index = DatasetIndex("test", NAMES, tuple(samples))
    curves = coco_evaluation(index, found).curves
    matrix = confusion_matrix(index, found, 0)
    for place in range(2):
        recall = matrix[place, place] / matrix[place].sum()
        reached = curves.recall[curves.precision[place] > 0].max()
        assert reached <= recall < reached + 0.01
