"""Drawing boxes and contact sheets: never in the way, whatever the boxes."""

from __future__ import annotations

import numpy as np
import pytest
from nanoedge.detections import Detections
from nanoedge.runtime.drawing import class_colour, contact_sheet, draw_detections

NAMES = ["cat", "dog"]


def grey(width: int, height: int, value: int = 128) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def test_no_detections_leave_the_picture_unchanged() -> None:
    picture = grey(80, 60)
    drawn = draw_detections(picture, Detections.empty(NAMES))
    np.testing.assert_array_equal(drawn, picture)
    assert drawn is not picture and not np.shares_memory(drawn, picture)


def test_the_given_picture_is_not_drawn_on() -> None:
    picture = grey(80, 60)
    draw_detections(picture, Detections.of([[10, 10, 50, 50]], [0.9], [0], NAMES))
    assert (picture == 128).all()


def test_a_box_is_drawn_on_its_outermost_pixels_in_the_colour_of_its_class() -> None:
    drawn = draw_detections(grey(200, 200), Detections.of([[60, 70, 120, 150]], [0.9], [1], NAMES))
    for y, x in ((149, 90), (149, 119), (110, 60), (110, 119), (70, 119)):
        assert tuple(drawn[y, x]) == class_colour(1)
    assert (drawn[110, 61:119] == 128).all() and (drawn[150:] == 128).all() and (drawn[:, 120:] == 128).all()


@pytest.mark.parametrize("shape", [(200, 120), (8, 8), (1, 1), (1000, 40)])
def test_boxes_at_the_border_are_drawn_without_error(shape: tuple[int, int]) -> None:
    width, height = shape
    boxes = [
        [0, 0, width, height],
        [0, 0, 0.4, 0.4],
        [width - 0.5, height - 0.5, width, height],
        [-20, -30, 5, 5],
        [width - 1, 0, width + 50, height + 50],
        [width, height, width, height],
        [-1e9, -1e9, 1e9, 1e9],
    ]
    found = Detections.of(boxes, np.linspace(0.9, 0.3, len(boxes)), [0, 1, 0, 1, 0, 1, 0], NAMES)
    drawn = draw_detections(grey(width, height), found)
    assert drawn.shape == (height, width, 3) and (drawn != 128).any()


def test_the_label_of_a_box_at_the_top_stays_inside_the_picture() -> None:
    drawn = draw_detections(grey(300, 200), Detections.of([[100, 0, 200, 150]], [0.9], [0], NAMES))
    inner = drawn[1:30, 102:190]
    assert (inner == class_colour(0)).all(axis=2).sum() > 100


def test_the_best_score_lies_on_top() -> None:
    found = Detections.of([[50, 100, 150, 180], [50, 100, 150, 180]], [0.9, 0.5], [0, 1], NAMES)
    drawn = draw_detections(grey(200, 200), found)
    assert tuple(drawn[179, 100]) == class_colour(0)


def test_labels_of_neighbours_do_not_cover_each_other_where_there_is_room() -> None:
    boxes = [[40, 100, 60, 120], [62, 100, 82, 120]]
    drawn = draw_detections(grey(300, 220), Detections.of(boxes, [0.9, 0.8], [0, 1], NAMES))
    lone = [
        (draw_detections(grey(300, 220), Detections.of([box], [score], [kind], NAMES)) == class_colour(kind)).all(2)
        for box, score, kind in zip(boxes, [0.9, 0.8], [0, 1], strict=True)
    ]
    for kind, alone in enumerate(lone):
        assert (drawn == class_colour(kind)).all(2).sum() >= 0.97 * alone.sum()


def test_a_label_leaves_a_small_box_beside_its_own_box_visible() -> None:
    boxes = [[20, 60, 120, 160], [24, 44, 36, 56]]  # the small box lies where the label of the large one would stand
    drawn = draw_detections(grey(200, 200), Detections.of(boxes, [0.9, 0.8], [0, 1], NAMES))
    assert all(tuple(drawn[y, x]) == class_colour(1) for y, x in ((44, 30), (55, 30), (50, 24), (50, 35)))


def test_a_view_that_is_not_contiguous_can_be_drawn_on() -> None:
    picture = grey(200, 200)[:, ::-1]
    drawn = draw_detections(picture, Detections.of([[60, 70, 120, 150]], [0.9], [1], NAMES))
    assert tuple(drawn[149, 90]) == class_colour(1)


def test_lines_are_wider_on_large_pictures() -> None:
    found = Detections.of([[200, 400, 900, 900]], [0.9], [0], NAMES)
    coloured = (draw_detections(grey(1000, 1000), found)[700, 150:300] == class_colour(0)).all(axis=1).sum()
    assert coloured >= 3


def test_neighbouring_classes_have_different_colours() -> None:
    colours = np.array([class_colour(class_id) for class_id in range(8)], np.int64)
    distances = np.abs(colours[:, None] - colours).sum(axis=2) + 1000 * np.eye(8, dtype=np.int64)
    assert distances.min() > 50


def test_a_contact_sheet_keeps_the_aspect_and_pads_darkly() -> None:
    sheet = contact_sheet([grey(200, 100, 255), grey(10, 30, 255), grey(30, 30, 255)], 2, (60, 40))
    white = (sheet == 255).all(axis=2)
    assert sheet.shape == (4 + 2 * 44, 4 + 2 * 64, 3)
    assert white[:48, :66].sum() == 60 * 30
    assert white[:48, 66:].sum() == 13 * 40
    assert white[48:, :66].sum() == 40 * 40
    assert (sheet[~white] < 64).all()


def test_captions_stand_below_their_pictures_and_within_their_cells() -> None:
    pictures = [grey(60, 40, 0), grey(60, 40, 0)]
    without = contact_sheet(pictures, 2, (60, 40))
    captioned = contact_sheet(pictures, 2, (60, 40), ["a very long caption that fits no cell", ""])
    assert captioned.shape[0] > without.shape[0]
    bright = (captioned > 150).any(axis=2)
    assert bright[44:, 4:64].any() and not bright[:, 66:].any() and not bright[:44].any()


def test_a_sheet_of_nothing_is_refused() -> None:
    for arguments in (([], 1, (10, 10)), ([grey(5, 5)], 0, (10, 10)), ([grey(5, 5)], 1, (0, 10))):
        with pytest.raises(ValueError, match="make no sheet"):
            contact_sheet(*arguments)
    with pytest.raises(ValueError, match="captions"):
        contact_sheet([grey(5, 5)], 1, (10, 10), ["a", "b"])
