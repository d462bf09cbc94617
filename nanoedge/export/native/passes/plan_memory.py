"""One piece of memory for all maps: two share bytes when they are never needed at the same time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nanoedge.export.native.graph import Graph, Pads, Shape
from nanoedge.export.native.passes.place import Place

ALIGNMENT = 64
"""Bytes; a cache line."""


@dataclass
class Buffer:
    """Memory of one map and of those that lie in it.

    Attributes:
        pixel: channels from one pixel to the next.
        row: channels from one row to the next.
        border: pixels around the map.
        element: bytes of a value.
        first: number of the operation that writes to it first; -1 for the picture.
        last: number of the operation that reads it last.
        offset: of the border's first pixel, bytes.
    """

    pixel: int
    row: int
    border: Pads
    element: int
    size: int
    first: int
    last: int
    offset: int = 0

    @property
    def origin(self) -> int:
        """Offset of the map's own first pixel, bytes."""
        return self.offset + (self.border.top * self.row + self.border.left * self.pixel) * self.element


@dataclass
class Memory:
    """The plan.

    Attributes:
        buffers: by name; levels lie in the output instead, and have none.
        size: of everything, the output included, bytes.
        output: offset of the output's first row, bytes.
        output_row: values from one row of the output to the next.
    """

    buffers: dict[str, Buffer]
    size: int
    output: int
    output_row: int


def plan_memory(graph: Graph, places: Mapping[str, Place], elements: Mapping[str, int]) -> Memory:
    """Give every buffer an offset.

    The largest first, each at the lowest offset where it touches no other buffer that is alive at the same time. The
    picture and the output are alive all the time: the picture's border is written once.

    Args:
        graph: without slices and concatenations.
        places: of every map.
        elements: bytes of a value of each map.
    """
    buffers: dict[str, Buffer] = {}
    for name, place in places.items():
        if name not in graph.outputs and place.buffer == name:
            buffers[name] = _buffer_of(graph, name, elements[name])
    for number, operation in enumerate(graph.operations):
        for name in (*operation.inputs, operation.output):
            if (buffer := buffers.get(places[name].buffer)) is not None:
                buffer.first, buffer.last = min(buffer.first, number), max(buffer.last, number)
    buffers[graph.input].first, buffers[graph.input].last = -1, len(graph.operations)
    used = {name: buffer for name, buffer in buffers.items() if buffer.first <= buffer.last}
    placed: list[Buffer] = []
    for buffer in sorted(used.values(), key=lambda each: -each.size):
        buffer.offset = _lowest(buffer, placed)
        placed.append(buffer)
    end = max((buffer.offset + buffer.size for buffer in placed), default=0)
    shapes = [graph.shapes[level] for level in graph.outputs]
    row = _rounded(shapes[0].channels, 16)
    size = end + 4 * row * sum(shape.height * shape.width for shape in shapes)
    return Memory(used, _rounded(size, ALIGNMENT), end, row)


def _buffer_of(graph: Graph, name: str, element: int) -> Buffer:
    shape, border = graph.shapes[name], graph.borders.get(name, Pads())
    pixel = shape.channels if name == graph.input else _pixel(shape, element)
    row = pixel * (shape.width + border.left + border.right)
    size = element * row * (shape.height + border.top + border.bottom)
    return Buffer(pixel, row, border, element, _rounded(size + ALIGNMENT, ALIGNMENT), len(graph.operations), -2)


def _pixel(shape: Shape, element: int) -> int:
    """Whole vectors, so that a map's last channels can be written with the padding. Floats begin at cache lines too,
    unless that costs more than an eighth: then whole vectors of the narrower kernels."""
    lines = _rounded(shape.channels, 16)
    return lines if element == 1 or lines <= shape.channels * 9 / 8 else _rounded(shape.channels, 8)


def _lowest(buffer: Buffer, placed: list[Buffer]) -> int:
    offset = 0
    for other in sorted(placed, key=lambda each: each.offset):
        alive_together = buffer.first <= other.last and other.first <= buffer.last
        if alive_together and offset < other.offset + other.size and other.offset < offset + buffer.size:
            offset = other.offset + other.size
    return offset


def _rounded(value: int, step: int) -> int:
    return -(-value // step) * step
