"""Concatenations and slices without copies: every map gets a place in a buffer."""

from __future__ import annotations

from dataclasses import dataclass

from nanoedge.export.native.graph import Concatenate, Copy, Graph, Operation, Slice


@dataclass(frozen=True)
class Place:
    """Where a map lies.

    Attributes:
        buffer: name of the map whose memory it is part of; its own where it is part of no other.
        start: first channel in it.
    """

    buffer: str
    start: int


def place_maps(graph: Graph) -> dict[str, Place]:
    """Take slices and concatenations out of the graph.

    A slice is a part of its input. The parts of a concatenation are written where they will be read. Only a part that
    must lie in two places at once (in two concatenations, or also in the output) is copied.
    """
    lies_in: dict[str, Place] = {}
    operations: list[Operation] = []
    for operation in graph.operations:
        if isinstance(operation, Slice):
            lies_in[operation.output] = Place(operation.inputs[0], operation.start)
        elif isinstance(operation, Concatenate):
            start = 0
            for number, part in enumerate(operation.inputs):
                name = part
                if part in lies_in or part == graph.input or part in graph.outputs or part in graph.borders:
                    name = f"{operation.output}_part{number}"
                    graph.shapes[name] = graph.shapes[part]
                    operations.append(Copy(operation.name, (part,), name))
                lies_in[name] = Place(operation.output, start)
                start += graph.shapes[part].channels
        else:
            operations.append(operation)
    graph.operations = operations
    _copy_outputs(graph, lies_in)
    return {name: _root(name, lies_in) for name in graph.shapes}


def _copy_outputs(graph: Graph, lies_in: dict[str, Place]) -> None:
    """Levels have a place in the output; one that is a part of another map, or stands twice, is copied there."""
    made = {operation.output for operation in graph.operations}
    levels: list[str] = []
    for number, level in enumerate(graph.outputs):
        name = level
        if level in lies_in or level in levels or level not in made:
            name = f"{level}_level{number}"
            graph.shapes[name] = graph.shapes[level]
            graph.operations.append(Copy("output", (level,), name))
        levels.append(name)
    graph.outputs = tuple(levels)


def _root(name: str, lies_in: dict[str, Place]) -> Place:
    start = 0
    while name in lies_in:
        start += lies_in[name].start
        name = lies_in[name].buffer
    return Place(name, start)
