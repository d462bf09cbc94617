"""Textures: two colours, mixed by a pattern of the pixel's place."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from nanoedge.data.synthetic.shapes import FloatArray
from nanoedge.pictures import opencv

Colour = npt.NDArray[np.float32]
"""float32 [3], BGR, 0..255."""

_EDGE = 2.5  # steepness of a pattern's edges: about one pixel wide at the usual periods


def value_noise(random: np.random.Generator, rows: int, columns: int, cells: int, channels: int) -> FloatArray:
    """Smooth noise in 0..1, float32 [rows, columns, channels]: a random grid of `cells` x `cells`, enlarged."""
    cv2 = opencv()
    grid = random.random((cells, cells, channels), dtype=np.float32)
    enlarged = cv2.resize(grid, (columns, rows), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(enlarged, 0, 1), np.float32).reshape(rows, columns, channels)


def stripes(random: np.random.Generator, across: FloatArray, along: FloatArray) -> FloatArray:
    """Parallel stripes of one width."""
    return _sharpen(np.sin(across + random.uniform(0, 2 * math.pi)))


def checks(random: np.random.Generator, across: FloatArray, along: FloatArray) -> FloatArray:
    """A chess-board."""
    return _sharpen(2 * np.sin(across) * np.sin(along + random.uniform(0, 2 * math.pi)))


def dots(random: np.random.Generator, across: FloatArray, along: FloatArray) -> FloatArray:
    """Round dots on a square grid."""
    return _sharpen(np.cos(across) + np.cos(along + random.uniform(0, 2 * math.pi)) - random.uniform(0.4, 0.9))


def mottle(random: np.random.Generator, across: FloatArray, along: FloatArray) -> FloatArray:
    """Irregular spots."""
    rows, columns = across.shape
    return _sharpen(3 * value_noise(random, rows, columns, int(random.integers(5, 10)), 1)[..., 0] - 1.5)


def gradient(random: np.random.Generator, across: FloatArray, along: FloatArray) -> FloatArray:
    """From one colour to the other."""
    low, high = float(across.min()), float(across.max())
    return (across - low) / max(high - low, 1e-6)


def _sharpen(wave: FloatArray) -> FloatArray:
    return np.asarray(np.clip(0.5 + _EDGE * wave, 0, 1), np.float32)


Pattern = Callable[[np.random.Generator, FloatArray, FloatArray], FloatArray]
PATTERNS: dict[str, Pattern] = {
    "stripes": stripes,
    "checks": checks,
    "dots": dots,
    "mottle": mottle,
    "gradient": gradient,
}


def paint_texture(
    random: np.random.Generator,
    rows: int,
    columns: int,
    size: float,
    pattern: str,
    colours: tuple[Colour, Colour],
) -> FloatArray:
    """Draw one texture.

    Args:
        random: source of angle, period and phase.
        rows: height of the texture.
        columns: width of the texture.
        size: of the thing that wears it, pixels; the pattern's period follows it.
        pattern: a key of `PATTERNS`.
        colours: the two colours to mix.

    Returns:
        float32 [rows, columns, 3], BGR, 0..255 and a little beyond by shading.
    """
    angle = random.uniform(0, 2 * math.pi)
    period = max(5.0, size * random.uniform(0.14, 0.26))
    x = np.arange(columns, dtype=np.float32) * np.float32(2 * math.pi / period)
    y = np.arange(rows, dtype=np.float32)[:, None] * np.float32(2 * math.pi / period)
    cosine, sine = np.float32(math.cos(angle)), np.float32(math.sin(angle))
    share = PATTERNS[pattern](random, x * cosine + y * sine, y * cosine - x * sine)
    left, right = random.uniform(0.8, 1.2, 2).tolist()
    shade = np.linspace(left, right, columns, dtype=np.float32)
    first, second = colours
    return np.asarray((first + share[..., None] * (second - first)) * shade[:, None], np.float32)


def draw_colours(
    random: np.random.Generator, behind: Colour, distance: float, saturation: float, hue: int | None = None
) -> tuple[Colour, Colour]:
    """Two colours that differ from each other and from what lies `behind`.

    Args:
        random: source of the colours.
        behind: the mean colour of the picture beneath.
        distance: the least Euclidean distance in BGR; where no offered colour has it, the farthest one is taken.
        saturation: 1 draws from all colours, 0 from greys.
        hue: of the first colour, 0..180 as OpenCV counts, give or take 8; `None` draws any.
    """
    first = _far_from(random, behind[None], distance, saturation) if hue is None else _of_hue(random, hue)
    return first, _far_from(random, np.stack([behind, first]), distance, saturation)


def _of_hue(random: np.random.Generator, hue: int) -> Colour:
    """A strong colour of about this hue."""
    cv2 = opencv()
    drawn = [(hue + random.integers(-8, 9)) % 180, random.integers(170, 256), random.integers(140, 256)]
    colour: Colour = cv2.cvtColor(np.array([[drawn]], np.uint8), cv2.COLOR_HSV2BGR)[0, 0].astype(np.float32)
    return colour


def mute(colours: FloatArray, saturation: float) -> FloatArray:
    """Colours [..., 3] drawn towards the grey of their mean; a saturation of 1 leaves them."""
    grey = colours.mean(axis=-1, keepdims=True)
    return np.asarray(grey + np.float32(saturation) * (colours - grey), np.float32)


def _far_from(random: np.random.Generator, others: FloatArray, distance: float, saturation: float) -> Colour:
    offered = mute(random.uniform(0, 255, (12, 3)).astype(np.float32), saturation)
    distances = np.linalg.norm(offered[:, None] - others, axis=2).min(axis=1)
    enough = np.flatnonzero(distances >= distance)
    return np.asarray(offered[enough[0] if len(enough) else int(distances.argmax())], np.float32)
