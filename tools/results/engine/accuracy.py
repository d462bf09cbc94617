"""What int8 costs in COCO AP: python -m tools.results.engine.accuracy."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from tools.results.engine.networks import export_with_int8
from tools.results.engine.pictures import Parts, split
from tools.results.figures import Figure, at_most, nanoedge, publish, shared_folder

SIZES = ("320", "416")
LARGEST_DROP = 0.002


def main() -> None:
    """Calibrate on a third of `coco_open300`, evaluate float and int8 on the rest."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        parts = split(Path(folder))
        for size in SIZES:
            found = evaluate(Path(folder), size, parts)
            floats, bytes_ = found["float"], found["int8"]
            for precision, result in found.items():
                figures.append(Figure(f"Plus-m {size}, native {precision}: AP", round(result["AP"], 5)))
                figures.append(Figure(f"Plus-m {size}, native {precision}: AP50", round(result["AP50"], 5)))
            drop = round(floats["AP"] - bytes_["AP"], 5)
            figures.append(at_most(f"Plus-m {size}: drop of AP", drop, LARGEST_DROP))
    publish(
        figures,
        f"int8 calibrated on {parts.calibration_pictures} pictures of coco_open300, each third by name; float and int8 "
        f"measured on the {parts.other_pictures} others, once. Rounding alone moves such a figure by 0.0015 (standard "
        "deviation): what many int8 networks lose on average stands in docs/engine.md",
    )


def evaluate(folder: Path, size: str, parts: Parts) -> dict[str, dict[str, Any]]:
    """The result of `nanoedge eval` by precision."""
    name = f"nanodet-plus-m_{size}"
    checkpoint, bundle = folder / f"{name}.ckpt", folder / f"{name}.nanoedge"
    source = shared_folder() / "weights" / "nanodet-plus" / f"{name}.ckpt"
    nanoedge("import-nanodet", source, "--config", name, "--out", checkpoint)
    export_with_int8(checkpoint, parts.calibration, bundle, "native")
    truth = ("--annotations", parts.annotations, "--images", parts.images)
    return {
        precision: nanoedge("eval", bundle, *truth, "--engine", "native", "--precision", precision)
        for precision in ("float", "int8")
    }


if __name__ == "__main__":
    main()
