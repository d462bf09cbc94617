"""Boxes that the network cannot learn at its input size: too small to be seen, too large for its distributions."""

from __future__ import annotations

from collections.abc import Iterator

from nanoedge.config.schema import Config
from nanoedge.data.annotations import AnnotatedBox, AnnotationSet, Problem, box_title


def unlearnable_boxes(found: AnnotationSet, config: Config) -> Iterator[Problem]:
    """Boxes whose size in the network's input is out of its range.

    A side of `augmentation.min_box_size` pixels or less is left out by training. A distance from a prior to a side of
    the box can be at most `reg_max` times the stride, so that the largest box has twice that.
    """
    spec, smallest = config.input, config.augmentation.min_box_size
    largest = 2 * config.model.head.reg_max * max(config.model.strides)
    size = f"{spec.width}x{spec.height}"
    for box in found.boxes:
        if (sides := sides_in_input(box, config)) is None or box.crowd:
            continue
        assert box.picture is not None
        title = box_title(box, found.format)
        shown = f"{sides[0]:.2f}x{sides[1]:.2f}"
        corners = tuple(round(value, 1) for value in box.corners)
        if min(sides) <= smallest:
            kind, limit = "tiny-box", f"training leaves out {smallest:g} and less"
            cure = "Choose a larger input, or cut the pictures into parts."
        elif max(sides) > largest:
            kind, limit = "huge-box", f"the largest that can be found is {largest}"
            cure = "Choose a smaller input, or a larger model.head.reg_max."
        else:
            continue
        yield Problem(
            kind, "warning", box.picture.file, f"{title} is {shown} pixels in the input of {size}; {limit}", cure,
            line=box.line, id=box.id, subject=box, key=(kind, str(box.picture.path), box.label, corners),
        )  # fmt: skip


def sides_in_input(box: AnnotatedBox, config: Config) -> tuple[float, float] | None:
    """Width and height of a box in pixels of the network's input; `None` for a box of no size or no picture."""
    picture = box.picture
    if picture is None or not (picture.width and picture.height):
        return None
    _, _, width, height = config.input.place(picture.width, picture.height)
    x1, y1, x2, y2 = box.corners
    sides = (x2 - x1) * width / picture.width, (y2 - y1) * height / picture.height
    return sides if min(sides) > 0 else None
