"""What every engine offers and takes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from numbers import Integral
from typing import Literal, Protocol, get_args

import numpy as np
import numpy.typing as npt

from nanoedge.errors import InputError

FloatArray = npt.NDArray[np.float32]
ComputePrecision = Literal["fp32", "fp16", "bf16"]
CoreKind = Literal["auto", "all", "big", "little"]
COMPUTE_PRECISIONS: tuple[str, ...] = get_args(ComputePrecision)
MAX_THREADS = 256


@dataclass(frozen=True)
class EngineOptions:
    """How an engine runs.

    Attributes:
        threads: CPU threads; `None` takes one for each core of that kind.
        compute: what float layers are calculated in. What the engine or CPU cannot do is refused.
        cores: which kind of cores of a CPU with several kinds; `auto`: the big ones, where the core runs the network.
    """

    threads: int | None = None
    compute: ComputePrecision = "fp32"
    cores: CoreKind = "auto"

    def __post_init__(self) -> None:
        if self.threads is not None and not (isinstance(self.threads, Integral) and 1 <= self.threads <= MAX_THREADS):
            raise InputError(
                f"The number of threads must be a whole number between 1 and {MAX_THREADS}, not {self.threads!r}."
            )
        if self.compute not in COMPUTE_PRECISIONS:
            raise InputError(f"Unknown compute precision {self.compute!r}; known: {', '.join(COMPUTE_PRECISIONS)}.")
        if self.cores not in get_args(CoreKind):
            raise InputError(f"Unknown kind of cores {self.cores!r}; known: {', '.join(get_args(CoreKind))}.")

    @property
    def thread_count(self) -> int:
        """The number of threads that `threads` stands for."""
        return self.threads or len(os.sched_getaffinity(0))


class Engine(Protocol):
    """One loaded network. Not thread-safe; `Detector` takes turns."""

    def run(self, tensor: FloatArray) -> FloatArray:
        """float32 [1, 3, H, W], C-contiguous, to float32 [1, priors, channels]."""
        ...
