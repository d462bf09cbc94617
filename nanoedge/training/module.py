"""The LightningModule: one training step, one validation step, optimiser and schedule."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch

from nanoedge.assigners import GroundTruth
from nanoedge.config.schema import Config, TrainingConfig
from nanoedge.data.index import DatasetIndex
from nanoedge.data.loader import Batch
from nanoedge.detections import Detections
from nanoedge.errors import NanoEdgeError
from nanoedge.evaluation.coco_metrics import coco_metrics
from nanoedge.evaluation.evaluate import read_sample
from nanoedge.evaluation.tensor_predictor import FloatArray, tensor_predictor
from nanoedge.losses.detection import DetectionLoss, detection_loss, total_loss
from nanoedge.losses.distillation import DistillationLoss, distillation_loss
from nanoedge.losses.divisor import at_least_one
from nanoedge.models.nanodet_plus import NanoDetPlus, TrainingOutput
from nanoedge.models.priors import decode_boxes, make_priors
from nanoedge.models.recompute import recomputed_activations
from nanoedge.training.checkpoints import describe_run
from nanoedge.training.evaluate import LastEvaluation
from nanoedge.training.starting_weights.freeze import freeze_parts, keep_norms_still
from nanoedge.training.targets import assign_batch
from nanoedge.training.teacher import Teacher


class DetectorModule(pl.LightningModule):
    """NanoDet-Plus in training.

    Args:
        config: the run's configuration.
        classes: class names.
        data_fingerprint: names the training data in checkpoints.
        teacher: whose predictions are learned, too.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(
        self, config: Config, classes: tuple[str, ...], data_fingerprint: str = "", teacher: Teacher | None = None
    ) -> None:
        super().__init__()
        self.teacher = teacher
        self.config = config
        self.classes = classes
        self.data_fingerprint = data_fingerprint
        self.model = NanoDetPlus(config.model, len(classes)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        shape = (1, 3, 1, 1)
        self.register_buffer("mean", torch.tensor(config.input.mean).view(shape), persistent=False)
        self.register_buffer("std", torch.tensor(config.input.std).view(shape), persistent=False)
        self._compiled: Callable[[torch.Tensor, bool], TrainingOutput] | None = None
        self._priors: dict[tuple[int, int], torch.Tensor] = {}
        self._found: dict[int, Detections] = {}
        self.last_metrics: dict[str, Any] | None = None
        self.not_finite: list[str] = []
        self.last_evaluation: LastEvaluation | None = None
        freeze_parts(self.model, config.training)
        self.train()

    def train(self, mode: bool = True) -> DetectorModule:
        """Training or evaluation mode; batch norms that are to stand still stay in evaluation mode."""
        super().train(mode)
        keep_norms_still(self.model, self.config.training)
        return self

    # --- training -----------------------------------------------------------------------------------------------

    def on_train_start(self) -> None:
        """Compiling comes last: a compiled function can be neither copied nor sent to other processes."""
        if self.config.training.compile:
            self._compiled = torch.compile(self.model.forward_training)

    def training_step(self, batch: Batch | NanoEdgeError, batch_index: int) -> torch.Tensor:
        """The loss of one batch: head plus AGM, both under the same assignment."""
        if isinstance(batch, NanoEdgeError):
            raise batch
        losses = self.losses_of(batch)
        loss = total_loss(losses)
        size = len(batch.names)
        self.log("train/loss", loss, on_step=True, on_epoch=True, batch_size=size, sync_dist=self._several)
        names = ["head", "distillation"] if self.model.agm_head is None else ["head", "agm", "distillation"]
        for name, part in zip(names, losses, strict=False):
            for term in dataclasses.fields(part):
                value = getattr(part, term.name)
                self.log(f"train/{name}_{term.name}", value, on_epoch=True, batch_size=size, sync_dist=self._several)
        return loss

    def losses_of(self, batch: Batch) -> list[DetectionLoss | DistillationLoss]:
        """The losses of the head, with an AGM of the AGM, and with a teacher of the head against it."""
        detached = self.current_epoch >= self.config.model.agm.detach_epoch
        pictures = batch.pictures.contiguous(memory_format=torch.channels_last)
        pictures = (pictures - self.mean) / self.std
        forward = self._compiled or self.model.forward_training
        with recomputed_activations(self.config.training.recompute and self._compiled is None):
            output = forward(pictures, detached)
        taught = self.teacher(batch.pictures) if self.teacher is not None else None
        with torch.autocast(self.device.type, enabled=False):  # assignment and losses are always fp32
            losses: list[DetectionLoss | DistillationLoss] = [*self._losses(output, pictures, batch, detached)]
            if taught is not None:
                settings, beta = self.config.distillation, self.config.loss.quality_focal_beta
                student = output.head.float()
                losses.append(distillation_loss(student, taught, settings, beta, self._divisor))
            return losses

    def _losses(
        self, output: TrainingOutput, pictures: torch.Tensor, batch: Batch, detached: bool
    ) -> list[DetectionLoss]:
        config, classes = self.config, len(self.classes)
        priors = self._priors_for(pictures.shape[3], pictures.shape[2])
        predictions = [output.head.float()] + ([output.agm.float()] if output.agm is not None else [])
        boxes = [decode_boxes(raw[..., classes:], priors) for raw in predictions]
        guide = -1 if config.assigner.predictions == "agm" or not detached else 0
        truths = [
            GroundTruth(*truth) for truth in zip(batch.boxes_xyxy, batch.class_ids, batch.ignore_xyxy, strict=True)
        ]
        with torch.no_grad():
            targets = assign_batch(
                predictions[guide][..., :classes].detach(),
                boxes[guide].detach(),
                priors,
                truths,
                config.assigner,
            )
        return [
            detection_loss(raw, decoded, priors, targets, classes, config.loss, self._divisor)
            for raw, decoded in zip(predictions, boxes, strict=True)
        ]

    def _priors_for(self, width: int, height: int) -> torch.Tensor:
        """The priors of an input size; with multi-scale training each batch may have another."""
        if (width, height) not in self._priors:
            self._priors[width, height] = make_priors(width, height, self.config.model.strides).to(self.device)
        return self._priors[width, height]

    @property
    def _several(self) -> bool:
        """Whether several processes train together."""
        return self._trainer is not None and self.trainer.world_size > 1

    def _divisor(self, total: torch.Tensor) -> torch.Tensor:
        """`at_least_one` for the whole batch, as this process' share: the gradients are averaged over processes."""
        if not self._several:
            return at_least_one(total)
        of_all: torch.Tensor = self.trainer.strategy.reduce(total.clone(), reduce_op="sum")
        return at_least_one(of_all) / self.trainer.world_size

    # --- validation ---------------------------------------------------------------------------------------------

    def on_validation_epoch_start(self) -> None:
        self._found = {}
        self._predict = tensor_predictor(self._forward_numpy, self.config.interface(self.classes))

    def validation_step(self, numbers: list[int], batch_index: int) -> None:
        """Detections of some validation pictures (by their place in the index), kept for the epoch's end."""
        for number in numbers:
            sample = self._validation_index.samples[number]
            self._finite = True
            self._found[sample.image_id] = self._predict(read_sample(sample))
            if not self._finite:
                self.not_finite.append(sample.path.name)

    def on_validation_epoch_end(self) -> None:
        """COCO metrics of the averaged weights, on what all processes found."""
        if self.trainer.sanity_checking:
            return
        index = self._validation_index
        if self._several:
            parts: list[Any] = [None] * self.trainer.world_size
            torch.distributed.all_gather_object(parts, self._found)
            self._found = {image_id: found for part in parts for image_id, found in part.items()}
        metrics = coco_metrics(index, self._found)
        self.last_metrics = metrics.as_json()
        self.last_evaluation = LastEvaluation(self.current_epoch + 1, self.last_metrics, self._found)
        self._found = {}
        for name in ("AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large", "AR100"):
            self.log(f"val/{name}", getattr(metrics, name), batch_size=len(index))

    @property
    def _validation_index(self) -> DatasetIndex:
        loader: Any = self.trainer.val_dataloaders
        index: DatasetIndex = loader.dataset.index
        return index

    def _forward_numpy(self, tensor: FloatArray) -> FloatArray:
        with torch.inference_mode(), torch.autocast(self.device.type, enabled=False):
            pictures = torch.from_numpy(tensor).to(self.device, memory_format=torch.channels_last)
            output: FloatArray = self.model(pictures).float().cpu().numpy()
        self._finite = bool(np.isfinite(output).all())
        return output if self._finite else np.nan_to_num(output)

    # --- optimiser, checkpoint ----------------------------------------------------------------------------------

    def configure_optimizers(self) -> Any:
        """AdamW; linear warm-up, then a cosine over all steps."""
        training = self.config.training
        optimiser = adamw(self.model, training)
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimiser, lambda step: learning_rate_factor(step, steps, training)
        )
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Everything that is needed to use the checkpoint without the run's folder."""
        whole = self.trainer.fit_loop.epoch_loop.batch_progress.is_last_batch
        checkpoint["nanoedge"] = describe_run(
            self.config, self.classes, self.data_fingerprint, self.current_epoch + int(whole), self.last_metrics
        )

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """The metrics of the last evaluation come back with the weights."""
        self.last_metrics = checkpoint["nanoedge"]["metrics"]


def adamw(model: torch.nn.Module, training: TrainingConfig) -> torch.optim.AdamW:
    """AdamW, https://arxiv.org/abs/1711.05101, on all parameters that learn.

    On a CPU as one kernel for each parameter instead of a dozen; elsewhere PyTorch chooses.
    """
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    on_cpu = all(parameter.device.type == "cpu" for parameter in learning)
    return torch.optim.AdamW(
        learning,
        lr=training.learning_rate,
        weight_decay=training.weight_decay,
        fused=True if on_cpu else None,
    )


def learning_rate_factor(step: int, steps: int, training: TrainingConfig) -> float:
    """Factor on the learning rate at `step` (from 0) of `steps`: linear warm-up, cosine to the final rate."""
    lowest = training.final_learning_rate / training.learning_rate
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, step / max(1, steps))))
    factor = lowest + (1 - lowest) * cosine
    if step < training.warmup_steps:
        factor *= (step + 1) / (training.warmup_steps + 1)
    return factor
