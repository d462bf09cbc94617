"""On a GPU, where there is one: every precision trains, and what a CPU does differently is right there too."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from nanoedge.config.load import load_config
from nanoedge.training.train import train
from tests.training.conftest import curve

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that PyTorch can use")


@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 0.02), ("bf16", 0.1), ("fp16", 0.1)])
def test_a_gpu_learns_what_a_cpu_learns(
    tmp_path: Path, brief_settings: list[str], precision: str, tolerance: float
) -> None:
    for accelerator, chosen in (("cpu", "fp32"), ("gpu", precision)):
        settings = [f"training.accelerator={accelerator}", f"training.precision={chosen}", "training.epochs=1"]
        train(load_config("demo", [*brief_settings, *settings]), tmp_path / accelerator, quiet=True)
    cpu, gpu = ([float(loss) for _, _, loss, _ in curve(tmp_path / name)] for name in ("cpu", "gpu"))
    assert gpu == pytest.approx(cpu, rel=tolerance)
