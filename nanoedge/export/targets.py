"""The targets of an export: for each, how to convert the network and how to count what came out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from nanoedge.bundle.manifest import EngineEntry
from nanoedge.config.interface import InputSpec
from nanoedge.errors import InputError
from nanoedge.export.native.compile import census_of_native, convert_to_native
from nanoedge.export.ncnn import census_of_ncnn, convert_to_ncnn
from nanoedge.export.onnx import census_of_onnx, convert_to_onnx
from nanoedge.export.openvino import census_of_openvino, convert_to_openvino
from nanoedge.export.strip import Census, WeightStorage, census, check_census


@dataclass(frozen=True)
class Target:
    """One engine's converter.

    Attributes:
        convert: (network, input, folder, half_weights) to the manifest's entry.
        census: first file of the entry to what the graph is made of.
        default_storage: how weights are stored unless asked otherwise.
    """

    convert: Callable[[nn.Module, InputSpec, Path, bool], EngineEntry]
    census: Callable[[Path], Census]
    default_storage: WeightStorage


TARGETS: dict[str, Target] = {
    "ncnn": Target(convert_to_ncnn, census_of_ncnn, "fp16"),
    "openvino": Target(convert_to_openvino, census_of_openvino, "fp16"),
    "onnx": Target(convert_to_onnx, census_of_onnx, "fp32"),
    "native": Target(convert_to_native, census_of_native, "fp16"),
}


INT8_TARGETS = ("native",)
"""Targets that an int8 file can be made for, beside the float one."""


def choose_targets(names: Sequence[str]) -> tuple[str, ...]:
    """The targets' names in the order of `TARGETS`; `all` stands for every one.

    Raises:
        InputError: for an unknown name.
    """
    for name in names:
        if name != "all" and name not in TARGETS:
            raise InputError(f"Unknown target {name!r}; known: {', '.join(TARGETS)}, all.")
    return tuple(name for name in TARGETS if "all" in names or name in names)


def check_int8_targets(targets: Sequence[str], say: Callable[[str], None]) -> None:
    """Whether int8 can be made for one of these targets; says which of them stay float.

    Raises:
        InputError: when it can be made for none.
    """
    stay = [name for name in targets if name not in INT8_TARGETS]
    if len(stay) == len(targets):
        raise InputError(
            f"--int8 cannot be made for {', '.join(stay)}: only {', '.join(INT8_TARGETS)} has int8 as yet. Add "
            f"--target {INT8_TARGETS[0]}, or leave --int8 out."
        )
    if stay:
        say(f"int8 is made for {', '.join(INT8_TARGETS)}; float alone for {', '.join(stay)}")


def storage_of(target: str, asked: WeightStorage | None) -> WeightStorage:
    """How a target's files store weights: as asked, else the target's own way."""
    return asked or TARGETS[target].default_storage


def convert(target: str, network: nn.Module, spec: InputSpec, folder: Path, storage: WeightStorage) -> EngineEntry:
    """Convert to one target and prove that the graph holds exactly the stripped network.

    Raises:
        ExportError: when the conversion fails or its result is not the network.
    """
    chosen = TARGETS[target]
    entry = chosen.convert(network, spec, folder, storage == "fp16")
    check_census(chosen.census(folder / entry.files[0]), census(network), target)
    return entry
