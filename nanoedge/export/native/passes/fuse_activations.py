"""Activations become part of what calculates their input."""

from __future__ import annotations

from collections.abc import Collection

from nanoedge.export.native.graph import IDENTITY, Activate, Add, Convolution, Graph, Operation


def fuse_activations(graph: Graph, apart: Collection[str] = ()) -> None:
    """Where a convolution or a sum is read by an activation alone, it writes the activated map itself.

    Args:
        graph: is changed.
        apart: kinds of activations that stay operations of their own.
    """
    made = {operation.output: operation for operation in graph.operations}
    kept: list[Operation] = []
    for operation in graph.operations:
        source = made.get(operation.inputs[0])
        if (
            isinstance(operation, Activate)
            and isinstance(source, (Convolution, Add))
            and source.activation == IDENTITY
            and source.output not in graph.outputs
            and graph.users(source.output) == [operation]
            and operation.activation.kind not in apart
        ):
            source.activation = operation.activation
            del graph.shapes[source.output]
            source.output = operation.output
            made[source.output] = source
        else:
            kept.append(operation)
    graph.operations = kept
