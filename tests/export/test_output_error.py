"""One figure for how far a quantized network is from the float one."""

from __future__ import annotations

import numpy as np
import pytest
from nanoedge.export.output_error import output_error

CLASSES = 3


@pytest.fixture
def expected() -> np.ndarray:
    """Logits from -8 to 0 and two distribution values, for 500 priors of two pictures."""
    outputs = np.random.default_rng(0).uniform(-8, 0, (2, 500, 5)).astype(np.float32)
    outputs[0, 0, 0] = 8
    return outputs


def test_equal_outputs_have_no_error(expected: np.ndarray) -> None:
    assert output_error(expected, expected, CLASSES) == 0


def test_the_error_is_a_share_of_the_range(expected: np.ndarray) -> None:
    assert output_error(expected + 0.16, expected, CLASSES) == pytest.approx(0.01, rel=1e-3)  # -8 to 8


def test_what_no_box_comes_from_does_not_count(expected: np.ndarray) -> None:
    found = expected.copy()
    worst = np.argsort(expected[0, :, :CLASSES].max(axis=1))[:300]
    found[0, worst] -= 4
    assert output_error(found, expected, CLASSES) == 0


def test_a_box_that_is_wrong_counts_as_one_that_is_missing(expected: np.ndarray) -> None:
    worst = int(expected[0, :, :CLASSES].max(axis=1).argmin())
    found = expected.copy()
    found[0, worst, 0] = 8
    assert output_error(found, expected, CLASSES) > 0
    assert output_error(expected, found, CLASSES) > 0


def test_numbers_that_are_none_are_the_worst_error(expected: np.ndarray) -> None:
    found = expected.copy()
    found[1, 2, 3] = np.nan
    assert output_error(found, expected, CLASSES) == float("inf")
