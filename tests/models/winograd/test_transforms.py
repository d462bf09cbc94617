"""The transforms against their matrices, and these against convolution."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from nanoedge.models.winograd import transforms
from torch.nn import functional

Transform = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], None]


def matrix(rows: tuple[tuple[float, ...], ...]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float64)


CASES = [
    (transforms.transform_inputs, matrix(transforms.INPUT_TRANSFORM)),
    (transforms.transform_products, matrix(transforms.OUTPUT_TRANSFORM)),
    (transforms.transform_gradients, matrix(transforms.OUTPUT_TRANSFORM).T),
]


@pytest.mark.parametrize(("transform", "expected"), CASES)
@pytest.mark.parametrize("strided", [False, True])
def test_a_transform_is_its_matrix(transform: Transform, expected: torch.Tensor, strided: bool) -> None:
    torch.manual_seed(0)
    given = torch.randn(expected.shape[1], 3, 10, dtype=torch.float64)
    result = torch.full((10, expected.shape[0], 3), torch.nan, dtype=torch.float64).permute(1, 2, 0)
    if strided:
        given = given.transpose(1, 2).contiguous().transpose(1, 2)
    else:
        result = result.contiguous()
    transform(given, result, torch.empty(2, 3, 10, dtype=torch.float64))
    torch.testing.assert_close(result, torch.einsum("oi,iab->oab", expected, given))


def test_the_matrices_are_those_of_a_convolution() -> None:
    torch.manual_seed(0)
    tile, kernel = torch.randn(6, 6, dtype=torch.float64), torch.randn(3, 3, dtype=torch.float64)
    inputs = matrix(transforms.INPUT_TRANSFORM) @ tile @ matrix(transforms.INPUT_TRANSFORM).T
    filters = (transforms.filter_matrix(kernel) @ kernel.flatten()).view(6, 6)
    found = matrix(transforms.OUTPUT_TRANSFORM) @ (inputs * filters) @ matrix(transforms.OUTPUT_TRANSFORM).T
    torch.testing.assert_close(found, functional.conv2d(tile[None, None], kernel[None, None])[0, 0])
