"""The map behind every layer, as an engine calculates it: of our own engine, in any precision and with any kernels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from nanoedge.bundle import Bundle, FilePrecision
from nanoedge.errors import InputError
from nanoedge.pictures import Picture
from nanoedge.runtime.native import kind_of, load_native

if TYPE_CHECKING:
    from nanoedge._runtime import NativeStep

FloatArray = npt.NDArray[np.float32]

COMPARABLE = "native, native:int8, native:float:KERNELS, native:int8:KERNELS and torch"
_PRECISIONS: tuple[FilePrecision, ...] = ("float", "int8")


@dataclass(frozen=True)
class LayerEngine:
    """What a user asks for: `torch`, `native`, `native:int8`, `native:float:scalar`.

    Attributes:
        name: of the engine.
        precision: of the bundle's file.
        kernels: name of a kernel table; empty: as the engine chooses.
    """

    name: Literal["native", "torch"]
    precision: FilePrecision = "float"
    kernels: str = ""


def parse_engine(text: str) -> LayerEngine:
    """The engine of `NAME[:PRECISION[:KERNELS]]`.

    Raises:
        InputError: says which engines can be compared layer by layer.
    """
    name, *rest = text.split(":")
    if name == "torch" and not rest:
        return LayerEngine("torch")
    if name == "native" and len(rest) <= 2:
        wanted = rest[0] if rest else "float"
        for precision in _PRECISIONS:
            if precision == wanted:
                return LayerEngine("native", precision, rest[1] if len(rest) > 1 else "")
    raise InputError(
        f"The engine {text!r} does not show its layers; {COMPARABLE} do. What other engines give at the end is "
        "compared by nanoedge export, in the bundle's parity report."
    )


@dataclass(frozen=True, eq=False)
class Layer:
    """One step of our engine, and the map that it writes.

    Attributes:
        name: path of the module that it comes from.
        kind: what it calculates, such as `convolution 3x3`.
        output: name of its map, as in the network that PyTorch exports.
        same_as: name of the map whose values it has, where the step only copies; else its own.
    """

    name: str
    kind: str
    output: str
    same_as: str


@dataclass(frozen=True, eq=False)
class LayerMaps:
    """What one engine calculated.

    Attributes:
        label: the engine in words, such as `native int8 (avx2)`.
        maps: float32 [height, width, channels] by name; bytes as the values that they stand for.
        layers: the steps in running order; none of PyTorch's.
        is_bytes: whether the maps are bytes, but for a few.
        half_weights: whether the weights are stored in fp16.
    """

    label: str
    maps: dict[str, FloatArray]
    layers: tuple[Layer, ...] = ()
    is_bytes: bool = False
    half_weights: bool = False


def native_maps(bundle: Bundle, engine: LayerEngine, picture: Picture, threads: int | None = 1) -> LayerMaps:
    """Run our engine and keep every map.

    Args:
        bundle: with a model for it.
        engine: precision and kernels.
        picture: uint8 BGR [height, width, 3], as large as the network's input.
        threads: `None` takes all CPUs that this process may use.

    Raises:
        BundleError: when the bundle has no such model, or its file is damaged.
        EngineError: when this CPU lacks what the kernels need.
        InputError: for unknown kernels.
    """
    network = load_native(bundle, engine.precision, engine.kernels, threads)
    steps = network.steps
    found = zip(steps, network.maps(picture), strict=True)
    return LayerMaps(
        f"native {engine.precision} ({network.kernels})",
        {step["output"]: _values(step, values) for step, values in found},
        _layers(steps),
        engine.precision == "int8",
        any(step["half_weights"] for step in steps),
    )


def _values(step: NativeStep, values: npt.NDArray[Any]) -> FloatArray:
    if step["element"] != "float32":
        values = ((values.astype(np.int32) - step["zero_point"]) * np.float32(step["scale"])).astype(np.float32)
    return values * step["factors"] if step["factors"].size else values


def _layers(steps: Sequence[NativeStep]) -> tuple[Layer, ...]:
    source: dict[str, str] = {}
    for step in steps:
        if step["kind"] == "copy":
            [copied] = step["inputs"]
            source[step["output"]] = source.get(copied, copied)
    return tuple(
        Layer(step["name"], kind_of(step), step["output"], source.get(step["output"], step["output"])) for step in steps
    )
