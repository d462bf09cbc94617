"""Memory of a training step and what batch 80 would need: python -m tools.results.train_memory.

Each batch size trains two steps in a process of its own, as `train_step` does: Plus-m 320, AGM attached, fp32.
The threads do not matter. Two things are read there:

- the tensors: the largest sum of what PyTorch's allocator had handed out and not got back during the second step (its
  profiler reports each allocation and release), plus what was there before the step: weights, batch, optimiser state;
- the process: its peak resident memory as the kernel counts it (`ru_maxrss`), Python and all libraries included.

Both grow with the batch in a straight line; the line through the two largest batches says what a batch of 80 needs. The
6 GB of the design are what tensors may take: a process also holds libraries and what its allocator keeps in reserve.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from typing import Any

import torch

from tools.results.figures import REPOSITORY, Figure, at_most, publish
from tools.results.one_step import OneStep

BATCHES = (8, 16, 32)
WANTED, LIMIT = 80, 6.0
GIGABYTE = 1e9


def main() -> None:
    """All batch sizes, with and without recomputation, one process after the other."""
    small = {batch: measure(batch, recompute=True) for batch in BATCHES}
    plain = {batch: measure(batch, recompute=False) for batch in BATCHES[-1:]}
    largest = BATCHES[-1]
    figures = [
        Figure(f"batch {batch}, {what} at the peak", round(found[key] / GIGABYTE, 2), "GB")
        for batch, found in small.items()
        for key, what in (("tensors", "tensors"), ("process", "whole process"))
    ]
    figures += [
        Figure(f"batch {largest} without training.recompute, {what}", round(plain[largest][key] / GIGABYTE, 2), "GB")
        for key, what in (("tensors", "tensors"), ("process", "whole process"))
    ]
    figures += [
        Figure("each further picture, whole process", round(slope(small, "process") / 1e6, 1), "MB"),
        at_most(f"batch {WANTED}, tensors, extrapolated", extrapolated(small, "tensors"), LIMIT, "GB"),
        Figure(f"batch {WANTED}, whole process, extrapolated", extrapolated(small, "process"), "GB"),
    ]
    publish(figures, "the second of two steps, each batch in a process of its own; 1 GB is 10^9 bytes")


def slope(found: dict[int, dict[str, float]], key: str) -> float:
    """Bytes that one more picture needs, between the two largest batches."""
    less, more = sorted(found)[-2:]
    return (found[more][key] - found[less][key]) / (more - less)


def extrapolated(found: dict[int, dict[str, float]], key: str) -> float:
    """Gigabytes of a batch of `WANTED`."""
    most = max(found)
    return round((found[most][key] + (WANTED - most) * slope(found, key)) / GIGABYTE, 2)


def measure(batch: int, recompute: bool) -> dict[str, float]:
    """Peak bytes of tensors and process, from a process of its own."""
    arguments = [sys.executable, "-m", "tools.results.train_memory", str(batch), str(recompute).lower()]
    done = subprocess.run(arguments, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def child(size: int, recompute: str) -> None:
    """Two steps of one batch size; prints `measure`'s document."""
    step = OneStep(size, [f"training.recompute={recompute}"])
    step()
    state = [value for values in step.optimiser.state.values() for value in values.values() if torch.is_tensor(value)]
    module = step.module
    standing = [*module.parameters(), *(part.grad for part in module.parameters()), *module.buffers(), *state]
    before = sum(tensor.nbytes for tensor in standing if tensor is not None) + step.batch.pictures.nbytes
    process = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"tensors": before + peak_of(step), "process": process}))


def peak_of(step: Any) -> int:
    """The largest number of bytes that were allocated and not yet released while a function ran."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        step()
    events = [event for event in profiler.profiler.kineto_results.events() if event.name() == "[memory]"]
    now = most = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        now += event.nbytes()
        most = max(most, now)
    return most


if __name__ == "__main__":
    if len(sys.argv) == 3:
        child(int(sys.argv[1]), sys.argv[2])
    else:
        main()
