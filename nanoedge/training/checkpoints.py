"""Checkpoints: reading them safely, writing them atomically, and what of ours they carry."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from nanoedge import __version__
from nanoedge.config.load import config_from_dict
from nanoedge.config.schema import Config
from nanoedge.errors import CheckpointError, NanoEdgeError
from nanoedge.files import atomic_stream, make_folder
from nanoedge.models.nanodet_plus import NanoDetPlus

FORMAT = 1
MODEL_PREFIX = "model."


@dataclass(frozen=True)
class Checkpoint:
    """What export and evaluation need of a checkpoint.

    Attributes:
        path: the file.
        config: the run's configuration.
        classes: class names.
        weights: the averaged weights, under the names of `NanoDetPlus`.
        data_fingerprint: names the training data; empty for imported weights.
        epoch: epochs trained; 0 for imported weights.
        metrics: of the last evaluation before the checkpoint was written, if there was one.
    """

    path: Path
    config: Config
    classes: tuple[str, ...]
    weights: dict[str, torch.Tensor]
    data_fingerprint: str
    epoch: int
    metrics: dict[str, Any] | None

    def model(self) -> NanoDetPlus:
        """The network with these weights, in evaluation mode.

        Raises:
            CheckpointError: when the weights are not those of the checkpoint's own configuration.
        """
        model = NanoDetPlus(self.config.model, len(self.classes))
        load_weights(model, self.weights, str(self.path))
        return model.eval()


def describe_run(
    config: Config, classes: tuple[str, ...], data_fingerprint: str, epoch: int, metrics: dict[str, Any] | None
) -> dict[str, Any]:
    """Our part of a checkpoint: plain values only, so that it can be read with `weights_only`."""
    return {
        "format": FORMAT,
        "version": __version__,
        "config": config.model_dump(mode="json"),
        "classes": list(classes),
        "data_fingerprint": data_fingerprint,
        "epoch": epoch,
        "metrics": metrics,
    }


def read_tensor_file(path: Path) -> dict[str, Any]:
    """A checkpoint's content: tensors and plain values only; nothing in the file is executed.

    Raises:
        CheckpointError: when the file is missing, damaged, or a pickle that holds more than tensors.
    """
    try:
        document = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise CheckpointError(f"The checkpoint {path} does not exist.") from error
    except IsADirectoryError as error:
        raise CheckpointError(f"{path} is a folder; name a checkpoint file in it.") from error
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path} is no checkpoint of tensors and plain values; it was not opened further, because such files can "
            "run any code."
        ) from error
    except (OSError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise CheckpointError(
            f"{path} is damaged or no checkpoint of PyTorch ({type(error).__name__}: {_first_line(error)})."
        ) from error
    if not isinstance(document, dict):
        raise CheckpointError(f"{path} is no checkpoint: it holds a {type(document).__name__}.")
    return document


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Read one of our checkpoints.

    Raises:
        CheckpointError: when the file cannot be read or is not one of ours.
    """
    path = Path(path)
    document = read_tensor_file(path)
    ours = document.get("nanoedge")
    if not isinstance(ours, dict) or not isinstance(document.get("state_dict"), dict):
        imported = f"nanoedge import-nanodet {path} --config CONFIG --out imported.ckpt"
        hint = f" If it is the original NanoDet's: {imported}." if "state_dict" in document else ""
        raise CheckpointError(f"{path} is not a checkpoint of NanoEdge.{hint}")
    if ours["format"] > FORMAT:
        raise CheckpointError(f"{path} was written by NanoEdge {ours['version']}; update NanoEdge to read it.")
    return Checkpoint(
        path=path,
        config=config_from_dict(ours["config"], f"the configuration in {path}"),
        classes=tuple(ours["classes"]),
        weights={
            name.removeprefix(MODEL_PREFIX): tensor
            for name, tensor in document["state_dict"].items()
            if name.startswith(MODEL_PREFIX)
        },
        data_fingerprint=ours["data_fingerprint"],
        epoch=ours["epoch"],
        metrics=ours["metrics"],
    )


def save_imported(path: Path, config: Config, classes: tuple[str, ...], weights: Mapping[str, torch.Tensor]) -> None:
    """Write weights that were not trained here as one of our checkpoints.

    Raises:
        NanoEdgeError: when the file cannot be written; nothing is left behind.
    """
    document = {
        "state_dict": {MODEL_PREFIX + name: tensor for name, tensor in weights.items()},
        "nanoedge": describe_run(config, classes, "", 0, None),
    }
    save_atomically(document, path)


def load_weights(model: NanoDetPlus, weights: Mapping[str, torch.Tensor], source: str) -> None:
    """Load all weights, or explain which do not fit.

    Raises:
        CheckpointError: names the first tensors that are missing, unknown or of another shape.
    """
    own = model.state_dict()
    missing = [name for name in own if name not in weights]
    unknown = [name for name in weights if name not in own]
    reshaped = [name for name in own if name in weights and own[name].shape != weights[name].shape]
    if missing or unknown or reshaped:
        parts = [
            f"{len(names)} {what} (such as {names[0]})"
            for names, what in ((missing, "missing"), (unknown, "unknown"), (reshaped, "of another shape"))
            if names
        ]
        raise CheckpointError(
            f"{source} is of another architecture than its configuration says: tensors {', '.join(parts)}."
        )
    model.load_state_dict(dict(weights))


def save_atomically(document: Mapping[str, Any], path: Path) -> None:
    """Write beside the target, sync, rename: the target is always whole.

    Raises:
        NanoEdgeError: when writing fails (a full disk); the old file stays, nothing half-written is left.
    """
    make_folder(path.parent)
    try:
        with atomic_stream(path) as stream:
            torch.save(dict(document), stream)
    except RuntimeError as error:  # what torch makes of a full disk
        raise NanoEdgeError(f"The checkpoint {path} could not be written: {_first_line(error)}") from error


class AtomicCheckpointIO(TorchCheckpointIO):
    """Lightning's checkpoint files, written atomically and read with `weights_only`.

    Args:
        adapt: changes what was read, in place; it gets the content and the file.
    """

    def __init__(self, adapt: Callable[[dict[str, Any], Path], None] | None = None) -> None:
        super().__init__()
        self.adapt = adapt

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        save_atomically(checkpoint, Path(path))

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        document = read_tensor_file(Path(path))
        if self.adapt is not None:
            self.adapt(document, Path(path))
        return document


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
