"""The state of a run: the one before its first step, and the one that a stopped run goes on from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nanoedge.config.schema import Config, TrainingConfig
from nanoedge.data.index import DatasetIndex
from nanoedge.errors import CheckpointError, DataError, InputError
from nanoedge.training.callbacks.early_stopping import stopped_after
from nanoedge.training.checkpoints import describe_run, read_tensor_file
from nanoedge.training.module import DetectorModule
from nanoedge.training.runs.folder import RunFolder


@dataclass(frozen=True)
class RunState:
    """Where a run goes on.

    Attributes:
        weights: of the module before the first step; `None` when Lightning restores everything from `last.ckpt`, or
            when there is nothing but the configuration's seed to start from.
        begun: whether Lightning restores the state from `last.ckpt`.
        epoch: the epoch that is to be trained, from 0.
        first_batch: its first batch that is left to train.
        step: optimiser steps done.
    """

    weights: dict[str, Any] | None = None
    begun: bool = False
    epoch: int = 0
    first_batch: int = 0
    step: int = 0


def first_state(module: DetectorModule) -> dict[str, Any]:
    """The checkpoint before the first step: weights, and what every checkpoint of ours says of its run."""
    return {
        "state_dict": module.state_dict(),
        "nanoedge": describe_run(module.config, module.classes, module.data_fingerprint, 0, None),
    }


def read_state(folder: RunFolder, config: Config, index: DatasetIndex) -> RunState:
    """Where the run in a folder goes on.

    Args:
        folder: of the run. Without a `last.ckpt` the run starts from the beginning, which its seed fixes.
        config: the run's configuration.
        index: the training data.

    Raises:
        InputError: when the run is finished.
        DataError: when the data are not those that the run began with.
        CheckpointError: when its state cannot be read.
    """
    if not folder.last.is_file():
        return RunState()
    document = read_tensor_file(folder.last)
    if "nanoedge" not in document:
        raise CheckpointError(f"{folder.last} is not a checkpoint of NanoEdge; a run cannot be resumed from it.")
    _refuse_other_data(document, index, folder)
    if "loops" not in document:
        if document["nanoedge"]["epoch"] != 0:
            raise CheckpointError(f"{folder.last} holds weights only; a run cannot be resumed from it.")
        return RunState(document["state_dict"])
    end = how_it_ended(document, config)
    if end is not None:
        raise InputError(
            f"The run is finished: {end}. To train on from its weights, start a new run: "
            f"nanoedge train {folder.config} --weights {folder.last} --out NEW_RUN."
        )
    adapt_state(document, folder.last, config.training)
    batches = document["loops"]["fit_loop"]["epoch_loop.batch_progress"]
    first = 0 if batches["is_last_batch"] else int(batches["current"]["ready"])
    epoch = int(document["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"])
    return RunState(begun=True, epoch=epoch, first_batch=first, step=int(document["global_step"]))


def how_it_ended(document: dict[str, Any], config: Config) -> str | None:
    """Why there is nothing left to train after a checkpoint, in words; `None` when there is."""
    if "loops" not in document:
        return None
    done, epochs = document["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"], config.training.epochs
    if done >= epochs:
        return f"{done} of {epochs} epochs are trained"
    stopped = stopped_after(document)
    if stopped:
        evaluations = config.training.early_stopping
        return f"it stopped early, after epoch {stopped} of {epochs}: {evaluations} evaluations without a better AP"
    return None


def adapt_state(document: dict[str, Any], checkpoint: Path, training: TrainingConfig) -> None:
    """Fit a checkpoint to where it lies now and to the batch size that its run has now.

    Lightning keeps the best metric only when the checkpoint's folder is the one that it was written into, so a run
    that was moved or copied would overwrite its best weights. A batch size that was halved after the checkpoint was
    written makes its number of batches another.

    Args:
        document: content of the checkpoint; changed in place.
        checkpoint: its file.
        training: the run's configuration.
    """
    if "loops" not in document:  # plain weights, as Lightning passes them from process to process
        return
    folder = checkpoint.resolve().parent
    for state in document.get("callbacks", {}).values():
        if isinstance(state, dict) and "dirpath" in state:
            state["dirpath"] = str(folder)
            for key in ("best_model_path", "kth_best_model_path", "last_model_path"):
                state[key] = _moved(state[key], folder)
            state["best_k_models"] = {_moved(path, folder): score for path, score in state["best_k_models"].items()}
    before = document["nanoedge"]["config"]["training"]["batch_size"]
    batches = document["loops"]["fit_loop"]["epoch_loop.batch_progress"]
    if training.batch_size in (before, "auto") or before == "auto" or batches["is_last_batch"]:
        return
    assert isinstance(training.batch_size, int)
    done = batches["current"]["ready"] * before // training.batch_size // training.accumulate * training.accumulate
    for counts in (batches["total"], batches["current"]):
        counts.update(dict.fromkeys(("ready", "started", "processed", "completed"), done))


def _moved(path: str, folder: Path) -> str:
    return str(folder / Path(path).name) if path else path


def _refuse_other_data(document: dict[str, Any], index: DatasetIndex, folder: RunFolder) -> None:
    """A run goes on with what it began with, or its curve means nothing."""
    before = document["nanoedge"]["data_fingerprint"]
    if before != index.fingerprint:
        raise DataError(
            f"The annotations in {index.source} are not those that the run began with (fingerprint "
            f"{index.fingerprint}, then {before}). Put them back, or start a new run with --weights {folder.last}."
        )
