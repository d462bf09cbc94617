"""The pictures of a run for Lightning: each process makes its own loaders."""

from __future__ import annotations

from typing import Any

import lightning.pytorch as pl
from torch.utils.data import DataLoader, Dataset

from nanoedge.config.schema import Config
from nanoedge.data.index import DatasetIndex
from nanoedge.data.loader import TrainingLoader, training_dataset
from nanoedge.data.splits import Splits

VALIDATION_PICTURES = 8  # of a step of an evaluation


class DetectorData(pl.LightningDataModule):
    """Training and validation pictures.

    Args:
        config: the run; its recipe and batch size are chosen.
        splits: the data.
        epoch: the first that is trained, from 0. Lightning tells the loader only after the loading processes began.
        first_batch: where that epoch begins, for a run that goes on in the middle of one.
    """

    def __init__(self, config: Config, splits: Splits, epoch: int = 0, first_batch: int = 0) -> None:
        super().__init__()
        self.config = config
        self.splits = splits
        self.epoch = epoch
        self.first_batch = first_batch

    def train_dataloader(self) -> TrainingLoader:
        """This process's share of every batch."""
        trainer = self.trainer
        share = (0, 1) if trainer is None else (trainer.global_rank, trainer.world_size)
        dataset = training_dataset(self.splits.train, self.config)
        loader = TrainingLoader(dataset, self.config.training.pictures_a_batch, self.config.data.workers, share)
        loader.order.set_epoch(self.epoch)
        if self.first_batch < len(loader):
            loader.start_at_batch(self.first_batch)
        return loader

    def val_dataloader(self) -> DataLoader[Any]:
        """Places of validation pictures, this process's share; as many steps as every other process has."""
        trainer = self.trainer
        share = (0, 1) if trainer is None else (trainer.global_rank, trainer.world_size)
        return validation_loader(self.splits.val, share)


class _Places(Dataset[list[int]]):
    """The places of an index's samples, some at a time; pictures are read where they are used."""

    def __init__(self, index: DatasetIndex, share: tuple[int, int]) -> None:
        self.index = index
        process, processes = share
        mine = list(range(process, len(index), processes))
        steps = -(-len(index) // (processes * VALIDATION_PICTURES))
        self.steps = [mine[step * VALIDATION_PICTURES : (step + 1) * VALIDATION_PICTURES] for step in range(steps)]

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, step: int) -> list[int]:
        return self.steps[step]


def validation_loader(index: DatasetIndex, share: tuple[int, int] = (0, 1)) -> DataLoader[Any]:
    """Lists of places in `index`, which stands in the loader's `dataset.index`; a process may get empty ones."""
    return DataLoader(_Places(index, share), batch_size=None)
