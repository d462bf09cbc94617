"""A run that no longer gets better ends by itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from nanoedge.config.load import load_config
from nanoedge.errors import InputError
from nanoedge.training.train import resume, train
from tests.training.conftest import assert_same_run


def test_a_run_stops_early_also_when_it_was_interrupted_and_is_finished_then(
    tmp_path: Path, brief_settings: list[str]
) -> None:
    """A learning rate that teaches nothing: the AP stays 0, so two evaluations after the first are in vain."""
    settings = [*brief_settings, "training.epochs=9", "training.early_stopping=2"]
    settings += ["training.learning_rate=1e-12", "training.final_learning_rate=1e-13"]
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    said: list[str] = []
    result = train(load_config("demo", settings), whole, quiet=True, say=said.append)
    assert (result.epochs, result.stopped_early) == (3, True)
    assert result.as_json()["stopped_early"] is True
    assert said[-1].startswith("stopped early, after epoch 3 of 9")
    shutil.copytree(whole, stopped)
    shutil.copy(stopped / "checkpoints" / "epoch-2.ckpt", stopped / "checkpoints" / "last.ckpt")
    assert resume(stopped, quiet=True).epochs == 3
    assert_same_run(whole, stopped)
    with pytest.raises(InputError, match=r"finished: it stopped early, after epoch 3 of 9.*--weights"):
        resume(stopped, quiet=True)
