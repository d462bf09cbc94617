"""The NumPy reference of decoding: thresholds, a stable sigmoid, boxes in the promised order."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanoedge.bundle import DecoderSpec
from nanoedge.runtime.decode import decode_boxes, decode_nanodet_plus, logit_of, make_priors, sigmoid

CLASSES = 3
WIDTH, HEIGHT = 96, 64
DECODER = DecoderSpec()
PRIORS = make_priors(WIDTH, HEIGHT, DECODER.strides, DECODER.prior_offset)


def output_of(seed: int, spread: float = 2.0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return (random.standard_normal((len(PRIORS), CLASSES + 32)) * spread).astype(np.float32)


def decode(output: np.ndarray, threshold: float, decoder: DecoderSpec = DECODER) -> tuple:
    return decode_nanodet_plus(output, WIDTH, HEIGHT, CLASSES, decoder, threshold)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("threshold", [0.05, 0.35, 0.5, 0.9])
def test_a_threshold_on_logits_is_one_on_scores(seed: int, threshold: float) -> None:
    output = output_of(seed)
    exact = 1 / (1 + np.exp(-output[:, :CLASSES].astype(np.float64)))
    assert np.abs(exact - threshold).min() > 1e-7  # none of these scores is a tie
    rows, kinds = np.nonzero(exact > threshold)
    boxes, scores, class_ids = decode(output, threshold)
    np.testing.assert_array_equal(class_ids, kinds)
    np.testing.assert_allclose(scores, exact[rows, kinds], atol=1e-6)
    np.testing.assert_allclose(boxes, decode_boxes(output[rows, CLASSES:], PRIORS[rows]), atol=1e-5)


def test_a_score_at_the_threshold_is_dropped_and_the_next_higher_one_stays() -> None:
    output = np.full((len(PRIORS), CLASSES + 32), -9, np.float32)
    output[4, 1] = 0.0  # the score is exactly one half
    assert len(decode(output, 0.5)[1]) == 0
    output[4, 1] = np.nextafter(np.float32(0), np.float32(1))
    assert len(decode(output, 0.5)[1]) == 1


def test_threshold_0_takes_every_pair_and_threshold_1_none() -> None:
    output = output_of(0, spread=50.0)
    assert len(decode(output, 0.0)[1]) == len(PRIORS) * CLASSES
    assert len(decode(output, 1.0)[1]) == 0


def test_no_survivor_gives_empty_arrays_of_the_right_kind() -> None:
    boxes, scores, class_ids = decode(np.full((len(PRIORS), CLASSES + 32), -9, np.float32), 0.35)
    assert boxes.shape == (0, 4) and scores.shape == class_ids.shape == (0,)
    assert (boxes.dtype, scores.dtype, class_ids.dtype) == (np.float32, np.float32, np.int64)


def test_pairs_come_in_order_of_prior_then_class_and_share_the_priors_box() -> None:
    output = np.full((len(PRIORS), CLASSES + 32), -9, np.float32)
    output[7, 2], output[7, 0], output[3, 1] = 1.0, 3.0, 2.0
    boxes, scores, class_ids = decode(output, 0.35)
    assert class_ids.tolist() == [1, 0, 2]
    np.testing.assert_allclose(scores, 1 / (1 + np.exp([-2.0, -3.0, -1.0])), atol=1e-6)
    np.testing.assert_array_equal(boxes[1], boxes[2])
    np.testing.assert_allclose(boxes[0], decode_boxes(output[3:4, CLASSES:], PRIORS[3:4])[0])


def test_a_logit_that_is_no_number_is_no_detection() -> None:
    output = np.full((len(PRIORS), CLASSES + 32), -9, np.float32)
    output[5, 1] = np.nan
    assert len(decode(output, 0.0)[1]) == len(PRIORS) * CLASSES - 1


def test_the_decoders_strides_and_offset_are_used() -> None:
    decoder = DecoderSpec(strides=(16,), prior_offset=0.5, reg_max=3)
    output = np.zeros((24, CLASSES + 16), np.float32)
    output[7, 0] = 5.0
    boxes, _, _ = decode(output, 0.9, decoder)  # row 1, column 1, all sides 1.5 strides
    np.testing.assert_allclose(boxes, [[24 - 24, 24 - 24, 24 + 24, 24 + 24]], atol=1e-4)


def test_the_sigmoid_is_exact_and_never_overflows() -> None:
    logits = np.array([-1e38, -800, -100, -88, -1, -1e-7, 0, 1e-7, 1, 88, 100, 800, 1e38], np.float32)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        scores = sigmoid(logits)
    assert scores.dtype == np.float32
    exact = [0.0 if logit < -700 else 1 / (1 + math.exp(-min(float(logit), 700))) for logit in logits]
    np.testing.assert_allclose(scores, exact, rtol=1e-6, atol=1e-37)


@settings(max_examples=60, deadline=None)
@given(st.floats(-80, 80, width=32))
def test_the_sigmoid_is_symmetric_and_monotone(logit: float) -> None:
    value, mirrored, higher = sigmoid(np.array([logit, -logit, logit + 0.5], np.float32))
    assert float(value) + float(mirrored) == pytest.approx(1, abs=1e-6)
    assert value <= higher


@settings(max_examples=60, deadline=None)
@given(st.floats(1e-6, 1 - 1e-6))
def test_logit_and_sigmoid_are_inverse(probability: float) -> None:
    assert float(sigmoid(np.array([logit_of(probability)]))[0]) == pytest.approx(probability, abs=2e-7)


def test_the_logits_of_0_and_1_are_infinite() -> None:
    assert (logit_of(0.0), logit_of(0.5), logit_of(1.0)) == (-math.inf, 0.0, math.inf)


def test_large_distribution_logits_do_not_overflow() -> None:
    distributions = np.full((1, 32), -1e30, np.float32)
    distributions[0, [0, 8 + 1, 16 + 7, 24 + 3]] = 1e30
    with np.errstate(over="raise", invalid="raise"):
        boxes = decode_boxes(distributions, np.array([[32, 32, 8]], np.float32))
    np.testing.assert_allclose(boxes, [[32, 24, 88, 56]])


def test_priors_are_made_once_and_cannot_be_changed() -> None:
    assert make_priors(WIDTH, HEIGHT, DECODER.strides, 0.0) is PRIORS
    with pytest.raises(ValueError, match="read-only"):
        PRIORS[0, 0] = 1


def test_priors_stand_stride_by_stride_and_row_by_row() -> None:
    literal = [
        (column * stride, row * stride, stride)
        for stride in DECODER.strides
        for row in range(-(-HEIGHT // stride))
        for column in range(-(-WIDTH // stride))
    ]
    assert [tuple(prior) for prior in PRIORS.tolist()] == literal
    assert len(literal) == DECODER.prior_count(WIDTH, HEIGHT)
