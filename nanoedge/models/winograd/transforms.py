"""The three transforms of Winograd's F(4 x 4, 3 x 3), along one axis; used twice, they transform a tile.

Each takes and fills stacks whose first dimension is the axis of the tile; the others are the same in all of them and
may have any strides. Common terms are computed once: there are half as many additions as numbers in the matrices.
"""

from __future__ import annotations

import torch

OUTPUT_SIDE = 4
INPUT_SIDE = 6

INPUT_TRANSFORM = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
"""B', of the inputs."""

FILTER_TRANSFORM = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)
"""G, of the filters."""

OUTPUT_TRANSFORM = (
    (1, 1, 1, 1, 1, 0),
    (0, 1, -1, 2, -2, 0),
    (0, 1, 1, 4, 4, 0),
    (0, 1, -1, 8, -8, 1),
)
"""A', of the products."""


def transform_inputs(inputs: torch.Tensor, result: torch.Tensor, pair: torch.Tensor) -> None:
    """`INPUT_TRANSFORM @ inputs`.

    Args:
        inputs: [6, ...].
        result: [6, ...], is written to; no memory in common with `inputs`.
        pair: [2, ...], room for two terms.
    """
    odd, even = pair
    torch.add(inputs[3:5], inputs[1:3], alpha=-4, out=pair)
    torch.add(even, odd, out=result[1])
    torch.sub(even, odd, out=result[2])
    torch.sub(inputs[3:5], inputs[1:3], out=pair)
    torch.add(even, odd, alpha=2, out=result[3])
    torch.sub(even, odd, alpha=2, out=result[4])
    torch.sub(inputs[0], inputs[2], out=result[0])
    torch.add(even, result[0], alpha=4, out=result[0])
    torch.sub(inputs[5], inputs[3], out=result[5])
    torch.sub(result[5], odd, alpha=4, out=result[5])


def transform_products(products: torch.Tensor, result: torch.Tensor, pair: torch.Tensor) -> None:
    """`OUTPUT_TRANSFORM @ products`.

    Args:
        products: [6, ...].
        result: [4, ...], is written to; no memory in common with `products`.
        pair: [2, ...], room for two terms.
    """
    near, far = pair
    torch.add(products[1:4:2], products[2:5:2], out=pair)
    torch.add(products[0], near, out=result[0])
    torch.add(result[0], far, out=result[0])
    torch.add(near, far, alpha=4, out=result[2])
    torch.sub(products[1:4:2], products[2:5:2], out=pair)
    torch.add(near, far, alpha=2, out=result[1])
    torch.add(products[5], near, out=result[3])
    torch.add(result[3], far, alpha=8, out=result[3])


def transform_gradients(gradients: torch.Tensor, result: torch.Tensor, pair: torch.Tensor) -> None:
    """The transposed `OUTPUT_TRANSFORM @ gradients`.

    Args:
        gradients: [4, ...], of outputs.
        result: [6, ...], is written to; no memory in common with `gradients`.
        pair: [2, ...], room for two terms.
    """
    even, odd = pair
    result[0].copy_(gradients[0])
    result[5].copy_(gradients[3])
    torch.add(gradients[0:2], gradients[2:4], out=pair)
    torch.add(even, odd, out=result[1])
    torch.sub(even, odd, out=result[2])
    torch.add(gradients[0:2], gradients[2:4], alpha=4, out=pair)
    torch.add(even, odd, alpha=2, out=result[3])
    torch.sub(even, odd, alpha=2, out=result[4])


def filter_matrix(like: torch.Tensor) -> torch.Tensor:
    """`FILTER_TRANSFORM` along both axes of a filter that is written as one column: [36, 9], with dtype and device."""
    matrix = torch.tensor(FILTER_TRANSFORM, dtype=torch.float64)
    return torch.kron(matrix, matrix).to(like)
