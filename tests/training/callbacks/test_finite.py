"""What is no number ends a run, which then tells what it knows."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from nanoedge.config.load import load_config
from nanoedge.errors import TrainingError
from nanoedge.training import averaging
from nanoedge.training.checkpoints import load_checkpoint
from nanoedge.training.module import DetectorModule
from nanoedge.training.train import resume, train
from tests.training.conftest import assert_same_run, curve


def refuse_constants(text: str) -> Any:
    """JSON has no NaN."""
    raise ValueError(text)


def test_a_loss_that_is_not_a_number_stops_with_the_pictures_and_the_state_before_the_step(
    tmp_path: Path, brief_settings: list[str]
) -> None:
    run = tmp_path / "run"
    settings = [*brief_settings, "training.learning_rate=1e25", "training.gradient_clip=1e30"]
    with pytest.raises(
        TrainingError, match=r"(?s)loss became (nan|inf) in epoch 1, step \d+; pictures: .*\.jpg.*failed"
    ) as told:
        train(load_config("demo", settings), run, quiet=True)
    facts = json.loads((run / "failed.json").read_text(), parse_constant=refuse_constants)
    assert len(facts["pictures"]) == 4
    assert all(name in str(told.value) for name in facts["pictures"])
    assert facts["losses"][0] in ("nan", "inf")
    assert facts["terms"]["train/loss_step"] in ("nan", "inf")
    state = load_checkpoint(run / facts["checkpoint"])
    assert all(torch.isfinite(tensor).all() for name, tensor in state.weights.items() if "running" in name)
    assert load_checkpoint(run / "checkpoints" / "last.ckpt").epoch == 0
    assert not (run / "checkpoints" / "best.ckpt").exists()


def test_a_gradient_stops_with_the_pictures_of_all_batches_and_the_saved_state_goes_on_exactly(
    tmp_path: Path, whole_run: Path, brief_settings: list[str], monkeypatch
) -> None:
    """Half the batch, twice added up; the gradient of the sixth step is spoilt by the test."""
    settings = [*brief_settings, "training.batch_size=2", "training.accumulate=2"]
    whole, run = tmp_path / "whole", tmp_path / "run"
    train(load_config("demo", settings), whole, quiet=True)

    def spoil(self: DetectorModule) -> None:
        if self.trainer.global_step == 5:
            next(self.model.parameters()).grad[0, 0, 0, 0] = math.inf

    with monkeypatch.context() as patched:
        patched.setattr(DetectorModule, "on_after_backward", spoil, raising=False)
        with pytest.raises(TrainingError, match=r"gradient became inf in epoch 2, step 6; pictures: .*\.jpg"):
            train(load_config("demo", settings), run, quiet=True)
    facts = json.loads((run / "failed.json").read_text())
    assert len(facts["pictures"]) == 4
    assert facts["gradients_not_finite"] == ["model.backbone.stem.conv.weight"]
    assert load_checkpoint(run / "checkpoints" / "last.ckpt").epoch == 1
    shutil.copy(run / "checkpoints" / "failed.ckpt", run / "checkpoints" / "last.ckpt")
    resume(run, quiet=True)
    assert_same_run(whole, run)
    assert [row[:2] for row in curve(whole)] == [row[:2] for row in curve(whole_run)]


def test_averaged_weights_that_are_no_numbers_are_not_evaluated(
    tmp_path: Path, brief_settings: list[str], monkeypatch
) -> None:
    honest = averaging._average

    def spoil(decay: float, averaged: Any, current: Any, updates: Any) -> None:
        honest(decay, averaged, current, updates)
        for weight in averaged:
            if weight.is_floating_point() and weight.dim() == 4:
                weight[0, 0, 0, 0] = math.nan

    monkeypatch.setattr(averaging, "_average", spoil)
    run = tmp_path / "run"
    with pytest.raises(
        TrainingError, match=r"averaged weights are not finite in the evaluation after epoch 1\. .*failed"
    ):
        train(load_config("demo", brief_settings), run, quiet=True)
    assert json.loads((run / "failed.json").read_text())["weights_not_finite"]
    assert not (run / "checkpoints" / "best.ckpt").exists()


def test_an_output_that_is_no_number_names_the_validation_picture(
    tmp_path: Path, brief_settings: list[str], monkeypatch
) -> None:
    calls = []

    def spoil(self: torch.nn.Module, arguments: Any, output: torch.Tensor) -> None:
        if not torch.is_inference_mode_enabled():
            return
        calls.append(1)
        if len(calls) == 3:
            output[0, 0, 0] = math.nan

    begin = DetectorModule.on_validation_epoch_start

    def hook(self: DetectorModule) -> None:
        begin(self)
        self.model.register_forward_hook(spoil)

    monkeypatch.setattr(DetectorModule, "on_validation_epoch_start", hook)
    run = tmp_path / "run"
    with pytest.raises(
        TrainingError, match=r"output is not finite in the evaluation after epoch 1\. Pictures: \S+\.jpg\. "
    ):
        train(load_config("demo", brief_settings), run, quiet=True)
    assert not (run / "checkpoints" / "best.ckpt").exists()
