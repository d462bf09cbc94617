"""Which class was taken for which."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from nanoedge.data.index import DatasetIndex
from nanoedge.detections import Detections
from nanoedge.evaluation.matching import MATCHING_IOU, NONE, match_boxes


def confusion_matrix(
    index: DatasetIndex, found: Mapping[int, Detections], score: float, iou: float = MATCHING_IOU
) -> npt.NDArray[np.int64]:
    """Counts of true boxes by what was found there.

    Args:
        index: the truth.
        found: image id to detections; a picture that is not there counts as one without.
        score: boxes with at least this score count.
        iou: smallest IoU of a match.

    Returns:
        int64 [classes + 1, classes + 1]: row = the true class, column = the class that was found. The last column
        counts true boxes that were missed, the last row found boxes where no object is (or one found already).
        A true box is in its row once. Boxes in crowd regions of their class are left out.
    """
    background = len(index.classes)
    matrix = np.zeros((background + 1, background + 1), np.int64)
    for sample in index.samples:
        detections = found.get(sample.image_id, Detections.empty(index.classes))
        detections = detections.select(detections.scores >= score)
        matches = match_boxes(sample, detections, iou)
        places = np.where(matches.own != NONE, matches.own, matches.other)
        matched = places != NONE
        np.add.at(matrix, (sample.class_ids[places[matched]], detections.class_ids[matched]), 1)
        left = np.ones(len(sample.class_ids), np.bool_)
        left[places[matched]] = False
        wrong = detections.class_ids[~matched & ~matches.ignored]
        matrix[:-1, background] += np.bincount(sample.class_ids[left], minlength=background)
        matrix[background, :-1] += np.bincount(wrong, minlength=background)
    return matrix
