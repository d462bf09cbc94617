"""A run ends when something is no longer a number: with the pictures' names, and the state before it happened."""

from __future__ import annotations

import json
from typing import Any

import lightning.pytorch as pl
import torch

from nanoedge.data.loader import Batch
from nanoedge.errors import NanoEdgeError, TrainingError
from nanoedge.files import write_atomically
from nanoedge.training.averaging import RampedAveraging
from nanoedge.training.runs.folder import RunFolder

_NAMED = 10
"""Tensors that the file lists; when gradients overflow, nearly all have."""


class FiniteGuard(pl.Callback):
    """Looks at losses and gradients before each step, and at the averaged weights and their outputs in an evaluation.

    When one is NaN or infinite, `checkpoints/failed.ckpt` gets the state before the step, `failed.json` the pictures of
    all its batches, and the run ends; `last.ckpt` and `best.ckpt` stay as they are. Of several processes all stop.
    Gradients in fp16 that overflow are the loss scaler's business, which leaves the step out.

    Args:
        folder: of the run.
        averaging: whose weights are evaluated.
    """

    def __init__(self, folder: RunFolder, averaging: RampedAveraging) -> None:
        self.folder = folder
        self.averaging = averaging
        self._names: list[str] = []
        self._losses: list[torch.Tensor] = []
        self._first_batch = 0
        self._statistics: list[torch.Tensor] = []

    # --- before a step ------------------------------------------------------------------------------------------

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        if batch_idx % trainer.accumulate_grad_batches == 0:
            self._names, self._losses, self._first_batch = [], [], batch_idx
            self._keep_statistics(pl_module)
        if isinstance(batch, Batch):
            self._names += batch.names

    def on_before_backward(self, trainer: pl.Trainer, pl_module: Any, loss: torch.Tensor) -> None:
        self._losses.append(loss.detach())

    def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: Any, optimizer: Any) -> None:
        scaler = getattr(trainer.precision_plugin, "scaler", None)
        factor = trainer.accumulate_grad_batches / (scaler.get_scale() if scaler is not None else 1.0)
        losses = torch.stack(self._losses).float() * factor
        gradients = [part.grad for part in pl_module.parameters() if part.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        finite = torch.isfinite(losses).all()
        if scaler is None:
            finite = finite & torch.isfinite(norm)
        if self._everywhere(trainer, finite):
            return
        what = "loss" if not torch.isfinite(losses).all() else "gradient"
        value = next((value for value in losses.tolist() if not _is_finite(value)), float(norm))
        named = pl_module.named_parameters()
        unusable = [name for name, part in named if part.grad is not None and not torch.isfinite(part.grad).all()]
        pictures = self._gathered(trainer, self._names)
        facts = {
            "what": what,
            "epoch": trainer.current_epoch + 1,
            "step": trainer.global_step + 1,
            "pictures": pictures,
            "losses": [_plain(value) for value in losses.tolist()],
            "terms": {name: _plain(float(term)) for name, term in trainer.callback_metrics.items()},
            "gradient_norm": _plain(float(norm)),
            "learning_rate": optimizer.param_groups[0]["lr"],
            "gradients_not_finite": unusable[:_NAMED],
        }
        epoch, step = facts["epoch"], facts["step"]
        self._rewind(trainer, pl_module)
        saved = self._save(trainer, facts)
        raise TrainingError(
            f"The {what} became {value} in epoch {epoch}, step {step}; "
            f"pictures: {', '.join(pictures)}. {saved} Lower training.learning_rate, or look at these pictures' boxes."
        )

    # --- in an evaluation ---------------------------------------------------------------------------------------

    def on_validation_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        pl_module.not_finite = []
        averaged = self.averaging.averaged_tensors()
        unusable = [name for name, part in averaged.items() if not torch.isfinite(part).all()]
        if not self._everywhere(trainer, torch.tensor(not unusable, device=pl_module.device)):
            self._fail_evaluation(trainer, "averaged weights are", {"weights_not_finite": unusable[:_NAMED]}, "")

    def on_validation_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        if not self._everywhere(trainer, torch.tensor(not pl_module.not_finite, device=pl_module.device)):
            pictures = self._gathered(trainer, pl_module.not_finite)
            named = f" Pictures: {', '.join(pictures[:_NAMED])}."
            self._fail_evaluation(trainer, "network's output is", {"pictures": pictures}, named)

    def _fail_evaluation(self, trainer: pl.Trainer, what: str, more: dict[str, Any], named: str) -> None:
        epoch = trainer.current_epoch + 1
        saved = self._save(
            trainer, {"what": what.rsplit(" ", 1)[0], "epoch": epoch, "step": trainer.global_step, **more}
        )
        raise TrainingError(
            f"The {what} not finite in the evaluation after epoch {epoch}.{named} {saved} Lower training.learning_rate."
        )

    # --- what is saved ------------------------------------------------------------------------------------------

    def _rewind(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Put everything that changed since the step began back, so that a run could go on from its first batch."""
        with torch.no_grad():
            torch._foreach_copy_(list(pl_module.buffers()), self._statistics)
        progress: Any = trainer.fit_loop.epoch_loop.batch_progress
        back = progress.current.ready - self._first_batch
        for counts in (progress.total, progress.current):
            counts.ready = counts.started = counts.processed = counts.completed = counts.ready - back
        progress.is_last_batch = False

    def _save(self, trainer: pl.Trainer, facts: dict[str, Any]) -> str:
        """Write both files; a sentence that says so, or why not."""
        try:
            trainer.save_checkpoint(self.folder.failed)
            if trainer.is_global_zero:
                document = {**facts, "checkpoint": str(self.folder.failed.relative_to(self.folder.path))}
                write_atomically(self.folder.failure, (json.dumps(document, indent=2) + "\n").encode())
        except NanoEdgeError as error:
            return str(error)
        return f"The state is in {self.folder.failed}, what is known of it in {self.folder.failure}."

    def _keep_statistics(self, pl_module: Any) -> None:
        """Batch normalisation's averages change in the forward already, the weights only in the step."""
        current = list(pl_module.buffers())
        if [part.shape for part in self._statistics] != [part.shape for part in current]:
            self._statistics = [part.detach().clone() for part in current]
        else:
            torch._foreach_copy_(self._statistics, current)

    @staticmethod
    def _everywhere(trainer: pl.Trainer, finite: torch.Tensor) -> bool:
        """Whether it holds in all processes that train together."""
        if trainer.world_size > 1:
            return bool(trainer.strategy.reduce(finite.float(), reduce_op="sum") == trainer.world_size)
        return bool(finite)

    @staticmethod
    def _gathered(trainer: pl.Trainer, names: list[str]) -> list[str]:
        if trainer.world_size == 1:
            return names
        parts: list[Any] = [None] * trainer.world_size
        torch.distributed.all_gather_object(parts, names)
        return [name for part in parts for name in part]


def _is_finite(value: float) -> bool:
    return value - value == 0


def _plain(value: float) -> float | str:
    """A number that JSON has, or its name."""
    return value if _is_finite(value) else str(value)
