"""How long whole commands take: python -m tools.results.commands."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools.results.figures import Figure, at_most, nanoedge, publish, shared_folder

RUNS = 7
IMPORTS_TORCH = """
import sys
from nanoedge.cli.main import app
try:
    app(sys.argv[1:])
except SystemExit:
    pass
print("torch" in sys.modules, file=sys.stderr)
"""


def seconds(*arguments: str | Path) -> float:
    """Median wall time of the installed command, after one run that is not counted."""
    command = [str(Path(sys.executable).with_name("nanoedge")), *map(str, arguments)]
    times = []
    for number in range(-1, RUNS):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        if number >= 0:
            times.append(time.perf_counter() - started)
    return round(statistics.median(times), 3)


def imports_torch(*arguments: str | Path) -> bool:
    """Whether the command loads torch."""
    command = [sys.executable, "-c", IMPORTS_TORCH, *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stderr.strip().splitlines()[-1] == "True"


def main() -> None:
    """`--help`, `detect` on one picture with each engine, `export --target all` of Plus-m 320."""
    shared = shared_folder()
    name = "nanodet-plus-m_320"
    picture = sorted((shared / "data" / "coco_open300" / "images").iterdir())[0]
    figures = [at_most("nanoedge --help, whole process", seconds("--help"), 0.3, "s")]
    with tempfile.TemporaryDirectory() as folder:
        checkpoint, bundle = Path(folder) / f"{name}.ckpt", Path(folder) / f"{name}.nanoedge"
        source = shared / "weights" / "nanodet-plus" / f"{name}.ckpt"
        nanoedge("import-nanodet", source, "--config", name, "--out", checkpoint)
        started = time.perf_counter()
        nanoedge("export", checkpoint, "--target", "all", "--out", bundle)
        figures.append(
            at_most("nanoedge export --target all of Plus-m 320", round(time.perf_counter() - started, 1), 60, "s")
        )
        for engine in ("auto", "ncnn", "openvino", "onnx"):
            taken = seconds("detect", bundle, picture, "--engine", engine)
            figures.append(at_most(f"nanoedge detect on one picture, whole process, {engine}", taken, 1.5, "s"))
        loaded = imports_torch("detect", str(bundle), str(picture))
        figures.append(Figure("nanoedge detect loads torch", "yes" if loaded else "no", "", "no", not loaded))
    publish(figures, f"wall time, medians of {RUNS} runs after one that is not counted; the export runs once")


if __name__ == "__main__":
    main()
