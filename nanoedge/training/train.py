"""Training as one function: from a configuration to a run's folder."""

from __future__ import annotations

import itertools
import logging
import shutil
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
import yaml
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger
from torch.utils.data import DataLoader, Dataset

from nanoedge.config.load import load_config
from nanoedge.config.schema import Config
from nanoedge.data.check.quick import quick_check, summary
from nanoedge.data.index import DatasetIndex
from nanoedge.data.loader import TrainingLoader, training_dataset
from nanoedge.data.splits import Splits, read_splits
from nanoedge.errors import CheckpointError, ConfigError, DataError, InputError, NanoEdgeError
from nanoedge.training.averaging import RampedAveraging
from nanoedge.training.callbacks import InterruptSaver, MetricsFile, ProgressDisplay
from nanoedge.training.checkpoints import AtomicCheckpointIO, load_checkpoint, load_fitting_weights, read_tensor_file
from nanoedge.training.module import DetectorModule

Say = Callable[[str], None]


@dataclass(frozen=True)
class TrainingResult:
    """Where a run's results lie, and the metrics of the averaged weights."""

    run: Path
    best: Path
    last: Path
    epochs: int
    best_ap: float
    last_metrics: dict[str, Any] | None

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
    say: Say = lambda text: None,
) -> TrainingResult:
    """Train from the start.

    Args:
        config: the run.
        run: folder to make; `None` makes `runs/NAME`, or `runs/NAME-2` and so on when that is there.
        weights: one of our checkpoints whose fitting tensors the network starts with.
        force: replace the folder when it exists.
        quiet: no progress display.
        say: receives sentences for the user.

    Raises:
        NanoEdgeError: bad data, an existing folder without `force`, a loss that is not a number, an interruption.
    """
    splits = read_splits(config)
    for line in summary(quick_check(splits.sets, config)):
        say(line)
    chosen = config.for_pictures(len(splits.train))
    if config.recipe == "auto":
        say(f"recipe {chosen.recipe}, for {len(splits.train)} training pictures; recipe=NAME takes another")
    config = chosen
    run = _make_run_folder(config, run, force)
    (run / "config.yaml").write_text(yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False))
    return _fit(config, splits, run, resume=None, weights=weights, quiet=quiet, say=say)


def resume(
    run: Path, overrides: Sequence[str] = (), quiet: bool = False, say: Say = lambda text: None
) -> TrainingResult:
    """Go on with a run exactly where it stopped: weights, averages, optimiser, schedule, order, best metric.

    Args:
        run: the run's folder.
        overrides: `key=value` for the few settings that may change: where the data lie, workers, devices, threads.
        quiet: no progress display.
        say: receives sentences for the user.

    Raises:
        NanoEdgeError: when the folder is no run, has nothing to resume, or was finished.
    """
    path, last = run / "config.yaml", run / "checkpoints" / "last.ckpt"
    if not path.is_file():
        raise InputError(f"{run} is not the folder of a training run: it has no config.yaml.")
    _check_resume_overrides(overrides)
    config = load_config(str(path), overrides)
    if not last.is_file():
        raise InputError(f"{run} has no checkpoints/last.ckpt to resume from; start again with --force.")
    return _fit(config, read_splits(config), run, resume=last, weights=None, quiet=quiet, say=say)


_RESUMABLE = ("data.", "training.accelerator", "training.devices", "training.threads")


def _check_resume_overrides(overrides: Sequence[str]) -> None:
    for override in overrides:
        if not override.startswith(_RESUMABLE):
            raise ConfigError(
                f"{override!r} cannot be changed when a run is resumed; only data.*, training.accelerator, "
                "training.devices and training.threads can. Start a new run with --weights instead."
            )


def _make_run_folder(config: Config, run: Path | None, force: bool) -> Path:
    if run is None:
        names = itertools.chain([config.name], (f"{config.name}-{number}" for number in itertools.count(2)))
        run = next(path for path in (Path("runs") / name for name in names) if not path.exists())
    elif run.exists() and any(run.iterdir() if run.is_dir() else [run]):
        if not force:
            raise InputError(
                f"{run} exists already. Choose another --out, go on with --resume {run}, or replace it with --force."
            )
        if not (run / "config.yaml").is_file():
            raise InputError(f"{run} is not the folder of a training run (no config.yaml); it is not replaced.")
        shutil.rmtree(run)
    try:
        (run / "checkpoints").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NanoEdgeError(f"The run's folder {run} cannot be made: {error.strerror or error}.") from error
    return run


class _ValidationDataset(Dataset[int]):
    """The places of an index's samples; pictures are read where they are used."""

    def __init__(self, index: DatasetIndex) -> None:
        self.index = index

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, number: int) -> int:
        return number


def _fit(
    config: Config, splits: Splits, run: Path, resume: Path | None, weights: Path | None, quiet: bool, say: Say
) -> TrainingResult:
    _quieten_lightning()
    training = config.training
    if training.threads:
        torch.set_num_threads(training.threads)
    pl.seed_everything(training.seed, verbose=False)
    for name, index in (("train", splits.train), ("val", splits.val)):
        say(_describe(name, index))

    module = DetectorModule(config, splits.train.classes, splits.train.fingerprint)
    if weights is not None:
        start = load_checkpoint(weights)
        left = load_fitting_weights(module.model, start.weights, str(weights))
        say(f"weights from {weights}; {len(left)} tensors start at random" + (f": {', '.join(left)}" if left else ""))
    dataset = training_dataset(splits.train, config)
    loader = TrainingLoader(dataset, training.batch_size, config.data.workers)
    if config.data.cache == "memory":
        kept, of = dataset.augmenter.pictures.in_memory, len(dataset)
        say(f"picture cache: {kept} of {of} pictures have a place in memory")
    _refuse_single_values(loader, config)
    if resume is not None:
        document = read_tensor_file(resume)
        _refuse_other_data(document, splits.train, resume)
        _continue_in_epoch(loader, run, document, resume, training.epochs)

    checkpoints = run / "checkpoints"
    best = ModelCheckpoint(
        checkpoints, "best", monitor="val/AP", mode="max", save_top_k=1, enable_version_counter=False
    )
    last = ModelCheckpoint(
        checkpoints, "last", save_top_k=1, save_on_train_epoch_end=True, enable_version_counter=False
    )
    evaluate_every = min(training.evaluate_every, training.epochs)
    trainer = pl.Trainer(
        accelerator=training.accelerator,
        devices=training.devices,
        max_epochs=training.epochs,
        gradient_clip_val=training.gradient_clip,
        check_val_every_n_epoch=evaluate_every,
        num_sanity_val_steps=0,
        logger=TensorBoardLogger(run, name="", version="tensorboard"),
        log_every_n_steps=min(10, len(loader)),
        callbacks=[
            RampedAveraging(training.ema_decay),
            MetricsFile(run / "metrics.csv"),
            ProgressDisplay(quiet),
            best,
            last,
            InterruptSaver(checkpoints / "last.ckpt"),
        ],
        plugins=[AtomicCheckpointIO()],
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    validation: DataLoader[Any] = DataLoader(_ValidationDataset(splits.val), batch_size=8, collate_fn=list)
    trainer.fit(module, loader, validation, ckpt_path=str(resume) if resume else None, weights_only=True)
    if not (checkpoints / "best.ckpt").exists():
        raise NanoEdgeError(f"{run} ended without an evaluation; training.evaluate_every is larger than its epochs.")
    return TrainingResult(
        run=run,
        best=checkpoints / "best.ckpt",
        last=checkpoints / "last.ckpt",
        epochs=trainer.current_epoch,
        best_ap=float(best.best_model_score or 0.0),
        last_metrics=module.last_metrics,
    )


def _refuse_single_values(loader: TrainingLoader, config: Config) -> None:
    """Batch normalisation needs more than one value a channel, on the coarsest level too."""
    coarsest = config.model.strides[-1]
    smallest = min(loader.order.sizes)
    if loader.batch_size == 1 and max(smallest) <= coarsest:
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


def _continue_in_epoch(
    loader: TrainingLoader, run: Path, document: dict[str, Any], checkpoint: Path, epochs: int
) -> None:
    """Let the loader begin at the first batch that the interrupted epoch has not trained."""
    try:
        progress = document["loops"]["fit_loop"]
        batches = progress["epoch_loop.batch_progress"]["current"]["ready"]
        finished = progress["epoch_progress"]["current"]["processed"]
    except KeyError as error:
        raise CheckpointError(f"{checkpoint} holds weights only; a run cannot be resumed from it.") from error
    if finished >= epochs:
        raise InputError(
            f"The run is finished: {finished} of {epochs} epochs are trained. To train on from its weights, start a "
            f"new run: nanoedge train {run / 'config.yaml'} --weights {checkpoint} --out NEW_RUN."
        )
    if batches < len(loader):
        loader.start_at_batch(batches)


def _describe(name: str, index: DatasetIndex) -> str:
    text = f"{name}: {len(index)} pictures, {index.box_count} boxes, {len(index.classes)} classes ({index.source})"
    if index.clipped_boxes:
        text += f"; warning: {index.clipped_boxes} boxes reached beyond their picture and were clipped"
    if index.dropped_boxes:
        text += f"; warning: {index.dropped_boxes} unusable boxes were left out"
    return text


def _quieten_lightning() -> None:
    """Lightning's hints are for its own users; ours read our messages."""
    for name in ("lightning.pytorch", "lightning.fabric", "lightning"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"lightning\..*")
    warnings.filterwarnings("ignore", message=r".*TypedStorage is deprecated.*")
