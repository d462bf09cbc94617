"""`nanoedge benchmark` in processes of its own, some of them with kernels of an older CPU."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

STAGES = ("forward", "total")


class Row(NamedTuple):
    """What was measured."""

    engine: str
    precision: str
    compute: str
    threads: int = 1

    @property
    def title(self) -> str:
        """For people."""
        names = {"native": "native", "openvino": "OpenVINO", "ncnn": "ncnn", "onnx": "ONNX Runtime"}
        words = [names.get(self.engine, self.engine)]
        words += [self.precision] if self.precision != "float" else []
        words += [self.compute] if self.precision == "float" or self.compute != "fp32" else []
        return " ".join(words)


class Times(NamedTuple):
    """Milliseconds: the network alone, and a frame to boxes."""

    forward: float
    total: float


Run = dict[Row, Times]
"""One process: its rows were measured in turn, round by round."""


def measure(
    bundle: Path,
    engines: Sequence[str],
    rounds: int,
    computes: Sequence[str] = ("fp32",),
    threads: Sequence[int] = (1,),
    kernels: str = "",
) -> Run:
    """One process.

    Args:
        bundle: its folder.
        engines: names.
        rounds: counted rounds, of which the medians are taken.
        computes: compute precisions; what an engine does not have is left out.
        threads: numbers of threads.
        kernels: those that our own engine shall use; empty: the best for this CPU.
    """
    command = [sys.executable, "-m", "nanoedge", "benchmark", str(bundle), "--json", "--rounds", str(rounds)]
    for option, values in (("--engine", engines), ("--compute", computes), ("--threads", threads)):
        command += [word for value in values for word in (option, str(value))]
    environment = {name: value for name, value in os.environ.items() if name != "NANOEDGE_KERNELS"}
    if kernels:
        environment["NANOEDGE_KERNELS"] = kernels
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with status {done.returncode}")
    return {
        Row(row["engine"], row["precision"], row["compute"], row["threads"]): Times(
            *(row[stage]["p50"] for stage in STAGES)
        )
        for row in json.loads(done.stdout)["rows"]
    }


def median_of(runs: Sequence[Run]) -> Run:
    """The median of each time over the processes, for the rows that all of them have."""
    common = [row for row in runs[0] if all(row in run for run in runs)]
    return {
        row: Times(*(statistics.median(run[row][stage] for run in runs) for stage in range(len(STAGES))))
        for row in common
    }


def ratio_of(runs: Sequence[Run], one: Row, other: Row) -> float | None:
    """Forward of one row to that of another, the median of the processes' ratios; `None` where a row is missing."""
    ratios = [run[one].forward / run[other].forward for run in runs if one in run and other in run]
    return round(statistics.median(ratios), 3) if ratios else None
