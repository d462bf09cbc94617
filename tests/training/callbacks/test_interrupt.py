"""Ctrl-C at an awkward moment."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from nanoedge.config.load import load_config
from nanoedge.errors import TrainingInterruptedError
from nanoedge.training.checkpoints import load_checkpoint
from nanoedge.training.module import DetectorModule
from nanoedge.training.train import resume, train
from tests.training.conftest import assert_same_run


@pytest.mark.parametrize(("batch", "epoch"), [(3, 1), (1, 0)], ids=["an epoch's last step", "the middle of an epoch"])
def test_ctrl_c_saves_the_exact_state_and_the_whole_curve(
    tmp_path: Path, whole_run: Path, brief_settings: list[str], monkeypatch, batch: int, epoch: int
) -> None:
    def press(self: DetectorModule, of: Any, number: int) -> None:
        if number == batch:
            os.kill(os.getpid(), signal.SIGINT)

    run = tmp_path / "run"
    with monkeypatch.context() as patched:
        patched.setattr(DetectorModule, "on_train_batch_start", press)
        with pytest.raises(TrainingInterruptedError, match="--resume"):
            train(load_config("demo", brief_settings), run, quiet=True)
    assert load_checkpoint(run / "checkpoints" / "last.ckpt").epoch == epoch
    resume(run, quiet=True)
    assert_same_run(whole_run, run)
