"""Training batches: the same for any number of workers, another order each epoch, resumable at any batch."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from nanoedge.config.interface import InputSpec
from nanoedge.config.schema import AugmentationConfig
from nanoedge.data.augmentation.augmenter import Augmenter
from nanoedge.data.batches import EpochSampler, input_sizes
from nanoedge.data.index import DatasetIndex, Sample
from nanoedge.data.loader import Batch, TrainingDataset, TrainingLoader
from nanoedge.data.picture_source import PictureSource
from nanoedge.data.readers.coco import read_coco
from nanoedge.data.synthetic import write_synthetic_set
from nanoedge.errors import DataError, PictureError
from nanoedge.pictures import read_picture, write_picture

OUT_SIZE = (96, 64)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> DatasetIndex:
    """Ten small pictures, three of them negatives."""
    folder = tmp_path_factory.mktemp("loader") / "set"
    files = write_synthetic_set(folder, {"train": 10}, (96, 80), seed=1, negative_share=0.3)
    return read_coco(files["train"], folder / "images")


def dataset_of(
    index: DatasetIndex,
    augmentation: AugmentationConfig | None = None,
    seed: int = 5,
    size: tuple[int, int] = OUT_SIZE,
) -> TrainingDataset:
    spec = InputSpec(width=size[0], height=size[1])
    augmenter = Augmenter(index, PictureSource(index), spec, augmentation or AugmentationConfig(), seed, epochs=100)
    return TrainingDataset(augmenter)


def loader_of(
    index: DatasetIndex,
    batch_size: int = 3,
    workers: int = 0,
    seed: int = 5,
    augmentation: AugmentationConfig | None = None,
) -> TrainingLoader:
    return TrainingLoader(dataset_of(index, augmentation, seed), batch_size, workers)


def epoch_of(loader: TrainingLoader, epoch: int = 0) -> list[Batch]:
    loader.order.set_epoch(epoch)
    return list(loader)


def names(batches: list[Batch]) -> list[list[str]]:
    return [batch.names for batch in batches]


def same(first: list[Batch], second: list[Batch]) -> bool:
    return names(first) == names(second) and all(
        torch.equal(one.pictures, other.pictures)
        and all(
            torch.equal(mine, theirs)
            for field in ("boxes_xyxy", "class_ids", "ignore_xyxy")
            for mine, theirs in zip(getattr(one, field), getattr(other, field), strict=True)
        )
        for one, other in zip(first, second, strict=True)
    )


# --- what a sample depends on --------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
def test_the_batches_are_the_same_for_any_number_of_workers(index: DatasetIndex, workers: int) -> None:
    alone, with_workers = loader_of(index), loader_of(index, workers=workers)
    for epoch in (0, 3):
        assert same(epoch_of(alone, epoch), epoch_of(with_workers, epoch))


WARP_THEN_LOAD = """
import sys
import time
from pathlib import Path
from nanoedge.config.interface import InputSpec
from nanoedge.config.schema import AugmentationConfig
from nanoedge.data.augmentation.augmenter import Augmenter
from nanoedge.data.loader import TrainingDataset, TrainingLoader
from nanoedge.data.picture_source import PictureSource
from nanoedge.data.readers.coco import read_coco

annotations, images = (Path(path) for path in sys.argv[1:])
index = read_coco(annotations, images)
dataset = TrainingDataset(Augmenter(index, PictureSource(index), InputSpec(), AugmentationConfig(), 0, 1))
dataset[0, 0, 320, 320]
time.sleep(0.3)  # OpenCV's threads go to sleep
print(sum(len(batch.names) for batch in TrainingLoader(dataset, 2, 1)))
"""


def test_workers_start_also_after_the_main_process_warped_a_picture(index: DatasetIndex) -> None:
    """A forked process inherits OpenCV's thread pool without its threads, and must not wait for them."""
    images = index.samples[0].path.parents[1]
    command = [sys.executable, "-c", WARP_THEN_LOAD, index.source, str(images)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            output, errors = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # the worker, too
            pytest.fail("the loader's worker hangs")
    assert (process.returncode, output.split()) == (0, ["10"]), errors


def test_another_epoch_or_seed_gives_another_order_and_other_pictures(index: DatasetIndex) -> None:
    loader = loader_of(index, batch_size=10)
    (first,), (again,), (later,) = epoch_of(loader, 0), epoch_of(loader, 0), epoch_of(loader, 1)
    (other,) = epoch_of(loader_of(index, batch_size=10, seed=6), 0)
    assert same([first], [again])
    for batch in (later, other):
        assert batch.names != first.names and sorted(batch.names) == sorted(first.names)
        place = batch.names.index(first.names[0])
        assert not torch.equal(batch.pictures[place], first.pictures[0])


def test_a_sample_does_not_depend_on_what_was_asked_for_before(index: DatasetIndex) -> None:
    dataset = dataset_of(index)
    first = dataset[2, 7, *OUT_SIZE]
    dataset[0, 3, *OUT_SIZE], dataset[2, 6, *OUT_SIZE]
    np.random.seed(1)
    torch.manual_seed(1)
    again = dataset[2, 7, *OUT_SIZE]
    assert torch.equal(first.picture, again.picture) and torch.equal(first.boxes_xyxy, again.boxes_xyxy)
    assert not torch.equal(first.picture, dataset[3, 7, *OUT_SIZE].picture)


def test_a_batch_has_the_promised_shapes_and_types(index: DatasetIndex) -> None:
    for batch in epoch_of(loader_of(index, batch_size=4)):
        assert batch.pictures.shape == (4, 3, OUT_SIZE[1], OUT_SIZE[0]) and batch.pictures.dtype == torch.float32
        for boxes, kinds, ignore in zip(batch.boxes_xyxy, batch.class_ids, batch.ignore_xyxy, strict=True):
            assert boxes.shape == (len(kinds), 4) and ignore.shape == (0, 4)
            assert (boxes.dtype, kinds.dtype, ignore.dtype) == (torch.float32, torch.int64, torch.float32)
            assert bool((boxes >= 0).all()) and bool((boxes <= torch.tensor([*OUT_SIZE, *OUT_SIZE])).all())


def test_negatives_have_no_boxes_but_their_shape(index: DatasetIndex) -> None:
    empty = {sample.path.name for sample in index.samples if not len(sample.boxes_xyxy)}
    assert len(empty) == 3
    (batch,) = epoch_of(loader_of(index, batch_size=10))
    for name, boxes, kinds in zip(batch.names, batch.boxes_xyxy, batch.class_ids, strict=True):
        if name in empty:
            assert boxes.shape == (0, 4) and kinds.shape == (0,)


def test_without_augmentation_a_sample_is_the_stretched_picture_with_its_boxes(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    write_picture(tmp_path / "a.png", picture)
    boxes, crowd = np.array([[8, 16, 40, 48]], np.float32), np.array([[0, 0, 48, 32]], np.float32)
    none = AugmentationConfig(probability=0.0, flip=0.0)
    index = DatasetIndex("test", ("a", "b"), (sample_of(tmp_path / "a.png", 96, 64, boxes, crowd),))
    sample = dataset_of(index, none)[0, 0, 96, 64]
    np.testing.assert_array_equal(sample.picture.numpy(), picture.transpose(2, 0, 1))
    np.testing.assert_allclose(sample.boxes_xyxy, boxes, atol=1e-4)
    np.testing.assert_allclose(sample.ignore_xyxy, crowd, atol=1e-4)
    half = dataset_of(index, none)[0, 0, 48, 128]
    np.testing.assert_allclose(half.boxes_xyxy, boxes * [0.5, 2, 0.5, 2], atol=1e-4)
    assert half.class_ids.tolist() == [1] and half.name == "a.png"


def test_boxes_that_leave_the_picture_take_their_classes_along(index: DatasetIndex) -> None:
    wild = AugmentationConfig(probability=1.0, translate=0.9, scale=(1.0, 2.0))
    dataset = dataset_of(index, wild)
    lost = 0
    for number, truth in enumerate(index.samples):
        sample = dataset[0, number, *OUT_SIZE]
        assert len(sample.boxes_xyxy) == len(sample.class_ids) <= len(truth.class_ids)
        lost += len(truth.class_ids) - len(sample.class_ids)
        assert bool((sample.boxes_xyxy[:, 2:] - sample.boxes_xyxy[:, :2] > 2).all())
    assert lost > 0


def test_a_box_that_stays_keeps_its_own_class(tmp_path: Path) -> None:
    """Boxes of 8 and of 40 pixels, shifted only, and learned only when they are wholly visible."""
    write_picture(tmp_path / "a.png", np.zeros((64, 96, 3), np.uint8))
    boxes = np.array([[4, 4, 12, 12], [50, 20, 90, 60]], np.float32)
    sample = sample_of(tmp_path / "a.png", 96, 64, boxes, np.zeros((0, 4), np.float32))
    sample.class_ids[:] = (0, 1)
    shifts = AugmentationConfig(
        probability=1.0, scale=(1, 1), stretch=(1, 1), translate=0.3, flip=0.0, min_visible=0.999
    )
    dataset = dataset_of(DatasetIndex("test", ("small", "large"), (sample,)), shifts)
    seen = set()
    for epoch in range(40):
        found = dataset.sample(epoch, 0, 96, 64)
        sides = (found.boxes_xyxy[:, 2] - found.boxes_xyxy[:, 0]).round().int().tolist()
        assert [(8, 40)[kind] for kind in found.class_ids.tolist()] == sides
        seen.add(tuple(sides))
    assert seen == {(8,), (40,), (8, 40), ()}


def sample_of(path: Path, width: int, height: int, boxes: np.ndarray, crowd: np.ndarray) -> Sample:
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return Sample(
        image_id=3,
        path=path,
        width=width,
        height=height,
        boxes_xyxy=boxes,
        class_ids=np.ones(len(boxes), np.int64),
        areas=areas,
        ignore_xyxy=crowd,
        ignore_class_ids=np.zeros(len(crowd), np.int64),
    )


def test_a_picture_of_another_size_than_annotated_is_refused(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", np.zeros((64, 96, 3), np.uint8))
    none = np.zeros((0, 4), np.float32)
    index = DatasetIndex("test", ("a",), (sample_of(tmp_path / "a.png", 64, 96, none, none),))
    with pytest.raises(DataError, match=r"a\.png is 96x64 pixels .*image 3 is annotated as 64x96"):
        dataset_of(index).sample(0, 0, *OUT_SIZE)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_picture_that_cannot_be_read_comes_as_its_error_in_place_of_its_batch(
    index: DatasetIndex, tmp_path: Path, workers: int
) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    none = np.zeros((0, 4), np.float32)
    samples = (*index.samples[:5], sample_of(tmp_path / "broken.jpg", 96, 64, none, none))
    batches = list(loader_of(DatasetIndex("test", index.classes, samples), batch_size=2, workers=workers))
    errors = [batch for batch in batches if isinstance(batch, PictureError)]
    assert len(errors) == 1 and "broken.jpg" in str(errors[0])
    assert [len(batch.names) for batch in batches if isinstance(batch, Batch)] == [2, 2]


# --- the order -----------------------------------------------------------------------------------------------------


def test_every_epoch_is_a_permutation_and_no_two_are_the_same() -> None:
    sampler = EpochSampler(50, 5, [OUT_SIZE], seed=3)
    orders = []
    for epoch in range(4):
        sampler.set_epoch(epoch)
        drawn = list(sampler)
        assert {place[0] for place in drawn} == {epoch}
        orders.append([number for _, number, _, _ in drawn])
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert len({tuple(order) for order in orders}) == 4
    assert orders[0] != list(range(50))


def test_the_input_sizes_of_several_scales_are_multiples_of_32_and_keep_the_aspect_ratio() -> None:
    assert input_sizes(InputSpec(), (1.0, 1.0)) == [(320, 320)]
    sizes = input_sizes(InputSpec(width=320, height=256), (0.5, 1.5))
    assert sizes == [(160, 128), (192, 160), (224, 192), (256, 192), (288, 224), (320, 256), (352, 288), (384, 320),
                     (416, 320), (448, 352), (480, 384)]  # fmt: skip
    assert input_sizes(InputSpec(width=32, height=64), (0.1, 1.0)) == [(32, 64)]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_batch_has_one_size_and_batches_have_several(index: DatasetIndex, workers: int) -> None:
    several = AugmentationConfig(multi_scale=(0.5, 2.0))
    loader = loader_of(index, batch_size=1, workers=workers, augmentation=several)
    sizes = {tuple(batch.pictures.shape[2:]) for batch in epoch_of(loader)}
    assert len(sizes) > 2 and all(height % 32 == 0 and width % 32 == 0 for height, width in sizes)
    resumed = loader_of(index, batch_size=1, workers=workers, augmentation=several)
    resumed.start_at_batch(4)
    assert same(epoch_of(resumed, 1), epoch_of(loader, 1)[4:])


def test_a_skip_holds_for_one_iteration() -> None:
    sampler = EpochSampler(10, 2, [(32, 32), (64, 64)], seed=3)
    whole = list(sampler)
    sampler.skip(2)
    assert list(sampler) == whole[4:]
    assert list(sampler) == whole


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("batch", [0, 1, 2, 3])
def test_starting_at_a_batch_goes_on_with_exactly_those_that_are_left(
    index: DatasetIndex, batch: int, workers: int
) -> None:
    loader = loader_of(index, workers=workers)
    whole, following = epoch_of(loader, 2), epoch_of(loader, 3)
    resumed = loader_of(index, workers=workers)
    resumed.start_at_batch(batch)
    assert same(epoch_of(resumed, 2), whole[batch:])
    assert same(epoch_of(resumed, 3), following)


def test_the_last_smaller_batch_is_left_out(index: DatasetIndex) -> None:
    loader = loader_of(index, batch_size=4)
    batches = epoch_of(loader)
    assert len(loader) == len(batches) == 2
    assert [len(batch.names) for batch in batches] == [4, 4]


def test_a_batch_larger_than_the_set_takes_the_whole_set(index: DatasetIndex) -> None:
    batches = epoch_of(loader_of(index, batch_size=96))
    assert [sorted(batch.names) for batch in batches] == [sorted(sample.path.name for sample in index.samples)]


def test_the_length_stays_that_of_a_whole_epoch_when_it_starts_in_the_middle(index: DatasetIndex) -> None:
    loader = loader_of(index)
    loader.start_at_batch(2)
    assert len(loader) == 3


def test_the_pictures_of_the_set_have_the_annotated_size(index: DatasetIndex) -> None:
    for sample in index.samples:
        assert read_picture(sample.path).shape == (sample.height, sample.width, 3)
