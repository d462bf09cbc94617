"""From raw output to detections in the picture: decoding, suppression and placement together."""

from __future__ import annotations

import numpy as np
import pytest
from nanoedge.bundle import EVALUATION_POSTPROCESS, DecoderSpec, InputSpec, Interface, PostprocessSpec
from nanoedge.detections import Detections
from nanoedge.runtime.decode import make_priors
from nanoedge.runtime.postprocess import detections_of
from nanoedge.runtime.preprocess import placement

NAMES = ("cat", "dog", "owl")
SPEC = InputSpec(width=96, height=64)
PRIORS = make_priors(96, 64, (8, 16, 32, 64), 0.0)


def interface(spec: InputSpec = SPEC) -> Interface:
    return Interface(classes=NAMES, input=spec, decoder=DecoderSpec(), postprocess=PostprocessSpec())


def nothing() -> np.ndarray:
    return np.full((len(PRIORS), len(NAMES) + 32), -12, np.float32)


def put(output: np.ndarray, x: int, y: int, box: tuple[float, float, float, float], kind: int, score: float) -> None:
    """Let the stride-8 prior at (x, y) say this box; its sides are whole strides."""
    row = int(np.flatnonzero(((x, y, 8) == PRIORS).all(axis=1))[0])
    output[row, kind] = np.log(score / (1 - score))
    for place, side in enumerate((x - box[0], y - box[1], box[2] - x, box[3] - y)):
        bins = output[row, 3 + 8 * place : 11 + 8 * place]
        bins[:] = -60
        bins[int(side / 8)] = 60


def found_in(output: np.ndarray, width: int = 96, height: int = 64, **changes: object) -> Detections:
    placed, _ = placement(width, height, SPEC)
    spec = PostprocessSpec(**changes) if changes else interface().postprocess
    return detections_of(output, placed, interface(), spec)


def test_a_box_is_reported_in_pixels_of_the_picture() -> None:
    output = nothing()
    put(output, 32, 24, (16, 8, 64, 48), kind=1, score=0.8)
    found = found_in(output, width=192, height=32)
    assert found.class_names == NAMES and found.class_ids.tolist() == [1]
    np.testing.assert_allclose(found.boxes_xyxy, [[32, 4, 128, 24]], atol=1e-4)
    assert found.scores[0] == pytest.approx(0.8, abs=1e-6)


def test_a_letterboxed_box_is_reported_without_the_padding() -> None:
    spec = InputSpec(width=96, height=64, resize="letterbox")
    output = nothing()
    put(output, 40, 32, (16, 24, 64, 48), kind=0, score=0.8)
    placed, _ = placement(192, 64, spec)  # half the size, 16 rows of padding above and below
    found = detections_of(output, placed, interface(spec), PostprocessSpec())
    np.testing.assert_allclose(found.boxes_xyxy, [[32, 16, 128, 64]], atol=1e-4)


def test_boxes_come_best_first_and_only_above_the_threshold() -> None:
    output = nothing()
    put(output, 16, 16, (8, 8, 24, 24), kind=0, score=0.5)
    put(output, 48, 16, (40, 8, 56, 24), kind=1, score=0.9)
    put(output, 72, 48, (64, 40, 80, 56), kind=2, score=0.3)
    assert found_in(output).class_ids.tolist() == [1, 0]
    assert found_in(output, score_threshold=0.05).class_ids.tolist() == [1, 0, 2]
    assert found_in(output, score_threshold=0.05, max_detections=1).class_ids.tolist() == [1]


def test_doubles_are_suppressed_within_a_class() -> None:
    output = nothing()
    put(output, 32, 24, (16, 8, 64, 48), kind=1, score=0.8)
    put(output, 40, 24, (16, 8, 64, 48), kind=1, score=0.9)
    put(output, 40, 32, (16, 8, 64, 48), kind=0, score=0.7)
    assert found_in(output).scores.tolist() == pytest.approx([0.9, 0.7], abs=1e-5)
    assert found_in(output, class_aware=False).scores.tolist() == pytest.approx([0.9], abs=1e-5)
    assert len(found_in(output, nms_iou=1.0)) == 3


def test_boxes_are_clipped_to_the_picture() -> None:
    output = nothing()
    put(output, 8, 8, (-40, -48, 64, 64), kind=0, score=0.8)
    put(output, 88, 56, (80, 48, 144, 112), kind=1, score=0.7)
    np.testing.assert_allclose(found_in(output).boxes_xyxy, [[0, 0, 64, 64], [80, 48, 96, 64]], atol=1e-4)


def test_a_box_of_no_size_or_outside_the_picture_is_dropped() -> None:
    output = nothing()
    put(output, 32, 24, (32, 24, 32, 48), kind=0, score=0.9)  # no width
    put(output, 0, 0, (-16, -16, 0, 8), kind=0, score=0.9)  # left of the picture
    put(output, 48, 32, (40, 24, 56, 40), kind=0, score=0.6)
    assert found_in(output).scores.tolist() == pytest.approx([0.6], abs=1e-5)


def test_a_dropped_box_takes_no_place_among_the_detections() -> None:
    output = nothing()
    put(output, 32, 24, (32, 24, 32, 48), kind=0, score=0.9)
    put(output, 48, 32, (40, 24, 56, 40), kind=0, score=0.6)
    assert len(found_in(output, max_detections=1)) == 1


def test_only_wanted_classes_are_reported_and_they_do_not_compete_with_others() -> None:
    output = nothing()
    put(output, 32, 24, (16, 8, 64, 48), kind=1, score=0.9)
    put(output, 40, 24, (16, 8, 64, 48), kind=0, score=0.6)
    placed, _ = placement(96, 64, SPEC)
    spec = PostprocessSpec(class_aware=False, max_detections=1)
    only_cats = detections_of(output, placed, interface(), spec, np.array([True, False, False]))
    assert only_cats.class_ids.tolist() == [0]
    assert len(detections_of(output, placed, interface(), spec, np.zeros(3, bool))) == 0


def test_nothing_found_is_an_empty_value() -> None:
    found = found_in(nothing())
    assert len(found) == 0 and found.class_names == NAMES and found.boxes_xyxy.shape == (0, 4)


def test_one_prior_can_say_two_classes() -> None:
    output = nothing()
    put(output, 32, 24, (16, 8, 64, 48), kind=1, score=0.9)
    put(output, 32, 24, (16, 8, 64, 48), kind=2, score=0.6)
    found = found_in(output)
    assert found.class_ids.tolist() == [1, 2]
    np.testing.assert_array_equal(found.boxes_xyxy[0], found.boxes_xyxy[1])


def test_values_that_are_no_numbers_give_no_boxes() -> None:
    output = nothing()
    put(output, 32, 24, (16, 8, 64, 48), kind=1, score=0.9)
    output[:, 3:] = np.nan
    assert len(found_in(output)) == 0


def test_evaluation_uses_the_settings_of_the_contract() -> None:
    spec = EVALUATION_POSTPROCESS
    assert (spec.score_threshold, spec.nms_iou, spec.max_detections, spec.class_aware) == (0.05, 0.6, 100, True)


@pytest.mark.parametrize("seed", range(6))
def test_every_detection_lies_in_the_picture_and_has_a_size(seed: int) -> None:
    random = np.random.default_rng(seed)
    output = (random.standard_normal((len(PRIORS), 35)) * 3).astype(np.float32)
    width, height = (int(size) for size in random.integers(1, 2000, 2))
    found = found_in(output, width, height, score_threshold=0.05)
    boxes = found.boxes_xyxy
    assert 0 < len(found) <= 100
    assert (boxes[:, :2] >= 0).all() and (boxes[:, 2:] <= (width, height)).all()
    assert (boxes[:, :2] < boxes[:, 2:]).all()
    assert (np.diff(found.scores) <= 0).all()
