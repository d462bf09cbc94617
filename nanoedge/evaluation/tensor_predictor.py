"""Detections from a bare forward function, through the same pre- and post-processing as every engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nanoedge.detections import Detections
from nanoedge.pictures import Picture
from nanoedge.runtime import EVALUATION_POSTPROCESS
from nanoedge.runtime.postprocess import detections_of
from nanoedge.runtime.preprocess import to_tensor

if TYPE_CHECKING:
    from nanoedge.bundle import Interface, PostprocessSpec

FloatArray = npt.NDArray[np.float32]
Forward = Callable[[FloatArray], FloatArray]


def tensor_predictor(
    forward: Forward, interface: Interface, postprocess: PostprocessSpec = EVALUATION_POSTPROCESS
) -> Callable[[Picture], Detections]:
    """A `Predict` function for `evaluate`.

    Args:
        forward: float32 [1, 3, H, W] to raw output [1, priors, channels].
        interface: how pictures are prepared and the output is decoded.
        postprocess: thresholds.
    """

    def predict(picture: Picture) -> Detections:
        tensor, placed = to_tensor(picture, interface.input)
        return detections_of(forward(tensor)[0], placed, interface, postprocess)

    return predict
