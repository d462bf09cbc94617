"""Importing a checkpoint of the original NanoDet-Plus project."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from nanoedge.config.coco_classes import COCO_CLASSES
from nanoedge.config.documents import read_yaml
from nanoedge.config.load import find_config, load_config
from nanoedge.config.nanodet_yaml import config_from_nanodet_yaml
from nanoedge.config.schema import Config
from nanoedge.errors import CheckpointError, InputError
from nanoedge.files import refuse_existing
from nanoedge.models.nanodet_plus import NanoDetPlus
from nanoedge.training.checkpoints import load_weights, read_tensor_file, save_imported
from nanoedge.training.original_names import to_our_names

Say = Callable[[str], None]


@dataclass(frozen=True)
class ImportResult:
    """What was imported: class names, and whether the AGM came along."""

    classes: tuple[str, ...]
    agm: bool


def import_checkpoint(
    checkpoint: Path,
    config_name: str,
    out: Path,
    classes: tuple[str, ...] | None = None,
    force: bool = False,
    say: Say = lambda text: None,
) -> ImportResult:
    """Write one of our checkpoints with the original's weights.

    Args:
        checkpoint: of the original project; tensors only, nothing in it is executed. It may lack the AGM.
        config_name: the original's YAML, or the name (or file) of one of our configurations.
        out: file to write.
        classes: class names; `None` takes the configuration's, or COCO's for 80 classes.
        force: replace a file that is there.
        say: receives sentences for the user.

    Raises:
        CheckpointError: when the file is not one of NanoDet-Plus or does not fit the configuration.
        ConfigError: when the configuration cannot be read.
        InputError: when the class names do not fit, or the file exists.
    """
    refuse_existing(out, force)
    config = _read_config(config_name)
    document = read_tensor_file(checkpoint)
    state = document.get("state_dict", document)
    tensors = {name: tensor for name, tensor in state.items() if isinstance(tensor, torch.Tensor)}
    weights = to_our_names(tensors)
    agm = any(name.startswith("agm_head.") for name in weights)
    model_config = config.model.model_copy(update={"agm": config.model.agm.model_copy(update={"enabled": agm})})
    names = _class_names(config, classes, weights, say)
    config = config.model_copy(update={"model": model_config, "classes": names})
    load_weights(NanoDetPlus(config.model, len(names)), weights, str(checkpoint))
    save_imported(out, config, names, weights)
    return ImportResult(names, agm)


def _read_config(name: str) -> Config:
    """Ours or the original's: the original's has `model.arch`."""
    path = find_config(name)
    model = read_yaml(path).get("model")
    return config_from_nanodet_yaml(path) if isinstance(model, dict) and "arch" in model else load_config(name)


def _class_names(
    config: Config, asked: tuple[str, ...] | None, weights: dict[str, torch.Tensor], say: Say
) -> tuple[str, ...]:
    bias = weights.get("head.predict.0.bias")
    if bias is None:
        raise CheckpointError("The checkpoint has no NanoDet-Plus head.")
    count = len(bias) - 4 * (config.model.head.reg_max + 1)
    names = asked or config.classes
    if names is None and count == len(COCO_CLASSES):
        say("80 classes: COCO's names are taken; --classes A,B,… gives others")
        names = COCO_CLASSES
    if names is None:
        raise InputError(f"The network has {count} classes; name them with --classes A,B,…")
    if len(names) != count:
        raise InputError(f"The network has {count} classes, but {len(names)} names are given.")
    return names
