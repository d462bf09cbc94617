"""A Ctrl-C that saves."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import lightning.pytorch as pl

from nanoedge.errors import TrainingInterruptedError


class InterruptSaver(pl.Callback):
    """On Ctrl-C the batch in work is finished, the exact state is saved, and the run ends; twice stops at once.

    Args:
        path: the checkpoint that is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._asked = False
        self._previous: Any = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._previous = signal.signal(signal.SIGINT, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        print("Stopping after this step; the state is being saved (Ctrl-C again stops at once).", file=sys.stderr)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        last_of_epoch = batch_idx + 1 >= trainer.num_training_batches
        if self._asked and not last_of_epoch:
            self._stop(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self._asked:
            raise TrainingInterruptedError(self._farewell())

    def _stop(self, trainer: pl.Trainer) -> None:
        trainer.save_checkpoint(self.path)
        raise TrainingInterruptedError(self._farewell())

    def _farewell(self) -> str:
        return (
            f"Training was stopped; the state is saved. Go on with: nanoedge train --resume {self.path.parent.parent}"
        )

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._restore()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        self._restore()

    def _restore(self) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)
            self._previous = None
