"""From a picture to the network's input tensor, and from network coordinates back to the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nanoedge.errors import InputError
from nanoedge.pictures import Picture, opencv

if TYPE_CHECKING:
    from nanoedge.bundle import InputSpec

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Placement:
    """Where a picture lies in the network's input: `input = picture * scale + shift`, per axis."""

    scale_x: float
    scale_y: float
    shift_x: float
    shift_y: float
    picture_width: int
    picture_height: int

    def to_picture(self, boxes_xyxy: FloatArray) -> FloatArray:
        """Boxes [N, 4] in pixels of the input to pixels of the picture, clipped to it."""
        scale = np.array([self.scale_x, self.scale_y] * 2, np.float32)
        shift = np.array([self.shift_x, self.shift_y] * 2, np.float32)
        limit = np.array([self.picture_width, self.picture_height] * 2, np.float32)
        clipped: FloatArray = np.clip((boxes_xyxy - shift) / scale, np.float32(0), limit)
        return clipped


def placement(width: int, height: int, spec: InputSpec) -> tuple[Placement, tuple[int, int]]:
    """How a picture of this size is placed, and the size (width, height) that it is resized to."""
    left, top, inner_width, inner_height = spec.place(width, height)
    placed = Placement(inner_width / width, inner_height / height, float(left), float(top), width, height)
    return placed, (inner_width, inner_height)


def check_picture(picture: object) -> Picture:
    """The array if it is a picture: uint8, [height, width, 3], not empty.

    Raises:
        InputError: names the dtype or shape that does not fit.
    """
    if not isinstance(picture, np.ndarray):
        raise InputError(f"A picture must be a NumPy array or a path, not {type(picture).__name__}.")
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape:
        raise InputError(
            f"A picture must be uint8 [height, width, 3] in BGR, not {picture.dtype} {list(picture.shape)}."
        )
    return picture


def to_input_size(picture: Picture, spec: InputSpec) -> tuple[Picture, Placement]:
    """Resize, and pad where the sides' ratio is kept.

    Args:
        picture: uint8 BGR [height, width, 3].
        spec: the network's input.

    Returns:
        uint8 BGR [spec.height, spec.width, 3], and the placement that leads back.
    """
    cv2 = opencv()
    placed, (inner_width, inner_height) = placement(picture.shape[1], picture.shape[0], spec)
    resized: Picture = cv2.resize(picture, (inner_width, inner_height), interpolation=cv2.INTER_LINEAR)
    if (inner_width, inner_height) == (spec.width, spec.height):
        return resized, placed
    canvas = np.full((spec.height, spec.width, 3), spec.pad_value, np.uint8)
    left, top = int(placed.shift_x), int(placed.shift_y)
    canvas[top : top + inner_height, left : left + inner_width] = resized
    return canvas, placed


def to_tensor(picture: Picture, spec: InputSpec) -> tuple[FloatArray, Placement]:
    """Resize, pad and normalise.

    Args:
        picture: uint8 BGR [height, width, 3].
        spec: the network's input.

    Returns:
        float32 [1, 3, spec.height, spec.width], C-contiguous, and the placement that leads back.
    """
    resized, placed = to_input_size(picture, spec)
    tensor = np.empty((1, 3, spec.height, spec.width), np.float32)
    for channel, (mean, std) in enumerate(zip(spec.mean, spec.std, strict=True)):
        np.subtract(resized[:, :, channel], np.float32(mean), out=tensor[0, channel], dtype=np.float32)
        tensor[0, channel] /= np.float32(std)
    return tensor, placed
