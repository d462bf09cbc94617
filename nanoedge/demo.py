"""`nanoedge demo`: everything once, on drawn data, in a few minutes."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nanoedge.benchmark.latency import measure_latency
from nanoedge.config.load import load_config
from nanoedge.data.readers.coco import read_coco
from nanoedge.data.synthetic import write_synthetic_set
from nanoedge.errors import InputError
from nanoedge.evaluation.bundles import evaluate_bundle
from nanoedge.export.export import export_bundle
from nanoedge.pictures import read_picture, write_picture
from nanoedge.runtime.detector import Detector
from nanoedge.runtime.drawing import contact_sheet, draw_detections
from nanoedge.training.evaluate import evaluate_checkpoint
from nanoedge.training.train import train

Say = Callable[[str], None]

PICTURES = {"train": 600, "val": 60, "test": 60}
PICTURE_SIZE = (320, 240)
SHEET_PICTURES, SHEET_COLUMNS = 12, 4


@dataclass(frozen=True)
class DemoResult:
    """Where the demo's results lie, and what each engine reached on pictures that training never saw.

    Attributes:
        bundle: the exported bundle.
        sheet: annotated pictures on one sheet.
        engines: rows with `engine`, `AP`, `AP50` and, but for PyTorch, latency as of `measure_latency`.
        parity: the export's report.
        size: width and height of the pictures.
        seconds: the whole demo's time.
    """

    bundle: Path
    sheet: Path
    engines: list[dict[str, Any]]
    parity: dict[str, Any]
    size: tuple[int, int]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "bundle": str(self.bundle),
            "sheet": str(self.sheet),
            "engines": self.engines,
            "parity": self.parity,
            "seconds": round(self.seconds, 1),
        }


def run_demo(out: Path, force: bool = False, quiet: bool = False, say: Say = lambda text: None) -> DemoResult:
    """Draw, train, export, compare.

    Args:
        out: folder to make.
        force: replace the demo that is there.
        quiet: no progress display.
        say: receives sentences for the user.

    Raises:
        InputError: when the folder exists.
        NanoEdgeError: when a step fails, a disagreement of the engines included.
    """
    started = time.monotonic()
    _make_place(out, force)
    say(f"1/4 drawing {sum(PICTURES.values())} pictures")
    annotations = write_synthetic_set(out / "data", PICTURES, PICTURE_SIZE)
    say("2/4 training (about three minutes on two cores)")
    config = load_config("demo", [f"data.root={out / 'data'}"])
    run = train(config, out / "run", quiet=quiet, say=say)
    say("3/4 exporting to every engine and proving parity")
    bundle, images = out / "demo.nanoedge", out / "data" / "images"
    exported = export_bundle(run.best, ["all"], bundle, licence="Apache-2.0", say=say)
    say("4/4 measuring on pictures that training never saw")
    rows = [evaluate_checkpoint(run.best, annotations["test"], images).as_json()]
    rows += [
        evaluate_bundle(bundle, annotations["test"], images, entry.engine).as_json()
        for entry in exported.manifest.engines
    ]
    detectors = [Detector(bundle, entry.engine, threads=1) for entry in exported.manifest.engines]
    index = read_coco(annotations["test"], images)
    pictures = [read_picture(sample.path) for sample in index.samples[:SHEET_PICTURES]]
    for row, latency in zip(rows[1:], measure_latency(detectors, pictures[0]), strict=True):
        row.update(latency)
    sheet = out / "found.jpg"
    annotated = [draw_detections(picture, detectors[0](picture)) for picture in pictures]
    write_picture(sheet, contact_sheet(annotated, SHEET_COLUMNS, PICTURE_SIZE))
    return DemoResult(bundle, sheet, rows, exported.parity, PICTURE_SIZE, time.monotonic() - started)


def _make_place(out: Path, force: bool) -> None:
    if out.exists():
        if not force:
            raise InputError(f"{out} exists already; choose another --out or replace it with --force.")
        if not (out / "data" / "synthetic.json").is_file():
            raise InputError(f"{out} does not hold an earlier demo; it is not replaced even with --force.")
        shutil.rmtree(out)
    out.mkdir(parents=True)
