"""Our own engine step by step, for those who look into it; detection goes through `nanoedge.runtime.core`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from nanoedge.bundle import Bundle, FilePrecision
from nanoedge.errors import EngineError

if TYPE_CHECKING:
    from nanoedge._runtime import NativeNetwork, NativeStep

_WINDOWED = ("convolution", "depth-wise", "max-pool")


def load_native(
    bundle: Bundle, precision: FilePrecision = "float", kernels: str = "", threads: int | None = 1
) -> NativeNetwork:
    """A bundle's network for our engine, checked and packed as for detection.

    Args:
        bundle: with an entry of the engine `native`.
        precision: which of its files.
        kernels: name of a kernel table, such as `scalar`; empty: as the engine chooses.
        threads: `None` takes as many as a detector by itself.

    Raises:
        BundleError: when the bundle has no such model, or its file is damaged.
        EngineError: when the core is missing, or this CPU lacks what the kernels need.
        InputError: for unknown kernels.
    """
    bundle.entry("native", precision)
    try:
        from nanoedge import _runtime
    except ImportError as error:
        raise EngineError(
            f"The compiled core of NanoEdge cannot be loaded ({error}); install NanoEdge again."
        ) from error
    return _runtime.NativeNetwork(
        os.fsencode(bundle.folder), precision=precision, kernels=kernels, threads=0 if threads is None else threads
    )


def kind_of(step: NativeStep) -> str:
    """What a step calculates, with the side of its window: `convolution 3x3`, `interleave`."""
    side = step["kernel"]
    return f"{step['kind']} {side}x{side}" if step["kind"] in _WINDOWED else step["kind"]
