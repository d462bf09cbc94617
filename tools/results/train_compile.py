"""What torch.compile gains in a training step on this machine: python -m tools.results.train_compile."""

from __future__ import annotations

import statistics
import time

import torch

from tools.results.figures import Figure, publish
from tools.results.one_step import OneStep

BATCH, ROUNDS = 8, 12
KINDS = {"as usual": [], "training.compile=true": ["training.compile=true"]}


def main() -> None:
    """Plus-m 320, AGM attached, fp32, batch 8, two threads; both kinds in turn."""
    torch.set_num_threads(2)
    steps = {name: OneStep(BATCH, settings) for name, settings in KINDS.items()}
    started = time.perf_counter()
    steps["training.compile=true"]()
    first = time.perf_counter() - started
    measured: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(-2, ROUNDS):
        for name, step in steps.items():
            started = time.perf_counter()
            step()
            if number >= 0:
                measured[name].append((time.perf_counter() - started) * 1000 / BATCH)
    usual, compiled = measured.values()
    ratio = statistics.median(one / other for one, other in zip(compiled, usual, strict=True))
    figures = [Figure(f"a picture, {name}", round(statistics.median(each), 1), "ms") for name, each in measured.items()]
    figures += [
        Figure("compiled against usual, median of the rounds' ratios", round(ratio, 2)),
        Figure("the first step, which compiles", round(first, 0), "s"),
    ]
    publish(figures, f"medians of {ROUNDS} rounds after 2 that are not counted")


if __name__ == "__main__":
    main()
