"""A compiled int8 network in NumPy, bit for bit what the engine gives: docs/native_format.md as a programme.

Sums are whole numbers, exact. What stands behind them is float32 with `fma` rounded once, which NumPy does not have:
`multiply_add` makes it of float64.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from nanoedge.export.native.graph import (
    Activate,
    Activation,
    Add,
    Convolution,
    Copy,
    FloatArray,
    Gate,
    GlobalAverage,
    Interleave,
    MaxPool,
    Operation,
    Shape,
    Upsample,
)
from nanoedge.export.native.serialise import Arithmetic, Compiled
from nanoedge.export.native.simulate import calculated, windows

Map = npt.NDArray[Any]
"""uint8 or float32 [channels, height, width]."""
Whole = npt.NDArray[np.int64]


def run_int8(
    compiled: Compiled, picture: npt.NDArray[np.uint8], floats: Mapping[str, FloatArray] | None = None
) -> dict[str, Map]:
    """Every map that an operation writes.

    Args:
        compiled: of `compile_int8`.
        picture: uint8 [3, height, width], in the order that the network was trained with.
        floats: float32 maps to take as they are instead of calculating them, [channels, height, width] by name. What is
            calculated from float32 (squeeze-excite does so) depends on the order of its sums in the last bits, so a
            comparison to the last bit gives those maps.

    Returns:
        uint8, or float32 for maps without a scale, by name.
    """
    graph = compiled.graph
    memory = _Memory(compiled)
    memory.write(graph.input, picture)
    maps: dict[str, Map] = {}
    for operation in graph.operations:
        name = operation.output
        inputs = [memory.read(each) for each in operation.inputs]
        if operation.inputs[0] not in compiled.quantized:
            given = (floats or {}).get(name)
            maps[name] = calculated(operation, inputs, (0.0,)) if given is None else given
        else:
            maps[name] = _RUN[type(operation)](_Step(compiled, operation), inputs)
        memory.write(name, maps[name])
    return maps


class _Memory:
    """The buffers of all maps; they share no bytes here."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        self.buffers: dict[str, Map] = {}

    def read(self, name: str) -> Map:
        """A map, wherever it lies."""
        return self._part(name)

    def write(self, name: str, values: Map) -> None:
        """To the map's place, which may be a part of another's."""
        place = self.compiled.places[name]
        if place.buffer not in self.buffers:
            self.buffers[place.buffer] = np.zeros(self.compiled.graph.shapes[place.buffer], values.dtype)
        self._part(name)[:] = values

    def _part(self, name: str) -> Map:
        place = self.compiled.places[name]
        return self.buffers[place.buffer][place.start : place.start + self.compiled.graph.shapes[name].channels]


class _Step:
    """What an operation on bytes calculates with.

    Attributes:
        operation: of the graph.
        arithmetic: weights, biases, multipliers.
        scalars: s0 to s5, float32.
        shape: of the output.
        zero: zero points of the inputs; none for what is float32.
        border: the byte in each channel of the first input's border.
        in_bytes: whether the output is bytes.
    """

    def __init__(self, compiled: Compiled, operation: Operation) -> None:
        self.operation = operation
        self.arithmetic = compiled.arithmetic.get(operation.output, Arithmetic())
        self.scalars = np.asarray((*self.arithmetic.scalars, *(0.0,) * 6)[:6], np.float32)
        self.shape: Shape = compiled.graph.shapes[operation.output]
        self.zero = [compiled.quantized[name].zero_point for name in operation.inputs if name in compiled.quantized]
        of_picture = operation.inputs[0] == compiled.graph.input
        self.border = np.asarray(compiled.graph.input_border if of_picture else (self.zero[0],))
        self.in_bytes = operation.output in compiled.quantized

    def finish(self, values: FloatArray, activation: Activation) -> Map:
        """The activation, then a byte: rounded to the nearest, halves to even, limited."""
        values = _activated(values, activation, self.scalars)
        if not self.in_bytes:
            return values
        return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def multiply_add(a: npt.ArrayLike, b: npt.ArrayLike, c: npt.ArrayLike) -> FloatArray:
    """`a * b + c` in float32, rounded once.

    The product of two float32 values is exact in float64. Their sum with `c` is rounded to odd: where it is not exact,
    the neighbour with an odd last bit is taken. Rounding that to float32 then gives what rounding the exact sum would,
    because float64 has more than two bits beyond float32 (Boldo and Melquiond, 2008).

    Args:
        a: float32.
        b: float32.
        c: float32; all three of shapes that fit.
    """
    product = np.asarray(a, np.float32).astype(np.float64) * np.asarray(b, np.float32).astype(np.float64)
    product, addend = np.broadcast_arrays(product, np.asarray(c, np.float32).astype(np.float64))
    total = np.asarray(product + addend)
    part = total - product
    left = (product - (total - part)) + (addend - part)  # what rounding took away, exactly
    is_even = (total.view(np.int64) & 1) == 0
    odd = np.nextafter(total, np.where(left > 0, np.inf, -np.inf))
    return np.where((left != 0) & is_even, odd, total).astype(np.float32)


def _activated(y: FloatArray, activation: Activation, scalars: FloatArray) -> FloatArray:
    if activation.kind == "relu":
        y = np.maximum(y, scalars[0])
    elif activation.kind == "relu6":
        y = np.minimum(np.maximum(y, scalars[0]), scalars[1])
    elif activation.kind == "leaky_relu":
        y = np.maximum(y, multiply_add(y, np.float32(activation.slope), scalars[1]))
    elif activation.kind == "hard_swish":
        share = multiply_add(y, np.float32(1) / np.float32(6), np.float32(0.5))
        gate = np.minimum(np.maximum(share, np.float32(0)), np.float32(1))
        y = multiply_add(y * gate, scalars[1], scalars[0])
    return y


def _convolution(step: _Step, inputs: list[Map]) -> Map:
    operation = step.operation
    assert isinstance(operation, Convolution)
    assert step.arithmetic.weight is not None
    weight = step.arithmetic.weight.astype(np.float64)
    seen = windows(inputs[0].astype(np.float64), operation.kernel, operation.stride, operation.pads, step.border)
    seen = seen - step.zero[0]
    # whole numbers far below 2 ** 53: float64 adds them exactly, in any order
    if operation.is_depthwise:
        sums = np.einsum("chwij,cij->chw", seen, weight[:, 0], optimize=True)
    else:
        sums = np.einsum("chwij,ocij->ohw", seen, weight, optimize=True)
    multiplier, bias = step.arithmetic.multiplier, step.arithmetic.bias
    assert multiplier is not None
    assert bias is not None
    values = multiply_add(sums.astype(np.float32), multiplier[:, None, None], bias[:, None, None])
    return step.finish(values, operation.activation)


def _max_pool(step: _Step, inputs: list[Map]) -> Map:
    operation = step.operation
    assert isinstance(operation, MaxPool)
    largest: Map = windows(inputs[0], operation.kernel, operation.stride, operation.pads, np.zeros(1)).max((3, 4))
    return largest


def _add(step: _Step, inputs: list[Map]) -> Map:
    operation = step.operation
    assert isinstance(operation, Add)
    first, second = (each.astype(np.float32) for each in inputs)
    other = multiply_add(second, step.scalars[4], step.scalars[5])
    return step.finish(multiply_add(first, step.scalars[3], other), operation.activation)


def _upsample(step: _Step, inputs: list[Map]) -> Map:
    operation = step.operation
    assert isinstance(operation, Upsample)
    source = inputs[0].astype(np.int64)
    near_y, far_y = _neighbours(source.shape[1])
    near_x, far_x = _neighbours(source.shape[2])
    if operation.mode == "nearest":
        return source[:, near_y][:, :, near_x].astype(np.uint8)
    near, far = source[:, near_y], source[:, far_y]
    total: Whole = 9 * near[:, :, near_x] + 3 * near[:, :, far_x] + 3 * far[:, :, near_x] + far[:, :, far_x] + 8
    return (total // 16).astype(np.uint8)


def _neighbours(size: int) -> tuple[Whole, Whole]:
    """For each place of an axis of twice the size its own pixel, and the neighbour on its side, edges repeated."""
    place = np.arange(2 * size)
    own = place // 2
    return own, np.clip(np.where(place % 2, own + 1, own - 1), 0, size - 1)


def _interleave(step: _Step, inputs: list[Map]) -> Map:
    return np.stack(inputs, axis=1).reshape(step.shape)


def _copy(step: _Step, inputs: list[Map]) -> Map:
    return inputs[0]


def _activate(step: _Step, inputs: list[Map]) -> Map:
    assert isinstance(step.arithmetic.weight, np.ndarray)
    table: Map = step.arithmetic.weight.view(np.uint8)
    return table[inputs[0]]


def _global_average(step: _Step, inputs: list[Map]) -> Map:
    pixels = inputs[0][0].size
    sums = inputs[0].astype(np.int64).sum((1, 2), keepdims=True) - pixels * step.zero[0]
    mean: Map = sums.astype(np.float32) / np.float32(pixels) * step.scalars[3]
    return mean


def _gate(step: _Step, inputs: list[Map]) -> Map:
    values = (inputs[0].astype(np.int64) - step.zero[0]).astype(np.float32)
    return step.finish(multiply_add(values, inputs[1] * step.scalars[3], step.scalars[0]), Activation())


_RUN: Mapping[type[Operation], Callable[[_Step, list[Map]], Map]] = {
    Convolution: _convolution,
    MaxPool: _max_pool,
    Add: _add,
    Upsample: _upsample,
    Interleave: _interleave,
    Copy: _copy,
    Activate: _activate,
    GlobalAverage: _global_average,
    Gate: _gate,
}
