"""Colours of a training picture: hue, brightness, contrast, saturation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nanoedge.config.schema import AugmentationConfig
from nanoedge.pictures import Picture, opencv

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ColourParameters:
    """What is drawn at random for one picture; the defaults change nothing.

    `brightness` is in grey levels, `hue` in degrees.
    """

    brightness: float = 0.0
    contrast: float = 1.0
    saturation: float = 1.0
    hue: float = 0.0


def draw_colours(config: AugmentationConfig, random: np.random.Generator) -> ColourParameters:
    """Draw a colour change; always the same number of random values."""
    brightness = random.uniform(-config.brightness, config.brightness) * 255
    contrast, saturation = random.uniform(*config.contrast), random.uniform(*config.saturation)
    use = random.random(3) < config.probability
    hue, use_hue = random.uniform(-config.hue, config.hue), random.random() < config.probability
    return ColourParameters(
        brightness=brightness if use[0] else 0.0,
        contrast=contrast if use[1] else 1.0,
        saturation=saturation if use[2] else 1.0,
        hue=hue if use_hue else 0.0,
    )


def change_colours(picture: Picture, colours: ColourParameters) -> FloatArray:
    """Hue, then brightness, contrast, saturation; nothing is clipped, so no detail is lost at the ends.

    Saturation moves each channel away from the pixel's largest one, which is what scaling S in HSV does.

    Args:
        picture: uint8 [H, W, 3].
        colours: what was drawn.

    Returns:
        float32 [H, W, 3] in grey levels.
    """
    if round(colours.hue / 2) % 180:
        picture = turn_hue(picture, colours.hue)
    changed: FloatArray = picture.astype(np.float32)
    if colours.brightness:
        changed += np.float32(colours.brightness)
    if colours.contrast != 1.0:
        changed *= np.float32(colours.contrast)
    if colours.saturation != 1.0:
        largest = changed.max(axis=2, keepdims=True)
        changed = largest + (changed - largest) * np.float32(colours.saturation)
    return changed


def turn_hue(picture: Picture, degrees: float) -> Picture:
    """A uint8 picture with every colour's hue turned; greys stay (OpenCV counts hue in steps of 2 degrees)."""
    cv2 = opencv()
    hsv = cv2.cvtColor(picture, cv2.COLOR_BGR2HSV)
    turn = round(degrees / 2) % 180
    table = ((np.arange(256) + turn) % 180).astype(np.uint8)
    hsv[:, :, 0] = cv2.LUT(np.ascontiguousarray(hsv[:, :, 0]), table)
    turned: Picture = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
    return turned
