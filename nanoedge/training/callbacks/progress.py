"""A bar with the time left, and one line an epoch."""

from __future__ import annotations

import time
from typing import Any

import lightning.pytorch as pl
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from nanoedge.training.callbacks.evaluated import evaluated


class ProgressDisplay(pl.Callback):
    """A bar with the time left on a terminal, and one line an epoch everywhere; all on standard error.

    Args:
        quiet: show nothing.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self._bar: Progress | None = None
        self._task: Any = None
        self._epoch_started = 0.0
        self._fit_started = 0.0
        self._epochs_before = 0

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        self.console = Console(stderr=True, quiet=self.quiet or not trainer.is_global_zero, highlight=False)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._fit_started = self._epoch_started = time.monotonic()
        self._epochs_before = trainer.current_epoch
        if not self.console.is_terminal or self.console.quiet:
            return
        self._bar = Progress(
            TextColumn("[bold]training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("steps  loss {task.fields[loss]:.3f}  left"),
            TimeRemainingColumn(),
            console=self.console,
        )
        self._bar.start()
        total = int(trainer.estimated_stepping_batches)
        self._task = self._bar.add_task("", total=total, completed=trainer.global_step, loss=float("nan"))

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._epoch_started = time.monotonic()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=trainer.global_step, loss=float(outputs["loss"]))

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        done, total = trainer.current_epoch + 1, int(trainer.max_epochs or 0)
        now = time.monotonic()
        metrics = trainer.callback_metrics
        parts = [f"epoch {done}/{total}", f"loss {float(metrics['train/loss_epoch']):.3f}"]
        if evaluated(trainer):
            parts.append(f"val AP {float(metrics['val/AP']):.3f} AP50 {float(metrics['val/AP50']):.3f}")
        parts.append(f"{now - self._epoch_started:.0f} s")
        an_epoch = (now - self._fit_started) / max(1, done - self._epochs_before)
        if done < total:
            parts.append(f"{_duration(an_epoch * (total - done))} left")
        self.console.print("  ".join(parts))

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._stop()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
