"""Files that hold weights: which kinds are read, and what is refused with which sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from nanoedge.config.coco_classes import COCO_CLASSES
from nanoedge.config.network import ModelConfig
from nanoedge.errors import CheckpointError
from nanoedge.models.nanodet_plus import NanoDetPlus
from nanoedge.training.checkpoints import load_checkpoint
from nanoedge.training.starting_weights.read import read_starting_weights
from safetensors.torch import save_file

SMALL = ModelConfig.model_validate(
    {
        "backbone": {"width": 0.5},
        "neck": {"channels": 32},
        "head": {"channels": 32},
        "agm": {"channels": 32, "stacked_convs": 1},
    }
)


def small_weights(classes: int = 3) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {name: tensor.contiguous() for name, tensor in NanoDetPlus(SMALL, classes).state_dict().items()}


def test_our_checkpoint_brings_its_averaged_weights_and_class_names(small_run: Path) -> None:
    path = small_run / "checkpoints" / "last.ckpt"
    start, checkpoint = read_starting_weights(path), load_checkpoint(path)
    assert (start.classes, start.reg_max) == (("ring", "star", "cross", "arrow"), 7)
    assert all(torch.equal(tensor, checkpoint.weights[name]) for name, tensor in start.tensors.items())


@pytest.mark.shared
@pytest.mark.parametrize("prefix", ["model.", ""])
def test_the_originals_weights_are_the_same_as_checkpoint_and_as_safetensors(
    shared: Path, tmp_path: Path, prefix: str
) -> None:
    path = shared / "weights" / "nanodet-plus" / "nanodet-plus-m_320.ckpt"
    state = torch.load(path, weights_only=True)["state_dict"]
    as_safetensors = tmp_path / "original.safetensors"
    save_file({prefix + name.removeprefix("model."): tensor for name, tensor in state.items()}, as_safetensors)
    one, other = read_starting_weights(path), read_starting_weights(as_safetensors)
    assert (one.classes, one.reg_max) == (other.classes, other.reg_max) == (COCO_CLASSES, 7)
    assert one.tensors.keys() == other.tensors.keys()
    assert "head.predict.0.weight" in one.tensors
    assert all(torch.equal(tensor, other.tensors[name]) for name, tensor in one.tensors.items())


@pytest.mark.parametrize("prefix", ["model.", ""])
def test_safetensors_of_our_names_may_tell_their_classes(tmp_path: Path, prefix: str) -> None:
    path, weights = tmp_path / "mine.safetensors", small_weights()
    named = {prefix + name: tensor for name, tensor in weights.items() if not name.startswith("agm")}
    save_file(named, path, {"classes": json.dumps(["a", "b", "c"])})
    start = read_starting_weights(path)
    assert (start.classes, start.reg_max) == (("a", "b", "c"), 7)
    assert torch.equal(start.tensors["neck.reduce.0.conv.weight"], weights["neck.reduce.0.conv.weight"])
    save_file(named, path)
    assert read_starting_weights(path).classes is None


def test_a_plain_state_dict_of_ours_is_read(tmp_path: Path) -> None:
    torch.save(small_weights(), tmp_path / "state.pt")
    start = read_starting_weights(tmp_path / "state.pt")
    assert (start.classes, start.reg_max) == (None, 7)  # the AGM's own box layer tells


@pytest.mark.parametrize("text", ["no json", '{"a": 1}', "[1, 2, 3]", '["a", "b", "a"]', "[[], [], []]"])
def test_metadata_that_are_no_list_of_names_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.safetensors"
    save_file(small_weights(), path, {"classes": text})
    with pytest.raises(CheckpointError, match="JSON list of different names"):
        read_starting_weights(path)


def test_a_number_of_names_that_the_head_cannot_have_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    save_file(small_weights(), path, {"classes": '["a", "b"]'})
    with pytest.raises(CheckpointError, match="2 class names do not fit a head of 35 outputs"):
        read_starting_weights(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("suffix", ["safetensors", "pt"])
def test_a_number_that_is_none_is_refused_with_its_tensors_name(tmp_path: Path, value: float, suffix: str) -> None:
    weights = small_weights()
    weights["neck.top_down.1.ghost1.primary.conv.weight"][3, 2] = value
    path = tmp_path / f"broken.{suffix}"
    save_file(weights, path) if suffix == "safetensors" else torch.save(weights, path)
    with pytest.raises(CheckpointError, match=rf"{path}.*neck\.top_down\.1\.ghost1\.primary\.conv\.weight holds NaN"):
        read_starting_weights(path)


def test_files_that_are_not_there_damaged_or_foreign_are_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"none\.safetensors do not exist"):
        read_starting_weights(tmp_path / "none.safetensors")
    with pytest.raises(CheckpointError, match="is a folder"):
        read_starting_weights(tmp_path)
    (tmp_path / "folder.safetensors").mkdir()
    with pytest.raises(CheckpointError, match="is a folder"):
        read_starting_weights(tmp_path / "folder.safetensors")
    for name in ("broken.safetensors", "broken.ckpt"):
        (tmp_path / name).write_bytes(b"\xff" * 100)
        with pytest.raises(CheckpointError, match=rf"{name}.* damaged|{name} is no checkpoint"):
            read_starting_weights(tmp_path / name)
    save_file({"layer4.weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match=r"other\.safetensors has no tensors named backbone"):
        read_starting_weights(tmp_path / "other.safetensors")
    torch.save({"state_dict": [1, 2]}, tmp_path / "list.ckpt")
    with pytest.raises(CheckpointError, match="its state_dict is a list"):
        read_starting_weights(tmp_path / "list.ckpt")


@pytest.mark.shared
def test_the_first_nanodet_is_refused_by_name(shared: Path) -> None:
    with pytest.raises(CheckpointError, match=r"nanodet_m\.ckpt.*not of NanoDet-Plus"):
        read_starting_weights(shared / "weights" / "nanodet" / "nanodet_m.ckpt")
