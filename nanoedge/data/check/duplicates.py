"""Boxes that say the same thing twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from nanoedge.data.annotations import AnnotatedBox, AnnotationSet, Problem, box_title

MOST_BOXES = 5000  # of a picture; more are not compared with each other
SAME_IOU = 0.9  # of two boxes of one class: above it they are one object, drawn twice


def duplicate_boxes(found: AnnotationSet) -> Iterator[Problem]:
    """The second box of each pair of one class that overlaps by more than `SAME_IOU`, crowds left out."""
    for boxes in found.boxes_of().values():
        usable = [box for box in boxes if not box.crowd and box.class_id is not None]
        if not 2 <= len(usable) <= MOST_BOXES:
            continue
        corners = np.array([box.corners for box in usable])
        classes = np.array([box.class_id for box in usable])
        overlap = np.triu(box_ious(corners), 1) * (classes[:, None] == classes)
        for first, second in np.argwhere(overlap > SAME_IOU):
            one, other = usable[first], usable[second]
            picture = one.picture
            assert picture is not None
            pair = tuple(sorted(tuple(round(value, 1) for value in box.corners) for box in (one, other)))
            share = f"{overlap[first, second]:.2f}"
            line = f" in line {one.line}" if one.line is not None else ""
            yield Problem(
                "duplicate-box", "warning", picture.file,
                f"{box_title(other, found.format)} is the same as {box_title(one, found.format)}{line} "
                f"(IoU {share}) in {picture.name}",
                "Delete one of the two.", line=other.line, id=other.id, subject=other,
                key=("duplicate-box", str(picture.path), one.label, pair),
            )  # fmt: skip


def without_doubles(boxes: Sequence[AnnotatedBox]) -> list[AnnotatedBox]:
    """The boxes of a set, each object once: a box is left out when one that is kept says the same."""
    kept: dict[tuple[int, int | None], list[AnnotatedBox]] = {}
    result = []
    for box in boxes:
        group = kept.setdefault((id(box.picture), box.class_id), [])
        if not box.crowd and group:
            overlaps = box_ious(np.array([box.corners, *(other.corners for other in group)]))[0, 1:]
            if overlaps.max() > SAME_IOU:
                continue
        if not box.crowd:
            group.append(box)
        result.append(box)
    return result


def box_ious(corners: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """IoU of each pair of boxes [G, 4]; boxes of no size overlap nothing."""
    low = np.maximum(corners[:, None, :2], corners[None, :, :2])
    high = np.minimum(corners[:, None, 2:], corners[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=2)
    areas = np.clip(corners[:, 2:] - corners[:, :2], 0, None).prod(axis=1)
    union = areas[:, None] + areas - common
    overlaps: npt.NDArray[np.float64] = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return overlaps
