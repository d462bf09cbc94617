"""What a new run needs before its folder is made: checked data, chosen settings, and where the network begins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl

from nanoedge.config.schema import Config
from nanoedge.data.batches import fitting_batch_size, input_sizes
from nanoedge.data.check.quick import quick_check, summary
from nanoedge.data.splits import Splits, read_splits
from nanoedge.errors import InputError
from nanoedge.training.memory.batch_size import choose_batch_size
from nanoedge.training.module import DetectorModule
from nanoedge.training.processes import Processes, find_processes
from nanoedge.training.runs.state import first_state
from nanoedge.training.starting_weights.imagenet import imagenet_file, load_imagenet_weights
from nanoedge.training.starting_weights.read import StartingWeights
from nanoedge.training.starting_weights.start import apply_start, check_start
from nanoedge.training.teacher import Teacher, identify_teacher, load_teacher

Say = Callable[[str], None]


def silent(text: str) -> None:
    """What several processes say, but for the first."""


@dataclass(frozen=True)
class Prepared:
    """What is known before a run's folder is made.

    Attributes:
        config: its recipe and batch size are chosen.
        splits: the data.
        processes: who trains.
        weights: where the network begins; `None` is at random.
        imagenet: without `weights`, the file that the backbone begins with, if any.
        teacher: the larger network that is learned from, too, if any.
        say: silent in all processes but the first.
    """

    config: Config
    splits: Splits
    processes: Processes
    weights: StartingWeights | None
    imagenet: Path | None
    teacher: Teacher | None
    say: Say


def prepare(config: Config, run: Path | None, weights: Path | None, say: Say) -> Prepared:
    """Read and check all that a new run needs.

    Raises:
        NanoEdgeError: when the data or the weights are bad, or cannot be trained like this.
    """
    processes = find_processes(config.training)
    if processes.starter and run is None:
        raise InputError(f"Processes of {processes.starter} must agree on the run's folder; name it with --out.")
    if processes.rank:
        say = silent
    start = check_start(config, weights, say)
    imagenet = imagenet_file(config) if start is None else None
    config = identify_teacher(config)
    splits = read_splits(config)
    for line in summary(quick_check(splits.sets, config)):
        say(line)
    chosen = config.for_pictures(len(splits.train))
    if config.recipe == "auto":
        say(f"recipe {chosen.recipe}, for {len(splits.train)} training pictures; recipe=NAME takes another")
    config = _with_batch_size(chosen, splits, processes, say)
    _refuse_single_values(config, len(splits.train), processes)
    teacher = load_teacher(config, splits.train.classes, say)
    return Prepared(config, splits, processes, start, imagenet, teacher, say)


def start_of(ready: Prepared, config: Config, say: Say) -> dict[str, Any]:
    """The checkpoint before a run's first step.

    Args:
        ready: from `prepare`.
        config: its configuration, or that with another seed.
        say: receives sentences about the weights.

    Raises:
        NanoEdgeError: when the weights do not fit, or a picture that is needed for them cannot be read.
    """
    pl.seed_everything(config.training.seed, verbose=False)
    train = ready.splits.train
    module = DetectorModule(config, train.classes, train.fingerprint)
    if ready.weights is not None:
        apply_start(module, ready.weights, train, say)
    elif ready.imagenet is not None:
        load_imagenet_weights(module.model.backbone, ready.imagenet)
        say(f"backbone: ImageNet weights of {config.model.backbone.name} ({ready.imagenet.name})")
    return first_state(module)


def _with_batch_size(config: Config, splits: Splits, processes: Processes, say: Say) -> Config:
    """`training.batch_size: auto` becomes a number."""
    if config.training.batch_size != "auto":
        return config
    size, told = choose_batch_size(config, splits.train.classes, len(splits.train), processes)
    say(told)
    return config.model_copy(update={"training": config.training.model_copy(update={"batch_size": size})})


def _refuse_single_values(config: Config, pictures: int, processes: Processes) -> None:
    """Batch normalisation needs more than one value a channel, on the coarsest level too."""
    coarsest = config.model.strides[-1]
    smallest = min(input_sizes(config.input, config.augmentation.multi_scale))
    batch = fitting_batch_size(config.training.pictures_a_batch, pictures, processes.count) // processes.count
    if batch == 0:
        raise InputError(f"{pictures} pictures cannot be shared by {processes.count} processes.")
    if batch == 1 and max(smallest) <= coarsest and not config.training.freeze_norms:
        raise InputError(
            f"A batch of 1 picture of {smallest[0]}x{smallest[1]} pixels has a single value at stride {coarsest}, "
            "which cannot be normalised. Choose a larger input, a larger training.batch_size, or add pictures."
        )
