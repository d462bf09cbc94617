"""Our own engine against the others on one thread: python -m tools.results.engine.speed [ROUNDS [RUNS [NETWORK …]]]."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools.results.engine.latency import Row, Run, measure, median_of, ratio_of
from tools.results.engine.limits import (
    BF16_FLAGS,
    END_TO_END,
    NATIVE,
    NATIVE_INT8,
    RATIOS,
    cpu_flags,
    judged,
    kind_of,
)
from tools.results.engine.networks import BASE, NAMES, Measured, network_bundle
from tools.results.figures import Figure, at_most, publish

ROUNDS, RUNS, SCALAR_ROUNDS = 200, 3, 10
ENGINES = ("native", "openvino", "ncnn", "onnx")
MASKS = {"AVX-512 VNNI": "avx512-vnni", "AVX2": "avx2"}
"""Kinds of older CPU that a newer one can be measured as, and what `NANOEDGE_KERNELS` then is."""


def main(rounds: int, runs: int, names: Sequence[str]) -> None:
    """All networks; each in several processes, with the kernels of older CPUs in turn with the best ones."""
    flags = cpu_flags()
    kind = kind_of(flags)
    computes = ("fp32", "bf16") if set(BF16_FLAGS) & flags else ("fp32",)
    figures: list[Figure] = []
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            network = network_bundle(Path(folder), name)
            found: dict[str, list[Run]] = {each: [] for each in (kind, *older(kind))}
            for _ in range(runs):
                for each, several in found.items():
                    engines, kernels = (ENGINES, "") if each == kind else (ENGINES[:2], MASKS[each])
                    several.append(measure(network.bundle, engines, rounds, computes, kernels=kernels))
            figures += figures_of(network, kind, found)
            if name == BASE:
                scalar = measure(network.bundle, ("native",), SCALAR_ROUNDS, kernels="scalar")
                title = f"{network.title}, scalar kernels: forward"
                figures += [
                    Figure(f"{title}, {row.title}", round(times.forward, 1), "ms") for row, times in scalar.items()
                ]
    publish(figures, method(rounds, runs, kind))


def older(kind: str) -> list[str]:
    """Kinds that a CPU of this kind can be measured as with other kernels, and that have limits of their own."""
    below = {"AMX": ["AVX-512 VNNI", "AVX2"], "AVX2": [], "none of these": []}
    return below.get(kind, ["AVX2"])


def figures_of(network: Measured, kind: str, found: dict[str, list[Run]]) -> list[Figure]:
    """Times with the best kernels, ratios with all.

    Args:
        network: what was measured.
        kind: of the CPU.
        found: the processes, by the kind of CPU that the kernels are for.
    """
    times = median_of(found[kind])
    figures = [
        Figure(
            f"{network.title}, {row.title}: forward / frame to boxes", f"{each.forward:.2f} / {each.total:.2f}", "ms"
        )
        for row, each in times.items()
    ]
    for each, several in found.items():
        for ratio in RATIOS:
            if each == kind or each in ratio.limits:
                masked = "" if each == kind else f", kernels for {each}"
                value = ratio_of(several, ratio.one, ratio.other)
                title = f"{network.title}: {ratio.title}{masked}"
                figures.append(judged(title, ratio, value, each, network.name == BASE))
    return figures + [beside_the_network(network, row, kind, found[kind]) for row in (NATIVE, NATIVE_INT8)]


def beside_the_network(network: Measured, row: Row, kind: str, runs: Sequence[Run]) -> Figure:
    """What a frame takes besides the forward; a limit is stated for one network in int8."""
    title = f"{network.title}, {row.title}: frame to boxes less forward"
    times = [run[row] for run in runs if row in run]
    if not times:
        return Figure(title, "not measured")
    value = round(statistics.median(each.total - each.forward for each in times), 2)
    if row != NATIVE_INT8 or network.name != BASE:
        return Figure(title, value, "ms")
    if kind in END_TO_END:
        return at_most(title, value, END_TO_END[kind], "ms")
    return Figure(title, value, "ms", ", ".join(f"≤ {limit:g} ms with {name}" for name, limit in END_TO_END.items()))


def method(rounds: int, runs: int, kind: str) -> str:
    """How it was measured."""
    return (
        f"one thread, a frame of 640x480; medians of {runs} processes, in each the medians of {rounds} rounds with the "
        "engines in turn; a ratio is the median of the processes' ratios; kernels for an older CPU are what "
        "`NANOEDGE_KERNELS` names, in processes that take turns with the others; bf16 where the CPU has it. The newest "
        f"instructions that the system reports here: {kind}. Limits that are stated for other CPUs are in the column "
        "without a verdict"
    )


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS,
        int(sys.argv[2]) if len(sys.argv) > 2 else RUNS,
        sys.argv[3:] or list(NAMES),
    )
