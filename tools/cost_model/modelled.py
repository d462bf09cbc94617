"""Our own engine layer by layer on a core that is not here: counted, then modelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.cost_model.cores import CORES
from tools.cost_model.cost import Cost, cost, together
from tools.cross.emulation import CPUS
from tools.cross.targets import TARGETS
from tools.instructions.layers import CountedNetwork, count_layers
from tools.instructions.measure import Count, count, stages_program


@dataclass(frozen=True)
class ModelledLayer:
    """A layer, or several of a kind, and what it takes."""

    name: str
    kind: str
    cost: Cost


def emulated(core: str) -> str:
    """The CPU that QEMU emulates for a name in `CORES`."""
    return core.split()[0]


def counted_layers(bundle: Path, precision: str, name: str) -> CountedNetwork:
    """The layers on a core of `CORES`; another clock of the same core counts the same."""
    core, cpu = CORES[name], emulated(name)
    target = TARGETS[CPUS[cpu]]
    return count_layers(target, cpu, stages_program(target), bundle, precision, core.caches)


def modelled_layers(network: CountedNetwork, name: str) -> list[ModelledLayer]:
    """What each layer takes on a core of `CORES`."""
    return [ModelledLayer(layer.name, layer.kind, cost(layer.count, CORES[name])) for layer in network.layers]


def counted(bundle: Path, name: str, stage: str, *options: str) -> Count:
    """What a stage of a frame executes on a core of `CORES`; options of nanoedge-stages."""
    core, cpu = CORES[name], emulated(name)
    target = TARGETS[CPUS[cpu]]
    return count(target, cpu, stages_program(target), bundle, stage, *options, caches=core.caches)


def kinds_by_time(layers: Sequence[ModelledLayer]) -> list[ModelledLayer]:
    """Layers of a kind together, the slowest kind first."""
    kinds: dict[str, list[Cost]] = {}
    for layer in layers:
        kinds.setdefault(layer.kind, []).append(layer.cost)
    found = [ModelledLayer(f"{len(costs)} layers", kind, together(costs)) for kind, costs in kinds.items()]
    return sorted(found, key=lambda kind: -kind.cost.milliseconds)


def arithmetic(one: Cost) -> str:
    """A cost in words: million cycles of each bound, of which the first decides."""
    return ", ".join(f"{part} {cycles / 1e6:.2f}" for part, cycles in one.parts.items())
