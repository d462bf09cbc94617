"""A Ctrl-C that saves."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import lightning.pytorch as pl
import torch

from nanoedge.errors import TrainingInterruptedError


class InterruptSaver(pl.Callback):
    """On Ctrl-C the step in work is finished, the exact state is saved, and the run ends; twice stops at once.

    Of several processes each may hear of it at another step; they agree after every step.

    Args:
        path: the checkpoint that is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._asked = False
        self._previous: Any = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._first = trainer.is_global_zero
        self._previous = signal.signal(signal.SIGINT, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            # not KeyboardInterrupt: Lightning would end the process with status 1
            raise TrainingInterruptedError(
                f"Training was stopped at once. Go on from the last whole epoch with: {self._command()}"
            )
        self._asked = True
        if self._first:
            print("Stopping after this step; the state is being saved (Ctrl-C again stops at once).", file=sys.stderr)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        of_a_step = (batch_idx + 1) % trainer.accumulate_grad_batches
        last_of_epoch = batch_idx + 1 >= trainer.num_training_batches
        if of_a_step == 0 and not last_of_epoch and self._agreed(trainer, pl_module):
            trainer.save_checkpoint(self.path)
            raise TrainingInterruptedError(self._farewell())

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        # the end of the epoch before would be too early: `last.ckpt` is written after the hooks of other callbacks
        if self._agreed(trainer, pl_module):
            raise TrainingInterruptedError(self._farewell())

    def _agreed(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> bool:
        if trainer.world_size == 1:
            return self._asked
        asked = torch.tensor(float(self._asked), device=pl_module.device)
        return bool(trainer.strategy.reduce(asked, reduce_op="sum") > 0)

    def _farewell(self) -> str:
        return f"Training was stopped; the state is saved. Go on with: {self._command()}"

    def _command(self) -> str:
        return f"nanoedge train --resume {self.path.parent.parent}"

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._restore()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        self._restore()

    def _restore(self) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)
            self._previous = None
