"""The map behind every layer, as PyTorch calculates it; and a checkpoint's network compiled for our engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import fx

from nanoedge.bundle import Bundle, InputSpec
from nanoedge.bundle.write import bundle_to_throw_away
from nanoedge.export.native.compile import convert_to_native
from nanoedge.export.strip import strip, with_stored_weights
from nanoedge.inspection.layer_maps import FloatArray, LayerMaps
from nanoedge.pictures import Picture
from nanoedge.runtime.preprocess import to_tensor
from nanoedge.training.checkpoints import Checkpoint


class _Recorder(fx.Interpreter):
    """Runs an exported network and keeps every map, under the names that the compiler for our engine gives them."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.found: dict[str, FloatArray] = {}

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        if n.op == "call_function" and isinstance(result, torch.Tensor) and result.ndim == 4:
            # copied: an activation may change it in place
            self.found[n.name] = result[0].permute(1, 2, 0).contiguous().clone().numpy()
        return result


def torch_maps(checkpoint: Checkpoint, spec: InputSpec, picture: Picture, half_weights: bool) -> LayerMaps:
    """Run the deployed network in PyTorch and keep every map.

    Args:
        checkpoint: with the network's weights.
        spec: of the input.
        picture: uint8 BGR [spec.height, spec.width, 3].
        half_weights: round weights to fp16 as a file does that stores them so.
    """
    network = with_stored_weights(strip(checkpoint.model()), "fp16" if half_weights else "fp32")
    tensor, _ = to_tensor(picture, spec)
    example = torch.from_numpy(np.ascontiguousarray(tensor))
    with torch.no_grad():
        program = torch.export.export(network, (example,), strict=False)
        recorder = _Recorder(program.module())
        recorder.run(example)
    return LayerMaps("torch", recorder.found)


def compiled_bundle(checkpoint: Checkpoint, folder: Path) -> Bundle:
    """A checkpoint's network in float32 for our engine alone, to be looked at and thrown away.

    Args:
        checkpoint: with the network's weights.
        folder: empty.

    Raises:
        ExportError: for an operation that the engine does not have.
    """
    interface = checkpoint.config.interface(checkpoint.classes)
    entry = convert_to_native(strip(checkpoint.model()), interface.input, folder, half_weights=False)
    return bundle_to_throw_away(folder, interface, [entry])
