"""3 x 3 convolutions with a quarter of the multiplications: Winograd's minimal filtering F(4 x 4, 3 x 3).

The formulas are those of Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, section 4
(https://arxiv.org/abs/1509.09308): a tile of 4 x 4 outputs is `A'[(G g G') * (B' d B)]A`, where g is a 3 x 3 filter, d
are the 6 x 6 inputs that the tile needs and * multiplies elements. Summed over channels these are 36 matrix products.
The convolutions of the AGM's head are most of a training step, and PyTorch computes them directly on a CPU.

Here the two sides of a transform are one matrix (`kron`), so that a transform is one matrix product too, and tiles are
worked on in blocks that a CPU's cache can hold.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.autograd.function import once_differentiable

OUTPUT_SIDE = 4
INPUT_SIDE = 6
POINTS = INPUT_SIDE * INPUT_SIDE
BLOCK_TILES = 100
"""Tiles that are worked on together: 36 x 100 x 192 numbers are 2.8 MB."""

FEWEST_CHANNELS = 32
"""Below this width of the output the transforms cost more than the products save."""

INPUT_TRANSFORM = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
FILTER_TRANSFORM = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)
OUTPUT_TRANSFORM = (
    (1, 1, 1, 1, 1, 0),
    (0, 1, -1, 2, -2, 0),
    (0, 1, 1, 4, 4, 0),
    (0, 1, -1, 8, -8, 1),
)


def winograd_pays(level: torch.Tensor, weight: torch.Tensor) -> bool:
    """Whether `convolve_levels` is faster: in a training step in fp32 on a CPU, no autocast, no compiler, wide enough.

    Args:
        level: [N, C, H, W], the largest of the maps.
        weight: [O, C, 3, 3].
    """
    return (
        torch.is_grad_enabled()
        and level.device.type == "cpu"
        and level.dtype == weight.dtype == torch.float32
        and min(weight.shape[:2]) >= FEWEST_CHANNELS
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()
    )


def convolve_levels(levels: Sequence[torch.Tensor], weight: torch.Tensor) -> list[torch.Tensor]:
    """The same 3 x 3 convolution (stride 1, padding 1, no bias) of several maps, with gradients.

    Args:
        levels: [N, C, H, W] each, float32 or float64; H and W may differ between them.
        weight: [O, C, 3, 3], the layout of `torch.nn.Conv2d`.

    Returns:
        [N, O, H, W] for each level, in `torch.channels_last`. In fp32 the largest error is about 1e-5 of the largest
        value, ten times that of a direct convolution.
    """
    return list(_WinogradConvolution.apply(weight, *levels))  # type: ignore[no-untyped-call]


class _WinogradConvolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: torch.Tensor, *levels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        ctx.save_for_backward(weight, *levels)
        return tuple(_convolve(levels, weight))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        weight, *levels = ctx.saved_tensors
        for_weight = _weight_gradient(levels, gradients) if ctx.needs_input_grad[0] else None
        for_levels: list[torch.Tensor | None] = [None] * len(levels)
        if any(ctx.needs_input_grad[1:]):
            # the adjoint of a convolution is one with the filters turned by 180 degrees and the channels exchanged
            for_levels = list(_convolve(gradients, weight.flip(2, 3).transpose(0, 1)))
        return (for_weight, *for_levels)


# --- blocks of tiles -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _TileRows:
    """Neighbouring rows of tiles of one picture on one level.

    Attributes:
        level: place in the list of levels.
        picture: place in the batch.
        first: the first row of tiles.
        rows: number of rows.
        columns: tiles in a row.
    """

    level: int
    picture: int
    first: int
    rows: int
    columns: int

    @property
    def tiles(self) -> int:
        return self.rows * self.columns

    def of(self, nhwc: Sequence[torch.Tensor]) -> torch.Tensor:
        """The picture [H, W, C] that they are of."""
        return nhwc[self.level][self.picture]


_Block = list[_TileRows]


def _blocks(nhwc: Sequence[torch.Tensor]) -> list[_Block]:
    """All tiles of all levels [N, H, W, C], as blocks of at most `BLOCK_TILES` where rows are not longer."""
    blocks: list[_Block] = [[]]
    size = 0
    for part in _rows_of_tiles(nhwc):
        if blocks[-1] and size + part.tiles > BLOCK_TILES:
            blocks.append([])
            size = 0
        blocks[-1].append(part)
        size += part.tiles
    return blocks


def _rows_of_tiles(nhwc: Sequence[torch.Tensor]) -> Iterator[_TileRows]:
    for level, maps in enumerate(nhwc):
        pictures, height, width, _ = maps.shape
        rows, columns = -(-height // OUTPUT_SIDE), -(-width // OUTPUT_SIDE)
        together = max(1, BLOCK_TILES // columns)
        for picture in range(pictures):
            for first in range(0, rows, together):
                yield _TileRows(level, picture, first, min(together, rows - first), columns)


def _tiles_of(block: _Block) -> int:
    return sum(part.tiles for part in block)


class _Scratch:
    """Memory for the tiles of one block after the other, so that it stays in cache.

    Args:
        like: gives dtype and device.
        channels: of the maps.
        tiles: of the largest block.
    """

    def __init__(self, like: torch.Tensor, channels: int, tiles: int) -> None:
        self.channels = channels
        self.tiles = like.new_empty(POINTS * tiles * channels)
        self.transformed = like.new_empty(POINTS * tiles * channels)
        self.padded = like.new_empty(0)

    def view(self, memory: torch.Tensor, points: int, tiles: int) -> torch.Tensor:
        """The first numbers of `memory` as [points, tiles, channels]."""
        return memory[: points * tiles * self.channels].view(points, tiles, self.channels)

    def gather(self, nhwc: Sequence[torch.Tensor], block: _Block, side: int, border: int) -> torch.Tensor:
        """Tiles of `side` x `side` pixels, `OUTPUT_SIDE` apart, that begin `border` pixels above and left of their
        outputs; zeros outside of the maps. [side * side, tiles, channels]."""
        tiles = self.view(self.tiles, side * side, _tiles_of(block))
        start = 0
        for part in block:
            place = tiles[:, start : start + part.tiles]
            place = place.view(side, side, part.rows, part.columns, self.channels)
            place.copy_(self._overlapping(part.of(nhwc), part, side, border))
            start += part.tiles
        return tiles

    def _overlapping(self, picture: torch.Tensor, part: _TileRows, side: int, border: int) -> torch.Tensor:
        height, width, channels = picture.shape
        more = side - OUTPUT_SIDE
        shape = (part.rows * OUTPUT_SIDE + more, part.columns * OUTPUT_SIDE + more, channels)
        top = part.first * OUTPUT_SIDE - border
        upper, lower = max(top, 0), min(top + shape[0], height)
        if more == 0 and (lower - upper, width) == shape[:2]:
            padded = picture[upper:lower]
        else:
            count = shape[0] * shape[1] * channels
            if self.padded.numel() < count:
                self.padded = picture.new_empty(count)
            padded = self.padded[:count].view(shape).zero_()
            padded[upper - top : lower - top, border : border + width] = picture[upper:lower]
        down, right, deep = padded.stride()
        return padded.as_strided(
            (side, side, part.rows, part.columns, channels),
            (down, right, OUTPUT_SIDE * down, OUTPUT_SIDE * right, deep),
        )

    def transform(self, matrix: torch.Tensor, tiles: torch.Tensor) -> torch.Tensor:
        """Each tile and channel times a matrix [out points, points]: [out points, tiles, channels]."""
        result = self.view(self.transformed, matrix.shape[0], tiles.shape[1])
        torch.mm(matrix, tiles.flatten(1), out=result.flatten(1))
        return result


# --- forward and backward --------------------------------------------------------------------------------------------


def _convolve(levels: Sequence[torch.Tensor], weight: torch.Tensor) -> list[torch.Tensor]:
    """`convolve_levels` without autograd."""
    out_channels, channels = weight.shape[:2]
    filters = _filter_matrix(weight) @ weight.permute(2, 3, 1, 0).reshape(9, channels * out_channels)
    filters = filters.view(POINTS, channels, out_channels)
    nhwc = [level.permute(0, 2, 3, 1) for level in levels]
    outputs = [maps.new_empty(*maps.shape[:3], out_channels) for maps in nhwc]
    blocks = _blocks(nhwc)
    largest = max(map(_tiles_of, blocks))
    inputs, products = _Scratch(weight, channels, largest), _Scratch(weight, out_channels, largest)
    to_points, from_points = _input_matrix(weight), _output_matrix(weight)
    for block in blocks:
        values = inputs.transform(to_points, inputs.gather(nhwc, block, INPUT_SIDE, border=1))
        multiplied = products.view(products.tiles, POINTS, values.shape[1])
        torch.bmm(values, filters, out=multiplied)
        _scatter(products.transform(from_points, multiplied), outputs, block)
    return [output.permute(0, 3, 1, 2) for output in outputs]


def _scatter(tiles: torch.Tensor, outputs: Sequence[torch.Tensor], block: _Block) -> None:
    """Put tiles [16, tiles, channels] into their pictures; what lies outside of a picture is dropped."""
    start = 0
    for part in block:
        picture = part.of(outputs)
        height, width, channels = picture.shape
        place = tiles[:, start : start + part.tiles]
        place = place.view(OUTPUT_SIDE, OUTPUT_SIDE, part.rows, part.columns, channels).permute(2, 0, 3, 1, 4)
        top = part.first * OUTPUT_SIDE
        lower = min(top + part.rows * OUTPUT_SIDE, height)
        if (lower - top, width) == (part.rows * OUTPUT_SIDE, part.columns * OUTPUT_SIDE):
            picture[top:lower].view(part.rows, OUTPUT_SIDE, part.columns, OUTPUT_SIDE, channels).copy_(place)
        else:
            whole = place.reshape(part.rows * OUTPUT_SIDE, part.columns * OUTPUT_SIDE, channels)
            picture[top:lower] = whole[: lower - top, :width]
        start += part.tiles


def _weight_gradient(levels: Sequence[torch.Tensor], gradients: Sequence[torch.Tensor]) -> torch.Tensor:
    """[O, C, 3, 3] from inputs [N, C, H, W] and gradients of outputs [N, O, H, W]."""
    channels, out_channels = levels[0].shape[1], gradients[0].shape[1]
    nhwc = [level.permute(0, 2, 3, 1) for level in levels]
    nhwc_gradients = [gradient.permute(0, 2, 3, 1) for gradient in gradients]
    blocks = _blocks(nhwc)
    largest = max(map(_tiles_of, blocks))
    like = levels[0]
    inputs, outputs = _Scratch(like, channels, largest), _Scratch(like, out_channels, largest)
    to_points, from_outputs = _input_matrix(like), _output_matrix(like).T
    filters = like.new_zeros(POINTS, channels, out_channels)
    for block in blocks:
        values = inputs.transform(to_points, inputs.gather(nhwc, block, INPUT_SIDE, border=1))
        wanted = outputs.transform(from_outputs, outputs.gather(nhwc_gradients, block, OUTPUT_SIDE, border=0))
        filters.baddbmm_(values.transpose(1, 2), wanted)
    gradient = _filter_matrix(like).T @ filters.flatten(1)
    return gradient.view(3, 3, channels, out_channels).permute(3, 2, 0, 1).contiguous()


def _input_matrix(like: torch.Tensor) -> torch.Tensor:
    """[36, 36]."""
    return _kron(INPUT_TRANSFORM, like.dtype).to(like.device)


def _filter_matrix(like: torch.Tensor) -> torch.Tensor:
    """[36, 9]."""
    return _kron(FILTER_TRANSFORM, like.dtype).to(like.device)


def _output_matrix(like: torch.Tensor) -> torch.Tensor:
    """[16, 36]."""
    return _kron(OUTPUT_TRANSFORM, like.dtype).to(like.device)


@functools.cache
def _kron(transform: tuple[tuple[float, ...], ...], dtype: torch.dtype) -> torch.Tensor:
    """Rows and columns at once: the matrix that a tile, written as one column, is multiplied with."""
    matrix = torch.tensor(transform, dtype=torch.float64)
    return torch.kron(matrix, matrix).to(dtype)
