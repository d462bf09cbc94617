"""The drawing shows the numbers: dots at their priors' places, larger for higher soft labels."""

from __future__ import annotations

import numpy as np
import pytest
from nanoedge.inspection import assignment_picture as drawing
from nanoedge.inspection.assignment import AssignedObject, PictureAssignment, Positive
from nanoedge.inspection.assignment_picture import draw_assignment
from nanoedge.inspection.figure import DOTS_AN_INCH
from nanoedge.pictures import Picture

STRIDES = (8, 16, 32, 64)
SIZE = 160


def assignment(*objects: AssignedObject, guides: tuple = ("head", "agm"), width: int = SIZE) -> PictureAssignment:
    picture = np.full((SIZE, width, 3), 90, np.uint8)
    return PictureAssignment("a.jpg", "val", 1, picture, np.zeros((0, 4), np.float32), STRIDES, guides, objects)


def one(quality: float | None, stride: int = 8, label: str = "cat") -> AssignedObject:
    """An object that a prior at (120, 40) learns in the AGM's opinion."""
    learned = () if quality is None else (Positive(0, stride, 120.0, 40.0, quality),)
    return AssignedObject(label, 0, (20.0, 20.0, 150.0, 100.0), {"head": (), "agm": learned})


def panel(drawn: Picture, row: int, column: int) -> np.ndarray:
    top = drawing._TITLE + row * (drawing._PANEL + drawing._CAPTION + drawing._GAP)
    left = drawing._LEFT + column * (drawing._PANEL + drawing._GAP)
    y, x, side = (round(value * DOTS_AN_INCH) for value in (top, left, drawing._PANEL))
    return drawn[y : y + side, x : x + side].astype(int)


@pytest.mark.parametrize(("stride", "column"), [(8, 0), (32, 2)])
def test_a_dot_lies_at_its_priors_place_in_its_guides_row_and_strides_column(stride: int, column: int) -> None:
    without, drawn = (draw_assignment(assignment(one(quality, stride)), "title") for quality in (None, 0.9))
    assert without.shape == drawn.shape
    for row in range(2):
        for place in range(4):
            changed = np.abs(panel(drawn, row, place) - panel(without, row, place)).sum(axis=2) > 30
            if (row, place) != (1, column):
                assert not changed.any()
                continue
            y, x = (axis.mean() / len(changed) * SIZE for axis in changed.nonzero())
            assert abs(x - 120) < 1 and abs(y - 40) < 1


def test_a_higher_soft_label_is_a_larger_dot() -> None:
    without = panel(draw_assignment(assignment(one(None)), "title"), 1, 0)
    sizes = []
    for quality in (0.0, 0.3, 0.6, 1.0):
        drawn = panel(draw_assignment(assignment(one(quality)), "title"), 1, 0)
        sizes.append(int((np.abs(drawn - without).sum(axis=2) > 0).sum()))
    assert sizes == sorted(set(sizes)) and sizes[0] > 3


def test_an_object_has_one_colour_in_its_box_its_dots_and_the_legend() -> None:
    drawn = draw_assignment(assignment(one(1.0)), "title")
    colour = [int(drawing.object_colour(0)[place : place + 2], 16) for place in (5, 3, 1)]
    same = (np.abs(drawn.astype(int) - colour).max(axis=2) <= 3).nonzero()
    assert same[0].max() > drawn.shape[0] * 0.85  # in the legend
    assert (np.abs(panel(drawn, 1, 0) - colour).max(axis=2) <= 3).sum() > 100  # box and dot
    assert len({drawing.object_colour(number) for number in range(20)}) == 20


def test_one_guide_makes_one_row() -> None:
    both = draw_assignment(assignment(one(0.5)), "title")
    alone = draw_assignment(assignment(one(0.5), guides=("head",)), "title")
    assert alone.shape[1] == both.shape[1] and alone.shape[0] < 0.65 * both.shape[0]


@pytest.mark.parametrize("count", [0, 1, 40])
def test_any_number_of_objects_and_any_name_is_drawn(count: int) -> None:
    label = "$x^2_{$ and a very long name of a class that nobody would give it, 100 % \N{SNOWMAN}"
    drawn = draw_assignment(assignment(*[one(0.5, label=label)] * count, width=320), "title " * 60)
    assert drawn.dtype == np.uint8 and drawn.shape[2] == 3 and drawn.shape[1] > drawn.shape[0] / 2
