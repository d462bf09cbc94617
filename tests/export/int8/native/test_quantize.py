"""int8: weights, ranges, and which maps share a scale."""

from __future__ import annotations

import numpy as np
import pytest
from nanoedge.errors import ExportError
from nanoedge.export.int8.native.quantize import APART_IN_INT8, choose_scales, compile_int8
from nanoedge.export.int8.native.ranges import METHODS, Statistics, range_of
from nanoedge.export.int8.native.shared_scales import MOVES, float_maps, shared_scales
from nanoedge.export.int8.native.weights import quantize_weights
from nanoedge.export.native.compile import read_and_simplify
from nanoedge.export.native.serialise import serialise
from tests.export.native.test_compile import SPEC, network_of


@pytest.mark.parametrize("shape", [(7, 33, 1, 1), (5, 3, 3, 3)])
def test_four_weights_fit_into_sixteen_bits_and_little_is_lost(shape: tuple[int, ...]) -> None:
    weight = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    weight[0] = 1.0  # all neighbours are as large as can be
    signed, scales = quantize_weights(weight, is_depthwise=False)
    rows = signed.transpose(0, 2, 3, 1).reshape(shape[0], shape[2], -1).astype(int)
    eights = np.pad(rows, ((0, 0), (0, 0), (0, -rows.shape[2] % 8))).reshape(-1, 8)
    for together in ((0, 1, 4, 5), (2, 3, 6, 7)):
        for sign in (1, -1):
            assert np.maximum(sign * eights[:, together], 0).sum(1).max() <= 128
    error = signed * scales[:, None, None, None] - weight
    assert np.sqrt((error**2).mean()) < 0.02 * np.sqrt((weight**2).mean())


def test_weights_below_each_other_in_a_depthwise_filter_fit_into_sixteen_bits() -> None:
    weight = np.random.default_rng(1).normal(size=(9, 1, 5, 5)).astype(np.float32)
    weight[0] = 1.0
    signed, scales = quantize_weights(weight, is_depthwise=True)
    assert np.abs(signed[:, 0, :-1].astype(int) + signed[:, 0, 1:]).max() <= 128
    error = signed * scales[:, None, None, None] - weight
    assert np.sqrt((error**2).mean()) < 0.02 * np.sqrt((weight**2).mean())


@pytest.mark.parametrize("method", METHODS)
def test_a_range_holds_zero_and_most_values(method) -> None:
    statistics, generator = Statistics(), np.random.default_rng(0)
    for _ in range(3):
        statistics.add(generator.uniform(1, 5, (4, 20, 20)).astype(np.float32), generator)
    low, high = range_of([statistics], method)
    assert low == 0 and 4.5 < high < 5.1


def test_values_move_between_maps_of_one_scale_only() -> None:
    graph = read_and_simplify(network_of("shufflenet"), SPEC, APART_IN_INT8)
    floats = float_maps(graph)
    group = {name: number for number, names in enumerate(shared_scales(graph, floats)) for name in names}
    for operation in graph.operations:
        if isinstance(operation, MOVES):
            assert len({group[name] for name in (*operation.inputs, operation.output)}) == 1


def test_an_activation_that_int8_looks_up_must_stay_apart() -> None:
    network = network_of("silu")
    for apart in (APART_IN_INT8, ()):
        graph = read_and_simplify(network, SPEC, apart)
        one = np.ones(1, np.float32)
        statistics = {name: Statistics([-one], [one]) for name in graph.shapes}
        quantized = choose_scales(graph, statistics, "mean")
        if apart:
            assert serialise(compile_int8(graph, quantized))[:8] == b"NEnative"
        else:
            with pytest.raises(ExportError, match="does not calculate silu"):
                compile_int8(graph, quantized)
