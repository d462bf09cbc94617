"""From the stripped network to `model.native.bin`."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
from torch import nn

from nanoedge.bundle.manifest import EngineEntry
from nanoedge.config.interface import InputSpec
from nanoedge.export.native.graph import Convolution, Graph
from nanoedge.export.native.passes.add_borders import add_borders
from nanoedge.export.native.passes.fold_normalisation import fold_normalisation
from nanoedge.export.native.passes.fuse_activations import fuse_activations
from nanoedge.export.native.passes.leave_room import leave_room
from nanoedge.export.native.passes.place import place_maps
from nanoedge.export.native.passes.plan_memory import plan_memory
from nanoedge.export.native.read import read_network
from nanoedge.export.native.serialise import DEPTHWISE, KINDS, Arithmetic, Compiled, read_tables, serialise
from nanoedge.export.strip import Census

FILE = "model.native.bin"
INPUT, OUTPUT = "pictures", "output"
ENTRY = EngineEntry(engine="native", precision="float", files=(FILE,), input=INPUT, outputs=(OUTPUT,))


def read_and_simplify(network: nn.Module, spec: InputSpec, apart: Collection[str] = ()) -> Graph:
    """The network's graph on grey levels, activations part of what they follow.

    Args:
        network: stripped: batch norms are part of the convolutions.
        spec: of the input.
        apart: activations that stay operations of their own: `APART_IN_INT8` for int8.

    Raises:
        ExportError: for an operation that the engine does not have.
    """
    graph = read_network(network, spec.width, spec.height)
    fuse_activations(graph, apart)
    fold_normalisation(graph, spec.mean, spec.std)
    return graph


def compile_float(graph: Graph, half_weights: bool) -> Compiled:
    """Plan a network that calculates in float32.

    Args:
        graph: of `read_and_simplify`; changed.
        half_weights: store the weights in fp16, but for those of what reads the picture: they have the normalisation
            in them.
    """
    add_borders(graph)
    places = place_maps(graph)
    memory = plan_memory(graph, places, dict.fromkeys(graph.shapes, 4))
    arithmetic = {}
    for convolution in graph.convolutions():
        half = half_weights and graph.input not in convolution.inputs
        arithmetic[convolution.output] = Arithmetic(
            convolution.weight.astype(np.float16 if half else np.float32), convolution.bias
        )
    return Compiled(graph, places, memory, leave_room(graph, places, memory), arithmetic)


def convert_to_native(network: nn.Module, spec: InputSpec, folder: Path, half_weights: bool) -> EngineEntry:
    """Write `model.native.bin`.

    Args:
        network: the stripped network.
        spec: of the input.
        folder: where the file goes.
        half_weights: store weights in fp16.

    Raises:
        ExportError: for an operation that the engine does not have.
    """
    graph = read_and_simplify(network, spec)
    (folder / FILE).write_bytes(serialise(compile_float(graph, half_weights)))
    return ENTRY


def census_of_native(path: Path) -> Census:
    """Count the convolutions of a file and their weights."""
    values, operations = read_tables(path.read_bytes())
    convolutions = weights = 0
    for operation in operations:
        if operation.kind in (KINDS[Convolution], DEPTHWISE):
            convolutions += 1
            inputs = 1 if operation.kind == DEPTHWISE else values[operation.input].channels
            weights += operation.kernel**2 * inputs * values[operation.output].channels
    return Census(convolutions, weights)
