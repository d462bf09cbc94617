"""How wrong the model is: our own engine layer by layer on this CPU, modelled and measured.

Counted are the kernels for AVX2 under emulation, measured the same kernels here. Only CPUs that the model has numbers
of are compared: AMD's Zen of the first generation, whose pipes are 128 bits wide.
"""

from __future__ import annotations

import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.cost_model.cores import ZEN
from tools.cost_model.cost import cost
from tools.cross.targets import TARGETS
from tools.instructions.layers import count_layers
from tools.instructions.measure import stages_program

KERNELS = "avx2"
LEAST_SHARE = 0.005
"""Of the whole time: layers that take less are not judged one by one."""
_FAMILY, _MODELS = "23", range(0x10)
"""Of /proc/cpuinfo: Zen and Zen+ are the models below 16 of family 17h; later ones have pipes of 256 bits."""


@dataclass(frozen=True)
class Compared:
    """A layer, or layers of a kind: milliseconds."""

    name: str
    kind: str
    measured: float
    modelled: float

    @property
    def ratio(self) -> float:
        """Modelled to measured."""
        return self.modelled / self.measured


@dataclass(frozen=True)
class Error:
    """What the comparison of all layers says; ratios are modelled to measured.

    Attributes:
        total: of all layers together.
        median: of the layers that take `LEAST_SHARE` or more.
        within_a_third: the share of those between 0.75 and 1.33.
        worst: that of those which is farthest from 1.
    """

    total: float
    median: float
    within_a_third: float
    worst: float


def is_known(information: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether this CPU is one that the model has numbers of."""
    if not information.is_file():
        return False
    lines = information.read_text().partition("\n\n")[0].splitlines()
    values = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    return (
        values.get("vendor_id") == "AuthenticAMD"
        and values.get("cpu family") == _FAMILY
        and int(values.get("model", "-1")) in _MODELS
    )


def compare(bundle: Path, precision: str, rounds: int) -> list[Compared]:
    """Each layer; the time is the median of some rounds on one thread."""
    core = dataclasses.replace(ZEN, gigahertz=clock())
    os.environ["NANOEDGE_KERNELS"] = KERNELS  # of the emulated program and of the measured one
    try:
        target = TARGETS["x86_64"]
        network = count_layers(target, "max", stages_program(target), bundle, precision, core.caches)
        measured = times(bundle, precision, rounds)
    finally:
        del os.environ["NANOEDGE_KERNELS"]
    return [
        Compared(layer.name, layer.kind, milliseconds, cost(layer.count, core).milliseconds)
        for layer, milliseconds in zip(network.layers, measured, strict=True)
    ]


def times(bundle: Path, precision: str, rounds: int) -> list[float]:
    """Milliseconds of each layer, measured."""
    command = [
        sys.executable, "-m", "nanoedge", "benchmark", str(bundle), "--layers", "--precision", precision,
        "--threads", "1", "--rounds", str(rounds), "--json",
    ]  # fmt: skip
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    (row,) = json.loads(done.stdout)["rows"]
    return [layer["time"]["p50"] for layer in row["layers"]]


def error_of(layers: Sequence[Compared]) -> Error:
    """The layers' ratios in four numbers."""
    whole = sum(layer.measured for layer in layers)
    ratios = [layer.ratio for layer in layers if layer.measured >= LEAST_SHARE * whole]
    return Error(
        total=sum(layer.modelled for layer in layers) / whole,
        median=statistics.median(ratios),
        within_a_third=sum(0.75 <= ratio <= 4 / 3 for ratio in ratios) / len(ratios),
        worst=max(ratios, key=lambda ratio: max(ratio, 1 / ratio)),
    )


def by_kind(layers: Sequence[Compared]) -> list[Compared]:
    """Layers of a kind together, those that take longest first."""
    kinds = dict.fromkeys(layer.kind for layer in layers)
    found = []
    for kind in kinds:
        own = [layer for layer in layers if layer.kind == kind]
        found.append(
            Compared(f"{len(own)} layers", kind, sum(each.measured for each in own), sum(each.modelled for each in own))
        )
    return sorted(found, key=lambda kind: -kind.measured)


def clock() -> float:
    """GHz of this CPU, while it works."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "clock"
        source = Path(__file__).with_name("clock.c")
        subprocess.run(["cc", "-O2", "-o", program, source], check=True)
        done = subprocess.run([program], capture_output=True, text=True, check=True)
    return float(done.stdout)
