"""Training batches. A sample's augmentation depends on (seed, epoch, index, size) only, whatever the workers."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from nanoedge.config.schema import Config
from nanoedge.data.augmentation.augmenter import Augmenter
from nanoedge.data.batches import EpochSampler, Place, fitting_batch_size, input_sizes
from nanoedge.data.index import DatasetIndex
from nanoedge.data.picture_source import PictureSource
from nanoedge.errors import NanoEdgeError, PictureError
from nanoedge.pictures import opencv


@dataclass(frozen=True)
class TrainingSample:
    """One augmented picture.

    Attributes:
        picture: float32 [3, H, W], BGR in grey levels, not normalised.
        boxes_xyxy: float32 [G, 4], pixels of the network's input.
        class_ids: int64 [G].
        ignore_xyxy: float32 [R, 4].
        name: the picture's file name, for messages.
    """

    picture: torch.Tensor
    boxes_xyxy: torch.Tensor
    class_ids: torch.Tensor
    ignore_xyxy: torch.Tensor
    name: str


@dataclass
class Batch:
    """Pictures float32 [N, 3, H, W] in grey levels and for each picture its boxes, classes, ignore regions and name."""

    pictures: torch.Tensor
    boxes_xyxy: list[torch.Tensor]
    class_ids: list[torch.Tensor]
    ignore_xyxy: list[torch.Tensor]
    names: list[str]


class TrainingDataset(Dataset[TrainingSample | NanoEdgeError]):
    """Augmented pictures, addressed by (epoch, index, width, height)."""

    def __init__(self, augmenter: Augmenter) -> None:
        self.augmenter = augmenter

    def __len__(self) -> int:
        return len(self.augmenter.index)

    def __getitem__(self, place: Place) -> TrainingSample | NanoEdgeError:
        """The sample, or what is wrong with it: a worker process could not raise it without burying its sentence."""
        try:
            return self.sample(*place)
        except PictureError as error:
            return PictureError(f"{error} nanoedge data check DIR finds all such; its --fix leaves them out.")
        except NanoEdgeError as error:
            return error

    def sample(self, epoch: int, number: int, width: int, height: int) -> TrainingSample:
        """One augmented picture.

        Raises:
            DataError: when the picture cannot be read or its size is not the annotated one.
        """
        drawn = self.augmenter.picture(epoch, number, (width, height))
        return TrainingSample(
            picture=torch.from_numpy(np.ascontiguousarray(drawn.picture.transpose(2, 0, 1))),
            boxes_xyxy=torch.from_numpy(drawn.boxes_xyxy),
            class_ids=torch.from_numpy(drawn.class_ids),
            ignore_xyxy=torch.from_numpy(drawn.ignore_xyxy),
            name=self.augmenter.index.samples[number].path.name,
        )


def training_dataset(index: DatasetIndex, config: Config) -> TrainingDataset:
    """The training set as a configuration wants it: read, kept, augmented."""
    spec, augmentation, data = config.input, config.augmentation, config.data
    need = None
    if data.reduced_decoding:
        zoom = augmentation.stretch[1] * max(augmentation.scale[1], augmentation.mosaic_scale[1])
        zoom *= augmentation.multi_scale[1]
        need = (spec.width * zoom, spec.height * zoom)
    folder = Path(data.cache_folder).expanduser() if data.cache_folder else None
    pictures = PictureSource(index, need, data.cache, folder)
    training = config.training
    return TrainingDataset(Augmenter(index, pictures, spec, augmentation, training.seed, training.epochs))


def collate(loaded: Sequence[TrainingSample | NanoEdgeError]) -> Batch | NanoEdgeError:
    """Stack pictures, list the rest; a sample that failed stands for the whole batch."""
    samples: list[TrainingSample] = []
    for item in loaded:
        if isinstance(item, NanoEdgeError):
            return item
        samples.append(item)
    return Batch(
        pictures=torch.stack([sample.picture for sample in samples]),
        boxes_xyxy=[sample.boxes_xyxy for sample in samples],
        class_ids=[sample.class_ids for sample in samples],
        ignore_xyxy=[sample.ignore_xyxy for sample in samples],
        names=[sample.name for sample in samples],
    )


class TrainingLoader(DataLoader[TrainingSample | NanoEdgeError]):
    """Batches in the order of an `EpochSampler`; the last, smaller batch is left out when there is a full one.

    Args:
        dataset: the training pictures.
        batch_size: pictures of a batch, over all processes that train together.
        workers: processes that load pictures for this one; 0 loads where it is iterated.
        share: number of this training process, from 0, and of how many.

    Its length is that of a whole epoch, also when it starts in the middle of one. Lightning sees from `state_dict` that
    it can be resumed.
    """

    def __init__(
        self, dataset: TrainingDataset, batch_size: int, workers: int, share: tuple[int, int] = (0, 1)
    ) -> None:
        augmenter = dataset.augmenter
        batch_size = fitting_batch_size(batch_size, len(dataset), share[1])
        sizes = input_sizes(augmenter.spec, augmenter.config.multi_scale)
        sampler = EpochSampler(len(dataset), batch_size, sizes, augmenter.seed, share)
        super().__init__(
            dataset,
            batch_size=batch_size // share[1],
            sampler=sampler,
            num_workers=workers,
            collate_fn=collate,
            drop_last=True,
            persistent_workers=workers > 0,
            worker_init_fn=_begin_worker if workers else None,
        )
        self.order = sampler
        self.training_set = dataset

    def __iter__(self) -> Any:
        """Batches of the epoch.

        Workers are forked here. OpenCV's threads do not survive that, and the worker would wait for them for ever: so
        they are sent home first.
        """
        cv2 = opencv()
        threads = cv2.getNumThreads()
        if self.num_workers:
            cv2.setNumThreads(1)
        batches = super().__iter__()
        cv2.setNumThreads(threads)
        return batches

    def start_at_batch(self, batch: int) -> None:
        """Begin the next iteration at this batch of its epoch."""
        self.order.skip(batch)

    def state_dict(self) -> dict[str, Any]:
        """Nothing of its own: the epoch and the batch stand in Lightning's progress."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """See `state_dict`; `start_at_batch` is called by the training function."""


def _begin_worker(_: int) -> None:
    """A worker is one of several processes: OpenCV's own threads would only compete.

    A Ctrl-C reaches all of them. It is the training's to answer, which still needs a batch or two to finish its step.
    """
    opencv().setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
