"""Whether an epoch ended with an evaluation."""

from __future__ import annotations

import lightning.pytorch as pl


def evaluated(trainer: pl.Trainer) -> bool:
    """Whether this epoch ended with an evaluation."""
    every = trainer.check_val_every_n_epoch or 1
    return (trainer.current_epoch + 1) % every == 0 and "val/AP" in trainer.callback_metrics
