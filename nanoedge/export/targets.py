"""The targets of an export: for each, how to convert the network and how to count what came out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torch import nn

from nanoedge.bundle.manifest import EngineEntry
from nanoedge.errors import InputError
from nanoedge.export.ncnn import census_of_ncnn, convert_to_ncnn
from nanoedge.export.onnx import census_of_onnx, convert_to_onnx
from nanoedge.export.openvino import census_of_openvino, convert_to_openvino
from nanoedge.export.strip import Census, Storage, census, check_census

WeightStorage = Literal["fp16", "fp32"]


@dataclass(frozen=True)
class Target:
    """One engine's converter.

    Attributes:
        convert: (network, width, height, folder, half_weights) to the manifest's entry.
        census: first file of the entry to what the graph is made of.
        default_weights: how weights are stored unless asked otherwise.
        half_storage: what `fp16` weights mean for this engine's files.
    """

    convert: Callable[[nn.Module, int, int, Path, bool], EngineEntry]
    census: Callable[[Path], Census]
    default_weights: WeightStorage
    half_storage: Storage


TARGETS: dict[str, Target] = {
    "ncnn": Target(convert_to_ncnn, census_of_ncnn, "fp16", "fp16"),
    "openvino": Target(convert_to_openvino, census_of_openvino, "fp16", "fp16-with-biases"),
    "onnx": Target(convert_to_onnx, census_of_onnx, "fp32", "fp16"),
}


def choose_targets(names: Sequence[str]) -> tuple[str, ...]:
    """The targets' names in the order of `TARGETS`; `all` stands for every one.

    Raises:
        InputError: for an unknown name.
    """
    for name in names:
        if name != "all" and name not in TARGETS:
            raise InputError(f"Unknown target {name!r}; known: {', '.join(TARGETS)}, all.")
    return tuple(name for name in TARGETS if "all" in names or name in names)


def storage_of(target: str, asked: WeightStorage | None) -> Storage:
    """How a target's files store convolutions: as asked, else the target's own way."""
    chosen = TARGETS[target]
    return chosen.half_storage if (asked or chosen.default_weights) == "fp16" else "fp32"


def convert(target: str, network: nn.Module, width: int, height: int, folder: Path, storage: Storage) -> EngineEntry:
    """Convert to one target and prove that the graph holds exactly the stripped network.

    Raises:
        ExportError: when the conversion fails or its result is not the network.
    """
    chosen = TARGETS[target]
    entry = chosen.convert(network, width, height, folder, storage != "fp32")
    check_census(chosen.census(folder / entry.files[0]), census(network), target)
    return entry
