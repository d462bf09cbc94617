"""PyTorch to ONNX."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from nanoedge.bundle.manifest import EngineEntry
from nanoedge.config.interface import InputSpec
from nanoedge.export.strip import Census

OPSET = 18
INPUT, OUTPUT = "data", "output"


def convert_to_onnx(network: nn.Module, spec: InputSpec, folder: Path, half_weights: bool) -> EngineEntry:
    """Write `model.onnx`, fixed size, one picture a run.

    Args:
        network: the stripped network.
        spec: of the input.
        folder: where the file goes.
        half_weights: store weights in fp16; they are cast to fp32 when the model is loaded.
    """
    path = folder / "model.onnx"
    write_onnx(network, spec.width, spec.height, path, half_weights)
    return EngineEntry(engine="onnx", precision="float", files=(path.name,), input=INPUT, outputs=(OUTPUT,))


def write_onnx(network: nn.Module, width: int, height: int, path: Path, half_weights: bool = False) -> None:
    """Trace the network into one self-contained ONNX file with the names `data` and `output`."""
    example = torch.zeros(1, 3, height, width)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        torch.onnx.export(
            network,
            (example,),
            str(path),
            input_names=[INPUT],
            output_names=[OUTPUT],
            opset_version=OPSET,
            dynamo=False,
            do_constant_folding=True,
        )
    model = onnx.load(path)
    if half_weights:
        _store_half(model)
        onnx.save(model, path)
    onnx.checker.check_model(model, full_check=True)


def census_of_onnx(path: Path) -> Census:
    """Count the convolutions of an ONNX file and their weights."""
    model = onnx.load(path)
    sizes = {tensor.name: int(numpy_helper.to_array(tensor).size) for tensor in model.graph.initializer}
    renamed = {node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "Cast"}
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    return Census(len(convolutions), sum(sizes[renamed.get(node.input[1], node.input[1])] for node in convolutions))


def _store_half(model: onnx.ModelProto) -> None:
    """Store the convolutions' weights in fp16, each behind a Cast to fp32; biases stay fp32."""
    weights = {node.input[1] for node in model.graph.node if node.op_type == "Conv"}
    casts = []
    for tensor in model.graph.initializer:
        if tensor.name not in weights:
            continue
        values = numpy_helper.to_array(tensor)
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype("float16"), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    for position, cast in enumerate(casts):
        model.graph.node.insert(position, cast)
