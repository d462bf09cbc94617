"""How well the boxes of one picture were found, as one number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nanoedge.evaluation.matching import NONE, Matches


@dataclass(frozen=True)
class PictureQuality:
    """One picture's result.

    Attributes:
        quality: the sum of the IoUs of right boxes / (right + half of the wrong + half of the missed), 0..1: the
            panoptic quality of Kirillov et al., "Panoptic Segmentation" (CVPR 2019), with boxes in place of segments
            and all classes together. `None` for a picture without true boxes in which none was found.
        right: found boxes that stand for a true one of their class.
        wrong: found boxes that do not.
        missed: true boxes without a found one.
    """

    quality: float | None
    right: int
    wrong: int
    missed: int


def picture_quality(matches: Matches) -> PictureQuality:
    """The quality of what `match_boxes` says of one picture."""
    hits = matches.own != NONE
    right, wrong, missed = int(hits.sum()), int(matches.wrong.sum()), int(matches.missed.sum())
    weight = right + 0.5 * (wrong + missed)
    quality = float(np.sum(matches.ious[hits], dtype=np.float64) / weight) if weight else None
    return PictureQuality(quality, right, wrong, missed)
