"""The deterministic mode."""

from __future__ import annotations

from pathlib import Path

import torch
from nanoedge.config.load import load_config
from nanoedge.training.train import train
from tests.training.conftest import assert_same_run


def test_two_deterministic_runs_with_the_same_threads_are_equal_to_the_last_bit(
    tmp_path: Path, brief_settings: list[str], monkeypatch
) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")  # set by the run; taken back with the rest
    settings = [*brief_settings, "training.epochs=1", "training.deterministic=true", "training.threads=2"]
    threads = torch.get_num_threads()
    try:
        for name in ("one", "other"):
            train(load_config("demo", settings), tmp_path / name, quiet=True)
            assert torch.are_deterministic_algorithms_enabled()
    finally:
        torch.use_deterministic_algorithms(False)
        torch.set_num_threads(threads)
    assert_same_run(tmp_path / "one", tmp_path / "other")
