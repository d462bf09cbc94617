"""Checkpoints of some epochs that are kept."""

from __future__ import annotations

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Checkpoint

from nanoedge.training.runs.folder import RunFolder


class KeptCheckpoints(Checkpoint):
    """`checkpoints/epoch-N.ckpt` every some epochs, written like `last.ckpt` after the epoch's evaluation.

    Args:
        folder: of the run.
        every: epochs between two; 0 keeps none.
    """

    def __init__(self, folder: RunFolder, every: int) -> None:
        self.folder = folder
        self.every = every

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        done = trainer.current_epoch + 1
        if self.every and done % self.every == 0:
            trainer.save_checkpoint(self.folder.kept(done))
