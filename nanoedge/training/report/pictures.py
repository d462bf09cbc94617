"""The best and the worst pictures, small, with true and found boxes to lay over them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nanoedge.data.index import DatasetIndex, Sample
from nanoedge.detections import Detections
from nanoedge.errors import DataError
from nanoedge.evaluation.evaluate import read_sample
from nanoedge.evaluation.matching import NONE, Matches, match_boxes
from nanoedge.evaluation.picture_quality import PictureQuality, picture_quality
from nanoedge.pictures import Picture, encode_picture, opencv

BEST, WORST = 6, 12
LONGEST_SIDE = 480  # pixels of a picture in the page
JPEG_QUALITY = 75
MOST_BOXES = 150  # drawn of each kind
MOST_WEAK = 40


@dataclass(frozen=True)
class DrawnBox:
    """A box over a picture: `kind` (CSS class), x, y, width and height in pixels of the original, and its texts."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    label: str
    title: str


@dataclass(frozen=True)
class ShownPicture:
    """A picture of the page.

    Attributes:
        name: folder and file.
        data: the small JPEG as a data URI.
        width: of the original, pixels; the boxes' frame.
        height: likewise.
        result: its quality and counts.
        boxes: what is drawn.
        mistakes: one line each.
        left_out: boxes that are not drawn, because there are too many.
    """

    name: str
    data: str
    width: int
    height: int
    result: PictureQuality
    boxes: tuple[DrawnBox, ...]
    mistakes: tuple[str, ...]
    left_out: int


def ranked_samples(
    index: DatasetIndex, found: Mapping[int, Detections], score: float
) -> tuple[list[Sample], list[Sample]]:
    """The best and the worst pictures by `picture_quality` of boxes with at least this score.

    Of equally good ones that with more boxes comes first, of equally bad ones that with more mistakes. Pictures without
    true boxes in which nothing was found are not ranked; no picture is in both lists.
    """
    rated = []
    for sample in index.samples:
        result = picture_quality(match_boxes(sample, _of(found, sample, index, score)))
        if result.quality is not None:
            rated.append((result.quality, result, sample))
    best = sorted(rated, key=lambda each: (-each[0], -each[1].right))
    worst = sorted(rated, key=lambda each: (each[0], -each[1].wrong - each[1].missed))
    best = [each for each in best if each[0] > 0][: min(BEST, (len(rated) + 1) // 2)]
    shown = {id(sample) for _, _, sample in best}
    bad = [sample for _, _, sample in worst if id(sample) not in shown]
    return [sample for _, _, sample in best], bad[:WORST]


def shown_pictures(
    samples: Sequence[Sample],
    index: DatasetIndex,
    found: Mapping[int, Detections],
    score: float,
    say: Callable[[str], None],
) -> list[ShownPicture]:
    """The pictures, ready for the page. One that cannot be read any more is left out with a sentence to `say`."""
    shown = []
    for sample in samples:
        try:
            picture = read_sample(sample)
        except DataError as error:
            say(f"left out of the report: {error}")
            continue
        every = found.get(sample.image_id, Detections.empty(index.classes))
        strong = _of(found, sample, index, score)
        weak = every.select(every.scores < score)
        matches = match_boxes(sample, strong)
        boxes = [*_true(sample, matches, index), *_found(sample, strong, matches, index)]
        drawn = [box for kind in ("truth", "found") for box in [b for b in boxes if kind in b.kind][:MOST_BOXES]]
        shown.append(
            ShownPicture(
                name="/".join(sample.path.parts[-2:]),
                data=_data_uri(picture),
                width=sample.width,
                height=sample.height,
                result=picture_quality(matches),
                boxes=(*_weak(weak), *drawn),
                mistakes=tuple(box.title for box in boxes if "wrong" in box.kind or "missed" in box.kind),
                left_out=len(boxes) - len(drawn),
            )
        )
    return shown


def _of(found: Mapping[int, Detections], sample: Sample, index: DatasetIndex, score: float) -> Detections:
    detections = found.get(sample.image_id, Detections.empty(index.classes))
    return detections.select(detections.scores >= score)


def _true(sample: Sample, matches: Matches, index: DatasetIndex) -> list[DrawnBox]:
    drawn = []
    for place, (box, kind, missed) in enumerate(zip(sample.boxes_xyxy, sample.class_ids, matches.missed, strict=True)):
        name = index.classes[int(kind)]
        taken = np.flatnonzero(matches.other == place)
        said = ", found as another class" if len(taken) else ", missed"
        title = f"truth: {name}{said if missed else ''}"
        drawn.append(_box("truth missed" if missed else "truth", box, name, title))
    drawn += [
        _box("truth ignored", box, index.classes[int(kind)], f"truth: many of {index.classes[int(kind)]}, not measured")
        for box, kind in zip(sample.ignore_xyxy, sample.ignore_class_ids, strict=True)
    ]
    return drawn


def _found(sample: Sample, found: Detections, matches: Matches, index: DatasetIndex) -> list[DrawnBox]:
    drawn = []
    for place, (label, score, box) in enumerate(found):
        iou = float(matches.ious[place])
        if matches.own[place] != NONE:
            kind, judged = "found", f"right, IoU {iou:.2f}"
        elif matches.ignored[place]:
            kind, judged = "found", "in a region that is not measured"
        elif matches.other[place] != NONE:
            truth = index.classes[int(sample.class_ids[matches.other[place]])]
            kind, judged = "found wrong", f"wrong, is {truth}, IoU {iou:.2f}"
        else:
            kind, judged = "found wrong", f"wrong, largest IoU with a true box {iou:.2f}"
        drawn.append(_box(kind, box, f"{label} {score:.2f}", f"found: {label} {score:.2f}, {judged}"))
    return drawn


def _weak(found: Detections) -> list[DrawnBox]:
    return [
        _box("weak", box, f"{label} {score:.2f}", f"below the threshold: {label} {score:.2f}")
        for label, score, box in list(found)[:MOST_WEAK]
    ]


def _box(kind: str, box: npt.ArrayLike, label: str, title: str) -> DrawnBox:
    x1, y1, x2, y2 = (round(float(value), 1) for value in np.asarray(box))
    return DrawnBox(kind, x1, y1, round(x2 - x1, 1), round(y2 - y1, 1), label, title)


def _data_uri(picture: Picture) -> str:
    cv2 = opencv()
    height, width = picture.shape[:2]
    factor = min(1.0, LONGEST_SIDE / max(width, height))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    small: Picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA) if factor < 1 else picture
    data = encode_picture(small, ".jpg", JPEG_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
