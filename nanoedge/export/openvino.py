"""ONNX to OpenVINO's IR. Only the core library is used: its telemetry lives in the Python conversion tools.

Its own compression to fp16 is not used: it rounds biases too, which moves boxes by more than the agreement allows.
Weights are rounded in the ONNX file that it reads.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from torch import nn

from nanoedge.bundle.manifest import EngineEntry
from nanoedge.config.interface import InputSpec
from nanoedge.errors import ExportError
from nanoedge.export.onnx import INPUT, OUTPUT, write_onnx
from nanoedge.export.strip import Census

_CONVOLUTIONS = ("Convolution", "GroupConvolution")


def convert_to_openvino(network: nn.Module, spec: InputSpec, folder: Path, half_weights: bool) -> EngineEntry:
    """Write `model.xml` and `model.bin`.

    Args:
        network: the stripped network.
        spec: of the input.
        folder: where the files go.
        half_weights: store weights in fp16.

    Raises:
        ExportError: when OpenVINO cannot read or write the network.
    """
    try:
        import openvino
    except ImportError as error:
        raise ExportError("The OpenVINO export needs openvino: pip install 'nanoedge[export]'.") from error
    xml = folder / "model.xml"
    with tempfile.TemporaryDirectory(prefix="nanoedge-openvino-") as work:
        source = Path(work) / "model.onnx"
        write_onnx(network, spec.width, spec.height, source, half_weights)
        try:
            model = openvino.Core().read_model(str(source))
            model.set_friendly_name("model")
            openvino.save_model(model, str(xml), compress_to_fp16=False)
        except RuntimeError as error:
            raise ExportError(f"OpenVINO cannot convert the network: {str(error).splitlines()[-1]}") from error
    return EngineEntry(
        engine="openvino", precision="float", files=(xml.name, "model.bin"), input=INPUT, outputs=(OUTPUT,)
    )


def census_of_openvino(xml: Path) -> Census:
    """Count the convolutions of an IR and their weights."""
    import openvino

    convolutions = weights = 0
    for operation in openvino.Core().read_model(str(xml)).get_ops():
        if operation.get_type_name() in _CONVOLUTIONS:
            convolutions += 1
            count = 1
            for side in operation.input(1).get_shape():
                count *= int(side)
            weights += count
    return Census(convolutions, weights)
