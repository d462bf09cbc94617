"""Colours follow their formulas."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
from nanoedge.data.augmentation.colours import ColourParameters, change_colours, turn_hue


def texture(width: int, height: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_default_colours_change_nothing() -> None:
    picture = texture(20, 10)
    np.testing.assert_array_equal(change_colours(picture, ColourParameters()), picture)


def test_the_given_picture_is_not_changed() -> None:
    picture = texture(20, 10)
    before = picture.copy()
    change_colours(picture, ColourParameters(20.0, 1.2, 0.7))
    np.testing.assert_array_equal(picture, before)


@pytest.mark.parametrize("brightness", [-51.0, 12.5])
def test_brightness_adds_grey_levels(brightness: float) -> None:
    picture = texture(20, 10) // 2 + 60  # stays in 0..255
    changed = change_colours(picture, ColourParameters(brightness=brightness))
    np.testing.assert_allclose(changed, picture + brightness, atol=0.51)


@pytest.mark.parametrize("contrast", [0.6, 1.4])
def test_contrast_multiplies_grey_levels(contrast: float) -> None:
    picture = texture(20, 10) // 2
    changed = change_colours(picture, ColourParameters(contrast=contrast))
    np.testing.assert_allclose(changed, picture * contrast, atol=0.51)


def test_brightness_comes_before_contrast_and_both_before_saturation() -> None:
    picture = np.array([[[40, 60, 100]]], np.uint8)
    changed = change_colours(picture, ColourParameters(brightness=10.0, contrast=1.2, saturation=0.5))
    values = [(40 + 10) * 1.2, (60 + 10) * 1.2, (100 + 10) * 1.2]
    largest = max(values)
    np.testing.assert_allclose(changed[0, 0], [largest - 0.5 * (largest - value) for value in values], atol=0.51)


@pytest.mark.parametrize("saturation", [0.0, 0.5, 0.9, 1.2])
def test_saturation_scales_s_of_hsv_and_keeps_h_and_v(saturation: float) -> None:
    picture = texture(12, 8)
    changed = np.asarray(change_colours(picture, ColourParameters(saturation=saturation)), np.float64)
    compared = 0
    for old, new in zip(picture.reshape(-1, 3), changed.reshape(-1, 3), strict=True):
        hue, share, value = colorsys.rgb_to_hsv(*(float(level) / 255 for level in old[::-1]))
        if share * saturation > 1:
            continue  # out of HSV's range
        literal = np.array(colorsys.hsv_to_rgb(hue, share * saturation, value))[::-1] * 255
        np.testing.assert_allclose(new, literal, atol=0.51)
        compared += 1
    assert compared > 40


def test_grey_stays_grey_whatever_the_saturation() -> None:
    grey = np.repeat(texture(9, 9)[:, :, :1], 3, axis=2)
    np.testing.assert_array_equal(change_colours(grey, ColourParameters(saturation=0.3)), grey)


@pytest.mark.parametrize("degrees", [-90, 8, 120])
def test_hue_turns_and_saturation_and_value_stay(degrees: float) -> None:
    picture = texture(40, 30)
    turned = turn_hue(picture, degrees)
    differences = []
    for old, new in zip(picture.reshape(-1, 3), turned.reshape(-1, 3), strict=True):
        hue, saturation, value = colorsys.rgb_to_hsv(*(float(level) / 255 for level in old[::-1]))
        new_hue, new_saturation, new_value = colorsys.rgb_to_hsv(*(float(level) / 255 for level in new[::-1]))
        if saturation > 0.3 and value > 0.3:
            differences.append(((new_hue - hue) * 360 - degrees + 180) % 360 - 180)
            assert abs(new_saturation - saturation) < 0.05 and abs(new_value - value) < 0.02
    assert len(differences) > 100 and np.abs(differences).max() < 5


def test_a_hue_of_nothing_and_of_a_whole_turn_change_nothing() -> None:
    picture = texture(20, 10)
    for hue in (0.0, 0.5, 360.0):
        np.testing.assert_array_equal(change_colours(picture, ColourParameters(hue=hue)), picture)
