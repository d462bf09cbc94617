"""Ending a run whose validation AP no longer grows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import lightning.pytorch as pl

STATE_KEY = "EarlyStopping"


class EarlyStopping(pl.Callback):
    """Ends the run after some evaluations in a row without a better AP; counting goes on after a resume.

    Args:
        patience: that many evaluations; 0 never ends the run.
    """

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self._best = -1.0
        self._waited = 0
        self._stopped_after = 0

    @property
    def state_key(self) -> str:
        """Its place in a checkpoint."""
        return STATE_KEY

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.sanity_checking or self.patience == 0:
            return
        precision = float(trainer.callback_metrics["val/AP"])
        if precision > self._best:
            self._best, self._waited = precision, 0
            return
        self._waited += 1
        if trainer.strategy.reduce_boolean_decision(self._waited >= self.patience, all=False):
            self._stopped_after = trainer.current_epoch + 1
            trainer.should_stop = True

    def state_dict(self) -> dict[str, Any]:
        """The best AP, the evaluations since it, and the epoch (from 1) after which the run ended, or 0."""
        return {"best": self._best, "waited": self._waited, "stopped_after": self._stopped_after}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on counting."""
        self._best, self._waited = state_dict["best"], state_dict["waited"]
        self._stopped_after = state_dict["stopped_after"]


def stopped_after(checkpoint: Mapping[str, Any]) -> int:
    """The epoch, counted from 1, after which a run was ended early; 0 when it was not.

    Args:
        checkpoint: the document of a `last.ckpt`.
    """
    state = checkpoint.get("callbacks", {}).get(STATE_KEY, {})
    return int(state.get("stopped_after", 0))
