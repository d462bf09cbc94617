"""The preview shows exactly what a training will see."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nanoedge.config.load import load_config
from nanoedge.config.schema import Config
from nanoedge.data.loader import TrainingLoader, training_dataset
from nanoedge.data.preview import seen_in_evaluation, seen_in_training
from nanoedge.data.splits import Splits, read_splits
from nanoedge.errors import InputError
from nanoedge.pictures import read_picture
from nanoedge.runtime.preprocess import to_tensor


def prepared(folder: Path, *settings: str) -> tuple[Splits, Config]:
    base = [f"data.root={folder}", "input.width=96", "input.height=64", "training.batch_size=2", "training.epochs=10"]
    config = load_config("nanodet-plus-m_320", [*base, *settings])
    splits = read_splits(config)
    return splits, config.for_pictures(len(splits.train))


@pytest.mark.parametrize("epoch", [0, 9])
def test_the_training_pictures_are_those_of_the_epochs_batches(folder: Path, epoch: int) -> None:
    splits, config = prepared(folder)
    assert config.recipe == "small-data"
    seen = seen_in_training(splits, config, 2, epoch)
    loader = TrainingLoader(training_dataset(splits.train, config), 2, workers=0)
    loader.order.set_epoch(epoch)
    batch = next(iter(loader))
    assert [each.name for each in seen] == batch.names
    for each, pixels, boxes in zip(seen, batch.pictures.numpy(), batch.boxes_xyxy, strict=True):
        shown = np.clip(np.rint(pixels.transpose(1, 2, 0)), 0, 255)
        np.testing.assert_array_equal(each.picture, shown)
        np.testing.assert_array_equal(each.truth.boxes_xyxy, boxes)


def test_the_validation_pictures_are_as_the_runtime_prepares_them(folder: Path) -> None:
    for resize in ("stretch", "letterbox"):
        splits, config = prepared(folder, f"input.resize={resize}", "input.pad_value=90")
        (seen,) = seen_in_evaluation(splits, config, 5)
        tensor, _ = to_tensor(read_picture(splits.val.samples[0].path), config.input)
        wanted = np.rint(tensor[0].transpose(1, 2, 0) * config.input.std + config.input.mean)
        assert np.abs(seen.picture.astype(int) - wanted).max() <= 1
        assert len(seen.truth) == 1


def test_an_epoch_that_the_run_does_not_have_is_refused(folder: Path) -> None:
    splits, config = prepared(folder)
    with pytest.raises(InputError, match="epochs 1 to 10, not 11"):
        seen_in_training(splits, config, 2, 10)
