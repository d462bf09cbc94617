"""What can be wrong with single boxes, whatever their format; training refuses these, `check` lists them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from nanoedge.data.annotations import AnnotatedBox, AnnotatedPicture, AnnotationSet, Corners, Problem, box_title

CLIP_TOLERANCE = 0.01  # pixels beyond the edge that are rounding, not a finding
_LEAST_SIDE = 16  # of a picture, pixels; in smaller ones boxes of one pixel are possible
DROPPABLE = frozenset({"zero-size-box", "box-outside-picture", "unknown-class", "unknown-picture"})


def problem_of_box(box: AnnotatedBox, found: AnnotationSet, classes: Sequence[str] | None = None) -> Problem | None:
    """The first thing that makes a box unusable or wrong, or nothing.

    Args:
        box: of the set.
        found: the set.
        classes: the classes that are asked for; `None` takes the set's.
    """
    title, picture = box_title(box, found.format), box.picture
    if picture is None:
        image = box.attributes.get("image_id")
        return _problem("unknown-picture", found, box, f"annotation {box.id} names the unknown image {image}",
                        "Add the picture or delete the annotation.")  # fmt: skip
    if box.class_id is None or (classes is not None and box.label not in classes):
        what = "category" if found.format == "coco" else "class"
        name = _category(box, found) if found.format == "coco" else repr(box.label)
        return _problem("unknown-class", found, box, f"{title} names the unknown {what} {name}",
                        "Correct the name, or add the class.")  # fmt: skip
    x1, y1, x2, y2 = box.corners
    if not (np.float32(x2) > np.float32(x1) and np.float32(y2) > np.float32(y1)):
        what = "has a box of no size" if found.format != "yolo" else "has no size"
        if x2 < x1 and y2 < y1 and found.format == "voc":
            what = "has its corners exchanged, which makes a box of no size"
        return _problem("zero-size-box", found, box, f"{title} {what}: {box.written}",
                        "Draw it anew or delete it.")  # fmt: skip
    if not (picture.width and picture.height):
        return None
    left, top, right, bottom = clipped(box.corners, picture)
    size = f"{picture.width}x{picture.height}"
    if not (np.float32(right) > np.float32(left) and np.float32(bottom) > np.float32(top)):
        if found.format == "coco":
            title = f"annotation {box.id} (image {picture.id}, {size})"
        return _problem("box-outside-picture", found, box, f"{title} lies outside its picture: {box.written}",
                        "Draw it anew or delete it.")  # fmt: skip
    if is_clipped(box.corners, (left, top, right, bottom)):
        return _problem(
            "box-beyond-edge", found, box, f"{title} reaches beyond its picture of {size}: {box.written}",
            "Training clips it; check that the picture's size and the box are right.", "warning",
        )  # fmt: skip
    return None


def shares_problem(found: AnnotationSet) -> list[Problem]:
    """One problem when all boxes of a set lie between 0 and 1, which no format in pixels means."""
    boxes = [box for box in found.boxes if box.picture is not None]
    sides = [min(box.picture.width, box.picture.height) for box in boxes if box.picture is not None]
    if not boxes or min(sides) <= _LEAST_SIDE or any(not 0 <= side <= 1 for box in boxes for side in box.corners):
        return []
    return [
        Problem(
            "normalised-boxes", "error", found.source,
            f"all {len(boxes)} boxes lie between 0 and 1, such as {boxes[0].written}: they are shares of the picture's "
            "size, not pixels",
            "Multiply x by the picture's width and y by its height.", key=("normalised-boxes", str(found.source)),
        )
    ]  # fmt: skip


def box_problems(found: AnnotationSet) -> Iterator[Problem]:
    """All of `problem_of_box`."""
    for box in found.boxes:
        if (problem := problem_of_box(box, found)) is not None:
            yield problem


def clipped(corners: Corners, picture: AnnotatedPicture) -> Corners:
    """The part of a box that is in its picture; it may be empty."""
    x1, y1, x2, y2 = corners
    return max(0.0, x1), max(0.0, y1), min(float(picture.width), x2), min(float(picture.height), y2)


def is_clipped(corners: Corners, inside: Corners) -> bool:
    """Whether clipping took away more than rounding."""
    return any(abs(before - after) > CLIP_TOLERANCE for before, after in zip(corners, inside, strict=True))


def _category(box: AnnotatedBox, found: AnnotationSet) -> str:
    return str(found.categories[box.class_id]) if box.class_id is not None else box.label


def _problem(
    kind: str, found: AnnotationSet, box: AnnotatedBox, message: str, cure: str, severity: str = "error"
) -> Problem:
    picture = box.picture
    corners = tuple(round(value, 1) for value in box.corners)
    return Problem(
        kind=kind,
        severity="warning" if severity == "warning" else "error",
        file=picture.file if picture is not None else found.source,
        message=message,
        cure=cure,
        line=box.line,
        id=box.id,
        subject=box,
        key=(kind, str(picture.path) if picture is not None else str(found.source), box.label, corners),
    )
