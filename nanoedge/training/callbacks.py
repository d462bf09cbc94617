"""What happens around the steps: progress for people, a metrics file, and a Ctrl-C that saves."""

from __future__ import annotations

import csv
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

import lightning.pytorch as pl
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from nanoedge.errors import TrainingInterruptedError


class ProgressDisplay(pl.Callback):
    """A bar with the time left on a terminal, and one line an epoch everywhere; all on standard error.

    Args:
        quiet: show nothing.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.console = Console(stderr=True, quiet=quiet, highlight=False)
        self._bar: Progress | None = None
        self._task: Any = None
        self._epoch_started = 0.0
        self._fit_started = 0.0
        self._epochs_before = 0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._fit_started = self._epoch_started = time.monotonic()
        self._epochs_before = trainer.current_epoch
        if not self.console.is_terminal:
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
        if _evaluated(trainer):
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


class MetricsFile(pl.Callback):
    """`metrics.csv`: one row an epoch. After a resume the rows of epochs that are trained again are replaced."""

    COLUMNS = ("epoch", "step", "learning_rate", "train_loss", "val_AP", "val_AP50", "val_AP75", "seconds")

    def __init__(self, path: Path) -> None:
        self.path = path
        self._started = 0.0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._started = time.monotonic()  # an epoch that is resumed in its middle does not start again
        rows = []
        if self.path.exists():
            with self.path.open(newline="") as stream:
                rows = [row for row in csv.DictReader(stream) if int(row["epoch"]) <= trainer.current_epoch]
        with self.path.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, self.COLUMNS)
            writer.writeheader()
            writer.writerows(rows)

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._started = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        metrics = trainer.callback_metrics
        row: dict[str, Any] = {
            "epoch": trainer.current_epoch + 1,
            "step": trainer.global_step,
            "learning_rate": f"{trainer.optimizers[0].param_groups[0]['lr']:.6g}",
            "train_loss": f"{float(metrics['train/loss_epoch']):.5f}",
            "seconds": f"{time.monotonic() - self._started:.1f}",
        }
        if _evaluated(trainer):
            row |= {f"val_{name}": f"{float(metrics[f'val/{name}']):.5f}" for name in ("AP", "AP50", "AP75")}
        with self.path.open("a", newline="") as stream:
            csv.DictWriter(stream, self.COLUMNS).writerow(row)


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


def _evaluated(trainer: pl.Trainer) -> bool:
    """Whether this epoch ended with an evaluation."""
    every = trainer.check_val_every_n_epoch or 1
    return (trainer.current_epoch + 1) % every == 0 and "val/AP" in trainer.callback_metrics


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
