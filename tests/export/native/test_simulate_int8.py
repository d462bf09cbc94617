"""The engine's int8 kernels against whole numbers in NumPy, to the last bit."""

from __future__ import annotations

import ctypes
import ctypes.util
from pathlib import Path

import numpy as np
import pytest
import torch
from nanoedge.config.interface import InputSpec
from nanoedge.export.native.serialise import Compiled
from nanoedge.export.native.simulate_int8 import multiply_add, run_int8
from nanoedge.runtime.native import load_native
from tests.export.native.small_bundles import CLASSES, bundle_of, compiled_int8, random_picture
from tests.export.native.test_compile import BACKBONES, SPEC, network_of
from torch import nn

OUTPUT = len(CLASSES) + 32
FASTEST = ""
TABLES = ("scalar", FASTEST)


def check_every_map(folder: Path, spec: InputSpec, compiled: Compiled, strides: tuple[int, ...]) -> set[str]:
    """Compare all maps of the scalar and the fastest table with the simulation; the kinds of steps that were run."""
    bundle = bundle_of(folder, spec, {"int8": compiled}, strides)
    picture = random_picture(spec, 3)
    kinds = set()
    for kernels in TABLES:
        network = load_native(bundle, "int8", kernels)
        steps = network.steps
        maps = {
            step["output"]: values.transpose(2, 0, 1) for step, values in zip(steps, network.maps(picture), strict=True)
        }
        from_floats = {step["output"] for step in steps if step["input_element"] == "float32"}
        floats = {name: maps[name] for name in from_floats}
        expected = run_int8(compiled, picture.transpose(2, 0, 1), floats)
        assert list(expected) == list(maps)
        for step in steps:
            name = step["output"]
            assert maps[name].dtype == expected[name].dtype
            different = int((maps[name] != expected[name]).sum())
            assert not different, f"{different} values of {name} ({step['kind']}, {network.kernels})"
        calculated = run_int8(compiled, picture.transpose(2, 0, 1))
        for name in from_floats:
            assert np.abs(calculated[name] - maps[name]).max() <= 1e-2 * np.abs(maps[name]).max()
        kinds |= {step["kind"] for step in steps}
    return kinds


@pytest.mark.parametrize("backbone", list(BACKBONES))
def test_every_map_of_a_network_is_the_same_to_the_last_bit(backbone: str, tmp_path: Path) -> None:
    compiled = compiled_int8(network_of(backbone), SPEC)
    kinds = check_every_map(tmp_path / "small.nanoedge", SPEC, compiled, (8, 16, 32, 64))
    assert {"convolution", "depth-wise"} <= kinds
    assert "gate" in kinds or backbone != "ghostnet"
    assert "activation" in kinds or backbone != "silu"


class _Shuffle(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        _, channels, height, width = x.shape
        return x.view(1, 2, channels // 2, height, width).transpose(1, 2).reshape(1, channels, height, width)


class _Sum(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.other = nn.Conv2d(channels, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x + self.other(x))


class _Gate(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * nn.functional.hardsigmoid(self.squeeze(nn.functional.adaptive_avg_pool2d(x, 1)))


def _up_and_down(channels: int, mode: str) -> nn.Module:
    corners = False if mode == "bilinear" else None
    return nn.Sequential(
        nn.Upsample(scale_factor=2, mode=mode, align_corners=corners), nn.Conv2d(channels, channels, 1, 2)
    )


def _filter(channels: int, kernel: int, stride: int, depthwise: bool, activation: nn.Module) -> nn.Module:
    groups = channels if depthwise else 1
    convolution = nn.Conv2d(channels, channels, kernel, stride, kernel // 2, groups=groups)
    return nn.Sequential(convolution, activation, nn.Conv2d(channels, channels, 1, 3 - stride))


PARTS = {
    "pointwise, relu": (19, lambda c: _filter(c, 1, 1, False, nn.ReLU())),
    "pointwise, relu6": (64, lambda c: _filter(c, 1, 1, False, nn.ReLU6())),
    "3x3, leaky relu": (9, lambda c: _filter(c, 3, 2, False, nn.LeakyReLU(0.1))),
    "3x3, hard swish": (33, lambda c: _filter(c, 3, 1, False, nn.Hardswish())),
    "depth-wise 3x3, leaky relu": (33, lambda c: _filter(c, 3, 1, True, nn.LeakyReLU(0.1))),
    "depth-wise 5x5, hard swish": (17, lambda c: _filter(c, 5, 2, True, nn.Hardswish())),
    "depth-wise 7x7, none": (70, lambda c: _filter(c, 7, 1, True, nn.Identity())),
    "silu by a table": (21, lambda c: _filter(c, 3, 2, True, nn.SiLU())),
    "max-pool": (13, lambda c: nn.MaxPool2d(3, 2, 1)),
    "bilinear": (13, lambda c: nn.Sequential(nn.MaxPool2d(3, 2, 1), _up_and_down(c, "bilinear"))),
    "nearest": (13, lambda c: nn.Sequential(nn.MaxPool2d(3, 2, 1), _up_and_down(c, "nearest"))),
    "shuffle": (34, lambda c: nn.Sequential(_Shuffle(), nn.MaxPool2d(3, 2, 1))),
    "sum": (23, lambda c: nn.Sequential(_Sum(c), nn.MaxPool2d(3, 2, 1))),
    "gate": (18, lambda c: nn.Sequential(_Gate(c), nn.MaxPool2d(3, 2, 1))),
}


class _Around(nn.Module):
    """A part between a first convolution of stride 2 and a last one, on the whole stride 8."""

    def __init__(self, part: nn.Module, channels: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, channels, 3, 2, 1), nn.LeakyReLU(0.1))
        self.part = part
        self.head = nn.Conv2d(channels, OUTPUT, 1, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.part(self.stem(x))).flatten(2).permute(0, 2, 1)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", list(PARTS))
def test_a_single_operation_on_random_values(name: str, seed: int, tmp_path: Path) -> None:
    torch.manual_seed(seed)
    channels, make = PARTS[name]
    network = _Around(make(channels), channels).eval()
    spec = InputSpec(width=(64, 160)[seed], height=(96, 32)[seed])
    check_every_map(tmp_path / "small.nanoedge", spec, compiled_int8(network, spec), (8,))


def fmaf():
    """C's own."""
    function = ctypes.CDLL(ctypes.util.find_library("m")).fmaf
    function.restype, function.argtypes = ctypes.c_float, [ctypes.c_float] * 3
    return np.vectorize(function, otypes=[np.float32])


def test_multiply_add_is_rounded_once() -> None:
    generator = np.random.default_rng(0)
    size = 50_000
    a, b = (generator.normal(size=size).astype(np.float32) for _ in range(2))
    # sums near each other's size, near a tie of float32, and of whole numbers with a multiplier
    near_tie = (generator.integers(1, 1 << 22, size) * 2.0**-22).astype(np.float32)
    for c in (generator.normal(size=size).astype(np.float32), -(a * b), near_tie):
        assert np.array_equal(multiply_add(a, b, c), fmaf()(a, b, c))
    whole = generator.integers(-(1 << 26), 1 << 26, size).astype(np.float32)
    scale = (np.abs(b) * 1e-4).astype(np.float32)
    assert np.array_equal(multiply_add(whole, scale, 100 * a), fmaf()(whole, scale, 100 * a))


def test_multiply_add_where_rounding_twice_would_differ() -> None:
    step = np.float32(2.0**-23)
    a, b, c = np.float32(2.0**-12) * (1 + step), np.float32(2.0**-12) * (1 - step), 1 + step
    twice = np.float32(np.float64(a) * np.float64(b) + np.float64(c))
    assert multiply_add(a, b, c) == fmaf()(a, b, c) == c != twice
