"""Every shipped configuration trains some steps, at 320 pixels at most, exports to all engines and passes parity."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from nanoedge.config.documents import shipped_configs
from nanoedge.config.load import load_config


@pytest.mark.slow
@pytest.mark.parametrize("name", list(shipped_configs()))
def test_a_shipped_config_trains_exports_and_agrees(name: str, tmp_path: Path, shapes: Path, nanoedge) -> None:
    settings = [
        "classes=null",
        f"data.root={shapes}",
        "data.workers=0",
        "training.epochs=1",
        "training.batch_size=2",
        "training.learning_rate=0.005",
        "training.warmup_steps=2",
        "data.train.annotations=annotations/val.json",
        "data.train.images=images",
        "data.val.annotations=annotations/val.json",
        "data.val.images=images",
        *(f"input.{side}=320" for side in ("width", "height") if getattr(load_config(name).input, side) > 320),
    ]
    run, bundle = tmp_path / "run", tmp_path / f"{name}.nanoedge"
    nanoedge("train", name, *settings, "--out", str(run))
    done = nanoedge("export", str(run / "checkpoints" / "best.ckpt"), "--target", "all", "--out", str(bundle), "--json")
    parity = json.loads(done.stdout)["parity"]
    assert [row["engine"] for row in parity["engines"]] == ["ncnn", "openvino", "onnx"]
    assert all(row["passed"] and row["raw_difference"] <= 1e-3 for row in parity["engines"])
