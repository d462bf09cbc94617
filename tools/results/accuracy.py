"""COCO AP of NanoDet-Plus-m in PyTorch, ncnn, OpenVINO and ONNX Runtime: python -m tools.results.accuracy 320|416."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tools.results.figures import Figure, at_most, nanoedge, publish, shared_folder, within

RANGES = {"320": (0.236, 0.242), "416": (0.267, 0.276)}
LARGEST_SPREAD = 0.002


def main(size: str) -> None:
    """Import, export, evaluate each engine on `coco_open300`."""
    shared = shared_folder()
    data = shared / "data" / "coco_open300"
    truth = ("--annotations", data / "annotations" / "instances_open300.json", "--images", data / "images")
    name = f"nanodet-plus-m_{size}"
    with tempfile.TemporaryDirectory() as folder:
        checkpoint, bundle = Path(folder) / f"{name}.ckpt", Path(folder) / f"{name}.nanoedge"
        nanoedge(
            "import-nanodet",
            shared / "weights" / "nanodet-plus" / f"{name}.ckpt",
            "--config",
            name,
            "--out",
            checkpoint,
        )
        exported = nanoedge("export", checkpoint, "--target", "all", "--out", bundle)
        results = {"torch": nanoedge("eval", checkpoint, *truth)}
        for entry in exported["engines"]:
            results[entry["engine"]] = nanoedge("eval", bundle, *truth, "--engine", entry["engine"])
    figures: list[Figure] = []
    for engine, result in results.items():
        figures.append(within(f"AP, {engine}", result["AP"], *RANGES[size]))
        figures.append(Figure(f"AP50, {engine}", result["AP50"]))
    values = [result["AP"] for result in results.values()]
    figures.append(
        at_most("largest difference of AP between two engines", round(max(values) - min(values), 5), LARGEST_SPREAD)
    )
    for verdict in exported["parity"]["engines"]:
        figures.append(
            at_most(f"raw output difference at export, {verdict['engine']}", round(verdict["raw_difference"], 8), 0.001)
        )
    publish(figures, "one evaluation of each engine on the 300 pictures of coco_open300")


if __name__ == "__main__":
    main(sys.argv[1])
