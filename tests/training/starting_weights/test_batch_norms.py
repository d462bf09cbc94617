"""Folded batch norms: the function stays, and training mode becomes like evaluation mode."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from nanoedge.config.load import load_config
from nanoedge.data.loader import training_dataset
from nanoedge.data.splits import read_splits
from nanoedge.training.checkpoints import load_checkpoint
from nanoedge.training.module import DetectorModule
from nanoedge.training.starting_weights.batch_norms import folded_norms, unfold_norms
from nanoedge.training.starting_weights.read import StartingWeights, read_starting_weights
from nanoedge.training.starting_weights.start import apply_start
from torch import nn


def likeness(one: torch.Tensor, other: torch.Tensor) -> float:
    """Correlation of two sets of raw predictions."""
    return float(torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1])


@pytest.mark.slow
@pytest.mark.shared
def test_the_published_networks_training_mode_becomes_like_its_evaluation_mode(shared: Path) -> None:
    settings = [f"data.root={shared / 'data' / 'bccd'}", "data.format=coco", "recipe=small-data"]
    config = load_config("nanodet-plus-m_320", settings)
    train = read_splits(config).train
    pictures = training_dataset(train, config)
    start = read_starting_weights(shared / "weights" / "nanodet-plus" / "nanodet-plus-m_320.ckpt")
    torch.manual_seed(0)
    module = DetectorModule(config, start.classes)
    batch = torch.stack([pictures.sample(1, number, 320, 320).picture for number in range(8)])
    batch = (batch - module.mean) / module.std
    module.model.load_state_dict(dict(start.tensors), strict=False)
    with torch.no_grad():
        before, unlike = module.eval().model(batch), module.train().model(batch)
        said: list[str] = []
        apply_start(module, start, train, said.append)
        after, alike = module.eval().model(batch), module.train().model(batch)
    assert torch.allclose(after, before, atol=1e-4)
    boxes = slice(80, None)
    assert likeness(before[..., boxes], unlike[..., boxes]) < 0.7
    assert likeness(after[..., boxes], alike[..., boxes]) > 0.95
    assert said[-1] == "141 batch norms were folded into their convolutions: statistics measured on 64 pictures"


def fold(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What a tool for inference does: each norm's factor goes into its convolution, the norm becomes the identity."""
    folded = {name: tensor.clone() for name, tensor in weights.items()}
    for norm in [name.removesuffix(".running_var") for name in weights if name.endswith(".running_var")]:
        mean, variance = weights[f"{norm}.running_mean"], weights[f"{norm}.running_var"]
        slope = weights[f"{norm}.weight"] / (variance + 1e-5).sqrt()
        folded[f"{norm.removesuffix('norm')}conv.weight"] *= slope[:, None, None, None]
        folded[f"{norm}.bias"] = weights[f"{norm}.bias"] - slope * mean
        folded[f"{norm}.weight"] = torch.full_like(mean, (1 + 1e-5) ** 0.5)
        folded[f"{norm}.running_mean"], folded[f"{norm}.running_var"] = torch.zeros_like(mean), torch.ones_like(mean)
    return folded


@pytest.fixture
def trained(small_run: Path, small_settings: list[str]) -> tuple[DetectorModule, dict[str, torch.Tensor]]:
    """A module at random for the small run's own data, and the run's weights."""
    checkpoint = load_checkpoint(small_run / "checkpoints" / "last.ckpt")
    return DetectorModule(load_config("demo", small_settings), checkpoint.classes), checkpoint.weights


def start_module(module: DetectorModule, weights: dict[str, torch.Tensor]) -> list[str]:
    config, said = module.config, []
    start = StartingWeights("file", weights, module.classes, 7)
    apply_start(module, start, read_splits(config).train, said.append)
    return said


def test_live_norms_are_taken_as_they_are(trained) -> None:
    module, weights = trained
    said = start_module(module, weights)
    assert all(torch.equal(tensor, weights[name]) for name, tensor in module.model.state_dict().items())
    assert not any("folded" in text for text in said)


def test_norms_that_were_folded_compute_the_same_with_statistics_again(trained) -> None:
    module, weights = trained
    said = start_module(module, fold(weights))
    assert "statistics measured on 64 pictures" in said[-1]
    own = module.model.state_dict()
    assert all(own[name].abs().max() > 1e-4 for name in own if name.endswith("running_mean"))
    pictures = torch.randn(4, 3, 64, 96)
    with torch.no_grad():
        folded_output = module.eval().model(pictures)
        module.model.load_state_dict(weights)
        assert torch.allclose(folded_output, module.model(pictures), atol=1e-4)


def test_frozen_norms_stay_as_the_file_has_them(trained) -> None:
    module, weights = trained
    folded = fold(weights)
    settings = module.config.training.model_copy(update={"freeze": ("backbone", "neck.reduce")})
    frozen = DetectorModule(module.config.model_copy(update={"training": settings}), module.classes)
    start_module(frozen, folded)
    for name, tensor in frozen.model.state_dict().items():
        if name.startswith(("backbone.", "neck.reduce.")):
            assert torch.equal(tensor, folded[name]), name
    assert frozen.model.head.stacks[0][0].depthwise.norm.running_mean.any()


def test_a_fresh_norm_is_not_taken_for_a_folded_one(trained) -> None:
    module, weights = trained
    headless = {name: tensor for name, tensor in weights.items() if not name.startswith("head.stacks.")}
    said = start_module(module, headless)
    assert not any("folded" in text for text in said)
    assert not module.model.head.stacks[0][0].depthwise.norm.running_mean.any()


def test_a_channel_that_never_changes_keeps_its_value(trained) -> None:
    module, _ = trained
    model = module.model
    norm = model.backbone.stem.norm
    with torch.no_grad():
        model.backbone.stem.conv.weight[3] = 0
        norm.bias[3] = 0.5
    names = model.state_dict().keys()
    assert folded_norms(model, names)["backbone.stem.norm"] is norm
    pictures = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        before = module.eval().model(pictures)
        unfold_norms(model, [norm], [pictures])
        assert torch.allclose(model(pictures), before, atol=1e-5)
    assert norm.weight[3] > 0 and torch.isfinite(norm.weight).all()
    assert norm.running_var[3] == pytest.approx(norm.eps)


def test_measuring_leaves_the_networks_modes_as_they_were(trained) -> None:
    module, _ = trained
    module.train()
    module.model.neck.eval()
    norms = folded_norms(module.model, module.model.state_dict().keys()).values()
    unfold_norms(module.model, norms, [torch.randn(2, 3, 64, 96)])
    assert module.model.backbone.training and not module.model.neck.training
    assert not any(part._forward_pre_hooks for part in module.model.modules() if isinstance(part, nn.BatchNorm2d))
