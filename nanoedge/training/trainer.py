"""Lightning's Trainer as a configuration wants it."""

from __future__ import annotations

from functools import partial
from typing import Literal

import lightning.pytorch as pl
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger

from nanoedge.config.schema import TrainingConfig
from nanoedge.training.averaging import RampedAveraging
from nanoedge.training.callbacks.early_stopping import EarlyStopping
from nanoedge.training.callbacks.finite import FiniteGuard
from nanoedge.training.callbacks.interrupt import InterruptSaver
from nanoedge.training.callbacks.kept import KeptCheckpoints
from nanoedge.training.callbacks.metrics_file import MetricsFile
from nanoedge.training.callbacks.progress import ProgressDisplay
from nanoedge.training.checkpoints import AtomicCheckpointIO
from nanoedge.training.processes import Processes, quieten_lightning, strategy_of
from nanoedge.training.runs.folder import RunFolder
from nanoedge.training.runs.state import adapt_state

PRECISIONS: dict[str, Literal["32-true", "bf16-mixed", "16-mixed"]] = {
    "fp32": "32-true",
    "bf16": "bf16-mixed",
    "fp16": "16-mixed",
}
"""Ours to Lightning's names."""


def build_trainer(
    training: TrainingConfig, folder: RunFolder, processes: Processes, batches: int, quiet: bool, step: int = 0
) -> pl.Trainer:
    """The Trainer with everything that happens around the steps.

    Args:
        training: the configuration's part.
        folder: where checkpoints, metrics and logs go.
        processes: who trains together.
        batches: batches of an epoch.
        quiet: no progress display.
        step: optimiser steps done; what a log has of later ones, which are trained again, is hidden.
    """
    quieten_lightning()
    averaging = RampedAveraging(training.ema_decay)
    best = ModelCheckpoint(
        folder.checkpoints, "best", monitor="val/AP", mode="max", save_top_k=1, enable_version_counter=False
    )
    last = ModelCheckpoint(
        folder.checkpoints, "last", save_top_k=1, save_on_train_epoch_end=True, enable_version_counter=False
    )
    return pl.Trainer(
        accelerator=training.accelerator,
        devices=processes.devices,
        num_nodes=processes.nodes,
        strategy=strategy_of(processes, training.threads),
        use_distributed_sampler=False,  # the loader shares batches out by itself
        precision=PRECISIONS[training.precision],
        accumulate_grad_batches=training.accumulate,
        limit_train_batches=batches // training.accumulate * training.accumulate or 1.0,  # whole steps
        max_epochs=training.epochs,
        gradient_clip_val=training.gradient_clip,
        check_val_every_n_epoch=min(training.evaluate_every, training.epochs),
        num_sanity_val_steps=0,
        default_root_dir=folder.path,
        logger=TensorBoardLogger(folder.path, name="", version="tensorboard", purge_step=step),
        log_every_n_steps=min(10, batches),
        callbacks=[
            averaging,
            FiniteGuard(folder, averaging),
            MetricsFile(folder.metrics),
            ProgressDisplay(quiet),
            EarlyStopping(training.early_stopping),
            InterruptSaver(folder.last),
            best,
            KeptCheckpoints(folder, training.keep_every),
            last,  # after everything else: what it holds has happened
        ],
        plugins=[AtomicCheckpointIO(partial(adapt_state, training=training))],
        deterministic=training.deterministic,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
