"""The compiled network as one file; docs/native_format.md describes it field by field."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nanoedge.export.native.graph import (
    Activate,
    Activation,
    Add,
    Convolution,
    Copy,
    Gate,
    GlobalAverage,
    Graph,
    Interleave,
    MaxPool,
    Operation,
    Pads,
    Upsample,
)
from nanoedge.export.native.passes.place import Place
from nanoedge.export.native.passes.plan_memory import Memory

MAGIC = b"NEnative"
VERSION = 2
NOTHING = 0xFFFFFFFF

HEADER = struct.Struct("<8sIIQQIIIIIIQII3f")
VALUE = struct.Struct("<QIIIIIB3xfi4BIQ")
OPERATION = struct.Struct("<4B4BfIIIIIQQQB7x6f")

KINDS: dict[type[Operation], int] = {
    Convolution: 1,  # depth-wise: 2
    MaxPool: 3,
    Add: 4,
    Upsample: 5,  # nearest: 6
    Interleave: 7,
    Copy: 8,
    Activate: 9,
    GlobalAverage: 10,
    Gate: 11,
}
DEPTHWISE, NEAREST = 2, 6
ACTIVATIONS = {"none": 0, "relu": 1, "relu6": 2, "leaky_relu": 3, "hard_swish": 4, "silu": 5, "hard_sigmoid": 6}
FLOAT32, FLOAT16, INT8 = 0, 1, 2
"""How weights are stored."""
F32, U8 = 0, 1
"""What a map is made of."""


@dataclass(frozen=True)
class Quantized:
    """Affine: stored value = (byte - zero_point) * scale. A map without it is made of float32."""

    scale: float
    zero_point: int


Exponents = npt.NDArray[np.uint8]
"""A byte a channel, [C]: its values are to be multiplied by 2 ** (-byte / 8)."""


@dataclass
class Arithmetic:
    """What an operation calculates with besides its attributes.

    Attributes:
        weight: float32, float16 or int8, in the operation's own shape.
        bias: float32 [output channels].
        multiplier: float32 [output channels], for int8.
        scalars: six numbers whose meaning depends on the operation.
    """

    weight: npt.NDArray[np.generic] | None = None
    bias: npt.NDArray[np.float32] | None = None
    multiplier: npt.NDArray[np.float32] | None = None
    scalars: tuple[float, ...] = ()


@dataclass
class Compiled:
    """Everything that the file says.

    Attributes:
        graph: after all passes.
        places: of every map.
        memory: the plan.
        room: see `leave_room`.
        arithmetic: by the name of the operation's output.
        quantized: of the maps that are bytes.
        exponents: of maps whose channels are stored divided by factors of their own.
    """

    graph: Graph
    places: Mapping[str, Place]
    memory: Memory
    room: Mapping[str, int]
    arithmetic: Mapping[str, Arithmetic]
    quantized: Mapping[str, Quantized] = field(default_factory=dict)
    exponents: Mapping[str, Exponents] = field(default_factory=dict)


def serialise(compiled: Compiled) -> bytes:
    """The file's bytes: header, maps, operations, names, then arrays, each at a multiple of 64 bytes."""
    graph, memory = compiled.graph, compiled.memory
    used = [graph.input] + [operation.output for operation in graph.operations]
    used += [name for operation in graph.operations for name in operation.inputs]
    names = list(dict.fromkeys(used))
    number = {name: position for position, name in enumerate(names)}
    strings = _Strings()
    for name in (*names, *(operation.name for operation in graph.operations)):
        strings.add(name)
    records = VALUE.size * len(names) + OPERATION.size * len(graph.operations)
    data = _Data(HEADER.size + records + len(strings.bytes))
    values = b"".join(_value(compiled, name, strings, data) for name in names)
    operations = b"".join(_operation(compiled, each, number, strings, data) for each in graph.operations)
    body = values + operations + strings.bytes + data.padding() + data.bytes
    priors = sum(graph.shapes[level].height * graph.shapes[level].width for level in graph.outputs)
    channels = graph.shapes[graph.outputs[0]].channels
    sizes = (HEADER.size + len(body), memory.size, len(names), len(graph.operations), len(strings.bytes))
    ends = (number[graph.input], priors, channels, memory.output, memory.output_row, 0)
    header = HEADER.pack(MAGIC, VERSION, 0, *sizes, *ends, *graph.input_border)
    return header[:12] + struct.pack("<I", zlib.crc32(header[16:] + body)) + header[16:] + body


class _Strings:
    """Names, each once, ended by a zero byte."""

    def __init__(self) -> None:
        self.bytes = b""
        self.offsets: dict[str, int] = {}

    def add(self, text: str) -> int:
        """Offset of a name."""
        if text not in self.offsets:
            self.offsets[text] = len(self.bytes)
            self.bytes += text.encode() + b"\0"
        return self.offsets[text]


class _Data:
    """Arrays behind everything else.

    Args:
        start: size of what lies before.
    """

    def __init__(self, start: int) -> None:
        self.start = start
        self.bytes = b""

    def padding(self) -> bytes:
        """What makes the first array's offset a multiple of 64."""
        return bytes(-self.start % 64)

    def add(self, array: npt.NDArray[np.generic] | None) -> int:
        """Offset of an array in the file; 0 for none."""
        if array is None:
            return 0
        offset = self.start + len(self.padding()) + len(self.bytes)
        raw = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes()
        self.bytes += raw + bytes(-len(raw) % 64)
        return offset


def _value(compiled: Compiled, name: str, strings: _Strings, data: _Data) -> bytes:
    graph, memory = compiled.graph, compiled.memory
    shape, place, border = graph.shapes[name], compiled.places[name], graph.borders.get(name, Pads())
    quantized = compiled.quantized.get(name)
    if name in graph.outputs:
        before = graph.outputs[: graph.outputs.index(name)]
        rows = sum(graph.shapes[level].height * graph.shapes[level].width for level in before)
        pixel, row = memory.output_row, memory.output_row * shape.width
        offset = memory.output + 4 * rows * memory.output_row
    else:
        buffer = memory.buffers[place.buffer]
        pixel, row = buffer.pixel, buffer.row
        offset = buffer.origin + place.start * buffer.element
    element = U8 if quantized else F32
    scale, zero_point = (quantized.scale, quantized.zero_point) if quantized else (1.0, 0)
    exponents = data.add(compiled.exponents.get(name))
    return VALUE.pack(offset, *shape, pixel, row, element, scale, zero_point, *border, strings.add(name), exponents)


def _operation(
    compiled: Compiled, operation: Operation, number: Mapping[str, int], strings: _Strings, data: _Data
) -> bytes:
    kind = KINDS[type(operation)]
    if isinstance(operation, Convolution) and operation.is_depthwise:
        kind = DEPTHWISE
    if isinstance(operation, Upsample) and operation.mode == "nearest":
        kind = NEAREST
    activation: Activation = getattr(operation, "activation", Activation())
    kernel, stride = getattr(operation, "kernel", 0), getattr(operation, "stride", 1)
    arithmetic = compiled.arithmetic.get(operation.output, Arithmetic())
    stored = {None: 0, "float32": FLOAT32, "float16": FLOAT16, "int8": INT8}
    weight = arithmetic.weight
    return OPERATION.pack(
        *(kind, ACTIVATIONS[activation.kind], kernel, stride),
        *getattr(operation, "pads", Pads()),
        activation.slope,
        compiled.room[operation.output],
        number[operation.inputs[0]],
        number[operation.inputs[1]] if len(operation.inputs) > 1 else NOTHING,
        number[operation.output],
        strings.add(operation.name),
        *(data.add(weight), data.add(arithmetic.bias), data.add(arithmetic.multiplier)),
        stored[None if weight is None else str(weight.dtype)],
        *(*arithmetic.scalars, *(0.0,) * 6)[:6],
    )


class ValueRecord(NamedTuple):
    """A map as the file describes it; see docs/native_format.md."""

    offset: int
    channels: int
    height: int
    width: int
    pixel: int
    row: int
    element: int
    scale: float
    zero_point: int
    border_top: int
    border_left: int
    border_bottom: int
    border_right: int
    name: int
    exponents: int


class OperationRecord(NamedTuple):
    """An operation as the file describes it."""

    kind: int
    activation: int
    kernel: int
    stride: int
    top: int
    left: int
    bottom: int
    right: int
    slope: float
    room: int
    input: int
    input2: int
    output: int
    name: int
    weights: int
    bias: int
    multiplier: int
    stored: int
    scalars: tuple[float, ...]


def read_tables(data: bytes) -> tuple[list[ValueRecord], list[OperationRecord]]:
    """The maps and operations of a file that this version wrote."""
    values, operations = HEADER.unpack_from(data)[5:7]
    start = HEADER.size
    maps = [ValueRecord(*VALUE.unpack_from(data, start + number * VALUE.size)) for number in range(values)]
    start += values * VALUE.size
    steps = []
    for number in range(operations):
        fields = OPERATION.unpack_from(data, start + number * OPERATION.size)
        steps.append(OperationRecord._make((*fields[:18], fields[18:])))
    return maps, steps
