"""Networks compiled for our engine, in bundles that hold nothing else: for tests that run them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from nanoedge.bundle import Bundle
from nanoedge.bundle.write import bundle_to_throw_away
from nanoedge.config.interface import DecoderSpec, InputSpec, Interface, PostprocessSpec
from nanoedge.export.int8.native.candidates import ENTRY as INT8_ENTRY
from nanoedge.export.int8.native.equalise import equalise
from nanoedge.export.int8.native.quantize import APART_IN_INT8, choose_scales, compile_int8
from nanoedge.export.int8.native.ranges import Statistics
from nanoedge.export.int8.native.shared_scales import float_maps
from nanoedge.export.native.compile import ENTRY as FLOAT_ENTRY
from nanoedge.export.native.compile import compile_float, read_and_simplify
from nanoedge.export.native.graph import Graph
from nanoedge.export.native.serialise import Compiled, serialise
from nanoedge.export.native.simulate import run_float
from torch import nn

CLASSES = tuple("abcde")
ENTRIES = {"float": FLOAT_ENTRY, "int8": INT8_ENTRY}
STRIDES = (8, 16, 32, 64)


def interface_of(spec: InputSpec, strides: tuple[int, ...] = STRIDES) -> Interface:
    """Of a network with five classes."""
    decoder = DecoderSpec(strides=strides)
    return Interface(classes=CLASSES, input=spec, decoder=decoder, postprocess=PostprocessSpec())


def random_picture(spec: InputSpec, seed: int) -> np.ndarray:
    """uint8 [height, width, 3]; edges and even parts, as pictures have them."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 256, (spec.height // 16, spec.width // 16, 3))
    picture = np.kron(coarse, np.ones((16, 16, 1))) + generator.normal(0, 12, (spec.height, spec.width, 3))
    return np.clip(picture, 0, 255).astype(np.uint8)


def compiled_int8(network: nn.Module, spec: InputSpec) -> Compiled:
    """Quantized on five random pictures."""
    graph = read_and_simplify(network, spec, APART_IN_INT8)
    exponents, statistics = equalise(graph, _statistics(graph, [random_picture(spec, seed) for seed in range(1, 6)]))
    means = {name: each.channel_means for name, each in statistics.items()}
    return compile_int8(graph, choose_scales(graph, statistics, "mean"), means, exponents)


def compiled_float(network: nn.Module, spec: InputSpec) -> Compiled:
    """In float32."""
    return compile_float(read_and_simplify(network, spec), half_weights=False)


def _statistics(graph: Graph, pictures: Sequence[np.ndarray]) -> dict[str, Statistics]:
    generator = np.random.default_rng(0)
    statistics: dict[str, Statistics] = {}
    for picture in pictures:
        for name, values in run_float(graph, picture.transpose(2, 0, 1)).items():
            statistics.setdefault(name, Statistics()).add(values, generator)
    return {name: each for name, each in statistics.items() if name not in float_maps(graph)}


def bundle_of(
    folder: Path, spec: InputSpec, compiled: dict[str, Compiled], strides: tuple[int, ...] = STRIDES
) -> Bundle:
    """A bundle of models by precision."""
    folder.mkdir()
    for precision, model in compiled.items():
        [file] = ENTRIES[precision].files
        (folder / file).write_bytes(serialise(model))
    return bundle_to_throw_away(folder, interface_of(spec, strides), [ENTRIES[precision] for precision in compiled])
