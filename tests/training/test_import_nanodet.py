"""Checkpoints of the original NanoDet-Plus project."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from nanoedge.config.load import load_config
from nanoedge.config.network import ModelConfig
from nanoedge.errors import CheckpointError, InputError
from nanoedge.models.nanodet_plus import NanoDetPlus
from nanoedge.training.checkpoints import load_checkpoint
from nanoedge.training.import_nanodet import import_checkpoint
from nanoedge.training.original_names import to_our_names


def official(shared: Path) -> dict[str, torch.Tensor]:
    path = shared / "weights" / "nanodet-plus" / "nanodet-plus-m_320.ckpt"
    return torch.load(path, map_location="cpu", weights_only=True)["state_dict"]


@pytest.mark.shared
def test_every_published_tensor_finds_its_place(shared: Path) -> None:
    ours = to_our_names(official(shared))
    model = NanoDetPlus(ModelConfig.model_validate({"agm": {"enabled": False}}), 80)
    assert ours.keys() == model.state_dict().keys()


@pytest.mark.shared
def test_an_imported_checkpoint_has_coco_names_and_no_agm(plus_m_320: Path) -> None:
    checkpoint = load_checkpoint(plus_m_320)
    assert checkpoint.classes[0] == "person"
    assert checkpoint.classes[79] == "toothbrush"
    assert not checkpoint.config.model.agm.enabled
    assert checkpoint.model()(torch.zeros(1, 3, 320, 320)).shape == (1, 2125, 112)


@pytest.mark.shared
def test_averaged_weights_are_preferred(shared: Path) -> None:
    tensors = official(shared)
    both = {**tensors, **{f"avg_{name}": tensor + 1 for name, tensor in tensors.items()}}
    name = "head.predict.0.bias"
    assert torch.equal(to_our_names(both)[name], to_our_names(tensors)[name] + 1)


def test_an_agm_comes_along(tmp_path: Path) -> None:
    config = load_config("nanodet-plus-m_320")
    model = NanoDetPlus(config.model, 80)
    original = {f"model.{name}": tensor for name, tensor in to_original_names(model.state_dict()).items()}
    original["model.head.distribution_project.project"] = torch.arange(8.0)
    original["model.aux_head.distribution_project.project"] = torch.arange(8.0)
    path, out = tmp_path / "original.ckpt", tmp_path / "ours.ckpt"
    torch.save({"state_dict": original}, path)
    result = import_checkpoint(path, "nanodet-plus-m_320", out)
    assert result.agm
    ours = load_checkpoint(out).weights
    for name, tensor in model.state_dict().items():
        assert torch.equal(ours[name], tensor), name


@pytest.mark.shared
def test_the_first_nanodet_is_refused_by_name(shared: Path, tmp_path: Path) -> None:
    out = tmp_path / "ours.ckpt"
    with pytest.raises(CheckpointError, match="not of NanoDet-Plus"):
        import_checkpoint(shared / "weights" / "nanodet" / "nanodet_m.ckpt", "nanodet-plus-m_320", out)
    assert not out.exists()


@pytest.mark.shared
def test_another_architecture_is_refused(shared: Path, tmp_path: Path) -> None:
    source = shared / "weights" / "nanodet-plus" / "nanodet-plus-m_320.ckpt"
    with pytest.raises(CheckpointError, match="another architecture"):
        import_checkpoint(source, "nanodet-plus-m-1.5x_320", tmp_path / "ours.ckpt")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.shared
def test_class_names_must_fit(shared: Path, tmp_path: Path) -> None:
    source = shared / "weights" / "nanodet-plus" / "nanodet-plus-m_320.ckpt"
    with pytest.raises(InputError, match="80 classes, but 3 names"):
        import_checkpoint(source, "bccd_320", tmp_path / "ours.ckpt")


def to_original_names(ours: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The inverse of the mapping, written down a second time by hand for the parts that only the AGM has."""
    renamed: dict[str, torch.Tensor] = {}
    for name, tensor in ours.items():
        for place, original in (("class_stack", "cls_convs"), ("box_stack", "reg_convs")):
            if name.startswith(f"agm_head.{place}."):
                level, part, rest = name.removeprefix(f"agm_head.{place}.").split(".")
                part = {"conv": "conv", "norm": "gn"}[part]
                renamed[f"aux_head.{original}.{level}.{part}.{rest}"] = tensor
                break
        else:
            if name == "agm_head.scales":
                renamed.update({f"aux_head.scales.{level}.scale": value for level, value in enumerate(tensor)})
            elif name.startswith("agm_head.predict_classes."):
                renamed[name.replace("agm_head.predict_classes", "aux_head.gfl_cls")] = tensor
            elif name.startswith("agm_head.predict_boxes."):
                renamed[name.replace("agm_head.predict_boxes", "aux_head.gfl_reg")] = tensor
            else:
                renamed[_backbone_neck_head(name)] = tensor
    return renamed


def _backbone_neck_head(name: str) -> str:
    words = name.split(".")
    if words[0] == "backbone" and words[1] == "stem":
        return ".".join(["backbone", "conv1", {"conv": "0", "norm": "1"}[words[2]], words[3]])
    if words[0] == "backbone":
        stage, unit, branch, index, part, rest = words[1:]
        conv = {"branch1": [0, 2], "branch2": [0, 3, 5]}[branch][int(index)]
        return f"backbone.{stage}.{unit}.{branch}.{conv + (part == 'norm')}.{rest}"
    if words[0] == "head":
        if words[1] == "predict":
            return name.replace("head.predict", "head.gfl_cls")
        level, index, kind, part, rest = words[2:]
        short = {"depthwise": "dwnorm", "pointwise": "pwnorm"}[kind]
        return f"head.cls_convs.{level}.{index}.{kind if part == 'conv' else short}.{rest}"
    neck = {"neck": "fpn", "agm_neck": "aux_fpn"}[words[0]]
    if words[1] == "reduce":
        return f"{neck}.reduce_layers.{words[2]}.{'conv' if words[3] == 'conv' else 'bn'}.{words[4]}"
    if words[1] in ("top_down", "bottom_up"):
        place = f"{neck}.{words[1]}_blocks.{words[2]}.blocks.0"
        if words[3] == "shortcut":
            return f"{place}.shortcut.{2 * int(words[4]) + (words[5] == 'norm')}.{words[6]}"
        kind = {"primary": "primary_conv", "cheap": "cheap_operation"}[words[4]]
        return f"{place}.{words[3]}.{kind}.{int(words[5] == 'norm')}.{words[6]}"
    group = {
        "downsample": "downsamples",
        "extra_from_reduced": "extra_lvl_in_conv",
        "extra_from_output": "extra_lvl_out_conv",
    }[words[1]]
    short = {"depthwise": "dwnorm", "pointwise": "pwnorm"}[words[3]]
    return f"{neck}.{group}.{words[2]}.{words[3] if words[4] == 'conv' else short}.{words[5]}"
