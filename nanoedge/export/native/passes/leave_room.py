"""How far an operation may write beyond its last channel, so that kernels can store whole vectors."""

from __future__ import annotations

from collections.abc import Mapping

from nanoedge.export.native.graph import Graph
from nanoedge.export.native.passes.place import Place
from nanoedge.export.native.passes.plan_memory import Memory


def leave_room(graph: Graph, places: Mapping[str, Place], memory: Memory) -> dict[str, int]:
    """For every written map the channels, from its first on, that may be overwritten.

    To the right of a map lies padding, or a part of the same concatenation. What is written later may be overwritten
    now; what was written before ends the room. Nothing may be written beyond the pixel: its neighbour belongs to
    another thread.
    """
    room: dict[str, int] = {}
    written: dict[str, list[int]] = {}
    for operation in graph.operations:
        name = operation.output
        place = places[name]
        if name in graph.outputs:
            room[name] = memory.output_row
            continue
        end = memory.buffers[place.buffer].pixel
        for start in written.get(place.buffer, []):
            if start > place.start:
                end = min(end, start)
        room[name] = end - place.start
        written.setdefault(place.buffer, []).append(place.start)
    return room
