"""Our own engine on one and on two threads: python -m tools.results.engine.threads [ROUNDS [RUNS]]."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools.results.engine.latency import Row, Run, measure, median_of
from tools.results.engine.limits import NATIVE, NATIVE_INT8
from tools.results.engine.networks import BASE, network_bundle
from tools.results.figures import NOT_HERE, Figure, at_least, publish

ROUNDS, RUNS = 200, 5
LEAST_GAIN = 1.6


def main(rounds: int, runs: int) -> None:
    """Float and int8, one and two threads, round by round in turn."""
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit(NOT_HERE)
    with tempfile.TemporaryDirectory() as folder:
        network = network_bundle(Path(folder), BASE, "native")
        found = [measure(network.bundle, ("native",), rounds, threads=(1, 2)) for _ in range(runs)]
    times = median_of(found)
    figures: list[Figure] = []
    for one in (NATIVE, NATIVE_INT8):
        two = one._replace(threads=2)
        figures += [
            Figure(f"{one.title}: forward on one thread", round(times[one].forward, 2), "ms"),
            Figure(f"{one.title}: forward on two threads", round(times[two].forward, 2), "ms"),
            at_least(f"{one.title}: times faster on two threads", gain_of(found, one), LEAST_GAIN),
        ]
    publish(
        figures,
        f"{network.title}, forward only; medians of {runs} processes, in each the medians of {rounds} rounds with one "
        "and two threads in turn; times faster: the median of the processes' ratios",
    )


def gain_of(runs: Sequence[Run], one: Row) -> float:
    """How many times faster a row is on two threads, the median of the processes' ratios."""
    two = one._replace(threads=2)
    return round(statistics.median(run[one].forward / run[two].forward for run in runs), 3)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS, int(sys.argv[2]) if len(sys.argv) > 2 else RUNS)
