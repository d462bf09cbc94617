"""What cameras and networks do to pictures: blur, noise, JPEG's losses, something in the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nanoedge.config.schema import AugmentationConfig
from nanoedge.pictures import Picture, opencv

FloatArray = npt.NDArray[np.float32]

BLUR_SIGMA = (0.4, 1.5)  # px
NOISE_SIGMA = (2.0, 12.0)  # grey levels
JPEG_QUALITY = (30, 90)
ERASED_AREA = (0.01, 0.08)  # share of the picture a rectangle
ERASED_ASPECT = (0.4, 2.5)
MOST_ERASED = 3  # rectangles


@dataclass(frozen=True)
class Damage:
    """What is drawn at random for one picture; the defaults change nothing.

    Attributes:
        blur: sigma of a Gaussian, pixels.
        noise: sigma of Gaussian noise, grey levels.
        jpeg: quality 1..100; 0 is none.
        erased_xyxy: int64 [R, 4], rectangles in pixels of the picture.
        colours: uint8 [R, 3], what fills them.
        seed: of the noise.
    """

    blur: float = 0.0
    noise: float = 0.0
    jpeg: int = 0
    erased_xyxy: npt.NDArray[np.int64] | None = None
    colours: npt.NDArray[np.uint8] | None = None
    seed: int = 0


def draw_damage(config: AugmentationConfig, random: np.random.Generator, size: tuple[int, int]) -> Damage:
    """Draw damage for a picture of this width and height; always the same number of random values."""
    use_blur, use_noise, use_jpeg, use_erase = random.random(4) < [
        config.blur, config.noise, config.jpeg, config.erase
    ]  # fmt: skip
    blur, noise, quality = random.uniform(*BLUR_SIGMA), random.uniform(*NOISE_SIGMA), random.integers(*JPEG_QUALITY)
    count = int(random.integers(1, MOST_ERASED + 1)) if use_erase else 0
    rectangles = _rectangles(random, size)[:count]
    colours = random.integers(0, 256, (MOST_ERASED, 3), dtype=np.uint8)[:count]
    return Damage(
        blur=float(blur) if use_blur else 0.0,
        noise=float(noise) if use_noise else 0.0,
        jpeg=int(quality) if use_jpeg else 0,
        erased_xyxy=rectangles if count else None,
        colours=colours if count else None,
        seed=int(random.integers(2**31)),
    )


def _rectangles(random: np.random.Generator, size: tuple[int, int]) -> npt.NDArray[np.int64]:
    width, height = size
    areas = random.uniform(*ERASED_AREA, MOST_ERASED) * width * height
    aspects = np.exp(random.uniform(np.log(ERASED_ASPECT[0]), np.log(ERASED_ASPECT[1]), MOST_ERASED))
    sides = np.stack([np.sqrt(areas * aspects), np.sqrt(areas / aspects)], axis=1)
    sides = np.clip(sides, 1, [width, height])
    corners = random.random((MOST_ERASED, 2)) * ([width, height] - sides)
    return np.concatenate([corners, corners + sides], axis=1).astype(np.int64)


def apply_damage(picture: Picture, damage: Damage) -> Picture:
    """Erase, blur, add noise, then compress; uint8 [H, W, 3] in and out. The argument may be changed."""
    cv2 = opencv()
    if damage.erased_xyxy is not None and damage.colours is not None:
        for (x1, y1, x2, y2), colour in zip(damage.erased_xyxy, damage.colours, strict=True):
            picture[y1:y2, x1:x2] = colour
    if damage.blur:
        picture = cv2.GaussianBlur(picture, (0, 0), damage.blur)
    if damage.noise:
        noise = np.random.default_rng(damage.seed).standard_normal(picture.shape, np.float32) * np.float32(damage.noise)
        picture = np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)
    if damage.jpeg:
        _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, damage.jpeg])
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return picture


def visible_after(boxes_xyxy: FloatArray, damage: Damage) -> FloatArray:
    """The share of each box [G, 4] that no single erased rectangle covers, float32 [G]."""
    visible = np.ones(len(boxes_xyxy), np.float32)
    if damage.erased_xyxy is None or not len(boxes_xyxy):
        return visible
    areas = np.maximum((boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]).prod(axis=1), 1e-9)
    for rectangle in damage.erased_xyxy.astype(np.float32):
        low = np.maximum(boxes_xyxy[:, :2], rectangle[:2])
        high = np.minimum(boxes_xyxy[:, 2:], rectangle[2:])
        covered = np.clip(high - low, 0, None).prod(axis=1) / areas
        visible = np.minimum(visible, 1 - covered)
    return visible
