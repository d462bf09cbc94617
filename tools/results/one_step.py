"""The training step that benchmarks time or weigh: Plus-m 320 on BCCD, AGM attached."""

from __future__ import annotations

import torch
from nanoedge.config.load import load_config
from nanoedge.data.loader import TrainingLoader, training_dataset
from nanoedge.data.readers.coco import read_coco
from nanoedge.losses.detection import total_loss
from nanoedge.training.memory.freed_memory import keep_freed_memory
from nanoedge.training.module import DetectorModule, adamw

from tools.results.figures import shared_folder


class OneStep:
    """A network, a batch and an optimiser; calling it trains one step, as a training does.

    Args:
        size: pictures of the batch.
        settings: `key=value` on top of `bccd_320`.
        device: where it is calculated.
    """

    def __init__(self, size: int, settings: list[str], device: str = "cpu") -> None:
        keep_freed_memory()
        torch.manual_seed(0)
        bccd = shared_folder() / "data" / "bccd"
        config = load_config("bccd_320", settings)
        index = read_coco(bccd / "annotations" / "instances_train.json", bccd / "JPEGImages", config.classes)
        self.module = DetectorModule(config, index.classes).train().to(device)
        self.module.on_train_start()
        batch = next(iter(TrainingLoader(training_dataset(index, config), size, workers=0)))
        self.batch = self.module.transfer_batch_to_device(batch, torch.device(device), 0)
        self.optimiser = adamw(self.module.model, config.training)

    def loss(self) -> torch.Tensor:
        """Of the batch."""
        return total_loss(self.module.losses_of(self.batch))

    def __call__(self) -> None:
        loss = self.loss()
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.module.parameters(), 35)
        self.optimiser.step()
