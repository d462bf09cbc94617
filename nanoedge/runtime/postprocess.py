"""From a raw output tensor and a placement to `Detections`: the readable reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nanoedge.detections import Detections
from nanoedge.runtime.decode import decode
from nanoedge.runtime.nms import suppress
from nanoedge.runtime.preprocess import Placement

if TYPE_CHECKING:
    from nanoedge.bundle import Interface, PostprocessSpec

FloatArray = npt.NDArray[np.float32]


def detections_of(
    output: FloatArray,
    placed: Placement,
    interface: Interface,
    postprocess: PostprocessSpec,
    wanted: npt.NDArray[np.bool_] | None = None,
) -> Detections:
    """Decode, suppress, map back to the picture.

    Args:
        output: float32 [priors, channels], one picture's raw output.
        placed: where the picture lies in the input.
        interface: input size, decoder and classes.
        postprocess: thresholds; `interface.postprocess` holds the defaults.
        wanted: bool [classes], which classes are reported; `None` takes all.

    Returns:
        Boxes in pixels of the picture, clipped to it; boxes without an area there are dropped.
    """
    spec = interface.input
    boxes, scores, class_ids = decode(
        output, spec.width, spec.height, len(interface.classes), interface.decoder, postprocess.score_threshold
    )
    boxes = placed.to_picture(boxes)
    keep = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    if wanted is not None:
        keep &= wanted[class_ids]
    boxes, scores, class_ids = boxes[keep], scores[keep], class_ids[keep]
    best = suppress(boxes, scores, class_ids, postprocess.nms_iou, postprocess.class_aware, postprocess.max_detections)
    return Detections(boxes[best], scores[best], class_ids[best], interface.classes)
