"""Ctrl-C at an awkward moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from nanoedge.config.load import load_config
from nanoedge.errors import TrainingInterruptedError
from nanoedge.training.checkpoints import load_checkpoint
from nanoedge.training.module import DetectorModule
from nanoedge.training.train import resume, train
from tests.training.conftest import assert_same_run, curve


@pytest.mark.parametrize(("batch", "epoch"), [(3, 2), (1, 1)], ids=["an epoch's last step", "the middle of an epoch"])
def test_ctrl_c_saves_the_exact_state_and_the_whole_curve(
    tmp_path: Path, whole_run: Path, brief_settings: list[str], monkeypatch, batch: int, epoch: int
) -> None:
    def press(self: DetectorModule, of: Any, number: int) -> None:
        if (self.current_epoch, number) == (1, batch):
            os.kill(os.getpid(), signal.SIGINT)

    run = tmp_path / "run"
    with monkeypatch.context() as patched:
        patched.setattr(DetectorModule, "on_train_batch_start", press)
        with pytest.raises(TrainingInterruptedError, match="--resume"):
            train(load_config("demo", brief_settings), run, quiet=True)
    assert load_checkpoint(run / "checkpoints" / "last.ckpt").epoch == epoch
    resume(run, ["data.workers=1"], quiet=True)
    assert_same_run(whole_run, run)


def test_ctrl_c_in_a_terminal_reaches_the_loading_processes_too_and_leaves_no_traceback(
    tmp_path: Path, brief_settings: list[str]
) -> None:
    run = tmp_path / "run"
    settings = [*brief_settings, "data.workers=2", "training.epochs=500", "training.evaluate_every=500"]
    settings += ["training.keep_every=0"]
    command = [sys.executable, "-m", "nanoedge", "train", "demo", *settings, "--out", str(run)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    end = time.monotonic() + 300
    while not (run / "metrics.csv").exists() or len(curve(run)) < 1:
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "--resume" in errors.splitlines()[-1]
    assert "Traceback" not in errors
