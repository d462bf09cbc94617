"""Maps that share a scale, because values move between them without arithmetic."""

from __future__ import annotations

from nanoedge.export.native.graph import (
    Concatenate,
    Copy,
    GlobalAverage,
    Graph,
    Interleave,
    MaxPool,
    Slice,
    Upsample,
)

MOVES = (Concatenate, Copy, Interleave, MaxPool, Slice, Upsample)
"""Operations whose output has the scale of their inputs. An upsampled value lies between its neighbours."""


def shared_scales(graph: Graph, floats: set[str]) -> list[list[str]]:
    """Groups of maps with one scale each; every map that is made of bytes is in exactly one.

    Args:
        graph: before `place_maps`.
        floats: maps that stay float32; they are in no group.
    """
    parent = {name: name for name in graph.shapes if name not in floats}

    def find(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for operation in graph.operations:
        if isinstance(operation, MOVES) and operation.output not in floats:
            for name in operation.inputs:
                parent[find(name)] = find(operation.output)
    groups: dict[str, list[str]] = {}
    for name in parent:
        groups.setdefault(find(name), []).append(name)
    return list(groups.values())


def float_maps(graph: Graph) -> set[str]:
    """Maps that are not made of bytes: the levels of the output, and what squeeze-excite calculates of means."""
    floats = set(graph.outputs)
    for operation in graph.operations:
        if isinstance(operation, GlobalAverage) or operation.inputs[0] in floats:
            floats.add(operation.output)
    return floats
