"""Frozen parts do not move, in no way; what is not frozen learns."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from nanoedge.config.load import load_config
from nanoedge.errors import ConfigError
from nanoedge.training.checkpoints import load_checkpoint, read_tensor_file
from nanoedge.training.module import DetectorModule
from nanoedge.training.starting_weights.freeze import check_freeze
from nanoedge.training.train import resume, train
from torch import nn


@pytest.mark.parametrize(
    ("frozen", "sentence"),
    [
        (
            "[backbon]",
            r"no part 'backbon'\. Did you mean 'backbone'\? Parts are backbone, backbone\.stem, .*head\.predict",
        ),
        ("[backbone.stage9]", r"no part 'backbone\.stage9'.*backbone\.stage2"),
        ("[backbone, neck, head, agm_neck, agm_head]", "nothing that is exported learns"),
        ("[backbone, neck, head]", "nothing that is exported learns"),
    ],
)
def test_a_wrong_part_is_refused_before_any_data_are_read(frozen: str, sentence: str) -> None:
    config = load_config("demo", ["data.root=/nowhere/at/all", f"training.freeze={frozen}"])
    with pytest.raises(ConfigError, match=sentence):
        train(config, quiet=True)


def test_known_parts_of_any_depth_are_taken() -> None:
    check_freeze(load_config("demo", ["training.freeze=[backbone, neck.reduce, head.stacks.0, agm_neck]"]))
    assert load_config("demo", ["training.freeze=backbone"]).training.freeze == ("backbone",)
    check_freeze(load_config("nanodet-plus-ghost_320", ["training.freeze=[backbone.stages.3]"]))


def test_a_part_is_meant_by_its_whole_name() -> None:
    module = DetectorModule(load_config("demo", ["training.freeze=[head.predict.1]"]), ("a",))
    fixed = {name for name, parameter in module.model.named_parameters() if not parameter.requires_grad}
    assert fixed == {"head.predict.1.weight", "head.predict.1.bias"}


def test_norms_of_frozen_parts_stay_in_evaluation_mode_whoever_asks() -> None:
    module = DetectorModule(load_config("demo", ["training.freeze=[backbone.stage2]"]), ("a",))
    for _ in range(2):
        modes = {part.training for part in module.model.backbone.stage2.modules() if isinstance(part, nn.BatchNorm2d)}
        others = {part.training for part in module.model.backbone.stage3.modules() if isinstance(part, nn.BatchNorm2d)}
        assert (modes, others) == ({False}, {True})
        module.eval()
        module.train()


def test_frozen_weights_are_bit_equal_after_training_and_resuming(
    tmp_path: Path, small_run: Path, small_settings: list[str]
) -> None:
    weights, run = small_run / "checkpoints" / "best.ckpt", tmp_path / "run"
    settings = [*small_settings, "training.epochs=2", "training.evaluate_every=1"]
    settings += ["training.freeze=[backbone, neck.reduce]", "training.learning_rate=0.01"]
    result = train(load_config("demo", settings), run, weights=weights, quiet=True)
    prolong(run)
    start, ends = load_checkpoint(weights).weights, read_tensor_file(result.last)
    for state in (ends["state_dict"], ends["current_model_state"]):
        for name, before in start.items():
            frozen = name.startswith(("backbone.", "neck.reduce."))
            if frozen or name.startswith(("head.predict.", "neck.top_down.0.ghost1.primary.conv")):
                assert torch.equal(state[f"model.{name}"], before) == frozen, name
    optimised = sum(len(group["params"]) for group in ends["optimizer_states"][0]["param_groups"])
    parameters = dict(load_checkpoint(weights).model().named_parameters())
    assert optimised == sum(not name.startswith(("backbone.", "neck.reduce.")) for name in parameters)


def prolong(run: Path) -> None:
    """Let a finished run go on for an epoch: what a resume does with a run that was stopped."""
    config = run / "config.yaml"
    config.write_text(config.read_text().replace("epochs: 2", "epochs: 3"))
    resume(run, quiet=True)


def test_still_statistics_with_weights_that_learn(tmp_path: Path, small_run: Path, small_settings: list[str]) -> None:
    weights = small_run / "checkpoints" / "best.ckpt"
    settings = [*small_settings, "training.epochs=1", "training.freeze_norms=true"]
    result = train(load_config("demo", settings), tmp_path / "run", weights=weights, quiet=True)
    before, after = load_checkpoint(weights).weights, load_checkpoint(result.last).weights
    for name, tensor in after.items():
        if name.endswith((".running_mean", ".running_var", ".num_batches_tracked")):
            assert torch.equal(tensor, before[name]), name
    assert not torch.equal(after["backbone.stem.norm.weight"], before["backbone.stem.norm.weight"])


def test_freezing_without_weights_is_warned_about(tmp_path: Path, small_settings: list[str]) -> None:
    said: list[str] = []
    settings = [*small_settings, "training.epochs=1", "training.freeze=[backbone.stem]"]
    train(load_config("demo", settings), tmp_path / "run", quiet=True, say=said.append)
    assert any("without --weights keeps random weights" in text for text in said)
