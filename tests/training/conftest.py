"""A run that was never disturbed, whose state after each epoch is kept: what stopped runs are compared with."""

from __future__ import annotations

import csv
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from nanoedge.config.load import load_config
from nanoedge.data.synthetic import write_synthetic_set
from nanoedge.training.checkpoints import read_tensor_file
from nanoedge.training.train import train
from tests.conftest import made_once


@pytest.fixture(scope="session")
def brief_settings(common: Path, small_settings: list[str]) -> list[str]:
    """Three epochs of four steps of four pictures; each epoch is evaluated and kept."""
    place = common / "few-shapes"
    made_once(place, lambda: write_synthetic_set(place, {"train": 16, "val": 4}, (160, 120), seed=3))
    more = ["training.batch_size=4", "training.epochs=3", "training.evaluate_every=1", "training.keep_every=1"]
    return [*small_settings, f"data.root={place}", *more, "training.threads=1"]


@pytest.fixture(scope="session")
def whole_run(common: Path, brief_settings: list[str]) -> Path:
    """The undisturbed run."""
    place = common / "whole-run"
    return made_once(place, lambda: train(load_config("demo", brief_settings), place, quiet=True))


@pytest.fixture
def stopped_after(whole_run: Path, tmp_path: Path) -> Callable[[int], Path]:
    """A copy of the run as a kill after an epoch left it."""

    def copy(epoch: int) -> Path:
        run = tmp_path / f"stopped-after-{epoch}"
        shutil.copytree(whole_run, run)
        shutil.copy(run / "checkpoints" / f"epoch-{epoch}.ckpt", run / "checkpoints" / "last.ckpt")
        return run

    return copy


def assert_same_run(one: Path, other: Path) -> None:
    """The same loss curve, and after the last epoch the same weights and averages to the last bit."""
    assert curve(one) == curve(other)
    first, second = (read_tensor_file(run / "checkpoints" / "last.ckpt") for run in (one, other))
    for part in ("state_dict", "current_model_state"):
        assert first[part].keys() == second[part].keys()
        for name, tensor in first[part].items():
            assert torch.equal(tensor, second[part][name]), name


def curve(run: Path) -> list[tuple[str, ...]]:
    """Epoch, step, loss and AP of each row."""
    rows = csv.DictReader((run / "metrics.csv").open())
    return [tuple(row[name] for name in ("epoch", "step", "train_loss", "val_AP")) for row in rows]


def killed(arguments: list[str], moment: Callable[[], bool]) -> None:
    """Run Python with these arguments and kill it (SIGKILL) as soon as `moment` holds."""
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    end = time.monotonic() + 300
    while not moment():
        assert process.poll() is None, process.communicate()[1].decode()
        assert time.monotonic() < end, "the moment never came"
        time.sleep(0.002)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
