"""From ranges to integers: a compiled network that calculates in int8."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from nanoedge.errors import ExportError
from nanoedge.export.int8.native.ranges import LEVELS, RangeMethod, Statistics, range_of
from nanoedge.export.int8.native.shared_scales import float_maps, shared_scales
from nanoedge.export.int8.native.weights import quantize_weights
from nanoedge.export.native.graph import (
    Activate,
    Activation,
    Add,
    Convolution,
    Copy,
    Gate,
    GlobalAverage,
    Graph,
    Operation,
)
from nanoedge.export.native.passes.add_borders import add_borders
from nanoedge.export.native.passes.leave_room import leave_room
from nanoedge.export.native.passes.place import place_maps
from nanoedge.export.native.passes.plan_memory import plan_memory
from nanoedge.export.native.serialise import Arithmetic, Compiled, Exponents, Quantized
from nanoedge.export.native.simulate import activated

Means = npt.NDArray[np.float64]

APART_IN_INT8 = ("silu", "hard_sigmoid")
"""Activations that are no part of a convolution or sum of bytes: they are looked up in a table of 256 bytes."""


def choose_scales(graph: Graph, statistics: Mapping[str, Statistics], method: RangeMethod) -> dict[str, Quantized]:
    """Scale and zero point of every map that is made of bytes.

    Args:
        graph: before `place_maps`.
        statistics: of those maps; of maps that share a scale, one will do. The picture needs none: it is bytes already.
        method: see `range_of`.
    """
    chosen: dict[str, Quantized] = {}
    for group in shared_scales(graph, float_maps(graph)):
        if graph.input in group:
            chosen.update(dict.fromkeys(group, Quantized(1.0, 0)))
            continue
        low, high = range_of([statistics[name] for name in group if name in statistics], method)
        scale = float(np.float32((high - low) / LEVELS))
        zero_point = int(np.clip(np.round(-low / scale), 0, LEVELS))
        chosen.update(dict.fromkeys(group, Quantized(scale, zero_point)))
    return chosen


def compile_int8(
    graph: Graph,
    quantized: Mapping[str, Quantized],
    means: Mapping[str, Means] | None = None,
    exponents: Mapping[str, Exponents] | None = None,
) -> Compiled:
    """Plan a network that calculates in int8.

    Args:
        graph: of `read_and_simplify`, with `APART_IN_INT8` apart; changed.
        quantized: of `choose_scales`.
        means: mean of each channel of the maps, [C], of the picture in grey levels: biases are corrected by what
            rounded weights change on average.
        exponents: of `equalise`; they are kept for who looks at the maps.

    Raises:
        ExportError: when such an activation is part of another operation.
    """
    graph.input_border = tuple(float(np.round(value)) for value in graph.input_border)
    add_borders(graph)
    places = place_maps(graph)
    known, averages, all_exponents = dict(quantized), dict(means or {}), dict(exponents or {})
    for operation in graph.operations:  # copies that the passes made
        if isinstance(operation, Copy) and operation.output not in graph.outputs:
            [source] = operation.inputs
            if source in known:
                known[operation.output] = known[source]
            if source in averages:
                averages[operation.output] = averages[source]
            if source in all_exponents:
                all_exponents[operation.output] = all_exponents[source]
    memory = plan_memory(graph, places, {name: 1 if name in known else 4 for name in graph.shapes})
    arithmetic = {
        operation.output: _arithmetic(operation, known, averages.get(operation.inputs[0]))
        for operation in graph.operations
    }
    return Compiled(graph, places, memory, leave_room(graph, places, memory), arithmetic, known, all_exponents)


def _arithmetic(operation: Operation, quantized: Mapping[str, Quantized], mean: Means | None) -> Arithmetic:
    source, target = quantized.get(operation.inputs[0]), quantized.get(operation.output)
    if isinstance(operation, Convolution):
        if source is None:
            return Arithmetic(operation.weight.astype(np.float32), operation.bias)
        return _convolution(operation, source, target, mean)
    if source is None:
        return Arithmetic()
    if isinstance(operation, GlobalAverage):
        return Arithmetic(scalars=(0.0, 0.0, 0.0, source.scale))
    if target is None:
        return Arithmetic()
    if isinstance(operation, Add):
        other = quantized[operation.inputs[1]]
        factors = source.scale / target.scale, other.scale / target.scale
        shift = target.zero_point - source.zero_point * factors[0] - other.zero_point * factors[1]
        return Arithmetic(scalars=(*_epilogue(operation.activation, target), *factors, shift))
    if isinstance(operation, Gate):
        return Arithmetic(scalars=(*_epilogue(Activation(), target), source.scale / target.scale))
    if isinstance(operation, Activate):
        return Arithmetic(weight=_table(operation.activation, source, target))
    return Arithmetic(scalars=_epilogue(Activation(), target))


def _convolution(operation: Convolution, source: Quantized, target: Quantized | None, mean: Means | None) -> Arithmetic:
    weight, scales = quantize_weights(operation.weight, operation.is_depthwise)
    bias = operation.bias.astype(np.float64)
    if mean is not None:
        change = (weight * scales[:, None, None, None] - operation.weight).sum((2, 3))  # [O, I]
        bias = bias - (change[:, 0] * mean if operation.is_depthwise else change @ mean)
    # activations that are linear on both sides of zero work in steps of the output; others need the value itself
    in_steps = target is not None and operation.activation.kind != "hard_swish"
    unit, zero_point = (target.scale, target.zero_point) if in_steps and target is not None else (1.0, 0)
    return Arithmetic(
        weight,
        (bias / unit + zero_point).astype(np.float32),
        (scales * source.scale / unit).astype(np.float32),
        _epilogue(operation.activation, target or Quantized(1.0, 0)),
    )


def _epilogue(activation: Activation, target: Quantized) -> tuple[float, float, float]:
    """Zero point, and what the activation needs besides: see docs/native_format.md."""
    if activation.kind in APART_IN_INT8:
        raise ExportError(f"int8 does not calculate {activation.kind} behind a convolution or sum.")
    second = {
        "relu6": 6.0 / target.scale + target.zero_point,
        "leaky_relu": target.zero_point * (1.0 - activation.slope),
        "hard_swish": 1.0 / target.scale,
    }
    return float(target.zero_point), second.get(activation.kind, 0.0), 0.0


def _table(activation: Activation, source: Quantized, target: Quantized) -> npt.NDArray[np.int8]:
    """The output byte of each input byte."""
    values = ((np.arange(256) - source.zero_point) * source.scale).astype(np.float32)
    steps = np.round(activated(values, activation) / target.scale) + target.zero_point
    table: npt.NDArray[np.int8] = np.clip(steps, 0, LEVELS).astype(np.uint8).view(np.int8)
    return table
