"""Training as one function: from a configuration to a run's folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch

from nanoedge.config.schema import Config
from nanoedge.data.check.quick import quick_check, summary
from nanoedge.data.index import DatasetIndex
from nanoedge.data.loader import fitting_batch_size, input_sizes
from nanoedge.data.splits import Splits, read_splits
from nanoedge.errors import CheckpointError, DataError, InputError, NanoEdgeError
from nanoedge.training.batch_size import choose_batch_size
from nanoedge.training.checkpoints import load_checkpoint, read_tensor_file
from nanoedge.training.data_module import DetectorData
from nanoedge.training.module import DetectorModule
from nanoedge.training.processes import Processes, find_processes, one_voice
from nanoedge.training.run_folder import RunFolder, make_run_folder, read_run_folder
from nanoedge.training.starting_weights.read import StartingWeights
from nanoedge.training.starting_weights.start import apply_start, check_start
from nanoedge.training.trainer import build_trainer

Say = Callable[[str], None]


def _silent(text: str) -> None:
    pass


@dataclass(frozen=True)
class TrainingResult:
    """Where a run's results lie, and the metrics of the averaged weights.

    Attributes:
        run: the run's folder.
        best: the weights with the best AP.
        last: the weights after the last epoch.
        epochs: trained in all.
        best_ap: AP of `best` on the validation pictures.
        last_metrics: of the last evaluation.
        rank: of several processes that were started from outside, which one this is; the first, 0, speaks for all.
    """

    run: Path
    best: Path
    last: Path
    epochs: int
    best_ap: float
    last_metrics: dict[str, Any] | None
    rank: int = 0

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "run": str(self.run),
            "best": str(self.best),
            "last": str(self.last),
            "epochs": self.epochs,
            "best_AP": round(self.best_ap, 5),
            "last_metrics": self.last_metrics,
        }


def train(
    config: Config,
    run: Path | None = None,
    weights: Path | None = None,
    force: bool = False,
    quiet: bool = False,
    say: Say = _silent,
) -> TrainingResult:
    """Train from the start.

    Args:
        config: the run.
        run: folder to make; `None` makes `runs/NAME`, or `runs/NAME-2` and so on when that is there.
        weights: file whose fitting tensors the network starts with: one of our checkpoints, the original
            NanoDet-Plus project's, or safetensors.
        force: replace the folder when it exists.
        quiet: no progress display.
        say: receives sentences for the user.

    Raises:
        NanoEdgeError: bad data, an existing folder without `force`, a loss that is not a number, an interruption.
    """
    processes = find_processes(config.training)
    if processes.starter and run is None:
        raise InputError(f"Processes of {processes.starter} must agree on the run's folder; name it with --out.")
    if processes.rank:
        say = _silent
    start = check_start(config, weights, say)
    splits = read_splits(config)
    for line in summary(quick_check(splits.sets, config)):
        say(line)
    chosen = config.for_pictures(len(splits.train))
    if config.recipe == "auto":
        say(f"recipe {chosen.recipe}, for {len(splits.train)} training pictures; recipe=NAME takes another")
    config = _with_batch_size(chosen, splits, processes, say)
    _refuse_single_values(config, len(splits.train), processes)
    folder = RunFolder(run) if run and processes.rank else make_run_folder(config, run, force)
    return _fit(config, splits, folder, processes, resume=None, start=start, quiet=quiet, say=say)


def resume(run: Path, overrides: Sequence[str] = (), quiet: bool = False, say: Say = _silent) -> TrainingResult:
    """Go on with a run exactly where it stopped: weights, averages, optimiser, schedule, order, best metric.

    Args:
        run: the run's folder.
        overrides: `key=value` for the few settings that may change: where the data lie, workers, devices, threads.
        quiet: no progress display.
        say: receives sentences for the user.

    Raises:
        NanoEdgeError: when the folder is no run, has nothing to resume, or was finished.
    """
    folder, config = read_run_folder(run, overrides)
    processes = find_processes(config.training)
    if processes.rank:
        say = _silent
    splits = read_splits(config)
    return _fit(config, splits, folder, processes, resume=folder.last, start=None, quiet=quiet, say=say)


def _fit(
    config: Config,
    splits: Splits,
    folder: RunFolder,
    processes: Processes,
    resume: Path | None,
    start: StartingWeights | None,
    quiet: bool,
    say: Say,
) -> TrainingResult:
    training = config.training
    if training.threads:
        torch.set_num_threads(training.threads)
    pl.seed_everything(training.seed, verbose=False)
    for name, index in (("train", splits.train), ("val", splits.val)):
        say(_describe(name, index))

    module = DetectorModule(config, splits.train.classes, splits.train.fingerprint)
    if start is not None:
        apply_start(module, start, splits.train, say)
    batches = len(splits.train) // fitting_batch_size(training.pictures_a_batch, len(splits.train), processes.count)
    first_batch = 0
    if resume is not None:
        document = read_tensor_file(resume)
        _refuse_other_data(document, splits.train, resume)
        first_batch = _batches_done(folder, document, training.epochs)

    trainer = build_trainer(training, folder, processes, batches, quiet)
    data = DetectorData(config, splits, first_batch)
    with one_voice(processes):
        trainer.fit(module, datamodule=data, ckpt_path=str(resume) if resume else None, weights_only=True)
    return _result(folder, processes)


def _with_batch_size(config: Config, splits: Splits, processes: Processes, say: Say) -> Config:
    """`training.batch_size: auto` becomes a number."""
    if config.training.batch_size != "auto":
        return config
    size, told = choose_batch_size(config, splits.train.classes, len(splits.train), processes)
    say(told)
    return config.model_copy(update={"training": config.training.model_copy(update={"batch_size": size})})


def _result(folder: RunFolder, processes: Processes) -> TrainingResult:
    """What the run's checkpoints say; they are the same whoever trained."""
    if not folder.best.exists():
        raise NanoEdgeError(
            f"{folder.path} ended without an evaluation; training.evaluate_every is larger than its epochs."
        )
    best, last = load_checkpoint(folder.best), load_checkpoint(folder.last)
    return TrainingResult(
        run=folder.path,
        best=folder.best,
        last=folder.last,
        epochs=last.epoch,
        best_ap=float((best.metrics or {"AP": 0.0})["AP"]),
        last_metrics=last.metrics,
        rank=processes.rank,
    )


def _refuse_single_values(config: Config, pictures: int, processes: Processes) -> None:
    """Batch normalisation needs more than one value a channel, on the coarsest level too."""
    coarsest = config.model.strides[-1]
    smallest = min(input_sizes(config.input, config.augmentation.multi_scale))
    batch = fitting_batch_size(config.training.pictures_a_batch, pictures, processes.count) // processes.count
    if batch == 0:
        raise InputError(f"{pictures} pictures cannot be shared by {processes.count} processes.")
    if batch == 1 and max(smallest) <= coarsest and not config.training.freeze_norms:
        raise InputError(
            f"A batch of 1 picture of {smallest[0]}x{smallest[1]} pixels has a single value at stride {coarsest}, "
            "which cannot be normalised. Choose a larger input, a larger training.batch_size, or add pictures."
        )


def _refuse_other_data(document: dict[str, Any], index: DatasetIndex, checkpoint: Path) -> None:
    """A run goes on with what it began with, or its curve means nothing."""
    before = document.get("nanoedge", {}).get("data_fingerprint", index.fingerprint)
    if before != index.fingerprint:
        raise DataError(
            f"The annotations in {index.source} are not those that the run began with (fingerprint "
            f"{index.fingerprint}, then {before}). Put them back, or start a new run with --weights {checkpoint}."
        )


def _batches_done(folder: RunFolder, document: dict[str, Any], epochs: int) -> int:
    """How many batches the interrupted epoch has trained already; a whole epoch's number when it is complete."""
    try:
        progress = document["loops"]["fit_loop"]
        batches = int(progress["epoch_loop.batch_progress"]["current"]["ready"])
        finished = progress["epoch_progress"]["current"]["processed"]
    except KeyError as error:
        raise CheckpointError(f"{folder.last} holds weights only; a run cannot be resumed from it.") from error
    if finished >= epochs:
        raise InputError(
            f"The run is finished: {finished} of {epochs} epochs are trained. To train on from its weights, start a "
            f"new run: nanoedge train {folder.config} --weights {folder.last} --out NEW_RUN."
        )
    return batches


def _describe(name: str, index: DatasetIndex) -> str:
    text = f"{name}: {len(index)} pictures, {index.box_count} boxes, {len(index.classes)} classes ({index.source})"
    if index.clipped_boxes:
        text += f"; warning: {index.clipped_boxes} boxes reached beyond their picture and were clipped"
    if index.dropped_boxes:
        text += f"; warning: {index.dropped_boxes} unusable boxes were left out"
    return text
