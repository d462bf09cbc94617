"""Channels of a map stored divided by factors: what the network calculates stays, and int8 loses less."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from nanoedge.export.int8.native.equalise import LEAST_PICTURES, MOST, equalise, factors_of
from nanoedge.export.int8.native.quantize import APART_IN_INT8, choose_scales, compile_int8
from nanoedge.export.int8.native.ranges import Statistics, collect_statistics, range_of
from nanoedge.export.int8.native.shared_scales import MOVES, float_maps, shared_scales
from nanoedge.export.native.compile import read_and_simplify
from nanoedge.export.native.graph import Add, Concatenate, Convolution, Copy, Graph, Interleave, Slice
from nanoedge.export.native.serialise import read_tables, serialise
from nanoedge.export.native.simulate import run_float
from nanoedge.export.output_error import output_error
from nanoedge.runtime.detector import Detector
from tests.export.native.small_bundles import CLASSES, bundle_of
from tests.export.native.test_compile import BACKBONES, SPEC, network_of, picture
from torch import nn

from .test_candidates import in_torch, outputs_of, pictures


def measured(graph: Graph, network: nn.Module) -> dict[str, Statistics]:
    return collect_statistics(network, pictures(), set(graph.shapes) - float_maps(graph) - {graph.input})


class _Uneven(nn.Module):
    """The size of its channels differs by up to fifty times before a depth-wise filter, which makes them alike."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem, self.filter = nn.Conv2d(3, 16, 8, 8), nn.Conv2d(16, 16, 3, 1, 1, groups=16)
        self.last = nn.Conv2d(16, len(CLASSES) + 32, 1)
        sizes = torch.exp(torch.linspace(-2, 2, 16))
        with torch.no_grad():
            self.stem.weight *= sizes[:, None, None, None]
            self.stem.bias *= sizes  # type: ignore[operator]
            self.filter.weight /= sizes[:, None, None, None]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = nn.functional.leaky_relu(self.stem(x), 0.1)
        return self.last(nn.functional.leaky_relu(self.filter(x), 0.1)).flatten(2).permute(0, 2, 1)


@pytest.mark.parametrize("backbone", list(BACKBONES))
def test_every_map_is_the_network_s_divided_by_its_factors(backbone: str) -> None:
    network = network_of(backbone)
    graph = read_and_simplify(network, SPEC, APART_IN_INT8)
    before = run_float(copy.deepcopy(graph), picture())
    exponents, _ = equalise(graph, measured(graph, network))
    after = run_float(graph, picture())
    assert set(exponents) <= set(before) - set(graph.outputs) - {graph.input}
    assert exponents or backbone == "silu"
    for name, values in before.items():
        factors = factors_of(exponents[name])[:, None, None] if name in exponents else 1.0
        assert np.abs(after[name] * factors - values).max() <= 1e-4 * np.abs(values).max()


def test_what_moves_between_maps_has_one_factor() -> None:
    network = network_of("shufflenet")
    graph = read_and_simplify(network, SPEC, APART_IN_INT8)
    found, _ = equalise(graph, measured(graph, network))
    exponents = {name: found.get(name, np.zeros(shape.channels, np.uint8)) for name, shape in graph.shapes.items()}
    kinds, moved = set(), False
    for operation in graph.operations:
        if not isinstance(operation, (*MOVES, Add)):
            continue
        kinds.add(type(operation))
        inputs, output = [exponents[name] for name in operation.inputs], exponents[operation.output]
        if isinstance(operation, Concatenate):
            assert (np.concatenate(inputs) == output).all()
        elif isinstance(operation, Interleave):
            assert (np.stack(inputs, 1).ravel() == output).all()
        elif isinstance(operation, Slice):
            assert (inputs[0][operation.start : operation.start + output.size] == output).all()
        else:
            assert all((each == output).all() for each in inputs)
        moved |= bool(output.any())
    assert {Concatenate, Interleave, Slice, Add} <= kinds and moved


def test_scales_become_hardly_coarser_and_no_channel_is_clipped_that_was_not() -> None:
    network = network_of("ghostnet")
    graph = read_and_simplify(network, SPEC, APART_IN_INT8)
    before = measured(graph, network)
    exponents, after = equalise(graph, before)
    assert 0 < max(each.max() for each in exponents.values()) <= MOST
    for names in shared_scales(graph, float_maps(graph)):
        members = [name for name in names if name in before]
        if not members:
            continue
        (low, high), then = (range_of([found[name] for name in members], "mean") for found in (before, after))
        assert then[0] >= 1.1 * low and then[1] <= 1.1 * high  # their mean over the pictures
        for name in members:
            old, new = before[name].channel_ranges, after[name].channel_ranges
            assert (new[0] >= np.minimum(old[0], low) * 1.0001).all()
            assert (new[1] <= np.maximum(old[1], high) * 1.0001).all()


def test_an_activation_that_bends_elsewhere_keeps_its_map_as_it_is() -> None:
    network = network_of("lite")
    graph = read_and_simplify(network, SPEC, APART_IN_INT8)
    exponents, _ = equalise(graph, measured(graph, network))
    bent = [each.output for each in graph.convolutions() if each.activation.kind == "relu6"]
    assert bent and not set(bent) & set(exponents)


def test_int8_loses_less_where_channels_differ_in_size(tmp_path: Path) -> None:
    network = _Uneven().eval()
    expected = outputs_of(in_torch(network))
    errors = []
    for is_equalised in (True, False):
        graph = read_and_simplify(network, SPEC, APART_IN_INT8)
        statistics, exponents = measured(graph, network), None
        if is_equalised:
            exponents, statistics = equalise(graph, statistics)
        compiled = compile_int8(graph, choose_scales(graph, statistics, "mean"), None, exponents)
        bundle = bundle_of(tmp_path / str(is_equalised), SPEC, {"int8": compiled}, (8,))
        found = outputs_of(Detector(bundle.folder, "native", precision="int8").forward)
        errors.append(output_error(found, expected, len(CLASSES)))
    assert errors[0] < 0.5 * errors[1]


def test_few_pictures_do_not_show_how_large_a_channel_becomes() -> None:
    network = _Uneven().eval()
    graph = read_and_simplify(network, SPEC, APART_IN_INT8)
    wanted = set(graph.shapes) - float_maps(graph) - {graph.input}
    for count in (LEAST_PICTURES - 1, LEAST_PICTURES):
        exponents, _ = equalise(graph, collect_statistics(network, pictures(count=count), wanted))
        assert bool(exponents) == (count == LEAST_PICTURES)


def test_the_file_says_which_factors_its_maps_have() -> None:
    network = network_of("shufflenet")
    graph = read_and_simplify(network, SPEC, APART_IN_INT8)
    exponents, statistics = equalise(graph, measured(graph, network))
    data = serialise(compile_int8(graph, choose_scales(graph, statistics, "mean"), None, exponents))
    values, _ = read_tables(data)
    kept = [value for value in values if value.exponents]
    assert len(kept) >= len([each for each in graph.operations if isinstance(each, Convolution)]) // 2
    found = {data[value.exponents : value.exponents + value.channels] for value in kept}
    assert found <= {each.tobytes() for each in exponents.values()}


def test_a_copy_made_for_its_border_has_the_factors_of_its_source() -> None:
    network = _Bordered().eval()
    graph = read_and_simplify(network, SPEC, APART_IN_INT8)
    exponents, statistics = equalise(graph, measured(graph, network))
    compiled = compile_int8(graph, choose_scales(graph, statistics, "mean"), None, exponents)
    copies = [each for each in compiled.graph.operations if isinstance(each, Copy)]
    assert copies
    for each in copies:
        assert (compiled.exponents[each.output] == exponents[each.inputs[0]]).all()


class _Bordered(_Uneven):
    """An ordinary filter in place of the depth-wise one: it reads a border, so that its input is copied."""

    def __init__(self) -> None:
        super().__init__()
        self.filter = nn.Conv2d(16, 16, 3, 1, 1)
