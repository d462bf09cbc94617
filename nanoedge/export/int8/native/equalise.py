"""Channels of maps made alike in size, so that the scale which they share is too coarse for none of them.

A map's channel may be stored divided by a factor of its own where the operations behind it undo that: convolutions by
their weights, moves and sums by the same factor on both sides. Activations that are linear on both sides of zero do not
mind. The output is the same, but for rounding.

Cross-layer equalisation: Nagel et al. 2019, arXiv:1906.04721, section 4.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from nanoedge.export.int8.native.ranges import Statistics, range_of
from nanoedge.export.int8.native.shared_scales import float_maps, shared_scales
from nanoedge.export.native.graph import (
    Add,
    Concatenate,
    Convolution,
    Copy,
    Gate,
    GlobalAverage,
    Graph,
    Interleave,
    MaxPool,
    Operation,
    Slice,
    Upsample,
)
from nanoedge.export.native.serialise import Exponents

STEPS = 8
"""Of exponents, for each power of two."""
MOST = 5 * STEPS
"""The largest exponent: a factor of 1/32."""
LEAST_PICTURES = 5
"""Fewer do not show how large a channel can become: it would be clipped on others. With one picture NanoDet-Plus-m lost
0.017 AP at 320 and 0.012 at 416, without factors 0.003 and 0.004; with five 0.004 and 0.001, without 0.004 and 0.004.
"""
SHARE_WITH_WEIGHTS = 0.5
"""Share of a factor's logarithm where an ordinary convolution reads the channel: its weights, which share a scale with
those of the other inputs, become so much smaller.

Measured with NanoDet-Plus-m on the 300 pictures of coco_open300, calibrated with each third of them and with ranges
from 3 % narrower to 3 % wider: AP lost on average (15 networks each) at 320 and 416, without factors 0.0026 and 0.0047,
with a share of 0.25 0.0031 and 0.0009, of 0.5 0.0032 and 0.0007. Rounding alone moves a single network's figure by
0.0015 (standard deviation).
"""

_LINEAR = ("none", "relu", "leaky_relu")
_SAME_CHANNELS = (Copy, MaxPool, Upsample, Add, GlobalAverage, Gate)

Indices = npt.NDArray[np.int64]


def equalise(graph: Graph, statistics: Mapping[str, Statistics]) -> tuple[dict[str, Exponents], dict[str, Statistics]]:
    """Choose the factors, and put them into weights and biases.

    Args:
        graph: before `place_maps`; its convolutions are changed.
        statistics: of the maps that are made of bytes, on LEAST_PICTURES pictures or more; else nothing is done.

    Returns:
        Exponents, of all maps in which a channel has a factor other than 1; and the statistics of what is stored then.
    """
    if any(len(each.lows) < LEAST_PICTURES for each in statistics.values()):
        return {}, dict(statistics)
    channels = _Channels(graph)
    exponents = channels.exponents(statistics)
    for convolution in graph.convolutions():
        before, behind = (factors_of(exponents[name]) for name in (convolution.inputs[0], convolution.output))
        weight = convolution.weight / behind[:, None, None, None]
        weight *= before[:, None, None, None] if convolution.is_depthwise else before[:, None, None]
        convolution.weight = weight.astype(np.float32)
        convolution.bias = (convolution.bias / behind).astype(np.float32)
    stored = {name: each.divided(factors_of(exponents[name])) for name, each in statistics.items()}
    return {name: each for name, each in exponents.items() if each.any()}, stored


def factors_of(exponents: Exponents) -> npt.NDArray[np.float64]:
    """What a channel's stored values are multiplied by to be those of the network."""
    return np.exp2(-exponents.astype(np.float64) / STEPS)


class _Channels:
    """All channels of all maps, numbered; and which of them must have one factor, a group."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.first: dict[str, int] = {}
        count = 0
        for name, shape in graph.shapes.items():
            self.first[name] = count
            count += shape.channels
        pairs = [pair for operation in graph.operations for pair in self._tied(operation)]
        ends = [np.concatenate(side) for side in zip(*pairs, strict=True)] if pairs else [np.zeros(0, np.int64)] * 2
        self.group = _groups(count, ends[0], ends[1])
        self.is_fixed = np.zeros(count, bool)  # of groups, by their number
        for name in self._fixed():
            self.is_fixed[self.group[self.of(name)]] = True

    def of(self, name: str) -> Indices:
        """The numbers of a map's channels."""
        return self.first[name] + np.arange(self.graph.shapes[name].channels)

    def _tied(self, operation: Operation) -> Iterable[tuple[Indices, Indices]]:
        """Channels of its inputs, and those of its output that must have the same factors."""
        output = self.of(operation.output)
        if isinstance(operation, Concatenate):
            yield np.concatenate([self.of(name) for name in operation.inputs]), output
        elif isinstance(operation, Slice):
            start = operation.start
            yield self.of(operation.inputs[0])[start : start + output.size], output
        elif isinstance(operation, Interleave):
            for number, name in enumerate(operation.inputs):
                yield self.of(name), output[number::2]
        elif isinstance(operation, _SAME_CHANNELS):
            inputs = operation.inputs[:1] if isinstance(operation, Gate) else operation.inputs
            for name in inputs:
                yield self.of(name), output

    def _fixed(self) -> Iterable[str]:
        """Maps that are stored as they are."""
        yield self.graph.input
        yield from self.graph.outputs
        for operation in self.graph.operations:
            if not isinstance(operation, (Convolution, Concatenate, Slice, Interleave, *_SAME_CHANNELS)):
                yield from (*operation.inputs, operation.output)  # what it calculates may depend on sizes
            elif isinstance(operation, Gate):
                yield operation.inputs[1]
            elif isinstance(operation, Convolution | Add) and operation.activation.kind not in _LINEAR:
                yield operation.output

    def exponents(self, statistics: Mapping[str, Statistics]) -> dict[str, Exponents]:
        """Of every map: its channels come nearer to the range of their scale, but none leaves it."""
        share = np.zeros(self.group.size)  # of that range, which each group takes; of all its scales the most
        floats = float_maps(self.graph)
        for names in shared_scales(self.graph, floats):
            measured = {name: statistics[name] for name in names if name in statistics}
            if not measured:
                continue
            lowest, highest = range_of(list(measured.values()), "mean")
            lowest, highest = min(lowest, -1e-12), max(highest, 1e-12)
            for name, each in measured.items():
                low, high = each.channel_ranges
                np.maximum.at(share, self.group[self.of(name)], np.maximum(low / lowest, high / highest))
        share = np.minimum(share, 1.0)
        share[self.is_fixed | (share <= 0)] = 1.0
        octaves = -np.log2(share)
        for convolution in self.graph.convolutions():
            if not convolution.is_depthwise and convolution.inputs[0] not in floats:
                read = np.unique(self.group[self.of(convolution.inputs[0])])
                octaves[read] = np.minimum(octaves[read], -np.log2(share[read]) * SHARE_WITH_WEIGHTS)
        chosen = np.clip(np.floor(octaves * STEPS), 0, MOST).astype(np.uint8)
        return {name: chosen[self.group[self.of(name)]] for name in self.graph.shapes}


def _groups(count: int, ends: Indices, others: Indices) -> Indices:
    """The smallest number that each number is tied to, by however many pairs."""
    group = np.arange(count)
    while True:
        before = group.copy()
        low = np.minimum(group[ends], group[others])
        np.minimum.at(group, ends, low)
        np.minimum.at(group, others, low)
        group = group[group]
        if (group == before).all():
            return group
