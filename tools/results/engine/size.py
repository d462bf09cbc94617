"""Our own engine: size of its code, time to load, memory: python -m tools.results.engine.size."""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from nanoedge.bundle import FilePrecision, load_bundle
from nanoedge.runtime.detector import Detector

from tools.results.engine.networks import BASE, network_bundle
from tools.results.executables import build_executables
from tools.results.figures import Figure, at_most, publish

LOADS, PROCESSES = 200, 41
FOLDERS = ("src/native", "src/engines/native")
LARGEST_CODE, LONGEST_LOAD, LARGEST_MEMORY = 600, 20, 25  # KB, ms, MB
PRECISIONS: tuple[FilePrecision, ...] = get_args(FilePrecision)


def main() -> None:
    """Build the executables, then weigh and time."""
    build = build_executables()
    compiled = build / "CMakeFiles" / "nanoedge.dir"
    objects = sorted(file for folder in FOLDERS for file in (compiled / folder).rglob("*.o"))
    sizes = dict(zip(objects, code_sizes(objects), strict=True))
    kernels = sum(size for file, size in sizes.items() if file.parent.name == "kernels")
    figures = [
        at_most("code and constants of the engine", kilobytes(sum(sizes.values())), LARGEST_CODE, "KB"),
        Figure("of these: kernels of all instruction sets", kilobytes(kernels), "KB"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        network = network_bundle(Path(folder), BASE, "native")
        bundle = load_bundle(network.bundle)
        for precision in PRECISIONS:
            size = sum(bundle.manifest.files[name].size for name in bundle.entry("native", precision).files)
            figures.append(Figure(f"{precision}: file of {network.title}", kilobytes(size), "KB"))
            loads = [load_milliseconds(network.bundle, precision) for _ in range(LOADS)]
            fresh = [bench(build, network.bundle, precision, 1)["rows"][0]["load_ms"] for _ in range(PROCESSES)]
            memory = bench(build, network.bundle, precision, 100)["peak_megabytes"] * 2**20 / 1e6
            figures += [
                at_most(f"{precision}: loading, again and again in one process", median(loads), LONGEST_LOAD, "ms"),
                at_most(f"{precision}: loading in a fresh process", median(fresh), LONGEST_LOAD, "ms"),
                at_most(f"{precision}: peak memory of nanoedge-bench", round(memory, 1), LARGEST_MEMORY, "MB"),
            ]
    publish(
        figures,
        f"{network.title} on one thread; code and constants as `size` counts them in the objects of "
        f"{' and '.join(FOLDERS)} (text and data), before the linker leaves out what nothing needs; loading is all of "
        f"`Detector`: reading, checking hashes and every number, packing weights; medians of {LOADS} from Python, "
        f"and of {PROCESSES} of nanoedge-bench; files in the system's cache; VmHWM is that after 100 frames; "
        "1 KB is 1,000 bytes",
    )


def code_sizes(objects: Sequence[Path]) -> list[int]:
    """Bytes of each object file that go into a program: code, constants, variables with a value."""
    done = subprocess.run(["size", *map(str, objects)], check=True, capture_output=True, text=True)
    return parse_sizes(done.stdout)


def parse_sizes(table: str) -> list[int]:
    """Text and data of each line of `size`, behind its heading."""
    return [sum(int(word) for word in line.split()[:2]) for line in table.splitlines()[1:]]


def load_milliseconds(bundle: Path, precision: FilePrecision) -> float:
    """One detector, made and thrown away."""
    loaded = load_bundle(bundle)
    started = time.perf_counter()
    Detector(loaded, "native", 1, precision=precision)
    return (time.perf_counter() - started) * 1000


def bench(build: Path, bundle: Path, precision: str, rounds: int) -> dict[str, Any]:
    """The document of nanoedge-bench with our engine alone."""
    words = [build / "apps" / "nanoedge-bench", bundle, "--engine", "native", "--precision", precision]
    words += ["--threads", "1", "--rounds", str(rounds), "--json"]
    done = subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def median(values: Sequence[float]) -> float:
    """Rounded."""
    return round(statistics.median(values), 2)


def kilobytes(size: int) -> float:
    """Of 1,000 bytes."""
    return round(size / 1000, 1)


if __name__ == "__main__":
    main()
