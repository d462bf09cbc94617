"""Outlines of the classes and of clutter, and their rasterisation to stamps with smooth edges."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nanoedge.pictures import opencv

FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Outline = tuple[npt.NDArray[np.float64], ...]
"""Closed polygons [K, 2] of x, y in any unit; a polygon inside another one is a hole."""

_SUPERSAMPLING = 4  # 16 samples a pixel: coverage in steps that the eye does not see


@dataclass(frozen=True, eq=False)
class Stamp:
    """A shape on the pixel grid; it may reach beyond the picture.

    Attributes:
        coverage: float32 [h, w] in 0..1, the covered share of each pixel.
        left: the picture's column of the stamp's first column; may be negative.
        top: the picture's row of the stamp's first row; may be negative.
        size: the longer side of the shape's upright bounds, pixels.
    """

    coverage: FloatArray
    left: int
    top: int
    size: float

    @property
    def pixel_count(self) -> int:
        """Pixels covered by half or more, inside the picture or not."""
        return int(np.count_nonzero(self.coverage >= 0.5))

    def placed(self, width: int, height: int) -> tuple[slice, slice, FloatArray]:
        """Rows and columns of a `width` x `height` picture that the stamp touches, and its coverage [rows, columns]."""
        rows, columns = self.coverage.shape
        top, bottom = max(0, self.top), max(0, min(height, self.top + rows))
        left, right = max(0, self.left), max(0, min(width, self.left + columns))
        top, left = min(top, bottom), min(left, right)
        inside = self.coverage[top - self.top : bottom - self.top, left - self.left : right - self.left]
        return slice(top, bottom), slice(left, right), inside


def rasterise(outline: Outline, centre: tuple[float, float], size: float, angle: float, squeeze: float) -> Stamp:
    """Turn an outline into a stamp.

    Args:
        outline: the polygons.
        centre: x, y of the middle of the shape's upright bounds, pixels.
        size: the longer side of the upright bounds after turning, pixels.
        angle: turn, radians.
        squeeze: factor of the outline's x before turning; 1 leaves it.
    """
    cv2 = opencv()
    cosine, sine = math.cos(angle), math.sin(angle)
    turn = np.array([[squeeze * cosine, squeeze * sine], [-sine, cosine]])
    turned = [polygon @ turn for polygon in outline]
    points = np.concatenate(turned)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = size / float((high - low).max())
    shift = np.array(centre) - (low + high) / 2 * scale
    left, top = (int(value) for value in np.floor(low * scale + shift) - 1)
    right, bottom = (int(value) for value in np.ceil(high * scale + shift) + 1)
    # fillPoly takes the middle of a pixel as its coordinate, hence the half sample.
    samples = [
        np.rint((polygon * scale + shift - (left, top)) * _SUPERSAMPLING - 0.5).astype(np.int32) for polygon in turned
    ]
    fine = np.zeros(((bottom - top) * _SUPERSAMPLING, (right - left) * _SUPERSAMPLING), np.uint8)
    cv2.fillPoly(fine, samples, 255)
    coarse = cv2.resize(fine, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
    return Stamp(coarse.astype(np.float32) / 255, left, top, size)


def _circle(radius: float, corners: int = 72) -> npt.NDArray[np.float64]:
    angles = np.linspace(0, 2 * math.pi, corners, endpoint=False)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1) * radius


def ring(random: np.random.Generator) -> Outline:
    """An annulus."""
    return _circle(1.0), _circle(float(random.uniform(0.42, 0.56)))


def star(random: np.random.Generator) -> Outline:
    """A five-pointed star."""
    points = _circle(1.0, 10)
    points[1::2] *= random.uniform(0.38, 0.46)
    return (points,)


def cross(random: np.random.Generator) -> Outline:
    """A Greek cross: four arms of one length."""
    arm = float(random.uniform(0.24, 0.33))
    quarter = np.array([[1, -arm], [1, arm], [arm, arm]])
    turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
    return (np.concatenate([quarter @ np.linalg.matrix_power(turn, number) for number in range(4)]),)


def arrow(random: np.random.Generator) -> Outline:
    """A straight arrow with a triangular head."""
    shaft, neck = float(random.uniform(0.18, 0.26)), float(random.uniform(-0.05, 0.15))
    upper = [(-1.0, shaft), (neck, shaft), (neck, 0.72), (1.0, 0.0)]
    lower = [(x, -y) for x, y in reversed(upper[:-1])]
    return (np.array(upper + lower),)


def blob(random: np.random.Generator) -> Outline:
    """Clutter: a smooth, irregular patch."""
    angles = np.linspace(0, 2 * math.pi, 48, endpoint=False)
    radius = np.ones_like(angles)
    for waves in (2, 3, 4):
        radius += random.uniform(0.0, 0.55 / waves) * np.cos(waves * angles + random.uniform(0, 2 * math.pi))
    return (np.stack([np.cos(angles), np.sin(angles)], axis=1) * radius[:, None],)


def rectangle(random: np.random.Generator) -> Outline:
    """Clutter: a rectangle, at most three times as long as wide."""
    half = float(random.uniform(0.33, 1.0))
    return (np.array([(-1, -half), (1, -half), (1, half), (-1, half)]),)


def bar(random: np.random.Generator) -> Outline:
    """Clutter: a long, thin strip."""
    half = float(random.uniform(0.04, 0.10))
    return (np.array([(-1, -half), (1, -half), (1, half), (-1, half)]),)


SHAPES: dict[str, Callable[[np.random.Generator], Outline]] = {
    "ring": ring,
    "star": star,
    "cross": cross,
    "arrow": arrow,
}
CLUTTER: tuple[Callable[[np.random.Generator], Outline], ...] = (blob, rectangle, bar)
CLASSES: tuple[str, ...] = tuple(SHAPES)
"""Class names in the order of the class ids."""
