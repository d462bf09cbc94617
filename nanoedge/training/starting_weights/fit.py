"""Which of the weights go where in a network, what is left at random, and loading them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from nanoedge.models.nanodet_plus import NanoDetPlus
from nanoedge.training.starting_weights.class_rows import PredictionRows, carry_rows
from nanoedge.training.starting_weights.module_groups import NOT_LEARNED, grouped
from nanoedge.training.starting_weights.read import StartingWeights

_WITH_BOXES = re.compile(r"^head\.predict\.\d+\.(weight|bias)$")
_CLASSES_ONLY = re.compile(r"^agm_head\.predict_classes\.(weight|bias)$")
MOST_NAMES = 10  # classes that are named in a sentence


@dataclass(frozen=True, eq=False)
class Fit:
    """What a network takes over.

    Attributes:
        source: the weights' file.
        tensors: by name, all that changes: whole tensors, and prediction layers with some rows carried over.
        whole: names of the tensors that fit as they are.
        count: tensors of the network.
        left: modules that start at random, wholly or in part, each with the reason in brackets.
        unused: modules that only the file has.
        carried_classes: names whose rows are carried over.
        new_classes: names whose rows start at random.
        agm_neck_copied: whether the AGM's neck starts as a copy of the main neck, the file having none.
    """

    source: str
    tensors: Mapping[str, torch.Tensor]
    whole: frozenset[str]
    count: int
    left: tuple[str, ...]
    unused: tuple[str, ...]
    carried_classes: tuple[str, ...]
    new_classes: tuple[str, ...]
    agm_neck_copied: bool

    def sentences(self) -> list[str]:
        """For the user."""
        told = [f"weights from {self.source}: {len(self.whole)} of {self.count} tensors are taken over"]
        if self.carried_classes and self.new_classes:
            told.append(
                f"classes carried over by name: {_shortened(self.carried_classes)}; new: {_shortened(self.new_classes)}"
            )
        if self.agm_neck_copied:
            told.append("the AGM's neck starts as a copy of the main neck")
        if self.left:
            told.append(f"starting at random: {'; '.join(self.left)}")
        if self.unused:
            told.append(f"not used from the file: {'; '.join(self.unused)}")
        return told


def fit_weights(model: NanoDetPlus, classes: tuple[str, ...], reg_max: int, start: StartingWeights) -> Fit:
    """Compare weights with a network; nothing is changed.

    Args:
        model: the network; its prediction layers' values fill the rows that are not carried over.
        classes: its class names.
        reg_max: of its box distributions.
        start: the weights.
    """
    own, theirs = model.state_dict(), dict(start.tensors)
    copied = any(name.startswith("agm_neck.") for name in own) and not any(
        name.startswith("agm_neck.") for name in theirs
    )
    if copied:
        necks = {name: tensor for name, tensor in theirs.items() if name.startswith("neck.")}
        theirs.update({f"agm_{name}": tensor for name, tensor in necks.items()})
    tensors: dict[str, torch.Tensor] = {}
    reasons: dict[str, str] = {}
    for name, tensor in own.items():
        if name not in theirs:
            reasons[name] = "not in the file"
        elif _WITH_BOXES.match(name) or _CLASSES_ONLY.match(name):
            ours, of_file = _rows(name, classes, reg_max), _rows(name, start.classes, start.reg_max)
            carried = carry_rows(tensor, theirs[name], ours, of_file)
            tensors[name] = carried.tensor
            if carried.reason:
                reasons[name] = carried.reason
        elif theirs[name].shape != tensor.shape:
            reasons[name] = "another shape"
        else:
            tensors[name] = theirs[name]
    by_name = set(start.classes or ()) if any(_WITH_BOXES.match(name) for name in tensors) else set()
    unused = {name: "only there" for name in theirs if name not in own}
    return Fit(
        source=start.source,
        tensors=tensors,
        whole=frozenset(name for name in own if name not in reasons and not name.endswith(NOT_LEARNED)),
        count=sum(not name.endswith(NOT_LEARNED) for name in own),
        left=tuple(grouped(reasons, own)),
        unused=tuple(text.removesuffix(" (only there)") for text in grouped(unused, theirs)),
        carried_classes=tuple(name for name in classes if name in by_name),
        new_classes=tuple(name for name in classes if name not in by_name),
        agm_neck_copied=copied and any(name.startswith("agm_neck.") for name in tensors),
    )


def load_fit(model: NanoDetPlus, fit: Fit) -> None:
    """Put the tensors in their places."""
    model.load_state_dict(dict(fit.tensors), strict=False)


def _rows(name: str, classes: tuple[str, ...] | None, reg_max: int | None) -> PredictionRows:
    with_boxes = _WITH_BOXES.match(name) and reg_max is not None
    return PredictionRows(classes, 4 * (reg_max + 1) if with_boxes and reg_max is not None else 0)


def _shortened(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:MOST_NAMES])
    return shown if len(names) <= MOST_NAMES else f"{shown} and {len(names) - MOST_NAMES} more"
