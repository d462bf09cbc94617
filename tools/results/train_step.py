"""One training step against ONNX Runtime's forward, interleaved: python -m tools.results.train_step."""

from __future__ import annotations

import statistics
import time

import torch

from tools.results.figures import Figure, at_most, publish
from tools.results.forward import FORWARDS, Forward
from tools.results.one_step import OneStep

BATCH, ROUNDS = 8, 12
REFERENCE_FORWARD, REFERENCE_STEP = 12.25, 270  # ms, of the original's code on a faster machine


def main() -> None:
    """Plus-m 320, AGM attached, fp32, batch 8, two threads; loss, assignment, clipping and AdamW included."""
    torch.set_num_threads(2)
    step = OneStep(BATCH, [])
    forward = Forward()
    steps, forwards = [], []
    for number in range(-3, ROUNDS):
        started = time.perf_counter()
        step()
        milliseconds = (time.perf_counter() - started) * 1000 / BATCH
        taken = forward.milliseconds()
        if number >= 0:
            steps.append(milliseconds)
            forwards.append(taken)
    ratio = statistics.median(one / forward for one, forward in zip(steps, forwards, strict=True))
    publish(
        [
            Figure("training step, each picture", round(statistics.median(steps), 1), "ms"),
            Figure("ONNX Runtime's forward, one thread", round(statistics.median(forwards), 2), "ms"),
            at_most("ratio, median of the rounds' ratios", round(ratio, 2), 15.5),
            at_most(
                f"a picture where that forward takes {REFERENCE_FORWARD} ms (the original: {REFERENCE_STEP} ms)",
                round(ratio * REFERENCE_FORWARD, 1),
                0.75 * REFERENCE_STEP,
                "ms",
            ),
        ],
        f"medians of {ROUNDS} rounds after 3 that are not counted; in each one step and {FORWARDS} forwards",
    )


if __name__ == "__main__":
    main()
