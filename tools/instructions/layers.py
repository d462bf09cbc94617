"""Counts what each layer of our own engine executes under emulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.cross.targets import Target
from tools.instructions.measure import CacheSize, Count, run_counted, total

_WINDOWED = ("convolution", "depth-wise", "max-pool")


@dataclass(frozen=True)
class CountedLayer:
    """A layer, or several of a kind.

    Attributes:
        name: of the operation.
        kind: what it calculates, with the side of its window: `convolution 3x3`.
        output: height, width, channels.
        multiply_adds: of convolutions.
        count: what it executes.
    """

    name: str
    kind: str
    output: str
    multiply_adds: int
    count: Count


@dataclass(frozen=True)
class CountedNetwork:
    """All layers in running order, and the kernels that ran them."""

    kernels: str
    layers: tuple[CountedLayer, ...]


def count_layers(
    target: Target,
    cpu: str,
    program: Path,
    bundle: Path,
    precision: str,
    caches: tuple[CacheSize, CacheSize] | None = None,
) -> CountedNetwork:
    """Each layer on the emulated `cpu`, after all have run once; every layer runs whole before the next one.

    Args:
        target: the machine.
        cpu: as QEMU names it.
        program: nanoedge-stages for that machine.
        bundle: with a model for our own engine.
        precision: of its file.
        caches: the first and second level to simulate; `None`: none, which is faster.

    Raises:
        BuildError: when the program fails.
    """
    output, counts = run_counted(target, cpu, program, bundle, "layers", ("--precision", precision), caches)
    lines = [line.split("\t") for line in output.splitlines()]
    layers = []
    for number, (name, kind, side, shape, multiply_adds) in enumerate((row[1:] for row in lines if len(row) == 6), 1):
        described = f"{kind} {side}x{side}" if kind in _WINDOWED else kind
        layers.append(CountedLayer(name, described, shape, int(multiply_adds), counts[number]))
    return CountedNetwork(next(row[1] for row in lines if row[0] == "kernels"), tuple(layers))


def kinds_of(layers: Sequence[CountedLayer]) -> list[CountedLayer]:
    """Layers of one kind as one, those that execute most first."""
    found: dict[str, list[CountedLayer]] = {}
    for layer in layers:
        found.setdefault(layer.kind, []).append(layer)
    kinds = [
        CountedLayer(
            f"{len(several)} layers",
            kind,
            "",
            sum(layer.multiply_adds for layer in several),
            total([layer.count for layer in several]),
        )
        for kind, several in found.items()
    ]
    return sorted(kinds, key=lambda kind: -kind.count.instructions)
