"""What lies behind the objects, and the light and lens in front of them."""

from __future__ import annotations

import math

import numpy as np

from nanoedge.data.synthetic.shapes import FloatArray
from nanoedge.data.synthetic.textures import mute, value_noise
from nanoedge.pictures import Picture, opencv


def draw_background(random: np.random.Generator, width: int, height: int) -> FloatArray:
    """Colour gradients, smooth noise and random lines: float32 [height, width, 3], BGR, 0..255."""
    cv2 = opencv()
    corners = mute(random.uniform(30, 225, (2, 2, 3)).astype(np.float32), saturation=0.45)
    pixels = cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR)
    for cells, strength in ((4, 70), (11, 45), (32, 30)):
        noise = value_noise(random, height, width, cells, 1) - np.float32(0.5)
        pixels += noise * mute(random.uniform(0, strength, 3).astype(np.float32), saturation=0.4)
    picture: Picture = np.clip(pixels, 0, 255).astype(np.uint8)
    for _ in range(int(random.integers(0, 8))):
        points = random.uniform(-0.1, 1.1, (int(random.integers(2, 5)), 2)) * (width, height)
        colour = mute(random.uniform(20, 235, 3).astype(np.float32), saturation=0.5).tolist()
        thickness = int(random.integers(1, max(3, min(width, height) // 80)))
        cv2.polylines(picture, [np.rint(points).astype(np.int32)], False, colour, thickness, cv2.LINE_AA)
    return np.asarray(picture, np.float32)


def change_light(random: np.random.Generator, pixels: FloatArray) -> Picture:
    """Photograph a scene: gain, colour cast, uneven light, vignetting, mild blur and sensor noise.

    Args:
        random: source of everything.
        pixels: float32 [height, width, 3], BGR; changed in place.

    Returns:
        uint8 [height, width, 3].
    """
    cv2 = opencv()
    height, width = pixels.shape[:2]
    light = 0.8 + 0.4 * value_noise(random, height, width, 2, 1)
    if random.random() < 0.5:
        x = np.linspace(-1, 1, width, dtype=np.float32)
        y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
        light[..., 0] *= 1 - np.float32(random.uniform(0.1, 0.25)) * (x * x + y * y)
    cast = random.uniform(0.75, 1.2) * random.uniform(0.88, 1.12, 3)
    pixels *= light * cast.astype(np.float32)
    # Blur and noise are a lens's and a sensor's: in pixels, but wider on a large picture.
    sigma = random.uniform(0.3, 0.9) * math.sqrt(min(width, height) / 240)
    if random.random() < 0.5:
        pixels = cv2.GaussianBlur(pixels, (0, 0), sigma)
    noise = random.standard_normal(pixels.shape, dtype=np.float32)
    pixels += noise * np.float32(random.uniform(1, 8))
    return np.asarray(np.clip(pixels, 0, 255), np.uint8)
