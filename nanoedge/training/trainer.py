"""Lightning's Trainer as a configuration wants it."""

from __future__ import annotations

import logging
import warnings
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger
from torch.utils.data import DataLoader, Dataset

from nanoedge.config.schema import TrainingConfig
from nanoedge.data.index import DatasetIndex
from nanoedge.training.averaging import RampedAveraging
from nanoedge.training.callbacks.interrupt import InterruptSaver
from nanoedge.training.callbacks.metrics_file import MetricsFile
from nanoedge.training.callbacks.progress import ProgressDisplay
from nanoedge.training.checkpoints import AtomicCheckpointIO
from nanoedge.training.run_folder import RunFolder


def build_trainer(training: TrainingConfig, folder: RunFolder, batches: int, quiet: bool) -> pl.Trainer:
    """The Trainer with everything that happens around the steps.

    Args:
        training: the configuration's part.
        folder: where checkpoints, metrics and logs go.
        batches: batches of an epoch.
        quiet: no progress display.
    """
    quieten_lightning()
    best = ModelCheckpoint(
        folder.checkpoints, "best", monitor="val/AP", mode="max", save_top_k=1, enable_version_counter=False
    )
    last = ModelCheckpoint(
        folder.checkpoints, "last", save_top_k=1, save_on_train_epoch_end=True, enable_version_counter=False
    )
    return pl.Trainer(
        accelerator=training.accelerator,
        devices=training.devices,
        max_epochs=training.epochs,
        gradient_clip_val=training.gradient_clip,
        check_val_every_n_epoch=min(training.evaluate_every, training.epochs),
        num_sanity_val_steps=0,
        logger=TensorBoardLogger(folder.path, name="", version="tensorboard"),
        log_every_n_steps=min(10, batches),
        callbacks=[
            RampedAveraging(training.ema_decay),
            MetricsFile(folder.metrics),
            ProgressDisplay(quiet),
            best,
            last,
            InterruptSaver(folder.last),
        ],
        plugins=[AtomicCheckpointIO()],
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def best_score(trainer: pl.Trainer) -> float:
    """The best validation AP of the run so far; 0 before the first evaluation."""
    monitored = [part for part in trainer.checkpoint_callbacks if getattr(part, "monitor", None) == "val/AP"]
    score = monitored[0].best_model_score  # type: ignore[attr-defined]
    return 0.0 if score is None else float(score)


class _Places(Dataset[int]):
    """The places of an index's samples; pictures are read where they are used."""

    def __init__(self, index: DatasetIndex) -> None:
        self.index = index

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, number: int) -> int:
        return number


def validation_loader(index: DatasetIndex) -> DataLoader[Any]:
    """Places of validation pictures, some at a time."""
    return DataLoader(_Places(index), batch_size=8, collate_fn=list)


def quieten_lightning() -> None:
    """Lightning's hints are for its own users; ours read our messages."""
    for name in ("lightning.pytorch", "lightning.fabric", "lightning"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"lightning\..*")
    warnings.filterwarnings("ignore", message=r".*TypedStorage is deprecated.*")
