"""Small networks of our own engine as files: what the fuzzer of its format starts from.

The compiler makes them from a PyTorch network with every operation that the engine has, in float and in int8. Input and
output are what the fuzzers' manifest says: 64 x 32 pixels to 34 priors (strides 8 and 32) of 34 channels.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from nanoedge.config.interface import InputSpec
from nanoedge.export.int8.native.equalise import equalise
from nanoedge.export.int8.native.quantize import APART_IN_INT8, choose_scales, compile_int8
from nanoedge.export.int8.native.ranges import Statistics
from nanoedge.export.native.compile import compile_float, read_and_simplify
from nanoedge.export.native.graph import Graph
from nanoedge.export.native.serialise import serialise
from nanoedge.export.native.simulate import run_float
from torch import nn
from torch.nn.functional import interpolate

SPEC = InputSpec(width=64, height=32)
CHANNELS = 34
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "leaky-relu": lambda: nn.LeakyReLU(0.1),
    "relu6": nn.ReLU6,
    "hard-swish": nn.Hardswish,
    "silu": nn.SiLU,
}
PICTURES = 5


class Everything(nn.Module):
    """Each operation at least once, on few channels."""

    def __init__(self, activation: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.activation = activation()
        self.stem = nn.Conv2d(3, 6, 3, 2, 1)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.depthwise = nn.Conv2d(6, 6, 5, 2, 2, groups=6)
        self.widen = nn.Conv2d(6, 20, 1)
        self.around = nn.Conv2d(10, 10, 3, 1, 1, groups=10)
        self.squeeze, self.expand = nn.Conv2d(20, 4, 1), nn.Conv2d(4, 20, 1)
        self.average, self.gate = nn.AdaptiveAvgPool2d(1), nn.Hardsigmoid()
        self.shrink = nn.Conv2d(20, 8, 3, 2, 1)
        self.shrink_again = nn.Conv2d(16, 5, 3, 2, 1)
        self.fine, self.coarse = nn.Conv2d(36, CHANNELS, 1), nn.Conv2d(5, CHANNELS, 1)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """[1, 3, 32, 64] to [1, 34, 34]."""
        x = self.widen(self.activation(self.depthwise(self.pool(self.activation(self.stem(pictures))))))
        left, right = x.chunk(2, dim=1)
        x = torch.cat([left, self.activation(right + self.around(right))], dim=1)
        batch, channels, height, width = x.shape
        x = x.view(batch, 2, channels // 2, height, width).transpose(1, 2).reshape(batch, channels, height, width)
        x = x * self.gate(self.expand(self.activation(self.squeeze(self.average(x)))))
        half = self.activation(self.shrink(x))
        smooth = interpolate(half, scale_factor=2, mode="bilinear")
        coarse = interpolate(half, scale_factor=2, mode="nearest")
        fine = self.fine(torch.cat([x, smooth, coarse], dim=1))
        # `half` stands in a concatenation twice: one of them is a copy
        quarter = self.activation(self.shrink_again(torch.cat([half, half], dim=1)))
        levels = [fine, self.coarse(quarter)]
        return torch.cat([level.flatten(2) for level in levels], dim=2).permute(0, 2, 1)


def native_seeds() -> dict[str, bytes]:
    """Files by name: every activation with weights in float32, float16 and int8."""
    torch.manual_seed(0)
    seeds = {}
    for name, activation in ACTIVATIONS.items():
        network = Everything(activation).eval()
        for half in (False, True):
            compiled = compile_float(read_and_simplify(network, SPEC), half_weights=half)
            seeds[f"{name}-{'float16' if half else 'float32'}"] = serialise(compiled)
        graph = read_and_simplify(network, SPEC, APART_IN_INT8)
        exponents, statistics = equalise(graph, statistics_of(graph))
        quantized = choose_scales(graph, statistics, "mean")
        seeds[f"{name}-int8"] = serialise(compile_int8(graph, quantized, exponents=exponents))
    return seeds


def statistics_of(graph: Graph) -> dict[str, Statistics]:
    """Of every map, on pictures of noise."""
    generator = np.random.default_rng(0)
    statistics = {name: Statistics() for name in graph.shapes}
    for _ in range(PICTURES):
        picture = generator.integers(0, 256, (3, SPEC.height, SPEC.width))
        for name, values in run_float(graph, picture).items():
            statistics[name].add(values, generator)
    return statistics
