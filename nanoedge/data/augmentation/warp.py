"""Zoom, stretch, shift and flips of a training picture and its boxes, as one matrix.

Coordinates are continuous: a picture of width W spans 0..W and pixel i has its centre at i + 0.5. `cv2.warpAffine`
counts from pixel centres, so the matrix is shifted by half a pixel before it is used on pixels. With no augmentation
the warp is then the same picture as `cv2.resize(…, INTER_LINEAR)`, which evaluation and the runtime use.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nanoedge.config.schema import AugmentationConfig
from nanoedge.pictures import Picture, opencv

FloatArray = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class WarpParameters:
    """What is drawn at random for one picture; the defaults change nothing."""

    zoom_x: float = 1.0
    zoom_y: float = 1.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    flip: bool = False
    flip_vertical: bool = False


def draw_warp(config: AugmentationConfig, random: np.random.Generator) -> WarpParameters:
    """Draw a warp; always the same number of random values, so that settings do not disturb each other."""
    scale = random.uniform(*config.scale)
    stretch_x, stretch_y = random.uniform(*config.stretch, 2)
    shift_x, shift_y = random.uniform(-config.translate, config.translate, 2)
    flip = random.random() < config.flip
    use_scale, use_stretch, use_shift = random.random(3) < config.probability
    flip_vertical = random.random() < config.flip_vertical
    zoom = scale if use_scale else 1.0
    return WarpParameters(
        zoom_x=float(zoom * (stretch_x if use_stretch else 1.0)),
        zoom_y=float(zoom * (stretch_y if use_stretch else 1.0)),
        shift_x=float(shift_x) if use_shift else 0.0,
        shift_y=float(shift_y) if use_shift else 0.0,
        flip=bool(flip),
        flip_vertical=bool(flip_vertical),
    )


def warp_matrix(
    size: tuple[int, int],
    out_size: tuple[int, int],
    warp: WarpParameters,
    placed: tuple[int, int, int, int] | None = None,
) -> Matrix:
    """The map from the picture to the network's input, both in continuous coordinates.

    The picture is zoomed and flipped about its centre, the centre is moved by the shift (a share of the output), and
    everything is stretched to the output, or to the part of it that a letterbox leaves.

    Args:
        size: width and height of the picture.
        out_size: width and height of the output.
        warp: what was drawn.
        placed: left, top, width and height of the unchanged picture in the output; `None` fills the output.

    Returns:
        float64 [3, 3]; the last row is 0, 0, 1.
    """
    (width, height), (out_width, out_height) = size, out_size
    left, top, placed_width, placed_height = placed or (0, 0, out_width, out_height)
    scale_x = warp.zoom_x * placed_width / width * (-1 if warp.flip else 1)
    scale_y = warp.zoom_y * placed_height / height * (-1 if warp.flip_vertical else 1)
    centre_x = left + placed_width / 2 + warp.shift_x * out_width
    centre_y = top + placed_height / 2 + warp.shift_y * out_height
    return np.array(
        [
            [scale_x, 0.0, centre_x - scale_x * width / 2],
            [0.0, scale_y, centre_y - scale_y * height / 2],
            [0.0, 0.0, 1.0],
        ]
    )


def warp_picture(picture: Picture, matrix: Matrix, out_size: tuple[int, int], fill: int = 0) -> Picture:
    """Apply a continuous-coordinate map (zoom, flip, shift) to a picture.

    Pixels whose centre lies outside the picture have the grey level `fill`.
    """
    cv2 = opencv()
    half_up = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    half_down = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])
    on_pixels = (half_down @ matrix @ half_up)[:2]
    warped: Picture = cv2.warpAffine(
        picture, on_pixels, out_size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    height, width = picture.shape[:2]
    edges = matrix[:2, :2] @ np.array([[0, width], [0, height]]) + matrix[:2, 2:]
    (left, top), (right, bottom) = np.rint([edges.min(axis=1), edges.max(axis=1)]).astype(int)
    warped[: max(0, top)] = warped[max(0, bottom) :] = fill
    warped[:, : max(0, left)] = warped[:, max(0, right) :] = fill
    return warped


def warp_boxes(boxes_xyxy: FloatArray, matrix: Matrix, out_size: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """Boxes [G, 4] through the map.

    Returns:
        float32 [G, 4], the upright hulls clipped to the output, and float32 [G], the share of each hull that is inside.
    """
    if len(boxes_xyxy) == 0:
        return np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
    corners = boxes_xyxy[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 2).astype(np.float64)
    moved = (corners @ matrix[:2, :2].T + matrix[:2, 2]).reshape(-1, 4, 2)
    hull = np.concatenate([moved.min(axis=1), moved.max(axis=1)], axis=1)
    limit = np.array([*out_size, *out_size], np.float64)
    clipped = np.clip(hull, 0, limit)
    areas = (hull[:, 2:] - hull[:, :2]).prod(axis=1)
    visible = (clipped[:, 2:] - clipped[:, :2]).prod(axis=1) / np.maximum(areas, 1e-9)
    return clipped.astype(np.float32), visible.astype(np.float32)


def worth_learning(boxes_xyxy: FloatArray, visible: FloatArray, config: AugmentationConfig) -> npt.NDArray[np.bool_]:
    """Which warped boxes [G, 4] are large and visible enough."""
    sides = boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]
    keep: npt.NDArray[np.bool_] = (sides > config.min_box_size).all(axis=1) & (visible >= config.min_visible)
    return keep
