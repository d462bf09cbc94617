"""Every shipped configuration trains some steps on small inputs, exports to all engines and passes parity."""

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
        "training.report=false",
        "input.width=128",
        "input.height=128",
    ]
    spec = load_config(name).input
    size = f"{min(320, spec.width)}x{min(320, spec.height)}"
    run, bundle = tmp_path / "run", tmp_path / f"{name}.nanoedge"
    nanoedge("train", name, *settings, "--out", str(run))
    targets = ["--target", "all", "--input-size", size, "--out", str(bundle)]
    done = nanoedge("export", str(run / "checkpoints" / "best.ckpt"), *targets, "--json")
    parity = json.loads(done.stdout)["parity"]
    assert [row["engine"] for row in parity["engines"]] == ["ncnn", "openvino", "onnx", "native"]
    assert all(row["passed"] and row["raw_difference"] <= 1e-3 for row in parity["engines"])
