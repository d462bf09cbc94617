"""A PyTorch network as the compiler's graph, through `torch.export`."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import torch
from torch import fx, nn

from nanoedge.errors import ExportError
from nanoedge.export.native.graph import FloatArray, Graph, Interleave, Operation, Shape, Slice
from nanoedge.export.native.read_operations import READERS, SHAPE_ONLY, arguments


def read_network(network: nn.Module, width: int, height: int) -> Graph:
    """Trace a network of one picture.

    Args:
        network: takes [1, 3, height, width], gives [1, priors, channels]: the levels' maps flattened and joined.
        width: of the input, pixels.
        height: of the input, pixels.

    Raises:
        ExportError: for an operation that the engine does not have; it is named with its place in the network.
    """
    with torch.no_grad():
        program = torch.export.export(network.eval(), (torch.zeros(1, 3, height, width),), strict=False)
    return Reader(program).graph()


class Reader:
    """Goes through the exported nodes once, in order."""

    def __init__(self, program: Any) -> None:
        self.program = program
        self.nodes: list[fx.Node] = list(program.graph.nodes)
        self.tensors: dict[str, FloatArray] = {
            spec.arg.name: _tensor_of(program, spec)
            for spec in program.graph_signature.input_specs
            if spec.kind.name in ("PARAMETER", "BUFFER", "CONSTANT_TENSOR")
        }
        self.shapes: dict[str, Shape] = {}
        self.operations: list[Operation] = []
        self.names: dict[fx.Node, str] = {}  # map of each node; in-place and shape-only nodes share one

    def graph(self) -> Graph:
        [picture] = self.program.graph_signature.user_inputs
        outputs: tuple[str, ...] = ()
        for node in self.nodes:
            if node.op == "placeholder" and node.name == picture:
                self.names[node] = node.name
                self.shapes[node.name] = Shape(*node.meta["val"].shape[1:])
            elif node.op == "call_function" and node not in self.names:
                self._read(node)
            elif node.op == "output":
                [[result]] = arguments(node)
                outputs = self._levels(result)
        return Graph(picture, outputs, self.shapes, self.operations)

    def _read(self, node: fx.Node) -> None:
        target = str(node.target)
        if node.target is operator.getitem or target in SHAPE_ONLY:
            return  # read where they are used
        if target not in READERS:
            raise self.refusal(node, f"the operation {target}")
        if "_." in target and len(arguments(node)[0].users) > 1:
            raise self.refusal(node, "a map that is read before and after it is changed in place")
        made = READERS[target](self, node)
        if made is not None:
            self.operations.append(made)

    # --- small things ---------------------------------------------------------------------------------------------

    def place(self, node: fx.Node) -> str:
        """The module that a node comes from."""
        stack = list(node.meta.get("nn_module_stack", {}).values())
        return str(stack[-1][0]) or node.name if stack else node.name

    def refusal(self, node: fx.Node, what: str) -> ExportError:
        """The error that names what is missing and where."""
        return ExportError(
            f"NanoEdge's own engine does not have {what}, which {self.place(node)} needs; "
            "export to ncnn, openvino or onnx."
        )

    def new(self, node: fx.Node) -> str:
        """A new map for the node's result."""
        self.names[node] = node.name
        self.shapes[node.name] = Shape(*node.meta["val"].shape[1:])
        return node.name

    def map_of(self, node: Any) -> str:
        """The map that a node stands for; parts of a map become slices when they are first used."""
        if node in self.names:
            return self.names[node]
        if node.target is operator.getitem and str(node.args[0].target) in ("aten.chunk.default", "aten.split.Tensor"):
            return self._slice(node, node.args[0])
        if str(node.target) == "aten.slice.Tensor" and node.args[1] == 1:
            source, _, start, *rest = (*node.args, 0)[: max(3, len(node.args))]
            if len(rest) > 1 and rest[1] != 1:
                raise self.refusal(node, "a slice with gaps")
            name = self.new(node)
            self.operations.append(Slice(self.place(node), (self.map_of(source),), name, int(start)))
            return name
        if str(node.target) == "aten.reshape.default":
            return self._shuffle(node)
        raise self.refusal(node, f"the operation {node.target} here")

    def _slice(self, node: fx.Node, parts: Any) -> str:
        if len(parts.args) < 3 or parts.args[2] != 1:
            raise self.refusal(parts, "a split along another axis than the channels")
        start = sum(int(value.shape[1]) for value in parts.meta["val"][: arguments(node)[1]])
        source = self.map_of(parts.args[0])
        name = self.new(node)
        self.operations.append(Slice(self.place(node), (source,), name, start))
        return name

    def _shuffle(self, node: fx.Node) -> str:
        """reshape(transpose(view(x, [1, 2, C / 2, H, W]), 1, 2)): the channels of both halves in turn."""
        transpose = arguments(node)[0]
        view = transpose.args[0] if str(getattr(transpose, "target", "")) == "aten.transpose.int" else None
        shape = tuple(node.meta["val"].shape)
        half = shape[1] // 2
        if (
            view is None
            or str(view.target) != "aten.view.default"
            or tuple(transpose.args[1:]) != (1, 2)
            or tuple(view.args[1]) != (1, 2, half, *shape[2:])
        ):
            raise self.refusal(node, "a reshape that is no channel shuffle of two groups")
        source = view.args[0]
        name = self.place(node)
        if str(source.target) == "aten.cat.default" and self._is_of_halves(source, half):
            halves = tuple(self.map_of(part) for part in source.args[0])
        else:
            whole = self.map_of(source)
            halves = (f"{node.name}_first", f"{node.name}_second")
            for number, part in enumerate(halves):
                self.shapes[part] = Shape(half, shape[2], shape[3])
                self.operations.append(Slice(name, (whole,), part, number * half))
        output = self.new(node)
        self.operations.append(Interleave(name, halves, output))
        return output

    def _is_of_halves(self, cat: fx.Node, half: int) -> bool:
        parts = arguments(cat)[0]
        return len(parts) == 2 and all(part.meta["val"].shape[1] == half for part in parts)

    def _levels(self, result: Any) -> tuple[str, ...]:
        """permute(cat([flatten(level), …], 2), [0, 2, 1]): what the head's output is made of."""
        if str(result.target) != "aten.permute.default" or list(result.args[1]) != [0, 2, 1]:
            raise self.refusal(result, "an output that is not [1, priors, channels]")
        joined = result.args[0]
        parts = joined.args[0] if str(joined.target) == "aten.cat.default" and joined.args[1] == 2 else [joined]
        levels = []
        for part in parts:
            if str(part.target) != "aten.flatten.using_ints" or part.args[1] != 2:
                raise self.refusal(part, "an output that is not made of whole maps")
            levels.append(self.map_of(part.args[0]))
        return tuple(levels)


def _tensor_of(program: Any, spec: Any) -> FloatArray:
    tensor = program.state_dict.get(spec.target)
    if tensor is None:
        tensor = program.constants[spec.target]
    return np.asarray(tensor.detach().cpu(), dtype=np.float32)
