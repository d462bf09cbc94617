"""Parts of a network that do not learn, and batch norms whose statistics stand still."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

import torch
from torch import nn

from nanoedge.config.schema import Config, TrainingConfig
from nanoedge.errors import ConfigError
from nanoedge.models.nanodet_plus import NanoDetPlus

TRAINING_ONLY = ("agm_neck.", "agm_head.")


def check_freeze(config: Config) -> None:
    """Refuse names in `training.freeze` that the network does not have, before any data are read.

    Raises:
        ConfigError: for an unknown part (names the known ones), or when nothing that is exported would learn.
    """
    frozen = config.training.freeze
    if not frozen:
        return
    with torch.device("meta"):
        model = NanoDetPlus(config.model, classes=1)
    parts = {name for name, _ in model.named_modules() if name}
    for part in frozen:
        if part not in parts:
            close = difflib.get_close_matches(part, parts, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise ConfigError(
                f"training.freeze: the network has no part {part!r}.{hint} Parts are "
                f"{', '.join(known_parts(model))}, and the modules inside them."
            )
    learning = [name for name, _ in model.named_parameters() if not is_in(name, frozen)]
    if all(name.startswith(TRAINING_ONLY) for name in learning):
        raise ConfigError(
            f"training.freeze: with {', '.join(frozen)} frozen, nothing that is exported learns. Leave out a part, "
            "such as head."
        )


def known_parts(model: NanoDetPlus) -> list[str]:
    """The network's parts and the parts of these, as `training.freeze` takes them."""
    parts = []
    for name, module in model.named_children():
        inner = [f"{name}.{child}" for child, part in module.named_children() if any(True for _ in part.parameters())]
        parts += [name, *inner]
    return parts


def is_in(name: str, parts: Sequence[str]) -> bool:
    """Whether a module or tensor is, or lies in, one of these parts."""
    return any(name == part or name.startswith(f"{part}.") for part in parts)


def freeze_parts(model: NanoDetPlus, training: TrainingConfig) -> None:
    """No gradients for the parameters of `training.freeze`."""
    for name, parameter in model.named_parameters():
        if is_in(name, training.freeze):
            parameter.requires_grad_(False)


def still_norms(model: NanoDetPlus, training: TrainingConfig) -> Iterator[nn.BatchNorm2d]:
    """Batch norms that keep their statistics: all with `training.freeze_norms`, else those of frozen parts."""
    for name, module in model.named_modules():
        if isinstance(module, nn.BatchNorm2d) and (training.freeze_norms or is_in(name, training.freeze)):
            yield module


def keep_norms_still(model: NanoDetPlus, training: TrainingConfig) -> None:
    """Evaluation mode for these norms; to be called whenever the network was put into training mode."""
    for norm in still_norms(model, training):
        norm.eval()
