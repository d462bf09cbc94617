"""Times of our own engine that were taken on another machine: python -m tools.results.engine.elsewhere FOLDER.

`times_elsewhere.sh` makes the folder there; it needs nothing but nanoedge-bench.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from tools.results.engine.latency import Row, Run, Times
from tools.results.engine.limits import NATIVE, NATIVE_INT8, kind_of
from tools.results.engine.networks import BASE, NAMES, Measured
from tools.results.engine.speed import MASKS, figures_of
from tools.results.engine.threads import LEAST_GAIN, gain_of
from tools.results.figures import NOT_HERE, Figure, at_least, publish


def main(folder: Path) -> None:
    """Figures as those of the benchmarks that run here."""
    kind = kind_of(cpu_flags_of((folder / "lscpu.txt").read_text()))
    found = {kind: runs_of(folder, "best")}
    found |= {each: runs for each, name in MASKS.items() if each != kind and (runs := runs_of(folder, name))}
    figures = figures_of(Measured(BASE, NAMES[BASE], folder), kind, found)
    threads = runs_of(folder, "threads")
    for row in (NATIVE, NATIVE_INT8):
        figures.append(at_least(f"{row.title}: times faster on two threads", gain_of(threads, row), LEAST_GAIN))
    figures.append(Figure("processes of each kind", len(found[kind])))
    publish(
        figures,
        "taken by `tools/results/engine/times_elsewhere.sh` with nanoedge-bench on a machine that has them; "
        f"one thread, a frame of 640x480; medians of {len(found[kind])} processes, in each all rows in turn round by "
        "round; a ratio is the median of the processes' ratios; kernels for an older CPU are what `NANOEDGE_KERNELS` "
        f"names; the newest instructions there: {kind}",
    )


def cpu_flags_of(table: str) -> frozenset[str]:
    """The flags in what lscpu prints."""
    found = re.search(r"^Flags:\s*(.*)$", table, re.MULTILINE)
    return frozenset(found[1].split()) if found else frozenset()


def runs_of(folder: Path, name: str) -> list[Run]:
    """The processes with some kernels. In int8 only what is calculated in whole numbers counts, once."""
    return [
        {
            Row(row["engine"], row["precision"], row["compute"], row["threads"]): Times(
                row["forward"]["p50"], row["total"]["p50"]
            )
            for row in json.loads(file.read_text())["rows"]
            if row["precision"] == "float" or row["compute"] == "fp32"
        }
        for file in sorted(folder.glob(f"{name}-*.json"))
    ]


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(NOT_HERE)
    main(Path(sys.argv[1]))
