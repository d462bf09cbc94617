"""Borders in memory for convolutions that read pixels around their input."""

from __future__ import annotations

from nanoedge.export.native.graph import Convolution, Copy, Graph, Operation, Pads


def add_borders(graph: Graph) -> None:
    """Give the picture the border that its convolutions read; other maps are copied into one that has it."""
    operations: list[Operation] = []
    bordered: dict[str, str] = {}
    for operation in graph.operations:
        if isinstance(operation, Convolution) and operation.needs_border:
            [source] = operation.inputs
            if source != graph.input:
                if source not in bordered:
                    bordered[source] = f"{source}_bordered"
                    graph.shapes[bordered[source]] = graph.shapes[source]
                    operations.append(Copy(operation.name, (source,), bordered[source]))
                source = bordered[source]
                operation.inputs = (source,)
            known = graph.borders.get(source, Pads())
            graph.borders[source] = Pads(*(max(pair) for pair in zip(known, operation.pads, strict=True)))
        operations.append(operation)
    graph.operations = operations
