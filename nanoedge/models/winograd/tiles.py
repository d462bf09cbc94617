"""Maps cut into tiles, transformed, and put together again; block by block, in memory that stays in the cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from nanoedge.models.winograd.transforms import (
    INPUT_SIDE,
    OUTPUT_SIDE,
    transform_gradients,
    transform_inputs,
    transform_products,
)

POINTS = INPUT_SIDE * INPUT_SIDE
BLOCK_TILES = 200
"""Tiles that are worked on together."""


@dataclass(frozen=True)
class Part:
    """Neighbouring rows of tiles of neighbouring pictures on one level.

    Attributes:
        level: place in the list of levels.
        picture: the first of them, its place in the batch.
        pictures: number of them.
        row: the first row of tiles.
        rows: number of rows.
        columns: tiles in a row.
    """

    level: int
    picture: int
    pictures: int
    row: int
    rows: int
    columns: int

    @property
    def tiles(self) -> int:
        return self.pictures * self.rows * self.columns

    @property
    def shape(self) -> tuple[int, int, int]:
        """(pictures, rows, columns)."""
        return self.pictures, self.rows, self.columns

    def of(self, nhwc: Sequence[torch.Tensor]) -> torch.Tensor:
        """The pictures [pictures, H, W, C] that they are of."""
        return nhwc[self.level][self.picture : self.picture + self.pictures]


Block = list[Part]


def blocks_of(nhwc: Sequence[torch.Tensor]) -> Iterator[Block]:
    """All tiles of all levels [N, H, W, C], as blocks of at most `BLOCK_TILES` where rows are not longer."""
    block: Block = []
    for level, maps in enumerate(nhwc):
        for part in _parts_of(level, maps):
            if block and tiles_of(block) + part.tiles > BLOCK_TILES:
                yield block
                block = []
            block.append(part)
    yield block


def _parts_of(level: int, maps: torch.Tensor) -> Iterator[Part]:
    count, height, width, _ = maps.shape
    rows, columns = -(-height // OUTPUT_SIDE), -(-width // OUTPUT_SIDE)
    pictures = max(1, BLOCK_TILES // (rows * columns))
    together = min(rows, max(1, BLOCK_TILES // columns))
    for picture in range(0, count, pictures):
        for row in range(0, rows, together):
            yield Part(level, picture, min(pictures, count - picture), row, min(together, rows - row), columns)


def tiles_of(block: Block) -> int:
    """Number of them."""
    return sum(part.tiles for part in block)


class Workplace:
    """The memory in which blocks with the same number of channels are transformed, one after the other.

    Args:
        like: gives dtype and device.
        channels: of the maps.
    """

    def __init__(self, like: torch.Tensor, channels: int) -> None:
        self.like = like
        self.channels = channels
        self._memory: dict[str, torch.Tensor] = {}

    def room(self, name: str, *shape: int) -> torch.Tensor:
        """Memory for [*shape, channels]; the same one, with what is in it, under the same name."""
        size = torch.Size((*shape, self.channels))
        memory = self._memory.get(name)
        if memory is None or memory.numel() < size.numel():
            self._memory[name] = memory = self.like.new_empty(size.numel())
        return memory[: size.numel()].view(size)

    def points(self, block: Block) -> torch.Tensor:
        """Room for all tiles of a block, point by point: [36, tiles, C]."""
        return self.room("points", POINTS, tiles_of(block))

    def inputs(self, nhwc: Sequence[torch.Tensor], block: Block) -> torch.Tensor:
        """The transformed inputs [36, tiles, C] of a block's tiles, with zeros around the maps [N, H, W, C]."""
        points = self.points(block)
        for part, place in _places(points, block):
            pictures, rows, columns = part.shape
            width = columns * OUTPUT_SIDE + INPUT_SIDE - OUTPUT_SIDE
            padded = self._padded(part.of(nhwc), part, INPUT_SIDE, border=1)
            of_one, down, right, deep = padded.stride()
            tall = padded.as_strided(
                (INPUT_SIDE, pictures, rows, width, self.channels), (down, of_one, OUTPUT_SIDE * down, right, deep)
            )
            half = self.room("half", INPUT_SIDE, pictures, rows, width)
            transform_inputs(tall, half, self.room("pair", 2, pictures, rows, width))
            of_point, of_one, down, right, deep = half.stride()
            wide = half.as_strided(
                (INPUT_SIDE, INPUT_SIDE, *part.shape, self.channels),
                (right, of_point, of_one, down, OUTPUT_SIDE * right, deep),
            )
            transform_inputs(wide, place.transpose(0, 1), self.room("pair", 2, INPUT_SIDE, *part.shape))
        return points

    def gradients(self, nhwc: Sequence[torch.Tensor], block: Block) -> torch.Tensor:
        """The transformed gradients [36, tiles, C] of the outputs of a block's tiles."""
        points = self.points(block)
        for part, place in _places(points, block):
            pictures, rows, columns = part.shape
            width = columns * OUTPUT_SIDE
            padded = self._padded(part.of(nhwc), part, OUTPUT_SIDE, border=0)
            tall = padded.view(pictures, rows, OUTPUT_SIDE, width, self.channels).permute(2, 0, 1, 3, 4)
            half = self.room("half", INPUT_SIDE, pictures, rows, width)
            transform_gradients(tall, half, self.room("pair", 2, pictures, rows, width))
            wide = half.view(INPUT_SIDE, *part.shape, OUTPUT_SIDE, self.channels).permute(4, 0, 1, 2, 3, 5)
            transform_gradients(wide, place.transpose(0, 1), self.room("pair", 2, INPUT_SIDE, *part.shape))
        return points

    def put_outputs(self, products: torch.Tensor, nhwc: Sequence[torch.Tensor], block: Block) -> None:
        """Transform products [36, tiles, C] of a block and write them to the maps [N, H, W, C] that they are of."""
        for part, place in _places(products, block):
            pictures, rows, columns = part.shape
            half = self.room("half", OUTPUT_SIDE, INPUT_SIDE, *part.shape)
            transform_products(place, half, self.room("pair", 2, INPUT_SIDE, *part.shape))
            top = part.row * OUTPUT_SIDE
            target = part.of(nhwc)[:, top : top + rows * OUTPUT_SIDE]
            size = (pictures, rows * OUTPUT_SIDE, columns * OUTPUT_SIDE)
            whole = target if target.shape[:3] == size else self.room("whole", *size)
            tiles = whole.view(pictures, rows, OUTPUT_SIDE, columns, OUTPUT_SIDE, self.channels)
            tiles = tiles.permute(4, 2, 0, 1, 3, 5)  # column and row within a tile first
            transform_products(half.transpose(0, 1), tiles, self.room("pair", 2, OUTPUT_SIDE, *part.shape))
            if whole is not target:
                target.copy_(whole[:, : target.shape[1], : target.shape[2]])

    def _padded(self, pictures: torch.Tensor, part: Part, side: int, border: int) -> torch.Tensor:
        """The pixels of a part's tiles of `side` x `side`, which begin `border` above and left of their outputs."""
        count, height, width, _ = pictures.shape
        more = side - OUTPUT_SIDE
        size = (part.rows * OUTPUT_SIDE + more, part.columns * OUTPUT_SIDE + more)
        top = part.row * OUTPUT_SIDE - border
        upper, lower = max(top, 0), min(top + size[0], height)
        inner = pictures[:, upper:lower]
        if inner.shape[1:3] == size:
            return inner
        padded = self.room("padded", count, *size)
        rows, columns = slice(upper - top, lower - top), slice(border, border + width)
        padded[:, : rows.start] = 0
        padded[:, rows.stop :] = 0
        padded[:, rows, : columns.start] = 0
        padded[:, rows, columns.stop :] = 0
        padded[:, rows, columns] = inner
        return padded


def _places(points: torch.Tensor, block: Block) -> Iterator[tuple[Part, torch.Tensor]]:
    """Each part with its place in [36, tiles, C], as [6, 6, pictures, rows, columns, C]."""
    start = 0
    for part in block:
        place = points[:, start : start + part.tiles]
        yield part, place.view(INPUT_SIDE, INPUT_SIDE, *part.shape, points.shape[2])
        start += part.tiles
