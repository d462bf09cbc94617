"""Our own engine on ARM, counted by emulation and modelled: python -m tools.results.arm_native.

What was executed is exact. Milliseconds are modelled (tools/cost_model), never measured.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tools.cost_model.check import Error, compare, error_of, is_known
from tools.cost_model.cores import CORES
from tools.cost_model.cost import Cost, cost, together
from tools.cost_model.modelled import arithmetic, counted, counted_layers, emulated, kinds_by_time, modelled_layers
from tools.cost_model.published import PUBLISHED
from tools.instructions.layers import CountedNetwork
from tools.instructions.measure import WHOLE_FRAME, Count, beside, plugin, total
from tools.results.engine.networks import BASE, network_bundle
from tools.results.figures import Figure, at_most, publish

ROUNDS = 100
NATIVE = {"int8": ("--engine", "native", "--precision", "int8"), "float": ("--engine", "native")}
COMPUTES = {"cortex-a76": ("fp32", "fp16"), "cortex-a72": ("fp32",)}
"""What ncnn can calculate in on a CPU. Its bfloat16 is left out: neither CPU has instructions for it."""
LARGEST_RATIO = {("cortex-a76", "int8"): 0.5, ("cortex-a72", "int8"): 0.8, ("cortex-a72", "float"): 0.9}
"""Instructions of our own engine to the fewest of ncnn on the same CPU."""
LONGEST = {("cortex-a76", "int8"): 12.0, ("cortex-a72", "int8"): 75.0}
"""Modelled milliseconds of a frame on one core."""


def main() -> None:
    """Count on each CPU, model on each board, say how wrong the model is."""
    plugin()
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        bundle = network_bundle(Path(folder), BASE, "native", "ncnn").bundle
        ncnn = {
            (cpu, compute): counted(bundle, cpu, WHOLE_FRAME, "--engine", "ncnn", "--compute", compute)
            for cpu, computes in COMPUTES.items()
            for compute in computes
        }
        native = {
            (cpu, precision): counted(bundle, cpu, WHOLE_FRAME, *options)
            for cpu in COMPUTES
            for precision, options in NATIVE.items()
        }
        for cpu, computes in COMPUTES.items():
            figures += instructions(cpu, computes, ncnn, native)
        layers = {
            (cpu, precision): counted_layers(bundle, precision, cpu)
            for cpu in dict.fromkeys(map(emulated, CORES))
            for precision in NATIVE
        }
        for name in CORES:
            for precision in NATIVE:
                key = emulated(name), precision
                if key not in native:
                    native[key] = counted(bundle, name, WHOLE_FRAME, *NATIVE[precision])
                figures += modelled(name, precision, native[key], layers[key])
        figures += against_published(ncnn)
        if is_known():
            for precision in NATIVE:
                figures += errors(precision, error_of(compare(bundle, precision, ROUNDS)))
    publish(
        figures,
        "Plus-m 320, a frame of 640x480 from picture to boxes, one thread; instructions counted under QEMU; "
        "**modelled times are not measured ones**: micro-operations by class are given to the pipes of a core as "
        "`tools/cost_model/cores.py` describes it, layer by layer, with simulated caches; million cycles of each "
        "bound stand beside it, the largest of each layer decides",
    )


def instructions(
    cpu: str,
    computes: tuple[str, ...],
    ncnn: dict[tuple[str, str], Count],
    native: dict[tuple[str, str], Count],
) -> list[Figure]:
    """Instructions on a CPU, and their ratios."""
    figures = [
        Figure(f"{cpu}: instructions, ncnn {compute}", millions(ncnn[cpu, compute].instructions), "million")
        for compute in computes
    ]
    best = min(computes, key=lambda compute: ncnn[cpu, compute].instructions)
    for precision in NATIVE:
        count = native[cpu, precision]
        title = f"{cpu}: instructions, native {precision}"
        figures.append(Figure(title, millions(count.instructions), "million"))
        accesses = millions(count.reads + count.writes)
        figures.append(Figure(f"{cpu}: accesses to memory, native {precision}", accesses, "million"))
        ratio = round(count.instructions / ncnn[cpu, best].instructions, 3)
        limit = LARGEST_RATIO.get((cpu, precision))
        fewest = f"{title}, to ncnn's fewest ({best})"
        figures.append(Figure(fewest, ratio) if limit is None else at_most(fewest, ratio, limit))
        if best != "fp32":
            figures.append(
                Figure(f"{title}, to ncnn fp32", round(count.instructions / ncnn[cpu, "fp32"].instructions, 3))
            )
    return figures


def modelled(name: str, precision: str, frame: Count, network: CountedNetwork) -> list[Figure]:
    """A frame's time on a board: layer by layer, and what is executed beside the layers."""
    core = CORES[name]
    layers = modelled_layers(network, name)
    rest = cost(beside(frame, total([layer.count for layer in network.layers])), core)
    forward = together([layer.cost for layer in layers])
    whole = round(forward.milliseconds + rest.milliseconds, 1)
    title = f"modelled: {core.title}, native {precision} ({network.kernels}), a frame"
    limit = LONGEST.get((name, precision))
    figures = [Figure(title, whole, "ms") if limit is None else at_most(title, whole, limit, "ms")]
    if name not in COMPUTES:
        return figures
    for kind in kinds_by_time(layers):
        if kind.cost.milliseconds >= 0.01 * whole:
            figures.append(Figure(f"… of it {kind.kind}, {kind.name}", words(kind.cost)))
    return [*figures, Figure("… of it what is not in a layer", words(rest))]


def words(one: Cost) -> str:
    """Milliseconds with the arithmetic behind them."""
    return f"{one.milliseconds:.2f} ms: {arithmetic(one)}"


def against_published(ncnn: dict[tuple[str, str], Count]) -> list[Figure]:
    """ncnn modelled as a whole, from picture to boxes, against what others measured of its forward pass."""
    figures = []
    for each in PUBLISHED:
        guess = each.work * cost(ncnn[each.core, each.compute], CORES[each.core]).milliseconds
        title = f"modelled for it: ncnn {each.compute} on NanoDet-Plus-m 320, times {each.work:g}"
        figures += [
            Figure(f"published by others: {each.title}", each.milliseconds, "ms"),
            Figure(title, round(guess, 1), "ms"),
            Figure(f"modelled to published: {each.title}", round(guess / each.milliseconds, 2)),
        ]
    return figures


def errors(precision: str, error: Error) -> list[Figure]:
    """The model on this CPU, whose times can be measured."""
    title = f"modelled to measured on this CPU, native {precision}"
    return [
        Figure(f"{title}: all layers", round(error.total, 2)),
        Figure(f"{title}: median of the layers", round(error.median, 2)),
        Figure(f"{title}: layers from 0.75 to 1.33", round(100 * error.within_a_third), "%"),
        Figure(f"{title}: worst layer", round(error.worst, 2)),
    ]


def millions(number: int) -> float:
    """Rounded."""
    return round(number / 1e6, 2)


if __name__ == "__main__":
    main()
