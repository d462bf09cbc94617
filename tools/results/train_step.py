"""One training step against ONNX Runtime's forward, interleaved: python -m tools.results.train_step."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from nanoedge.export.onnx import write_onnx
from nanoedge.export.strip import strip

from tools.results.figures import Figure, at_most, publish
from tools.results.one_step import OneStep

BATCH, ROUNDS, FORWARDS = 8, 12, 10


def main() -> None:
    """Plus-m 320, AGM attached, fp32, batch 8, two threads; loss, assignment, clipping and AdamW included."""
    torch.set_num_threads(2)
    step = OneStep(BATCH, [])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        write_onnx(strip(step.module.model), 320, 320, path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    picture = np.random.default_rng(0).standard_normal((1, 3, 320, 320)).astype(np.float32)

    steps, forwards = [], []
    for number in range(-3, ROUNDS):
        started = time.perf_counter()
        step()
        milliseconds = (time.perf_counter() - started) * 1000 / BATCH
        several = []
        for _ in range(FORWARDS):
            started = time.perf_counter()
            session.run(None, {"data": picture})
            several.append((time.perf_counter() - started) * 1000)
        if number >= 0:
            steps.append(milliseconds)
            forwards.append(statistics.median(several))
    ratio = statistics.median(one / forward for one, forward in zip(steps, forwards, strict=True))
    publish(
        [
            at_most("training step, each picture", round(statistics.median(steps), 1), 202, "ms"),
            Figure("ONNX Runtime's forward, one thread", round(statistics.median(forwards), 2), "ms"),
            at_most("ratio, median of the rounds' ratios", round(ratio, 2), 15.5),
        ],
        f"medians of {ROUNDS} rounds after 3 that are not counted; in each one step and {FORWARDS} forwards",
    )


if __name__ == "__main__":
    main()
