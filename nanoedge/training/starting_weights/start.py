"""Where a training begins: weights that are read and judged before the data, then put into the network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from nanoedge.config.schema import Config
from nanoedge.data.index import DatasetIndex
from nanoedge.data.loader import training_dataset
from nanoedge.training.module import DetectorModule
from nanoedge.training.starting_weights.architecture import refuse_other_backbone
from nanoedge.training.starting_weights.batch_norms import folded_norms, unfold_norms
from nanoedge.training.starting_weights.fit import fit_weights, load_fit
from nanoedge.training.starting_weights.freeze import check_freeze, still_norms
from nanoedge.training.starting_weights.imagenet import imagenet_file
from nanoedge.training.starting_weights.read import StartingWeights, read_starting_weights

Say = Callable[[str], None]
MEASURED_PICTURES = 64
MEASURED_BATCH = 8


def check_start(config: Config, weights: Path | None, say: Say) -> StartingWeights | None:
    """Everything about the start that can be refused without the data.

    Raises:
        CheckpointError: when the weights cannot be read or are of another architecture.
        InputError: when the package with the ImageNet weights that the backbone is to start from is not installed.
        ConfigError: when `training.freeze` names no part of the network, or leaves nothing to learn.
    """
    check_freeze(config)
    if weights is None:
        if imagenet_file(config) is None and config.training.freeze:
            say("warning: training.freeze without --weights keeps random weights as they are")
        return None
    if config.recipe == "auto" and "epochs" not in config.training.model_fields_set:
        say("hint: recipe=fine-tuning trains 10 epochs, which is mostly enough from weights that fit")
    start = read_starting_weights(weights)
    refuse_other_backbone(start, config)
    return start


def apply_start(module: DetectorModule, start: StartingWeights, pictures: DatasetIndex, say: Say) -> None:
    """Put the weights into the network, and give folded batch norms statistics of the training pictures.

    Norms that stand still (frozen ones) stay as they are in the file: they never use a batch's statistics.

    Args:
        module: with its network at random.
        start: from `check_start`.
        pictures: the training set; some are read when norms are folded.
        say: receives sentences for the user.

    Raises:
        DataError: when a picture that is needed cannot be read.
    """
    model, config = module.model, module.config
    fit = fit_weights(model, module.classes, config.model.head.reg_max, start)
    load_fit(model, fit)
    for sentence in fit.sentences():
        say(sentence)
    still = set(still_norms(model, config.training))
    norms = [norm for norm in folded_norms(model, fit.whole).values() if norm not in still]
    if norms:
        count = min(len(pictures), MEASURED_PICTURES)
        unfold_norms(model, norms, _some_batches(module, pictures, count))
        say(f"{len(norms)} batch norms were folded into their convolutions: statistics measured on {count} pictures")


def _some_batches(module: DetectorModule, pictures: DatasetIndex, count: int) -> Iterator[torch.Tensor]:
    """Normalised batches of the training set, augmented as in the first epoch; the same for the same seed."""
    config = module.config.model_copy(update={"data": module.config.data.model_copy(update={"cache": "none"})})
    dataset = training_dataset(pictures, config)
    spec, seed = module.config.input, module.config.training.seed
    numbers = np.random.default_rng([seed, 0]).permutation(len(pictures))[:count]
    for first in range(0, count, MEASURED_BATCH):
        chosen = numbers[first : first + MEASURED_BATCH]
        samples = [dataset.sample(0, int(number), spec.width, spec.height).picture for number in chosen]
        batch = torch.stack(samples).to(module.device, memory_format=torch.channels_last)
        yield (batch - module.mean) / module.std
