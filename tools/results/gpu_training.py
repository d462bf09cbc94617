"""Training on a GPU: steps by batch and precision, then BCCD from scratch: python -m
tools.results.gpu_training."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import torch

from tools.results.figures import NOT_HERE, Figure, nanoedge, publish, shared_folder
from tools.results.one_step import OneStep

BATCHES = (16, 64, 192)
PRECISIONS = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}
STEPS = 10
DEFAULT_EPOCHS = 200


class StepOnGpu:
    """`OneStep` on the GPU, with mixed precision as Lightning applies it.

    Args:
        size: pictures of the batch.
        precision: a key of `PRECISIONS`.
        settings: `key=value` on top of `bccd_320`.
    """

    def __init__(self, size: int, precision: str, settings: list[str]) -> None:
        self.step = OneStep(size, settings, device="cuda")
        self.half = PRECISIONS[precision]
        self.scaler = torch.amp.GradScaler("cuda", enabled=precision == "fp16")

    def __call__(self) -> None:
        with torch.autocast("cuda", self.half, enabled=self.half is not None):
            loss = self.step.loss()
        step, scaler = self.step, self.scaler
        step.optimiser.zero_grad()
        scaler.scale(loss).backward()
        scaler.unscale_(step.optimiser)
        torch.nn.utils.clip_grad_norm_(step.module.parameters(), 35)
        scaler.step(step.optimiser)
        scaler.update()


def step_figures(size: int, precision: str, settings: list[str]) -> list[Figure]:
    """Steps a second and the most memory that tensors took."""
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    step = StepOnGpu(size, precision, settings)
    for _ in range(3):
        step()
    torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(STEPS):
        step()
    torch.cuda.synchronize()
    seconds = (time.perf_counter() - started) / STEPS
    name = f"batch {size}, {' '.join([precision, *settings])}"
    return [
        Figure(f"{name}: steps a second", round(1 / seconds, 2), "/s"),
        Figure(f"{name}: pictures a second", round(size / seconds), "/s"),
        Figure(f"{name}: memory of tensors", round(torch.cuda.max_memory_allocated() / 1e9, 2), "GB"),
    ]


def from_scratch(epochs: int, precision: str) -> list[Figure]:
    """Train NanoDet-Plus-m on BCCD from random weights, evaluate the last epoch's averaged weights on val and test."""
    data = shared_folder() / "data" / "bccd"
    with tempfile.TemporaryDirectory() as folder:
        settings = [f"data.root={data}", "data.workers=8", "data.cache=memory", f"training.epochs={epochs}"]
        settings += [f"training.precision={precision}", "training.accelerator=gpu", "training.evaluate_every=50"]
        started = time.perf_counter()
        result = nanoedge("train", "bccd_320", *settings, "--out", Path(folder) / "run")
        minutes = (time.perf_counter() - started) / 60
        figures = [Figure(f"{epochs} epochs, {precision}", round(minutes, 2), "min")]
        for split in ("val", "test"):
            truth = ("--annotations", data / "annotations" / f"instances_{split}.json", "--images", data / "JPEGImages")
            found = nanoedge("eval", result["last"], *truth)
            figures.append(Figure(f"{epochs} epochs, {precision}: {split} AP", round(found["AP"], 4)))
    return figures


def main() -> None:
    """Both parts; without a GPU there is nothing to measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=DEFAULT_EPOCHS)
    parser.add_argument("--precisions", nargs="+", default=["fp32", "bf16"], help="of the training from scratch")
    chosen = parser.parse_args()
    if not torch.cuda.is_available():
        print("gpu-training is left out: it needs a GPU that PyTorch can use.", file=sys.stderr)
        sys.exit(NOT_HERE)
    figures: list[Figure] = []
    jobs = [partial(step_figures, size, precision, []) for size in BATCHES for precision in PRECISIONS]
    jobs += [partial(from_scratch, chosen.epochs, precision) for precision in chosen.precisions]
    for job in jobs:
        found = job()
        print(*(f"{figure.name}: {figure.value} {figure.unit}" for figure in found), sep="\n", file=sys.stderr)
        figures += found
    publish(figures, f"{torch.cuda.get_device_name()}; steps: mean of {STEPS} after 3; AGM attached; one seed")


if __name__ == "__main__":
    main()
