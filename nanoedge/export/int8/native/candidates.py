"""One int8 file for each range method; which of them is best is measured on the engine."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import nn

from nanoedge.bundle.manifest import EngineEntry
from nanoedge.config.interface import InputSpec
from nanoedge.export.int8.native.equalise import equalise
from nanoedge.export.int8.native.quantize import APART_IN_INT8, choose_scales, compile_int8
from nanoedge.export.int8.native.ranges import METHODS, SAMPLES, RangeMethod, collect_statistics
from nanoedge.export.int8.native.shared_scales import float_maps
from nanoedge.export.native.compile import INPUT, OUTPUT, read_and_simplify
from nanoedge.export.native.graph import FloatArray
from nanoedge.export.native.serialise import serialise

FILE = "model.native.int8.bin"
ENTRY = EngineEntry(engine="native", precision="int8", files=(FILE,), input=INPUT, outputs=(OUTPUT,))
SAMPLES_OF_A_MAP = 1 << 16
"""Values that are kept of each map, of all pictures together: enough for the 0.01 % on each side, and little memory."""


@dataclass(frozen=True)
class Candidate:
    """A compiled network.

    Attributes:
        method: how its ranges were chosen.
        data: the file's bytes.
    """

    method: RangeMethod
    data: bytes


def int8_candidates(
    network: nn.Module, spec: InputSpec, pictures: Iterable[FloatArray], count: int
) -> Iterator[Candidate]:
    """Look at the pictures once, then compile for each method.

    Args:
        network: stripped: batch norms are part of the convolutions.
        spec: of the input.
        pictures: normalised, float32 [1, 3, height, width]; gone through once, before the first candidate.
        count: how many pictures these are.

    Raises:
        ExportError: for an operation that the engine does not have.
    """
    graph = read_and_simplify(network, spec, APART_IN_INT8)
    wanted = set(graph.shapes) - float_maps(graph) - {graph.input}
    colours: list[npt.NDArray[np.float64]] = []
    samples = min(SAMPLES, max(1, SAMPLES_OF_A_MAP // count))
    statistics = collect_statistics(network, _with_colours(pictures, colours), wanted, samples)
    exponents, statistics = equalise(graph, statistics)
    means = {name: each.channel_means for name, each in statistics.items()}
    means[graph.input] = np.mean(colours, axis=0) * spec.std + spec.mean  # the compiled network reads grey levels
    for method in METHODS:
        compiled = compile_int8(copy.deepcopy(graph), choose_scales(graph, statistics, method), means, exponents)
        yield Candidate(method, serialise(compiled))


def _with_colours(pictures: Iterable[FloatArray], colours: list[npt.NDArray[np.float64]]) -> Iterator[FloatArray]:
    """The pictures; the mean of each channel is added to `colours`."""
    for picture in pictures:
        colours.append(picture[0].mean((1, 2), dtype=np.float64))
        yield picture
