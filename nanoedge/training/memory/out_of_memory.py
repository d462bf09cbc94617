"""Going on with half the batch, once, when memory does not suffice."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable
from typing import TypeVar

import torch

from nanoedge.config.schema import Config, TrainingConfig
from nanoedge.errors import TrainingError
from nanoedge.training.runs.folder import RunFolder, write_config

Result = TypeVar("Result")

_SIGNS = (
    "out of memory",  # CUDA, MPS
    "OutOfMemoryError",  # in the text of a process's traceback
    "can't allocate memory",  # PyTorch's allocator on a CPU
    "not enough memory",  # the same on Windows
    "std::bad_alloc",
    "could not create a primitive",  # oneDNN, which says no more
)
_ENDED = re.compile("A process of the training ended")
"""By a signal; whether for want of memory is a guess."""


def with_one_halving(
    config: Config,
    folder: RunFolder,
    batch_size: int,
    processes: int,
    fit: Callable[[Config], Result],
    say: Callable[[str], None],
    alone: bool = True,
) -> Result:
    """Train; when memory runs out, go on from the run's last checkpoint with half the batch, added up twice as often.

    Args:
        config: of the run.
        folder: of the run; its configuration is written anew, so that a later resume does the same.
        batch_size: pictures of a batch, over all processes.
        processes: that share a batch.
        fit: trains from the folder's `last.ckpt` to the end.
        say: receives a sentence about the halving.
        alone: `False` in one of several processes that others started: it cannot halve the batch of all.

    Raises:
        TrainingError: when half a batch is not to be had, or is too large as well.
        NanoEdgeError: what `fit` raises.
    """
    try:
        return fit(config)
    except (RuntimeError, MemoryError, TrainingError) as error:
        if not is_out_of_memory(error):
            raise
        reason = _first_line(error)
    # here, not in the handler: its exception holds on to the tensors of the failed step
    release_memory()
    if not alone:
        raise TrainingError(
            f"Memory does not suffice for training.batch_size={batch_size} ({reason}). Choose a smaller one."
        )
    smaller = halved(config.training, batch_size, processes)
    if smaller is None:
        raise TrainingError(
            f"Memory does not suffice for training.batch_size={batch_size}, which cannot be halved ({reason}). "
            "Choose a smaller network or input."
        )
    config = config.model_copy(update={"training": smaller})
    write_config(folder, config)
    say(
        f"out of memory with a batch of {batch_size}: going on from the last checkpoint with "
        f"training.batch_size={smaller.batch_size} training.accumulate={smaller.accumulate}"
    )
    try:
        return fit(config)
    except (RuntimeError, MemoryError, TrainingError) as error:
        if not is_out_of_memory(error):
            raise
        raise TrainingError(
            f"Memory does not suffice for training.batch_size={smaller.batch_size} either, half of what was asked for "
            f"({_first_line(error)}). Start again with a smaller training.batch_size, or a smaller network or input."
        ) from error


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error, of this process or told by another one, says that memory could not be had.

    What an error was raised in answer to counts, too: in the middle of a failure Lightning's own tidying up may fail.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, (torch.OutOfMemoryError, MemoryError)):
            return True
        if not _ENDED.match(str(seen)) and any(sign in str(seen) for sign in _SIGNS):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def halved(training: TrainingConfig, batch_size: int, processes: int = 1) -> TrainingConfig | None:
    """Half the batch and twice the accumulation: a step sees as many pictures as before (of an odd batch one less).

    Args:
        training: the configuration.
        batch_size: pictures of a batch that did not fit; a small data set's is less than the configuration's.
        processes: that share a batch; each needs a picture.

    Returns:
        `None` when the batch cannot be halved.
    """
    half = batch_size // 2 // processes * processes
    if half == 0:
        return None
    return training.model_copy(update={"batch_size": half, "accumulate": 2 * training.accumulate})


def release_memory() -> None:
    """Give back what the failed training held; Lightning's objects refer to each other in circles."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:120].rstrip(".") if lines else type(error).__name__
