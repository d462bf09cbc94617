"""What every benchmark prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent.parent
NOT_HERE = 77
"""Exit status of a benchmark that needs hardware which is not there."""


@dataclass(frozen=True)
class Figure:
    """One measured value, what it should reach (in words), and whether it does; `None` where nothing is demanded."""

    name: str
    value: float | str
    unit: str = ""
    reach: str = ""
    reached: bool | None = None


def publish(figures: list[Figure], method: str) -> None:
    """Print the document that `tools.results` keeps."""
    print(json.dumps({"method": method, "figures": [asdict(figure) for figure in figures]}, indent=2))


def at_most(name: str, value: float, limit: float, unit: str = "") -> Figure:
    """A figure that must not be larger than a limit."""
    return Figure(name, value, unit, f"≤ {limit:g}{f' {unit}' if unit else ''}", value <= limit)


def at_least(name: str, value: float, limit: float, unit: str = "") -> Figure:
    """A figure that must not be smaller than a limit."""
    return Figure(name, value, unit, f"≥ {limit:g}{f' {unit}' if unit else ''}", value >= limit)


def within(name: str, value: float, low: float, high: float, unit: str = "") -> Figure:
    """A figure that must lie in a range."""
    return Figure(name, value, unit, f"{low:g} to {high:g}", low <= value <= high)


def shared_folder() -> Path:
    """The folder of real data and weights; ends the program when it is not there."""
    folder = Path(os.environ.get("NANOEDGE_SHARED", REPOSITORY.parent / "shared"))
    if not (folder / "weights").is_dir():
        sys.exit(f"NANOEDGE_SHARED (now {folder}) does not hold the data and weights that this benchmark needs.")
    return folder


def nanoedge(*arguments: str | Path) -> Any:
    """Run the command line in a process of its own with `--json` and return its document."""
    command = [sys.executable, "-m", "nanoedge", *map(str, arguments), "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with status {done.returncode}")
    return json.loads(done.stdout)
