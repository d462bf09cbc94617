"""Training as one function: from a configuration to a run's folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch

from nanoedge.config.schema import Config
from nanoedge.data.batches import fitting_batch_size
from nanoedge.data.index import DatasetIndex
from nanoedge.data.splits import Splits, read_splits
from nanoedge.errors import NanoEdgeError
from nanoedge.training.callbacks.early_stopping import stopped_after
from nanoedge.training.checkpoints import load_checkpoint, read_tensor_file
from nanoedge.training.data_module import DetectorData
from nanoedge.training.evaluate import LastEvaluation
from nanoedge.training.memory.freed_memory import keep_freed_memory
from nanoedge.training.memory.out_of_memory import with_one_halving
from nanoedge.training.module import DetectorModule
from nanoedge.training.preparation import Say, prepare, silent, start_of
from nanoedge.training.processes import Processes, device_type, find_processes, one_voice
from nanoedge.training.report.write import report_of_finished_run
from nanoedge.training.runs.folder import RunFolder, choose_place, make_run_folder, read_run_folder, tidy_run_folder
from nanoedge.training.runs.provenance import note_start
from nanoedge.training.runs.state import RunState, read_state
from nanoedge.training.teacher import Teacher, load_teacher
from nanoedge.training.trainer import build_trainer


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
        report: the page that shows the result; `None` when none was wanted or it could not be made.
        rank: of several processes that were started from outside, which one this is; the first, 0, speaks for all.
    """

    run: Path
    best: Path
    last: Path
    epochs: int
    best_ap: float
    last_metrics: dict[str, Any] | None
    report: Path | None = None
    rank: int = 0
    stopped_early: bool = False

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "run": str(self.run),
            "best": str(self.best),
            "last": str(self.last),
            "epochs": self.epochs,
            "best_AP": round(self.best_ap, 5),
            "last_metrics": self.last_metrics,
            "stopped_early": self.stopped_early,
            "report": None if self.report is None else str(self.report),
        }


def train(
    config: Config,
    run: Path | None = None,
    weights: Path | None = None,
    force: bool = False,
    quiet: bool = False,
    say: Say = silent,
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
    ready = prepare(config, run, weights, say)
    place = run if run and ready.processes.rank else choose_place(ready.config, run, force)
    start = start_of(ready, ready.config, ready.say)
    if not ready.processes.rank:
        make_run_folder(ready.config, place, force, start)
    state = RunState(start["state_dict"]) if ready.processes.starter else None  # the others need not wait for a file
    return _train(ready.config, ready.splits, RunFolder(place), ready.processes, state, ready.teacher, quiet, ready.say)


def resume(run: Path, overrides: Sequence[str] = (), quiet: bool = False, say: Say = silent) -> TrainingResult:
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
        say = silent
    splits = read_splits(config)
    if not processes.rank:
        tidy_run_folder(folder)
    teacher = load_teacher(config, splits.train.classes, say)
    return _train(config, splits, folder, processes, None, teacher, quiet, say)


def _train(
    config: Config,
    splits: Splits,
    folder: RunFolder,
    processes: Processes,
    state: RunState | None,
    teacher: Teacher | None,
    quiet: bool,
    say: Say,
) -> TrainingResult:
    """From a state, or that of `last.ckpt`, to the end."""
    for name, index in (("train", splits.train), ("val", splits.val)):
        say(_describe(name, index))
    fit = partial(_fit, splits=splits, folder=folder, processes=processes, state=state, teacher=teacher, quiet=quiet)
    batch_size = fitting_batch_size(config.training.pictures_a_batch, len(splits.train), processes.count)
    alone = processes.starter is None
    last = with_one_halving(config, folder, batch_size, processes.count, fit, say, alone)
    result = _result(folder, processes, say)
    if processes.rank:
        return result
    return replace(result, report=report_of_finished_run(folder, config, splits, last, say))


def _fit(
    config: Config,
    splits: Splits,
    folder: RunFolder,
    processes: Processes,
    state: RunState | None,
    teacher: Teacher | None,
    quiet: bool,
) -> LastEvaluation | None:
    """Train; what the last evaluation found is known where this process itself made it."""
    training = config.training
    keep_freed_memory()
    if training.threads:
        torch.set_num_threads(training.threads)
    pl.seed_everything(training.seed, verbose=False)
    module = DetectorModule(config, splits.train.classes, splits.train.fingerprint, teacher)
    state = state or read_state(folder, config, splits.train)
    if state.weights is not None:
        module.load_state_dict(state.weights)
    batches = len(splits.train) // fitting_batch_size(training.pictures_a_batch, len(splits.train), processes.count)
    if not processes.rank:
        note_start(folder.starts, f"{processes.count} x {device_type(training)}")
    trainer = build_trainer(training, folder, processes, batches, quiet, state.step)
    data = DetectorData(config, splits, state.epoch, state.first_batch)
    checkpoint = str(folder.last) if state.begun else None
    try:
        with one_voice(processes):
            trainer.fit(module, datamodule=data, ckpt_path=checkpoint, weights_only=True)
    except SystemExit as end:  # what Lightning makes of a Ctrl-C before the first step
        raise KeyboardInterrupt from end
    return module.last_evaluation


def _result(folder: RunFolder, processes: Processes, say: Say) -> TrainingResult:
    """What the run's checkpoints say; they are the same whoever trained."""
    if not folder.best.exists():
        raise NanoEdgeError(
            f"{folder.path} ended without an evaluation; training.evaluate_every is larger than its epochs."
        )
    best, last = load_checkpoint(folder.best), load_checkpoint(folder.last)
    stopped = stopped_after(read_tensor_file(folder.last))
    if stopped:
        say(f"stopped early, after epoch {stopped} of {last.config.training.epochs}: the AP no longer grew")
    return TrainingResult(
        run=folder.path,
        best=folder.best,
        last=folder.last,
        epochs=last.epoch,
        best_ap=float((best.metrics or {"AP": 0.0})["AP"]),
        last_metrics=last.metrics,
        rank=processes.rank,
        stopped_early=stopped > 0,
    )


def _describe(name: str, index: DatasetIndex) -> str:
    text = f"{name}: {len(index)} pictures, {index.box_count} boxes, {len(index.classes)} classes ({index.source})"
    if index.clipped_boxes:
        text += f"; warning: {index.clipped_boxes} boxes reached beyond their picture and were clipped"
    if index.dropped_boxes:
        text += f"; warning: {index.dropped_boxes} unusable boxes were left out"
    return text
