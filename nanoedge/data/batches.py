"""Which pictures make which batch, in which order and at which size, and whose share of it they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler

from nanoedge.config.interface import InputSpec

Place = tuple[int, int, int, int]
"""Epoch, number in the index, width and height of the network's input."""


class EpochSampler(Sampler[Place]):
    """A shuffled order that depends on (seed, epoch) only and can start in the middle of an epoch.

    The order is that of whole batches, the last, smaller one left out. Where several processes train together each gets
    its share of every batch, so that all of them see the pictures that one process would. Each batch has an input size
    of its own where several are trained. Lightning calls `set_epoch`. After `skip` the next epoch that is iterated
    leaves out its first batches: that is how a run interrupted in the middle of an epoch goes on with exactly the
    batches that are left.

    Args:
        count: pictures.
        batch_size: pictures of a batch, over all processes; at most `count`.
        sizes: the input sizes to choose from.
        seed: of order and sizes.
        share: number of this process, from 0, and of how many; their number divides the batch.
    """

    def __init__(
        self,
        count: int,
        batch_size: int,
        sizes: Sequence[tuple[int, int]],
        seed: int,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        self.count = count
        self.batch_size = batch_size
        self.sizes = sizes
        self.seed = seed
        self.share = share
        self.epoch = 0
        self._skipped = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order is drawn next."""
        self.epoch = epoch

    def skip(self, batches: int) -> None:
        """Leave out the first batches of the next iteration, once."""
        self._skipped = batches

    def __len__(self) -> int:
        return self.count // self.batch_size * (self.batch_size // self.share[1])

    def __iter__(self) -> Iterator[Place]:
        random = np.random.default_rng([self.seed, self.epoch])
        order = random.permutation(self.count)
        chosen = random.integers(len(self.sizes), size=-(-self.count // self.batch_size))
        process, processes = self.share
        mine = self.batch_size // processes
        first, self._skipped = self._skipped, 0
        for batch in range(first, self.count // self.batch_size):
            start = batch * self.batch_size + process * mine
            for number in order[start : start + mine]:
                yield self.epoch, int(number), *self.sizes[chosen[batch]]


def input_sizes(spec: InputSpec, factors: tuple[float, float]) -> list[tuple[int, int]]:
    """The network's input sizes between two factors: multiples of 32 with about the same aspect ratio.

    The size of `spec` itself is always among them.
    """
    base = (spec.width, spec.height)
    low, high = (round(spec.width * factor / 32) for factor in factors)
    widths = [32 * steps for steps in range(max(1, low), high + 1)]
    sizes = {(width, max(32, 32 * round(width * spec.height / spec.width / 32))) for width in widths}
    return sorted(sizes | {base})


def fitting_batch_size(batch_size: int, pictures: int, processes: int = 1) -> int:
    """The batch size for a small data set: at most all pictures, and a multiple of the number of processes."""
    return min(batch_size, pictures) // processes * processes
