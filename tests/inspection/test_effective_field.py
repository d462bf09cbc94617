"""The effective field is the gradient's, and lies within the theoretical one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from nanoedge.config.load import load_config
from nanoedge.errors import InputError
from nanoedge.inspection.effective_field import drawn_pictures, effective_fields, pictures_of, side_that_holds
from nanoedge.inspection.receptive_field import ReceptiveField
from nanoedge.inspection.receptive_field_picture import draw_receptive_fields
from nanoedge.models.nanodet_plus import NanoDetPlus
from tests.data.folders import write_pictures


def test_the_square_holds_its_share() -> None:
    point = np.zeros((64, 64))
    point[32, 32] = 1
    assert side_that_holds(point, 0.95) == 1
    ring = np.zeros((64, 64))
    ring[32, 32], ring[32, 42] = 0.9, 0.1
    assert side_that_holds(ring, 0.89) == 1 and side_that_holds(ring, 0.95) == 21
    rows, columns = np.indices((256, 256)) - 128
    gaussian = np.exp(-(rows**2 + columns**2) / (2 * 10.0**2))
    # A square of half side a holds erf(a / (s sqrt 2))^2 of a Gaussian: 95 % at a = 2.236 s.
    assert abs(side_that_holds(gaussian, 0.95) - 2 * 2.236 * 10) <= 1.5


def test_it_is_zero_beyond_the_theoretical_field_and_the_same_each_time() -> None:
    config = load_config("demo")
    torch.manual_seed(0)
    model = NanoDetPlus(config.model, 2).eval()
    pictures = drawn_pictures(1, side=128)
    found = effective_fields(model, config.model.strides, config.input, pictures)
    assert [(field.part, field.stride) for field in found][:4] == [
        ("backbone", 8),
        ("backbone", 16),
        ("backbone", 32),
        ("neck", 8),
    ]
    finest = found[0]
    seen = finest.magnitude.copy()
    assert seen[64, 64] > 0
    seen[33:96, 33:96] = 0  # the theoretical 63 x 63 pixels
    assert (seen == 0).all()
    assert 1 < finest.pixels <= 63
    again = effective_fields(model, config.model.strides, config.input, pictures)
    for first, second in zip(found, again, strict=True):
        np.testing.assert_array_equal(first.magnitude, second.magnitude)
    assert all(parameter.requires_grad and parameter.grad is None for parameter in model.parameters())


def test_the_drawing_has_a_row_a_part_and_shades_only_where_there_is_a_gradient() -> None:
    fields = [ReceptiveField("backbone", 8, 16, -31, 31), ReceptiveField("neck", 16, 16, -50, 40)]
    plain = draw_receptive_fields(fields, [], (96, 64), "small: $receptive fields")
    config = load_config("demo")
    torch.manual_seed(0)
    measured = effective_fields(
        NanoDetPlus(config.model, 2).eval(), config.model.strides, config.input, drawn_pictures(1, side=128)
    )
    shaded = draw_receptive_fields(fields, measured, (96, 64), "small: $receptive fields")
    assert shaded.shape == plain.shape

    def coloured(picture: np.ndarray) -> int:
        return int((picture.max(axis=2).astype(int) - picture.min(axis=2) > 40).sum())

    assert coloured(shaded) > coloured(plain) > 0


def test_pictures_come_from_the_folder_that_was_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder"):
        pictures_of(tmp_path / "gone", 2)
    with pytest.raises(InputError, match="holds no pictures"):
        pictures_of(tmp_path, 2)
    write_pictures(tmp_path, ["b.png", "a.png", "c.png"])
    found = pictures_of(tmp_path, 2, side=128)
    assert [picture.shape for picture in found] == [(128, 128, 3)] * 2
