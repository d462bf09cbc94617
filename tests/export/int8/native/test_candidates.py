"""int8 files of whole networks, run on the engine."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from nanoedge.bundle.write import bundle_to_throw_away
from nanoedge.config.interface import InputSpec
from nanoedge.export.int8.native.candidates import ENTRY, FILE, Candidate, int8_candidates
from nanoedge.export.int8.native.equalise import equalise
from nanoedge.export.int8.native.quantize import APART_IN_INT8, choose_scales, compile_int8
from nanoedge.export.int8.native.ranges import METHODS, Statistics, collect_statistics
from nanoedge.export.int8.native.shared_scales import float_maps
from nanoedge.export.native.compile import census_of_native, read_and_simplify
from nanoedge.export.native.serialise import serialise
from nanoedge.export.output_error import output_error
from nanoedge.export.strip import census
from nanoedge.runtime.detector import Detector
from tests.export.native.small_bundles import CLASSES, interface_of
from tests.export.native.test_compile import BACKBONES, SPEC, network_of
from torch import nn


def pictures(spec: InputSpec = SPEC, count: int = 12) -> list[np.ndarray]:
    """Grey levels, normalised: soft shapes and noise."""
    generator = np.random.default_rng(2)
    mean, std = (np.reshape(values, (1, 3, 1, 1)) for values in (spec.mean, spec.std))
    found = []
    for _ in range(count):
        coarse = generator.integers(0, 256, (1, 3, spec.height // 16, spec.width // 16))
        levels = np.clip(np.kron(coarse, np.ones((16, 16))) + generator.normal(0, 20, (1, 3, 1, 1)), 0, 255).round()
        found.append(((levels - mean) / std).astype(np.float32))
    return found


def put_into_a_bundle(folder: Path, data: bytes, spec: InputSpec = SPEC) -> Path:
    (folder / FILE).write_bytes(data)
    return bundle_to_throw_away(folder, interface_of(spec), [ENTRY]).folder


def candidates_of(network: nn.Module, spec: InputSpec = SPEC) -> list[Candidate]:
    seen = pictures(spec)
    return list(int8_candidates(network, spec, seen, len(seen)))


def outputs_of(run: Callable[[np.ndarray], np.ndarray], spec: InputSpec = SPEC) -> np.ndarray:
    return np.concatenate([run(picture) for picture in pictures(spec, 3)])


def in_torch(network: nn.Module) -> Callable[[np.ndarray], np.ndarray]:
    def run(picture: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return network(torch.from_numpy(picture)).numpy()

    return run


@pytest.mark.parametrize("backbone", list(BACKBONES))
def test_the_engine_calculates_int8_close_to_float(backbone: str, tmp_path: Path) -> None:
    network = network_of(backbone)
    expected = outputs_of(in_torch(network))
    found = candidates_of(network)
    assert tuple(candidate.method for candidate in found) == METHODS
    for candidate in found:
        folder = put_into_a_bundle(tmp_path, candidate.data)
        assert census_of_native(folder / FILE) == census(network)
        detector = Detector(folder, "native", precision="int8")
        assert output_error(outputs_of(detector.forward), expected, len(CLASSES)) < 0.05
    assert Detector(folder, precision="int8").engine == "native"  # auto


@pytest.mark.parametrize("side", [32, 64])
def test_maps_of_a_single_pixel_are_bytes_too(side: int, tmp_path: Path) -> None:
    spec = InputSpec(width=side, height=side)
    network = network_of("shufflenet")
    [candidate, *_] = candidates_of(network, spec)
    detector = Detector(put_into_a_bundle(tmp_path, candidate.data, spec), "native", precision="int8")
    expected = outputs_of(in_torch(network), spec)
    assert output_error(outputs_of(detector.forward, spec), expected, len(CLASSES)) < 0.05


def test_the_same_pictures_give_the_same_bytes() -> None:
    network = _Small().eval()
    once, again = ([candidate.data for candidate in candidates_of(network)] for _ in range(2))
    assert once == again


class _Small(nn.Module):
    """Its second convolution reads a border, so that its input is copied."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem, self.second = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(torch.relu(self.stem(x))).flatten(2).permute(0, 2, 1)


def test_biases_are_corrected_behind_every_map() -> None:
    network = _Small().eval()
    plain, corrected = (_compiled_biases(network, with_means) for with_means in (False, True))
    assert len(plain) == 2
    for before, after in zip(plain, corrected, strict=True):
        assert np.abs(before - after).max() > 0


def _compiled_biases(network: nn.Module, with_means: bool) -> list[np.ndarray]:
    graph = read_and_simplify(network, SPEC, APART_IN_INT8)
    wanted = set(graph.shapes) - float_maps(graph) - {graph.input}
    statistics = collect_statistics(network, pictures(), wanted)
    means = {name: each.channel_means for name, each in statistics.items()} | {graph.input: np.array([90.0, 110, 130])}
    compiled = compile_int8(graph, choose_scales(graph, statistics, "mean"), means if with_means else None)
    return [compiled.arithmetic[each.output].bias for each in compiled.graph.convolutions()]


def test_a_corrected_bias_leaves_no_mean_error(tmp_path: Path) -> None:
    """Rounded weights shift each channel of the output on average; the corrected biases take that back."""
    network = network_of("shufflenet")
    graph = read_and_simplify(network, SPEC, APART_IN_INT8)
    statistics = collect_statistics(network, pictures(), set(graph.shapes) - float_maps(graph) - {graph.input})
    exponents, statistics = equalise(graph, statistics)
    quantized = choose_scales(graph, statistics, "mean")
    expected = outputs_of(in_torch(network))
    shifts = []
    for means in ({name: each.channel_means for name, each in statistics.items()}, None):
        data = serialise(compile_int8(copy.deepcopy(graph), quantized, means, exponents))
        found = outputs_of(Detector(put_into_a_bundle(tmp_path, data), "native", precision="int8").forward)
        shifts.append(np.abs((found - expected).mean((0, 1))).mean())
    assert shifts[0] < shifts[1]


def test_statistics_keep_as_many_values_as_asked_for() -> None:
    statistics = Statistics()
    statistics.add(np.zeros((4, 20, 20), np.float32), np.random.default_rng(0), samples=7)
    assert statistics.samples[0].shape == (7,)
