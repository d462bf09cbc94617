"""The graph in NumPy: what every kernel must calculate, to be read and compared with, not to be fast."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from nanoedge.export.native.graph import (
    Activate,
    Activation,
    Add,
    Concatenate,
    Convolution,
    Copy,
    FloatArray,
    Gate,
    GlobalAverage,
    Graph,
    Interleave,
    MaxPool,
    Operation,
    Pads,
    Slice,
    Upsample,
)


def run_float(graph: Graph, picture: npt.NDArray[Any]) -> dict[str, FloatArray]:
    """Every map of a network.

    Args:
        graph: before `place_maps`.
        picture: [3, height, width], grey levels once the normalisation is folded, else normalised.

    Returns:
        float32 [channels, height, width], by name.
    """
    maps: dict[str, FloatArray] = {graph.input: picture.astype(np.float32)}
    for operation in graph.operations:
        inputs = [maps[name] for name in operation.inputs]
        border = graph.input_border if operation.inputs[0] == graph.input else (0.0,)
        if isinstance(operation, Slice):
            end = operation.start + graph.shapes[operation.output].channels
            maps[operation.output] = inputs[0][operation.start : end]
            continue
        maps[operation.output] = calculated(operation, inputs, border)
    return maps


def calculated(operation: Operation, inputs: list[FloatArray], border: tuple[float, ...]) -> FloatArray:
    """What an operation makes of its inputs.

    Args:
        operation: of any kind but a slice.
        inputs: float32 [channels, height, width].
        border: what stands around the first input, one value or one a channel.
    """
    return _RUN[type(operation)](operation, inputs, border)


def activated(values: FloatArray, activation: Activation) -> FloatArray:
    """An activation; formulas as PyTorch documents them."""
    return _ACTIVATIONS[activation.kind](values, activation.slope).astype(np.float32)


_ACTIVATIONS: Mapping[str, Callable[[FloatArray, float], FloatArray]] = {
    "none": lambda x, slope: x,
    "relu": lambda x, slope: np.maximum(x, 0),
    "relu6": lambda x, slope: np.clip(x, 0, 6),
    "leaky_relu": lambda x, slope: np.maximum(x, np.float32(slope) * x),
    "hard_swish": lambda x, slope: x * np.clip(x / 6 + 0.5, 0, 1),
    "silu": lambda x, slope: x / (1 + np.exp(-x)),
    "hard_sigmoid": lambda x, slope: np.clip(x / 6 + 0.5, 0, 1),
}


def windows(
    source: npt.NDArray[Any], kernel: int, stride: int, pads: Pads, border: npt.NDArray[Any]
) -> npt.NDArray[Any]:
    """The windows of a convolution or pool: [C, output height, output width, kernel, kernel].

    Args:
        source: [C, H, W].
        kernel: side of a window.
        stride: between windows.
        pads: pixels around the map.
        border: their value, [C] or [1].
    """
    channels, height, width = source.shape
    shape = (channels, height + pads.top + pads.bottom, width + pads.left + pads.right)
    padded = np.broadcast_to(border.astype(source.dtype)[:, None, None], shape).copy()
    padded[:, pads.top : pads.top + height, pads.left : pads.left + width] = source
    return np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), axis=(1, 2))[:, ::stride, ::stride]


def _convolution(operation: Operation, inputs: list[FloatArray], border: tuple[float, ...]) -> FloatArray:
    assert isinstance(operation, Convolution)
    seen = windows(inputs[0], operation.kernel, operation.stride, operation.pads, np.asarray(border))
    if operation.is_depthwise:
        result = np.einsum("chwij,cij->chw", seen, operation.weight[:, 0], optimize=True)
    else:
        result = np.einsum("chwij,ocij->ohw", seen, operation.weight, optimize=True)
    return activated((result + operation.bias[:, None, None]).astype(np.float32), operation.activation)


def _max_pool(operation: Operation, inputs: list[FloatArray], border: tuple[float, ...]) -> FloatArray:
    assert isinstance(operation, MaxPool)
    lowest = np.asarray([-np.inf])
    largest: FloatArray = windows(inputs[0], operation.kernel, operation.stride, operation.pads, lowest).max((3, 4))
    return largest


def _add(operation: Operation, inputs: list[FloatArray], border: tuple[float, ...]) -> FloatArray:
    assert isinstance(operation, Add)
    return activated(inputs[0] + inputs[1], operation.activation)


def _upsample(operation: Operation, inputs: list[FloatArray], border: tuple[float, ...]) -> FloatArray:
    assert isinstance(operation, Upsample)
    result = inputs[0]
    for axis in (1, 2):
        result = _doubled(result, axis, operation.mode == "nearest")
    return result


def _doubled(source: FloatArray, axis: int, nearest: bool) -> FloatArray:
    """Twice as long: each output is 3/4 of its own pixel and 1/4 of the neighbour on its side, edges repeated."""
    if nearest:
        return np.repeat(source, 2, axis)
    moved = np.moveaxis(source, axis, 0)
    before, after = np.concatenate([moved[:1], moved[:-1]]), np.concatenate([moved[1:], moved[-1:]])
    pairs = np.stack([0.75 * moved + 0.25 * before, 0.75 * moved + 0.25 * after], axis=1)
    return np.moveaxis(pairs.reshape(2 * len(moved), *moved.shape[1:]), 0, axis).astype(np.float32)


def _interleave(operation: Operation, inputs: list[FloatArray], border: tuple[float, ...]) -> FloatArray:
    return np.stack(inputs, axis=1).reshape(-1, *inputs[0].shape[1:])


def _gate(operation: Operation, inputs: list[FloatArray], border: tuple[float, ...]) -> FloatArray:
    return inputs[0] * inputs[1]


_RUN: Mapping[type[Operation], Callable[[Operation, list[FloatArray], tuple[float, ...]], FloatArray]] = {
    Convolution: _convolution,
    MaxPool: _max_pool,
    Add: _add,
    Upsample: _upsample,
    Interleave: _interleave,
    Concatenate: lambda operation, inputs, border: np.concatenate(inputs),
    Copy: lambda operation, inputs, border: inputs[0],
    Activate: lambda operation, inputs, border: activated(inputs[0], operation.activation),  # type: ignore[attr-defined]
    GlobalAverage: lambda operation, inputs, border: inputs[0].mean((1, 2), keepdims=True, dtype=np.float32),
    Gate: _gate,
}
