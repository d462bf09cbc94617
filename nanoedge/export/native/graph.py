"""The graph that the compiler works on: maps (values) and the operations that make one from others.

A map is [channels, height, width] of one picture. Every operation has one output and names its inputs; operations stand
in an order in which they can be run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


class Shape(NamedTuple):
    """Of a map."""

    channels: int
    height: int
    width: int


class Pads(NamedTuple):
    """Pixels around a map: zeros for a convolution, nothing for a pool."""

    top: int = 0
    left: int = 0
    bottom: int = 0
    right: int = 0


ActivationKind = Literal["none", "relu", "relu6", "leaky_relu", "hard_swish", "silu", "hard_sigmoid"]


class Activation(NamedTuple):
    """Applied to every value; `slope` is that of `leaky_relu` below zero."""

    kind: ActivationKind = "none"
    slope: float = 0.0


IDENTITY = Activation()
NO_PADS = Pads()


@dataclass
class Operation:
    """What all operations have.

    Attributes:
        name: path of the module that it comes from, for people.
        inputs: names of maps.
        output: name of a map.
    """

    name: str
    inputs: tuple[str, ...]
    output: str


@dataclass
class Convolution(Operation):
    """Cross-correlation, as networks mean it, and an activation.

    Attributes:
        weight: [output channels, input channels / groups, kernel height, kernel width].
        bias: [output channels].
        groups: 1, or the number of channels (depth-wise).
    """

    weight: FloatArray
    bias: FloatArray
    stride: int = 1
    pads: Pads = NO_PADS
    groups: int = 1
    activation: Activation = IDENTITY

    @property
    def is_depthwise(self) -> bool:
        """Whether every channel has its own filter and nothing else."""
        return self.groups > 1

    @property
    def kernel(self) -> int:
        """Side of the filter."""
        return int(self.weight.shape[2])

    @property
    def needs_border(self) -> bool:
        """Whether its kernel reads pixels around the map: those of depth-wise filters leave them out."""
        return not self.is_depthwise and any(self.pads)


@dataclass
class MaxPool(Operation):
    """The largest value of each window."""

    kernel: int
    stride: int
    pads: Pads


@dataclass
class Add(Operation):
    """Sum of two maps of one shape, and an activation."""

    activation: Activation = IDENTITY


@dataclass
class Upsample(Operation):
    """Twice the height and width, with half-pixel centres."""

    mode: Literal["bilinear", "nearest"]


@dataclass
class Interleave(Operation):
    """Channels of two maps in turn: a channel shuffle of two groups."""


@dataclass
class Slice(Operation):
    """Some channels, from `start` on."""

    start: int


@dataclass
class Concatenate(Operation):
    """Maps behind each other along the channels."""


@dataclass
class Copy(Operation):
    """The same values in another place."""


@dataclass
class Activate(Operation):
    """An activation that could not be made part of another operation."""

    activation: Activation


@dataclass
class GlobalAverage(Operation):
    """Mean of each channel: [C, 1, 1]."""


@dataclass
class Gate(Operation):
    """A map times one factor a channel: the second input is [C, 1, 1]."""


@dataclass
class Graph:
    """A network.

    Attributes:
        input: the normalised picture's name.
        outputs: names of the maps of the levels, in the order of the output's rows.
        shapes: of every map.
        operations: in running order.
        borders: pixels around a map that are kept in memory, filled with what stands for zero.
        input_border: what stands for zero around the picture, a value a channel.
    """

    input: str
    outputs: tuple[str, ...]
    shapes: dict[str, Shape]
    operations: list[Operation] = field(default_factory=list)
    borders: dict[str, Pads] = field(default_factory=dict)
    input_border: tuple[float, ...] = (0.0, 0.0, 0.0)

    def users(self, name: str) -> list[Operation]:
        """The operations that read a map."""
        return [operation for operation in self.operations if name in operation.inputs]

    def convolutions(self) -> Iterator[Convolution]:
        """All of them."""
        return (operation for operation in self.operations if isinstance(operation, Convolution))
