"""The table of a run: one row an epoch."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch

from nanoedge.files import write_atomically
from nanoedge.training.callbacks.evaluated import evaluated

LOSS_TERMS = tuple(
    f"{part}_{term}" for part in ("head", "agm") for term in ("quality_focal", "distribution_focal", "giou")
)
"""As the module logs them; those of the AGM are empty without one."""
COLUMNS = (
    *("epoch", "step", "learning_rate", "train_loss", *LOSS_TERMS),
    *("val_AP", "val_AP50", "val_AP75", "seconds", "val_seconds"),
)


class MetricsFile(pl.Callback):
    """`metrics.csv`: one row an epoch. After a resume the rows of epochs that are trained again are replaced.

    The whole file is written anew each time, so that a kill never leaves half a row. The mean loss of an epoch that was
    interrupted in its middle is that of all its batches: the sum so far is part of the checkpoint. `seconds` are those
    of the whole epoch, `val_seconds` those of them that its evaluation took.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rows: list[dict[str, Any]] = []
        self._started = 0.0
        self._sum: Any = 0.0
        self._batches = 0
        self._validation_started = 0.0
        self._validation_seconds = 0.0
        self._whole_steps: tuple[Any, int] = (0.0, 0)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._started = time.monotonic()  # an epoch that is resumed in its middle does not start again
        if trainer.is_global_zero:
            self._rows = [row for row in read_rows(self.path) if int(row["epoch"]) <= trainer.current_epoch]
            self._write()

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._started = time.monotonic()
        self._count_from(0.0, 0)
        self._validation_seconds = 0.0

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        # Lightning's loss is divided by the number of batches that are accumulated; no .item(), a GPU would wait for it
        self._sum = self._sum + outputs["loss"].detach().double() * trainer.accumulate_grad_batches
        self._batches += 1
        if (batch_idx + 1) % trainer.accumulate_grad_batches == 0:
            self._whole_steps = (self._sum, self._batches)

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._validation_started = time.monotonic()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._validation_seconds = time.monotonic() - self._validation_started

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        loss = torch.as_tensor(self._sum / max(1, self._batches), dtype=torch.float32, device=pl_module.device)
        if trainer.world_size > 1:
            loss = trainer.strategy.reduce(loss, reduce_op="mean")
        self._count_from(0.0, 0)  # for the checkpoint that is written after this hook
        if not trainer.is_global_zero:
            return
        metrics = trainer.callback_metrics
        row: dict[str, Any] = {
            "epoch": trainer.current_epoch + 1,
            "step": trainer.global_step,
            "learning_rate": f"{trainer.optimizers[0].param_groups[0]['lr']:.6g}",
            "train_loss": f"{float(loss):.5f}",
            "seconds": f"{time.monotonic() - self._started:.1f}",
            "val_seconds": f"{self._validation_seconds:.1f}",
        }
        row |= {term: f"{float(metrics[f'train/{term}']):.5f}" for term in LOSS_TERMS if f"train/{term}" in metrics}
        if evaluated(trainer):
            row |= {f"val_{name}": f"{float(metrics[f'val/{name}']):.5f}" for name in ("AP", "AP50", "AP75")}
        self._rows.append(row)
        self._write()

    def state_dict(self) -> dict[str, Any]:
        """The sum of the losses of the batches of the epoch's whole steps, and their number."""
        return {"sum": float(self._whole_steps[0]), "batches": self._whole_steps[1]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the sum of an interrupted epoch."""
        self._count_from(state_dict["sum"], state_dict["batches"])

    def _count_from(self, losses: float, batches: int) -> None:
        self._sum, self._batches = losses, batches
        self._whole_steps = (losses, batches)

    def _write(self) -> None:
        table = io.StringIO(newline="")
        writer = csv.DictWriter(table, COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._rows)
        write_atomically(self.path, table.getvalue().encode())


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The whole rows of a `metrics.csv`, which may be missing; a row that is torn at its end is left out."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines.pop()
    rows = csv.DictReader(line.rstrip("\r\n") for line in lines)
    return [row for row in rows if None not in row.values() and (row.get("epoch") or "").isdigit()]
