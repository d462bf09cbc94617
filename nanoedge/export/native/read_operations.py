"""PyTorch's operations as those of the compiler's graph: one function for each, and a table of all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import fx

from nanoedge.errors import ExportError
from nanoedge.export.native.graph import (
    Activate,
    Activation,
    Add,
    Concatenate,
    Convolution,
    Gate,
    GlobalAverage,
    MaxPool,
    Operation,
    Pads,
    Upsample,
)

if TYPE_CHECKING:
    from nanoedge.export.native.read import Reader


def arguments(node: fx.Node) -> tuple[Any, ...]:
    """A node's arguments, of whatever types its operation has."""
    return node.args


def _argument(node: fx.Node, position: int, default: Any) -> Any:
    return node.args[position] if len(node.args) > position and node.args[position] is not None else default


def _pair(reader: Reader, node: fx.Node, value: Any, what: str) -> int:
    """Both axes alike, as one number."""
    both = [int(each) for each in value] if isinstance(value, (list, tuple)) else [int(value)]
    if len(set(both)) != 1:
        raise reader.refusal(node, f"{what} that differ in height and width")
    return both[0]


def _convolution(reader: Reader, node: fx.Node) -> Operation:
    source = arguments(node)[0]
    weight = reader.tensors[arguments(node)[1].name]
    bias_node = _argument(node, 2, None)
    bias = reader.tensors[bias_node.name] if bias_node is not None else np.zeros(len(weight), np.float32)
    stride = _pair(reader, node, _argument(node, 3, [1, 1]), "strides")
    pad = _pair(reader, node, _argument(node, 4, [0, 0]), "pads")
    if _pair(reader, node, _argument(node, 5, [1, 1]), "dilations") != 1:
        raise reader.refusal(node, "a dilated convolution")
    groups = int(_argument(node, 6, 1))
    if weight.shape[2] != weight.shape[3] or groups not in (1, len(weight)) or (groups > 1 and weight.shape[1] != 1):
        raise reader.refusal(node, f"a convolution of {groups} groups with {tuple(weight.shape)} weights")
    pads = Pads(pad, pad, pad, pad)
    if str(getattr(source, "target", "")) == "aten.pad.default":
        if _argument(source, 2, "constant") != "constant" or _argument(source, 3, 0) != 0:
            raise reader.refusal(node, "padding with anything but zeros")
        left, right, top, bottom = (int(each) for each in source.args[1])
        pads = Pads(pad + top, pad + left, pad + bottom, pad + right)
        source = source.args[0]
    return Convolution(
        reader.place(node), (reader.map_of(source),), reader.new(node), weight, bias, stride, pads, groups
    )


def _activation(make: Callable[[fx.Node], Activation]) -> Callable[[Reader, fx.Node], Operation]:
    def read(reader: Reader, node: fx.Node) -> Operation:
        source = arguments(node)[0]
        return Activate(reader.place(node), (reader.map_of(source),), reader.new(node), make(node))

    return read


def _clamp(node: fx.Node) -> Activation:
    low, high = _argument(node, 1, None), _argument(node, 2, None)
    if (low, high) != (0.0, 6.0):
        raise ExportError(f"NanoEdge's own engine clamps to 0..6 only, not to {low}..{high}.")
    return Activation("relu6")


def _max_pool(reader: Reader, node: fx.Node) -> Operation:
    kernel = _pair(reader, node, arguments(node)[1], "pools")
    stride = _pair(reader, node, _argument(node, 2, kernel) or kernel, "strides")
    pad = _pair(reader, node, _argument(node, 3, 0), "pads")
    if _pair(reader, node, _argument(node, 4, 1), "dilations") != 1 or _argument(node, 5, False):
        raise reader.refusal(node, "a dilated or rounded-up pool")
    source = arguments(node)[0]
    return MaxPool(
        reader.place(node), (reader.map_of(source),), reader.new(node), kernel, stride, Pads(pad, pad, pad, pad)
    )


def _add(reader: Reader, node: fx.Node) -> Operation:
    first, second = arguments(node)[:2]
    shapes = [tuple(each.meta["val"].shape) for each in (first, second) if isinstance(each, fx.Node)]
    if len(shapes) != 2 or shapes[0] != shapes[1] or node.kwargs.get("alpha", 1) != 1:
        raise reader.refusal(node, "a sum of maps of different shapes")
    return Add(reader.place(node), (reader.map_of(first), reader.map_of(second)), reader.new(node))


def _gate(reader: Reader, node: fx.Node) -> Operation:
    first, second = arguments(node)[:2]
    maps = [each for each in (first, second) if isinstance(each, fx.Node)]
    maps.sort(key=lambda each: -each.meta["val"].numel())
    if len(maps) != 2 or tuple(maps[1].meta["val"].shape) != (1, maps[0].meta["val"].shape[1], 1, 1):
        raise reader.refusal(node, "a product that is not one factor a channel")
    return Gate(reader.place(node), (reader.map_of(maps[0]), reader.map_of(maps[1])), reader.new(node))


def _concatenate(reader: Reader, node: fx.Node) -> Operation | None:
    parts = arguments(node)[0]
    axis = _argument(node, 1, 0)
    if axis == 2 or _only_shuffled(node, parts):
        return None  # the output, read at the end; or the two halves of a shuffle
    if axis != 1:
        raise reader.refusal(node, "a concatenation along another axis than the channels")
    return Concatenate(reader.place(node), tuple(reader.map_of(part) for part in parts), reader.new(node))


def _only_shuffled(node: fx.Node, parts: Any) -> bool:
    """Whether a concatenation of two equal halves is read by shuffles alone, which take the halves themselves."""
    users = list(node.users)
    return (
        len(parts) == 2
        and parts[0].meta["val"].shape == parts[1].meta["val"].shape
        and bool(users)
        and all(str(user.target) == "aten.view.default" for user in users)
    )


def _upsample(mode: Any) -> Callable[[Reader, fx.Node], Operation]:
    def read(reader: Reader, node: fx.Node) -> Operation:
        source = arguments(node)[0]
        before, after = source.meta["val"].shape, node.meta["val"].shape
        corners = mode == "bilinear" and bool(arguments(node)[2])
        if corners or (after[2], after[3]) != (2 * before[2], 2 * before[3]):
            raise reader.refusal(node, "an upsampling by another factor than 2 or with aligned corners")
        return Upsample(reader.place(node), (reader.map_of(source),), reader.new(node), mode)

    return read


def _global_average(reader: Reader, node: fx.Node) -> Operation:
    if [int(each) for each in arguments(node)[1]] != [1, 1]:
        raise reader.refusal(node, "an adaptive pool to more than one pixel")
    source = arguments(node)[0]
    return GlobalAverage(reader.place(node), (reader.map_of(source),), reader.new(node))


SHAPE_ONLY = {
    "aten.view.default",
    "aten.transpose.int",
    "aten.reshape.default",
    "aten.chunk.default",
    "aten.split.Tensor",
    "aten.slice.Tensor",
    "aten.flatten.using_ints",
    "aten.permute.default",
    "aten.pad.default",
}
"""Read where their result is used."""

_RELU = _activation(lambda node: Activation("relu"))
_LEAKY_RELU = _activation(lambda node: Activation("leaky_relu", float(_argument(node, 1, 0.01))))
_CLAMP = _activation(_clamp)
_HARD_SWISH = _activation(lambda node: Activation("hard_swish"))
_SILU = _activation(lambda node: Activation("silu"))
_HARD_SIGMOID = _activation(lambda node: Activation("hard_sigmoid"))

READERS: dict[str, Callable[[Reader, fx.Node], Operation | None]] = {
    "aten.conv2d.default": _convolution,
    "aten.relu.default": _RELU,
    "aten.relu_.default": _RELU,
    "aten.relu6.default": _CLAMP,
    "aten.hardtanh.default": _CLAMP,
    "aten.hardtanh_.default": _CLAMP,
    "aten.clamp.default": _CLAMP,
    "aten.leaky_relu.default": _LEAKY_RELU,
    "aten.leaky_relu_.default": _LEAKY_RELU,
    "aten.hardswish.default": _HARD_SWISH,
    "aten.hardswish_.default": _HARD_SWISH,
    "aten.silu.default": _SILU,
    "aten.silu_.default": _SILU,
    "aten.hardsigmoid.default": _HARD_SIGMOID,
    "aten.max_pool2d.default": _max_pool,
    "aten.add.Tensor": _add,
    "aten.add_.Tensor": _add,
    "aten.mul.Tensor": _gate,
    "aten.cat.default": _concatenate,
    "aten.upsample_bilinear2d.vec": _upsample("bilinear"),
    "aten.upsample_nearest2d.vec": _upsample("nearest"),
    "aten.adaptive_avg_pool2d.default": _global_average,
}
"""Every operation that the engine has, by PyTorch's name for it."""
