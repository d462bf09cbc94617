"""Networks compiled for our engine, in bundles that hold nothing else: for tests that run them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from nanoedge.bundle import Bundle, load_bundle
from nanoedge.bundle.write import write_manifest
from nanoedge.config.interface import DecoderSpec, InputSpec
from nanoedge.export.native.compile import compile_float, read_and_simplify
from nanoedge.export.native.graph import Graph
from nanoedge.export.native.quantization.quantize import APART_IN_INT8, choose_scales, compile_int8
from nanoedge.export.native.quantization.ranges import Statistics
from nanoedge.export.native.serialise import Compiled, serialise
from nanoedge.export.native.simulate import run_float
from torch import nn

CLASSES = tuple("abcde")
FILES = {"float": "model.native.bin", "int8": "model.native.int8.bin"}


def random_picture(spec: InputSpec, seed: int) -> np.ndarray:
    """uint8 [height, width, 3]; edges and even parts, as pictures have them."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 256, (spec.height // 16, spec.width // 16, 3))
    picture = np.kron(coarse, np.ones((16, 16, 1))) + generator.normal(0, 12, (spec.height, spec.width, 3))
    return np.clip(picture, 0, 255).astype(np.uint8)


def compiled_int8(network: nn.Module, spec: InputSpec) -> Compiled:
    """Quantized on two random pictures."""
    graph = read_and_simplify(network, spec, APART_IN_INT8)
    statistics = _statistics(graph, [random_picture(spec, seed) for seed in (1, 2)])
    quantized = choose_scales(graph, statistics, "mean")
    return compile_int8(graph, quantized, {name: each.channel_means for name, each in statistics.items()})


def compiled_float(network: nn.Module, spec: InputSpec) -> Compiled:
    """In float32."""
    return compile_float(read_and_simplify(network, spec), half_weights=False)


def _statistics(graph: Graph, pictures: Sequence[np.ndarray]) -> dict[str, Statistics]:
    generator = np.random.default_rng(0)
    statistics: dict[str, Statistics] = {}
    for picture in pictures:
        for name, values in run_float(graph, picture.transpose(2, 0, 1)).items():
            statistics.setdefault(name, Statistics()).add(values, generator)
    return statistics


def bundle_of(
    folder: Path, spec: InputSpec, compiled: dict[str, Compiled], strides: tuple[int, ...] = (8, 16, 32, 64)
) -> Bundle:
    """A bundle of models by precision; its sample and parity report are empty."""
    folder.mkdir()
    engines = []
    for precision, model in compiled.items():
        (folder / FILES[precision]).write_bytes(serialise(model))
        files = [FILES[precision]]
        engines.append(
            {"engine": "native", "precision": precision, "files": files, "input": "pictures", "outputs": ["output"]}
        )
    for name in ("sample.png", "sample.json", "parity.json"):
        (folder / name).touch()
    document = {
        "name": "small",
        "classes": CLASSES,
        "input": spec.model_dump(mode="json"),
        "decoder": DecoderSpec(strides=strides).model_dump(mode="json"),
        "postprocess": {},
        "engines": engines,
        "sample": {"picture": "sample.png", "detections": "sample.json"},
        "parity": {"report": "parity.json", "passed": True},
        "provenance": {"nanoedge": ""},
    }
    write_manifest(folder, document)
    return load_bundle(folder)
