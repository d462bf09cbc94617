"""`nanoedge benchmark`: every combination of engine, precision and threads that a bundle allows, in one run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nanoedge.benchmark.latency import measure_latency
from nanoedge.bundle import Bundle, FilePrecision, load_bundle
from nanoedge.errors import EngineError, InputError
from nanoedge.machine import machine
from nanoedge.pictures import Picture, opencv, read_picture
from nanoedge.runtime.detector import PRECISIONS, Detector
from nanoedge.runtime.engines import ComputePrecision
from nanoedge.runtime.load import ENGINES, preference

Say = Callable[[str], None]
FRAME_SIZE = (640, 480)
"""Width and height of the default input: one decoded frame of a camera."""


@dataclass(frozen=True)
class Wanted:
    """What is to be measured; every combination of these.

    Attributes:
        engines: names; empty: all of the bundle's engines that are installed, in the order in which `auto` tries them.
        precisions: of the bundle's files; empty: all that it has.
        computes: compute precisions.
        threads: numbers of threads; `None` stands for what a detector takes by itself.
        rounds: counted rounds.
    """

    engines: Sequence[str] = ()
    precisions: Sequence[FilePrecision] = ()
    computes: Sequence[ComputePrecision] = ("fp32",)
    threads: Sequence[int | None] = (None,)
    rounds: int = 100


def run_benchmark(
    bundle: Path, wanted: Wanted, picture: Path | None = None, say: Say = lambda text: None
) -> dict[str, Any]:
    """Measure the combinations that exist, interleaved round by round.

    Args:
        bundle: its folder.
        wanted: what to combine.
        picture: the input; `None` takes the bundle's sample at 640 x 480 pixels.
        say: receives a sentence for each combination that does not exist.

    Returns:
        The contract's document: `{"machine", "rows": [...]}`; float before int8, fp32 first.

    Raises:
        InputError: for an unknown engine, or when no combination exists.
    """
    loaded = load_bundle(bundle)
    unknown = [name for name in wanted.engines if name not in ENGINES]
    if unknown:
        raise InputError(f"Unknown engine {unknown[0]!r}; known: {', '.join(ENGINES)}.")
    if wanted.rounds < 1:
        raise InputError(f"The number of rounds must be at least 1, not {wanted.rounds}.")
    pixels = default_frame(loaded) if picture is None else read_picture(picture)
    detectors = _detectors(loaded, wanted, say)
    if not detectors:
        raise InputError(f"None of the combinations that were asked for exists for {bundle}; it has {loaded.offers()}.")
    return {"machine": machine(), "rows": measure_latency(detectors, pixels, wanted.rounds)}


def precisions_of(wanted: Sequence[FilePrecision]) -> list[FilePrecision]:
    """Those that are wanted, all where none is named; float first."""
    return [precision for precision in PRECISIONS if precision in (wanted or PRECISIONS)]


def default_frame(bundle: Bundle) -> Picture:
    """The bundle's sample as a camera's frame, uint8 BGR [480, 640, 3]."""
    bundle.verify([bundle.manifest.sample.picture])
    sample = read_picture(bundle.path(bundle.manifest.sample.picture))
    return np.ascontiguousarray(opencv().resize(sample, FRAME_SIZE, interpolation=opencv().INTER_LINEAR))


def _detectors(bundle: Bundle, wanted: Wanted, say: Say) -> list[Detector]:
    offered = {(entry.engine, entry.precision) for entry in bundle.manifest.engines}
    names = wanted.engines or [name for name in preference() if ENGINES[name].is_installed()]
    computes = sorted(wanted.computes, key=lambda compute: compute != "fp32")
    detectors = []
    for precision in precisions_of(wanted.precisions):
        for compute in computes:
            for name in names:
                if (ENGINES[name].entry, precision) not in offered:
                    if wanted.engines and (wanted.precisions or precision == "float"):
                        say(f"{name}: the bundle has no {precision} model for it")
                    continue
                for threads in wanted.threads:
                    try:
                        detectors.append(Detector(bundle, name, threads, precision=precision, compute=compute))
                    except EngineError as error:
                        say(f"{name} {precision} {compute}: {error}")
                        break
    return detectors
