"""The score threshold at which found boxes are best: few wrong ones, few missed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nanoedge.data.index import DatasetIndex
from nanoedge.detections import Detections
from nanoedge.evaluation.matching import MATCHING_IOU, NONE, match_boxes

LOWEST_SCORE = 0.05  # evaluation finds no boxes below


@dataclass(frozen=True)
class BestScore:
    """A threshold and what is reached there, fractions 0..1.

    Attributes:
        score: half-way between the last box that counts and the next.
        f1: harmonic mean of precision and recall; the largest of all thresholds.
        precision: share of found boxes that are right.
        recall: share of true boxes that are found.
    """

    score: float
    f1: float
    precision: float
    recall: float


@dataclass(frozen=True)
class BestScores:
    """One threshold for all classes together (every box counts alike), and one for each class; `None` where nothing
    right is found."""

    overall: BestScore | None
    per_class: tuple[BestScore | None, ...]


def best_scores(index: DatasetIndex, found: Mapping[int, Detections], iou: float = MATCHING_IOU) -> BestScores:
    """The thresholds with the largest F1.

    Args:
        index: the truth.
        found: image id to detections; a picture that is not there counts as one without.
        iou: smallest IoU of a match.
    """
    scores, right, kinds = [np.zeros(0, np.float32)], [np.zeros(0, np.bool_)], [np.zeros(0, np.int64)]
    for sample in index.samples:
        detections = found.get(sample.image_id)
        if detections is None:
            continue
        matches = match_boxes(sample, detections, iou)
        counts = ~matches.ignored
        scores.append(detections.scores[counts])
        right.append(matches.own[counts] != NONE)
        kinds.append(detections.class_ids[counts])
    all_scores, all_right, all_kinds = np.concatenate(scores), np.concatenate(right), np.concatenate(kinds)
    truths = np.zeros(len(index.classes), np.int64)
    for sample in index.samples:
        truths += np.bincount(sample.class_ids, minlength=len(index.classes))
    per_class = []
    for kind, count in enumerate(truths):
        of_class = all_kinds == kind
        per_class.append(_best(all_scores[of_class], all_right[of_class], int(count)))
    return BestScores(_best(all_scores, all_right, int(truths.sum())), tuple(per_class))


def _best(scores: npt.NDArray[np.float32], right: npt.NDArray[np.bool_], truths: int) -> BestScore | None:
    if not right.any():
        return None
    order = np.argsort(-scores, kind="stable")
    scores, hits = scores[order], np.cumsum(right[order])
    kept = np.arange(1, len(scores) + 1)
    f1 = 2 * hits / (kept + truths)
    f1[:-1][scores[:-1] == scores[1:]] = 0  # a threshold cannot cut between equal scores
    best = int(f1.argmax())
    below = float(scores[best + 1]) if best + 1 < len(scores) else min(LOWEST_SCORE, float(scores[best]))
    return BestScore(
        score=(float(scores[best]) + below) / 2,
        f1=float(f1[best]),
        precision=float(hits[best] / kept[best]),
        recall=float(hits[best] / truths),
    )
