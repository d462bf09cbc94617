"""Priors and decoding, by hand and against the NumPy twin of the runtime."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from nanoedge.config.interface import DecoderSpec
from nanoedge.models.priors import decode_boxes, make_priors
from nanoedge.runtime import decode as numpy_twin

STRIDES = (8, 16, 32, 64)


def test_priors_stand_stride_by_stride_and_row_by_row_at_multiples_of_the_stride() -> None:
    literal = [
        (column * stride, row * stride, stride)
        for stride in (8, 16)
        for row in range(-(-32 // stride))
        for column in range(-(-64 // stride))
    ]
    priors = make_priors(64, 32, (8, 16))
    assert priors.dtype == torch.float32
    assert [tuple(prior) for prior in priors.tolist()] == literal


@pytest.mark.parametrize(("side", "count"), [(320, 2125), (416, 3598)])
def test_the_number_of_priors_is_the_known_one(side: int, count: int) -> None:
    assert len(make_priors(side, side, STRIDES)) == count
    assert DecoderSpec(strides=STRIDES).prior_count(side, side) == count


def test_an_offset_of_a_half_moves_each_prior_to_its_cells_centre() -> None:
    priors = make_priors(32, 32, (8, 16), offset=0.5)
    assert priors[0].tolist() == [4, 4, 8] and priors[16].tolist() == [8, 8, 16]
    torch.testing.assert_close(priors[:, :2] - priors[:, 2:] / 2, make_priors(32, 32, (8, 16))[:, :2])


def test_a_level_that_does_not_divide_the_input_is_rounded_up() -> None:
    assert len(make_priors(96, 64, (64,))) == 2


def test_a_box_is_decoded_as_by_hand() -> None:
    """Left: bin 2 alone. Top: bins 1 and 3 equally. Right: all 8 bins equally, 3.5. Bottom: bin 7 alone."""
    alone, never = 60.0, -60.0
    left, top, right, bottom = (torch.full((8,), never) for _ in range(4))
    left[2] = top[1] = top[3] = bottom[7] = alone
    right[:] = 0.3
    distributions = torch.cat([left, top, right, bottom])[None]
    priors = torch.tensor([[48.0, 80.0, 16.0]])
    expected = [48 - 2 * 16, 80 - 2 * 16, 48 + 3.5 * 16, 80 + 7 * 16]
    np.testing.assert_allclose(decode_boxes(distributions, priors)[0].numpy(), expected, atol=1e-4)
    decoded = numpy_twin.decode_boxes(distributions.numpy(), priors.numpy())
    np.testing.assert_allclose(decoded[0], expected, atol=1e-4)


def test_a_batch_is_decoded_as_its_pictures_one_by_one() -> None:
    priors = make_priors(64, 64, STRIDES)
    distributions = torch.randn(3, len(priors), 32)
    both = decode_boxes(distributions, priors)
    assert both.shape == (3, len(priors), 4)
    for one, decoded in zip(distributions, both, strict=True):
        torch.testing.assert_close(decode_boxes(one, priors), decoded)


@pytest.mark.parametrize(("width", "height"), [(320, 320), (416, 416), (160, 96)])
@pytest.mark.parametrize("offset", [0.0, 0.5])
def test_training_and_runtime_have_the_same_priors(width: int, height: int, offset: float) -> None:
    ours = make_priors(width, height, STRIDES, offset).numpy()
    np.testing.assert_array_equal(ours, numpy_twin.make_priors(width, height, STRIDES, offset))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("reg_max", [7, 16])
def test_training_and_runtime_decode_the_same_boxes(seed: int, reg_max: int) -> None:
    torch.manual_seed(seed)
    priors = make_priors(160, 96, STRIDES)
    distributions = torch.randn(len(priors), 4 * (reg_max + 1)) * (1 + 9 * seed)
    np.testing.assert_allclose(
        numpy_twin.decode_boxes(distributions.numpy(), priors.numpy()),
        decode_boxes(distributions, priors).numpy(),
        atol=1e-4,
        rtol=1e-6,  # boxes of 1000 pixels: float32 knows no more
    )
