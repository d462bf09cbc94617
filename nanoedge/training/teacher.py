"""The teacher of a distillation: a trained network beside the one that learns, which nobody trains or saves."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from nanoedge.config.schema import Config
from nanoedge.errors import CheckpointError, InputError
from nanoedge.losses.distillation import TeacherOutput
from nanoedge.training.checkpoints import Checkpoint, load_checkpoint
from nanoedge.training.starting_weights.read import StartingWeights, refuse_unusable_numbers

Say = Callable[[str], None]


class Teacher:
    """A trained network in evaluation mode. No `nn.Module`: optimiser, averages and checkpoints do not see it.

    Args:
        checkpoint: the network.
        classes: the student's class names, all known to the teacher.
        reg_max: of the student's box distributions.
    """

    def __init__(self, checkpoint: Checkpoint, classes: tuple[str, ...], reg_max: int) -> None:
        model = checkpoint.model()
        model.agm_neck = model.agm_head = None
        self.model = model.requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.columns = torch.tensor([checkpoint.classes.index(name) for name in classes])
        self.first_bin = len(checkpoint.classes)
        self.same_bins = checkpoint.config.model.head.reg_max == reg_max
        spec = checkpoint.config.input
        self.mean, self.std = torch.tensor(spec.mean).view(1, 3, 1, 1), torch.tensor(spec.std).view(1, 3, 1, 1)

    def __deepcopy__(self, memo: dict[int, Any]) -> Teacher:
        """The same one: the averaged copy of the student needs no teacher of its own."""
        return self

    def __call__(self, pictures: torch.Tensor) -> TeacherOutput:
        """Predictions for a batch [N, 3, H, W] in grey levels, normalised as the teacher was trained."""
        if pictures.device != self.mean.device:
            self.model.to(pictures.device)
            self.mean, self.std = self.mean.to(pictures.device), self.std.to(pictures.device)
            self.columns = self.columns.to(pictures.device)
        with torch.no_grad():
            normalised = (pictures.contiguous(memory_format=torch.channels_last) - self.mean) / self.std
            raw = self.model(normalised).float()
        return TeacherOutput(raw[..., self.columns], raw[..., self.first_bin :] if self.same_bins else None)


def identify_teacher(config: Config) -> Config:
    """The configuration with the sha256 of the teacher's file, so that a resumed run has the same teacher.

    Raises:
        CheckpointError: when the file cannot be read, or is not the one that the configuration has identified already.
    """
    distillation = config.distillation
    if distillation.teacher is None or distillation.weight == 0:
        return config
    path = Path(distillation.teacher).expanduser()
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise CheckpointError(
            f"The teacher {path} cannot be read: {error.strerror or error}. Set distillation.teacher to where it lies."
        ) from error
    if distillation.fingerprint not in (None, digest):
        raise CheckpointError(
            f"The teacher {path} is not the file that this run began with (its sha256 is {digest[:16]}…, then "
            f"{str(distillation.fingerprint)[:16]}…). Put that back, or set distillation.fingerprint=null in a new run."
        )
    return config.model_copy(update={"distillation": distillation.model_copy(update={"fingerprint": digest})})


def load_teacher(config: Config, classes: tuple[str, ...], say: Say) -> Teacher | None:
    """The teacher that the configuration names, or `None` without one (or with a weight of 0).

    Args:
        config: the student's.
        classes: the student's class names.
        say: receives sentences for the user.

    Raises:
        CheckpointError: when the file is damaged, none of our checkpoints, or not the one that the run began with.
        InputError: when the teacher does not know all classes, or predicts on other strides.
    """
    distillation = identify_teacher(config).distillation
    if distillation.teacher is None or distillation.weight == 0:
        return None
    checkpoint = load_checkpoint(Path(distillation.teacher).expanduser())
    refuse_unusable_numbers(StartingWeights(str(checkpoint.path), checkpoint.weights))
    unknown = [name for name in classes if name not in checkpoint.classes]
    if unknown:
        raise InputError(
            f"The teacher {checkpoint.path} does not know the class {unknown[0]!r} of the training data; it knows "
            f"{', '.join(checkpoint.classes[:10])}{', …' if len(checkpoint.classes) > 10 else ''}. Train one on the "
            "same classes first."
        )
    own, theirs = config.model, checkpoint.config.model
    if own.strides != theirs.strides:
        raise InputError(
            f"The teacher {checkpoint.path} predicts on strides {_listed(theirs.strides)}, this network on "
            f"{_listed(own.strides)}; give both the same neck.extra_levels."
        )
    say(f"teacher: {checkpoint.path} ({theirs.backbone.name} of width {theirs.backbone.width:g})")
    if theirs.head.reg_max != own.head.reg_max:
        say(
            f"the teacher's boxes are left out, only its classes are learned: its reg_max is {theirs.head.reg_max}, "
            f"this network's {own.head.reg_max}"
        )
    return Teacher(checkpoint, classes, own.head.reg_max)


def _listed(strides: tuple[int, ...]) -> str:
    return "/".join(map(str, strides))
