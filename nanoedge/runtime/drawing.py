"""Drawing what was found: boxes with labels on one picture, and contact sheets of many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nanoedge.detections import Detections
from nanoedge.pictures import Picture, opencv

Colour = tuple[int, int, int]
"""BGR, 0..255."""
Area = tuple[int, int, int, int]
"""left, top, right, bottom in whole pixels; right and bottom are the first pixels outside."""

_GOLDEN_RATIO = (math.sqrt(5) - 1) / 2  # steps of this share of the hue circle keep neighbouring class ids apart
_BEARABLE_SHARE = 0.15  # of a box that a label may hide
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


def draw_detections(picture: Picture, detections: Detections, scores: bool = True) -> Picture:
    """A copy of the picture with a box and a label for every detection; the best score is drawn last, on top.

    Args:
        picture: uint8 [H, W, 3], BGR.
        detections: boxes in pixels of this picture; parts beyond its edge are not drawn.
        scores: write the score behind the class; annotated boxes have none.

    Returns:
        uint8 [H, W, 3]; line width and letters follow the picture's shorter side. A label stands where it covers
        the least of other labels and other boxes: above its box, inside, or below.

    Example:
        >>> found = Detections.of([[10, 20, 50, 80]], [0.9], [1], ["cat", "dog"])
        >>> draw_detections(np.zeros((100, 100, 3), np.uint8), found).shape
        (100, 100, 3)
    """
    drawn = np.ascontiguousarray(picture).copy()
    height, width = drawn.shape[:2]
    thickness = max(1, round(min(height, width) / 240))
    found = list(detections)
    frames = [_pixels_of(detection.box, width, height) for detection in found]
    best_first = np.argsort(-detections.scores, kind="stable")
    labels: dict[int, _Label] = {}
    for index in best_first:
        taken = [label.area for label in labels.values()]
        text = f"{found[index].label} {found[index].score:.2f}" if scores else found[index].label
        labels[index] = _place_label(text, frames[index], (width, height), thickness, taken, frames)
    colours = [class_colour(int(class_id)) for class_id in detections.class_ids]
    for index in best_first[::-1]:
        left, top, right, bottom = frames[index]
        opencv().rectangle(drawn, (left, top), (right - 1, bottom - 1), colours[index], thickness)
    for index in best_first[::-1]:
        labels[index].draw(drawn, colours[index])
    return drawn


@dataclass(frozen=True)
class _Label:
    """A line of text on its ground: `area` in pixels, `origin` of the letters' base line."""

    text: str
    area: Area
    origin: tuple[int, int]
    scale: float
    thickness: int

    def draw(self, picture: Picture, colour: Colour) -> None:
        cv2 = opencv()
        left, top, right, bottom = self.area
        cv2.rectangle(picture, (left, top), (right - 1, bottom - 1), colour, cv2.FILLED)
        letters = _readable_on(colour)
        font = cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(picture, self.text, self.origin, font, self.scale, letters, self.thickness, cv2.LINE_AA)


def _place_label(
    text: str,
    frame: Area,
    size: tuple[int, int],
    box_thickness: int,
    labels: Sequence[Area],
    frames: Sequence[Area],
) -> _Label:
    cv2 = opencv()
    width, height = size
    scale, thickness = max(0.35, min(size) / 900), max(1, round(min(size) / 600))
    (text_width, text_height), baseline = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thickness)
    margin = box_thickness + 1
    label_width, label_height = text_width + 2 * margin, text_height + baseline + 2 * margin
    left, top, right, bottom = frame
    left, right = left - box_thickness // 2, right + box_thickness // 2
    above, below = top - box_thickness // 2 - label_height, bottom + box_thickness // 2
    choices = []
    for x in (left, right - label_width):
        for y in (above, top, below):
            if y >= 0 and y + label_height <= height:
                x_inside = max(0, min(x, width - label_width))
                choices.append((x_inside, y, x_inside + label_width, y + label_height))
    if not choices:  # a picture lower than a label
        x, y = max(0, min(left, width - label_width)), max(0, min(top, height - label_height))
        choices = [(x, y, x + label_width, y + label_height)]
    area = min(choices, key=lambda choice: _hidden(choice, labels, frames))
    return _Label(text, area, (area[0] + margin, area[1] + margin + text_height), scale, thickness)


def _hidden(area: Area, labels: Sequence[Area], frames: Sequence[Area]) -> float:
    """How much a label there would hide: pixels of other labels, and boxes of which a good part would be gone."""
    label_size = _size(area)
    hidden = sum(_size(_common(area, label)) for label in labels)
    shares = [_size(_common(area, frame)) / _size(frame) for frame in frames]
    return hidden + 0.5 * label_size * sum(share for share in shares if share > _BEARABLE_SHARE)


def _common(first: Area, second: Area) -> Area:
    return max(first[0], second[0]), max(first[1], second[1]), min(first[2], second[2]), min(first[3], second[3])


def _size(area: Area) -> int:
    return max(0, area[2] - area[0]) * max(0, area[3] - area[1])


def _pixels_of(box: Sequence[float], width: int, height: int) -> Area:
    """The pixels that a box of continuous coordinates touches: floor(x1) .. ceil(x2) - 1."""
    left, right = _pixels_between(box[0], box[2], width)
    top, bottom = _pixels_between(box[1], box[3], height)
    return left, top, right + 1, bottom + 1


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
