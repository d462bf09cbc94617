"""Which found box stands for which true one, in one picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nanoedge.data.index import Sample
from nanoedge.detections import Detections
from nanoedge.evaluation.box_iou import box_iou, share_inside

MATCHING_IOU = 0.5
NONE = -1

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Matches:
    """What became of N found and G true boxes.

    Attributes:
        own: int64 [N], place of the true box of the same class that a found one stands for; -1 without.
        other: int64 [N], for the rest: place of the true box of another class that it was taken for; -1 without.
        ignored: bool [N], in a crowd region of its class: neither right nor wrong.
        ious: float32 [N], with the box in `own` or `other`; else the largest with any true box, 0 without one.
        true_boxes: G.
    """

    own: IntArray
    other: IntArray
    ignored: npt.NDArray[np.bool_]
    ious: npt.NDArray[np.float32]
    true_boxes: int

    @property
    def wrong(self) -> npt.NDArray[np.bool_]:
        """bool [N]: found, but no object of its class is there, or one that another found box stands for already."""
        wrong: npt.NDArray[np.bool_] = (self.own == NONE) & ~self.ignored
        return wrong

    @property
    def missed(self) -> npt.NDArray[np.bool_]:
        """bool [G]: true boxes for which no found one of their class stands."""
        missed = np.ones(self.true_boxes, np.bool_)
        missed[self.own[self.own != NONE]] = False
        return missed


def match_boxes(sample: Sample, found: Detections, iou: float = MATCHING_IOU) -> Matches:
    """Match as COCO's evaluation does, then look which mistakes are confusions of classes.

    In order of falling score each found box takes the true box of its own class with the largest IoU of at least `iou`
    that is not taken yet. A box that finds none, but lies in a crowd region of its class, is ignored. The others, again
    by score, take what is left over of other classes in the same way.

    Args:
        sample: the truth; class ids are those of `found`.
        found: N boxes.
        iou: smallest IoU of a match.
    """
    count, true_count = len(found), len(sample.boxes_xyxy)
    own, other = np.full(count, NONE, np.int64), np.full(count, NONE, np.int64)
    ignored = np.zeros(count, np.bool_)
    overlaps = box_iou(found.boxes_xyxy[:, None], sample.boxes_xyxy[None])
    same_class = found.class_ids[:, None] == sample.class_ids[None]
    ious = overlaps.max(axis=1) if count and true_count else np.zeros(count, np.float32)
    order = np.argsort(-found.scores, kind="stable")
    taken = np.zeros(true_count, np.bool_)
    if true_count:
        _take(own, order, np.where(same_class, overlaps, 0), taken, ious, iou)
    if len(sample.ignore_xyxy):
        inside = share_inside(found.boxes_xyxy[:, None], sample.ignore_xyxy[None])
        alike = found.class_ids[:, None] == sample.ignore_class_ids[None]
        ignored = (own == NONE) & ((inside >= iou) & alike).any(axis=1)
    if true_count:
        rest = order[(own[order] == NONE) & ~ignored[order]]
        _take(other, rest, np.where(same_class, 0, overlaps), taken, ious, iou)
    return Matches(own, other, ignored, ious, true_count)


def _take(
    place: IntArray,
    order: IntArray,
    overlaps: npt.NDArray[np.float32],
    taken: npt.NDArray[np.bool_],
    ious: npt.NDArray[np.float32],
    iou: float,
) -> None:
    """Let found boxes take true ones, one after the other; fills `place`, `taken` and `ious`."""
    for number in order[overlaps[order].max(axis=1) >= iou]:
        free = np.where(taken, 0, overlaps[number])
        best = int(free.argmax())
        if free[best] >= iou:
            place[number], ious[number] = best, free[best]
            taken[best] = True
