"""Activations become part of what calculates their input."""

from __future__ import annotations

from nanoedge.export.native.graph import IDENTITY, Activate, Activation, Add, Convolution, Graph, Operation


def fuse_activations(graph: Graph) -> None:
    """Where a convolution or a sum is read by an activation alone, it writes the activated map itself."""
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
            and _can_be_fused(source, operation.activation)
        ):
            source.activation = operation.activation
            del graph.shapes[source.output]
            source.output = operation.output
            made[source.output] = source
        else:
            kept.append(operation)
    graph.operations = kept


def _can_be_fused(source: Convolution | Add, activation: Activation) -> bool:
    return activation.kind != "hard_sigmoid" or isinstance(source, Convolution)
