"""`Detections`: shapes that fit, iteration, selection, and the contract's JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest
from nanoedge.detections import Detection, Detections

NAMES = ["cat", "dog"]


@pytest.fixture
def three() -> Detections:
    return Detections.of([[10, 20, 50, 80], [0, 0, 5.125, 5], [1, 2, 3, 4]], [0.9, 0.123456, 0.1], [1, 0, 1], NAMES)


def test_plain_lists_become_typed_arrays(three: Detections) -> None:
    assert len(three) == 3 and three.class_names == ("cat", "dog")
    assert three.boxes_xyxy.shape == (3, 4)
    assert (three.boxes_xyxy.dtype, three.scores.dtype, three.class_ids.dtype) == (np.float32, np.float32, np.int64)


def test_iterating_gives_label_score_and_box_as_plain_values(three: Detections) -> None:
    first = next(iter(three))
    assert first == Detection("dog", pytest.approx(0.9), (10.0, 20.0, 50.0, 80.0))
    label, score, box = first
    assert (type(label), type(score), [type(side) for side in box]) == (str, float, [float] * 4)
    assert [found.label for found in three] == ["dog", "cat", "dog"]


def test_no_boxes_are_a_value_like_any_other() -> None:
    for nothing in (Detections.empty(NAMES), Detections.of([], [], [], NAMES)):
        assert len(nothing) == 0 and list(nothing) == [] and nothing.as_json() == []
        assert nothing.boxes_xyxy.shape == (0, 4) and nothing.class_names == ("cat", "dog")
        assert len(nothing.select(np.zeros(0, bool))) == 0


@pytest.mark.parametrize("keep", [np.array([False, True, True]), np.array([1, 2])])
def test_a_mask_or_indices_select(three: Detections, keep: np.ndarray) -> None:
    chosen = three.select(keep)
    assert chosen.class_ids.tolist() == [0, 1] and chosen.class_names == three.class_names
    np.testing.assert_array_equal(chosen.boxes_xyxy, three.boxes_xyxy[1:])


def test_indices_select_in_their_own_order(three: Detections) -> None:
    assert three.select(np.array([2, 0])).scores.tolist() == pytest.approx([0.1, 0.9])


def test_the_json_is_the_contracts_and_can_be_written(three: Detections) -> None:
    document = three.as_json()
    assert document[1] == {"label": "cat", "class_id": 0, "score": 0.12346, "box": [0.0, 0.0, 5.12, 5.0]}
    assert json.loads(json.dumps(document)) == document


@pytest.mark.parametrize(
    ("boxes", "scores", "class_ids"),
    [
        (np.zeros((2, 4), np.float32), np.zeros(3, np.float32), np.zeros(3, np.int64)),
        (np.zeros((3, 5), np.float32), np.zeros(3, np.float32), np.zeros(3, np.int64)),
        (np.zeros((3, 4), np.float32), np.zeros(3, np.float32), np.zeros(2, np.int64)),
        (np.zeros((3, 4), np.float32), np.zeros((3, 1), np.float32), np.zeros(3, np.int64)),
    ],
)
def test_arrays_of_different_lengths_are_refused(boxes: np.ndarray, scores: np.ndarray, class_ids: np.ndarray) -> None:
    with pytest.raises(ValueError, match="do not describe the same number of boxes"):
        Detections(boxes, scores, class_ids, ("cat", "dog"))


def test_a_value_cannot_be_changed(three: Detections) -> None:
    with pytest.raises(AttributeError):
        three.scores = np.zeros(3)
