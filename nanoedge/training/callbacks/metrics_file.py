"""The table of a run: one row an epoch."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

import lightning.pytorch as pl

from nanoedge.training.callbacks.evaluated import evaluated


class MetricsFile(pl.Callback):
    """`metrics.csv`: one row an epoch. After a resume the rows of epochs that are trained again are replaced."""

    COLUMNS = ("epoch", "step", "learning_rate", "train_loss", "val_AP", "val_AP50", "val_AP75", "seconds")

    def __init__(self, path: Path) -> None:
        self.path = path
        self._started = 0.0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._started = time.monotonic()  # an epoch that is resumed in its middle does not start again
        if not trainer.is_global_zero:
            return
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
        if not trainer.is_global_zero:
            return
        metrics = trainer.callback_metrics
        row: dict[str, Any] = {
            "epoch": trainer.current_epoch + 1,
            "step": trainer.global_step,
            "learning_rate": f"{trainer.optimizers[0].param_groups[0]['lr']:.6g}",
            "train_loss": f"{float(metrics['train/loss_epoch']):.5f}",
            "seconds": f"{time.monotonic() - self._started:.1f}",
        }
        if evaluated(trainer):
            row |= {f"val_{name}": f"{float(metrics[f'val/{name}']):.5f}" for name in ("AP", "AP50", "AP75")}
        with self.path.open("a", newline="") as stream:
            csv.DictWriter(stream, self.COLUMNS).writerow(row)
