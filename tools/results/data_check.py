"""What `nanoedge data check` finds: python -m tools.results.data_check."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from tools.results.figures import Figure, at_least, at_most, publish, shared_folder, within
from tools.results.planted import PLANT, Planter, found_at, split_copy

ROUNDS = 5
VAL = 60
BCCD_DEFECTS = {"zero-size-box": 2, "duplicate-box": 7, "near-duplicate": 1}
LIMIT = 10.0  # s


def main() -> None:
    """BCCD's known defects; twelve kinds of damage in a copy of coco_open300, five rounds."""
    data = shared_folder() / "data"
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        problems = check(data / "bccd")
        seconds.append(time.perf_counter() - started)
    kinds = Counter(problem["kind"] for problem in problems)
    figures = [within(f"BCCD: {kind}", kinds.pop(kind, 0), count, count) for kind, count in BCCD_DEFECTS.items()]
    figures.append(at_most("BCCD: false findings", sum(kinds.values()), 0))
    figures.append(at_most("BCCD: the whole check", round(median(seconds), 1), LIMIT, "s"))
    found = false = 0
    for number in range(ROUNDS):
        with tempfile.TemporaryDirectory() as place:
            truth, seen, before = one_round(data / "coco_open300", Path(place) / "set", number)
        found += len(truth & seen)
        false += len(seen - truth - before)
    planted = ROUNDS * len(PLANT)
    figures.append(at_least(f"planted defects found, of {planted}", found, planted))
    figures.append(at_most("false findings beside them", false, 0))
    figures.append(Figure("findings in the undamaged copy", len(before)))
    publish(figures, f"BCCD: median of 3; {len(PLANT)} kinds, one each, in {ROUNDS} copies of coco_open300 (240 + 60)")


def one_round(source: Path, folder: Path, seed: int) -> tuple[set[Any], set[Any], set[Any]]:
    """What was planted, what was found, and what was found before planting."""
    split_copy(source / "annotations" / "instances_open300.json", source / "images", folder, VAL)
    before = {found_at(problem) for problem in check(folder)}
    planter = Planter(folder, np.random.default_rng(seed), {name for _, name in before})
    truth = {planter.plant(kind) for kind in PLANT}
    planter.write()
    return truth, {found_at(problem) for problem in check(folder)}, before


def check(folder: Path) -> list[dict[str, Any]]:
    """The problems that the command finds; it ends with 0 or 1."""
    command = [sys.executable, "-m", "nanoedge", "data", "check", str(folder), "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"{' '.join(command)} ended with status {done.returncode}")
    problems: list[dict[str, Any]] = json.loads(done.stdout)["problems"]
    return problems


if __name__ == "__main__":
    main()
