"""The picture's bytes feed the network as they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nanoedge.errors import ExportError
from nanoedge.export.native.graph import Convolution, Graph


def fold_normalisation(graph: Graph, mean: Sequence[float], std: Sequence[float]) -> None:
    """Move `(x - mean) / std` into the weights of what reads the picture, which then takes grey levels 0 to 255.

    Pixels around the picture were zeros behind the normalisation, so they are the mean before it.

    Raises:
        ExportError: when something other than convolutions reads the picture.
    """
    shift, scale = np.asarray(mean, np.float64), np.asarray(std, np.float64)
    for operation in graph.users(graph.input):
        if not isinstance(operation, Convolution) or operation.is_depthwise:
            raise ExportError(f"{operation.name} reads the picture, but only ordinary convolutions can.")
        weight = operation.weight.astype(np.float64) / scale[None, :, None, None]
        operation.bias = (operation.bias - (weight * shift[None, :, None, None]).sum((1, 2, 3))).astype(np.float32)
        operation.weight = weight.astype(np.float32)
    graph.input_border = tuple(float(value) for value in mean)
