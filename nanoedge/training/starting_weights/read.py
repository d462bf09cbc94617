"""Which kind of file holds the weights, and its tensors under our names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from nanoedge.config.coco_classes import COCO_CLASSES
from nanoedge.errors import CheckpointError
from nanoedge.training.checkpoints import MODEL_PREFIX, load_checkpoint, read_tensor_file
from nanoedge.training.original_names import to_our_names

ORIGINAL_PARTS = ("fpn.", "head.gfl_cls.", "backbone.conv1.", "backbone.conv_stem.")
DISTRIBUTION_BINS = "head.distribution_project.project"  # 0 to reg_max, in the original's files


@dataclass(frozen=True, eq=False)
class StartingWeights:
    """What a training may start with.

    Attributes:
        source: the file, for messages.
        tensors: under the names of `NanoDetPlus`; all values are finite.
        classes: class names; `None` where the file does not tell.
        reg_max: of the box distributions; `None` where the file does not tell.
    """

    source: str
    tensors: Mapping[str, torch.Tensor]
    classes: tuple[str, ...] | None = None
    reg_max: int | None = None


def read_starting_weights(path: Path) -> StartingWeights:
    """Read our checkpoints, the original NanoDet-Plus project's, and safetensors files of either's names.

    A safetensors file may hold class names in its metadata: `classes`, a JSON list of texts.

    Raises:
        CheckpointError: when the file is missing, damaged, of no known network, or holds NaN or infinity.
    """
    if path.suffix.lower() == ".safetensors":
        tensors, classes = _read_safetensors(path)
        start = _by_names(path, tensors, classes)
    else:
        document = read_tensor_file(path)
        if isinstance(document.get("nanoedge"), dict):
            checkpoint = load_checkpoint(path)
            reg_max = checkpoint.config.model.head.reg_max
            start = StartingWeights(str(path), checkpoint.weights, checkpoint.classes, reg_max)
        else:
            state = document.get("state_dict", document)
            start = _by_names(path, _tensors_of(state, path), None)
    refuse_unusable_numbers(start)
    return start


def refuse_unusable_numbers(start: StartingWeights) -> None:
    """A single NaN spreads over the whole network within a step.

    Raises:
        CheckpointError: names the first tensor with NaN or infinity.
    """
    for name, tensor in start.tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise CheckpointError(
                f"{start.source}: the tensor {name} holds NaN or infinity, so training cannot start from it. "
                "Take a checkpoint from before the run went wrong."
            )


def _by_names(path: Path, tensors: dict[str, torch.Tensor], classes: tuple[str, ...] | None) -> StartingWeights:
    """Weights whose kind only their names tell."""
    bare = {name.removeprefix("avg_model.").removeprefix(MODEL_PREFIX) for name in tensors}
    if not any(name.startswith("backbone.") for name in bare):
        raise CheckpointError(
            f"{path} has no tensors named backbone.…: it is no network of NanoEdge nor of the original NanoDet-Plus."
        )
    reg_max = None
    if any(name.startswith(ORIGINAL_PARTS) for name in bare):
        if not any(name.startswith(("avg_model.", MODEL_PREFIX)) for name in tensors):
            tensors = {MODEL_PREFIX + name: tensor for name, tensor in tensors.items()}
        try:
            ours = to_our_names(tensors)
        except CheckpointError as error:
            raise CheckpointError(f"{path}: {error}") from error
        bins = tensors.get(f"avg_model.{DISTRIBUTION_BINS}", tensors.get(MODEL_PREFIX + DISTRIBUTION_BINS))
        reg_max = None if bins is None else len(bins) - 1
    else:
        ours = {name.removeprefix(MODEL_PREFIX): tensor for name, tensor in tensors.items()}
        boxes = ours.get("agm_head.predict_boxes.bias")
        reg_max = None if boxes is None else len(boxes) // 4 - 1
    if classes is None and _class_count(ours, reg_max) == len(COCO_CLASSES):
        classes = COCO_CLASSES
    return StartingWeights(str(path), ours, classes, _known_reg_max(ours, classes, reg_max, path))


def _class_count(tensors: Mapping[str, torch.Tensor], reg_max: int | None) -> int | None:
    of_agm, of_head = tensors.get("agm_head.predict_classes.bias"), tensors.get("head.predict.0.bias")
    if of_agm is not None:
        return len(of_agm)
    return None if of_head is None or reg_max is None else len(of_head) - 4 * (reg_max + 1)


def _known_reg_max(
    tensors: Mapping[str, torch.Tensor], classes: tuple[str, ...] | None, reg_max: int | None, path: Path
) -> int | None:
    """Rows of a prediction are classes and 4 * (reg_max + 1) for the boxes: one tells the other."""
    bias = tensors.get("head.predict.0.bias")
    if bias is None or classes is None:
        return reg_max
    bins, rest = divmod(len(bias) - len(classes), 4)
    if rest or bins < 2 or (reg_max is not None and bins != reg_max + 1):
        raise CheckpointError(
            f"{path}: {len(classes)} class names do not fit a head of {len(bias)} outputs, which are the classes and "
            "4 * (reg_max + 1) for the boxes."
        )
    return bins - 1


def _read_safetensors(path: Path) -> tuple[dict[str, torch.Tensor], tuple[str, ...] | None]:
    from safetensors import SafetensorError, safe_open

    if path.is_dir():
        raise CheckpointError(f"{path} is a folder; name a file in it.")
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it has keys only)
            metadata: Mapping[str, str] = file.metadata() or {}
    except FileNotFoundError as error:
        raise CheckpointError(f"The weights {path} do not exist.") from error
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is damaged or no safetensors file: {error}") from error
    return tensors, _classes_of(metadata, path)


def _classes_of(metadata: Mapping[str, str], path: Path) -> tuple[str, ...] | None:
    if "classes" not in metadata:
        return None
    try:
        names: Any = json.loads(metadata["classes"])
    except ValueError:
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or len({*names}) != len(names):
        raise CheckpointError(
            f'The metadata of {path} must hold classes as a JSON list of different names, such as ["cat", "dog"].'
        )
    return tuple(names)


def _tensors_of(state: Any, path: Path) -> dict[str, torch.Tensor]:
    if not isinstance(state, dict):
        raise CheckpointError(f"{path} is no checkpoint: its state_dict is a {type(state).__name__}.")
    return {name: tensor for name, tensor in state.items() if isinstance(tensor, torch.Tensor)}
