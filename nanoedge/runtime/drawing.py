"""Drawing what was found: boxes with labels on one picture, and contact sheets of many."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from nanoedge.detections import Detection, Detections
from nanoedge.pictures import Picture, opencv

Colour = tuple[int, int, int]
"""BGR, 0..255."""

_GOLDEN_RATIO = (math.sqrt(5) - 1) / 2  # steps of this share of the hue circle keep neighbouring class ids apart
_SHEET_COLOUR = 32
_CAPTION_COLOUR: Colour = (225, 225, 225)
_GAP = 4  # pixels between the cells of a contact sheet


def class_colour(class_id: int) -> Colour:
    """The colour of a class: the same in every picture, different for neighbouring ids."""
    cv2 = opencv()
    hue = int(180 * ((0.08 + class_id * _GOLDEN_RATIO) % 1))
    value = 255 if class_id % 2 == 0 else 215
    blue, green, red = cv2.cvtColor(np.array([[[hue, 210, value]]], np.uint8), cv2.COLOR_HSV2BGR)[0, 0]
    return int(blue), int(green), int(red)


def draw_detections(picture: Picture, detections: Detections) -> Picture:
    """A copy of the picture with a box and a label for every detection; the best score is drawn last, on top.

    Args:
        picture: uint8 [H, W, 3], BGR.
        detections: boxes in pixels of this picture; parts beyond its edge are not drawn.

    Returns:
        uint8 [H, W, 3]; line width and letters follow the picture's shorter side.

    Example:
        >>> found = Detections.of([[10, 20, 50, 80]], [0.9], [1], ["cat", "dog"])
        >>> draw_detections(np.zeros((100, 100, 3), np.uint8), found).shape
        (100, 100, 3)
    """
    drawn = np.ascontiguousarray(picture).copy()
    for index in np.argsort(detections.scores, kind="stable"):
        [detection] = detections.select(np.array([index], np.int64))
        _draw_one(drawn, detection, class_colour(int(detections.class_ids[index])))
    return drawn


def _draw_one(picture: Picture, detection: Detection, colour: Colour) -> None:
    cv2 = opencv()
    height, width = picture.shape[:2]
    shorter = min(height, width)
    thickness = max(1, round(shorter / 240))
    # Continuous coordinates: the pixels that the box touches are floor(x1) .. ceil(x2) - 1.
    x1, y1, x2, y2 = detection.box
    left, right = _pixels_between(x1, x2, width)
    top, bottom = _pixels_between(y1, y2, height)
    cv2.rectangle(picture, (left, top), (right, bottom), colour, thickness)

    text = f"{detection.label} {detection.score:.2f}"
    scale, text_thickness = max(0.35, shorter / 900), max(1, round(shorter / 600))
    (text_width, text_height), baseline = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, text_thickness)
    margin = thickness + 1
    label_width, label_height = text_width + 2 * margin, text_height + baseline + 2 * margin
    label_left = max(0, min(left - thickness // 2, width - label_width))
    above = top - thickness // 2 - label_height
    label_top = above if above >= 0 else max(0, min(top, height - label_height))
    label_corner = (label_left + label_width - 1, label_top + label_height - 1)
    cv2.rectangle(picture, (label_left, label_top), label_corner, colour, cv2.FILLED)
    origin = (label_left + margin, label_top + margin + text_height)
    letters = _readable_on(colour)
    cv2.putText(picture, text, origin, cv2.FONT_HERSHEY_SIMPLEX, scale, letters, text_thickness, cv2.LINE_AA)


def _pixels_between(low: float, high: float, length: int) -> tuple[int, int]:
    first = int(np.clip(math.floor(low), 0, length - 1))
    last = int(np.clip(math.ceil(high) - 1, first, length - 1))
    return first, last


def _readable_on(colour: Colour) -> Colour:
    blue, green, red = colour
    luma = 0.114 * blue + 0.587 * green + 0.299 * red  # ITU-R BT.601
    return (0, 0, 0) if luma > 120 else (255, 255, 255)


def contact_sheet(
    pictures: Sequence[Picture],
    columns: int,
    cell: tuple[int, int],
    captions: Sequence[str] | None = None,
) -> Picture:
    """Many pictures on one dark sheet, row by row.

    Args:
        pictures: uint8 [H, W, 3] each, BGR, of any sizes; at least one.
        columns: pictures a row.
        cell: width and height that each picture is fitted into, keeping its aspect; pixels.
        captions: one line below each picture, shortened to the cell's width; `None` for no captions.

    Returns:
        uint8 [H, W, 3].

    Raises:
        ValueError: for no pictures, columns or cell sides below 1, or captions of another number than the pictures.
    """
    width, height = cell
    if not pictures or min(columns, width, height) < 1:
        raise ValueError(f"{len(pictures)} pictures in {columns} columns of {width}x{height} pixels make no sheet")
    if captions is not None and len(captions) != len(pictures):
        raise ValueError(f"{len(captions)} captions do not fit {len(pictures)} pictures")
    scale = max(0.35, width / 600)
    caption_height = 0 if captions is None else round(30 * scale) + _GAP
    rows = math.ceil(len(pictures) / columns)
    step_x, step_y = width + _GAP, height + caption_height + _GAP
    sheet = np.full((rows * step_y + _GAP, columns * step_x + _GAP, 3), _SHEET_COLOUR, np.uint8)
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        left, top = _GAP + column * step_x, _GAP + row * step_y
        fitted = _fit(picture, width, height)
        y, x = top + (height - fitted.shape[0]) // 2, left + (width - fitted.shape[1]) // 2
        sheet[y : y + fitted.shape[0], x : x + fitted.shape[1]] = fitted
        if captions is not None:
            _write_caption(sheet, captions[number], (left, top + height + caption_height - _GAP * 2), width, scale)
    return sheet


def _fit(picture: Picture, width: int, height: int) -> Picture:
    cv2 = opencv()
    scale = min(width / picture.shape[1], height / picture.shape[0])
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR))


def _write_caption(sheet: Picture, text: str, origin: tuple[int, int], width: int, scale: float) -> None:
    cv2 = opencv()
    shown = text
    while shown and cv2.getTextSize(shown, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)[0][0] > width:
        text = text[:-1]
        shown = f"{text}..." if text else ""
    cv2.putText(sheet, shown, origin, cv2.FONT_HERSHEY_SIMPLEX, scale, _CAPTION_COLOUR, 1, cv2.LINE_AA)
