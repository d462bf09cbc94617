"""Training batches. A sample's augmentation depends on (seed, epoch, index) only, whatever the number of workers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from nanoedge.config.schema import AugmentationConfig
from nanoedge.data.index import DatasetIndex
from nanoedge.data.transforms import (
    change_colours,
    draw_colours,
    draw_warp,
    warp_boxes,
    warp_matrix,
    warp_picture,
    worth_learning,
)
from nanoedge.errors import DataError, NanoEdgeError
from nanoedge.pictures import opencv, read_picture

EpochIndex = tuple[int, int]


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
    """Augmented pictures, addressed by (epoch, index)."""

    def __init__(
        self, index: DatasetIndex, out_size: tuple[int, int], augmentation: AugmentationConfig, seed: int
    ) -> None:
        self.index = index
        self.out_size = out_size
        self.augmentation = augmentation
        self.seed = seed

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, place: EpochIndex) -> TrainingSample | NanoEdgeError:
        """The sample, or what is wrong with it: a worker process could not raise it without burying its sentence."""
        try:
            return self.sample(*place)
        except NanoEdgeError as error:
            return error

    def sample(self, epoch: int, number: int) -> TrainingSample:
        """One augmented picture.

        Raises:
            DataError: when the picture cannot be read or its size is not the annotated one.
        """
        sample = self.index.samples[number]
        random = np.random.default_rng([self.seed, epoch, number])
        picture = read_picture(sample.path)
        height, width = picture.shape[:2]
        if (width, height) != (sample.width, sample.height):
            raise DataError(
                f"{sample.path} is {width}x{height} pixels (turned as its EXIF data say), but image {sample.image_id} "
                f"is annotated as {sample.width}x{sample.height}; the boxes would lie in the wrong place."
            )
        matrix = warp_matrix((width, height), self.out_size, draw_warp(self.augmentation, random))
        boxes, visible = warp_boxes(sample.boxes_xyxy, matrix, self.out_size)
        keep = worth_learning(boxes, visible, self.augmentation)
        ignore, _ = warp_boxes(sample.ignore_xyxy, matrix, self.out_size)
        warped = warp_picture(picture, matrix, self.out_size)
        coloured = change_colours(warped, draw_colours(self.augmentation, random))
        return TrainingSample(
            picture=torch.from_numpy(np.ascontiguousarray(coloured.transpose(2, 0, 1))),
            boxes_xyxy=torch.from_numpy(boxes[keep]),
            class_ids=torch.from_numpy(sample.class_ids[keep]),
            ignore_xyxy=torch.from_numpy(ignore),
            name=sample.path.name,
        )


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


class EpochSampler(Sampler[EpochIndex]):
    """A shuffled order that depends on (seed, epoch) only and can start in the middle of an epoch.

    Lightning calls `set_epoch`. After `skip` the next epoch that is iterated leaves out its first samples: that is how
    a run interrupted in the middle of an epoch goes on with exactly the batches that are left.
    """

    def __init__(self, count: int, seed: int) -> None:
        self.count = count
        self.seed = seed
        self.epoch = 0
        self._skipped = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order is drawn next."""
        self.epoch = epoch

    def skip(self, samples: int) -> None:
        """Leave out the first samples of the next iteration, once."""
        self._skipped = samples

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[EpochIndex]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.count)
        start, self._skipped = self._skipped, 0
        return iter([(self.epoch, int(number)) for number in order[start:]])


class TrainingLoader(DataLoader[TrainingSample | NanoEdgeError]):
    """Batches in the order of an `EpochSampler`; the last, smaller batch is left out when there is a full one.

    Its length is that of a whole epoch, also when it starts in the middle of one. Lightning sees from `state_dict` that
    it can be resumed.
    """

    def __init__(self, dataset: TrainingDataset, batch_size: int, workers: int) -> None:
        sampler = EpochSampler(len(dataset), dataset.seed)
        super().__init__(
            dataset,
            batch_size=min(batch_size, len(dataset)),
            sampler=sampler,
            num_workers=workers,
            collate_fn=collate,
            drop_last=True,
            persistent_workers=workers > 0,
            worker_init_fn=_one_thread if workers else None,
        )
        self.order = sampler

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
        self.order.skip(batch * (self.batch_size or 1))

    def state_dict(self) -> dict[str, Any]:
        """Nothing of its own: the epoch and the batch stand in Lightning's progress."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """See `state_dict`; `start_at_batch` is called by the training function."""


def _one_thread(_: int) -> None:
    """A worker is one of several processes: OpenCV's own threads would only compete."""
    opencv().setNumThreads(1)
