"""Which pictures are shown, and what is drawn over them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from nanoedge.data.index import DatasetIndex, Sample
from nanoedge.detections import Detections
from nanoedge.training.report.pictures import BEST, LONGEST_SIDE, MOST_BOXES, WORST, ranked_samples, shown_pictures

NAMES = ("cat", "dog")
LEFT, RIGHT, FAR = [10.0, 10.0, 50.0, 50.0], [60.0, 10.0, 100.0, 50.0], [10.0, 100.0, 50.0, 140.0]


def sample(image_id: int, boxes: list[list[float]], path: Path = Path("x.jpg"), crowds=()) -> Sample:
    array = np.array(boxes, np.float32).reshape(-1, 4)
    regions = np.array(crowds, np.float32).reshape(-1, 4)
    kinds, nobody = np.zeros(len(array), np.int64), np.zeros(len(regions), np.int64)
    return Sample(image_id, path, 200, 160, array, kinds, np.ones(len(array), np.float32), regions, nobody)


def said(boxes: list[list[float]], kinds: list[int], scores: list[float]) -> Detections:
    return Detections.of(boxes, scores, kinds, NAMES)


def test_pictures_are_ranked_by_quality_and_none_is_shown_twice() -> None:
    truths = [sample(1, [LEFT]), sample(2, [LEFT, RIGHT]), sample(3, [LEFT, RIGHT]), sample(4, []), sample(5, [LEFT])]
    found = {
        1: said([LEFT], [0], [0.9]),
        2: said([LEFT, RIGHT], [0, 0], [0.9, 0.9]),
        3: said([LEFT, FAR], [0, 0], [0.9, 0.3]),  # the weak one does not count
    }
    best, worst = ranked_samples(DatasetIndex("test", NAMES, tuple(truths)), found, 0.5)
    assert [each.image_id for each in best] == [2, 1]  # both perfect, the one with more boxes first
    assert [each.image_id for each in worst] == [5, 3]  # 4 has nothing to find, and nothing was


def test_the_numbers_of_pictures_are_limited() -> None:
    truths = tuple(sample(number, [LEFT]) for number in range(1, 60))
    found = {number: said([LEFT], [0], [0.9]) for number in range(1, 60)}
    best, worst = ranked_samples(DatasetIndex("test", NAMES, truths), found, 0.5)
    assert (len(best), len(worst)) == (BEST, WORST)
    nothing, all_bad = ranked_samples(DatasetIndex("test", NAMES, truths), {}, 0.5)
    assert nothing == [] and len(all_bad) == WORST


def test_boxes_say_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "long name & <so on>.png"
    cv2.imwrite(str(path), np.zeros((160, 200, 3), np.uint8))
    truth = sample(1, [LEFT, RIGHT, [150, 10, 190, 50]], path, crowds=[FAR])
    index = DatasetIndex("test", NAMES, (truth,))
    found = {1: said([LEFT, RIGHT, FAR, FAR, FAR], [0, 1, 0, 1, 1], [0.9, 0.8, 0.7, 0.6, 0.1])}
    (shown,) = shown_pictures([truth], index, found, 0.5, print)
    assert [(box.kind, box.title) for box in shown.boxes] == [
        ("weak", "below the threshold: dog 0.10"),
        ("truth", "truth: cat"),
        ("truth missed", "truth: cat, found as another class"),
        ("truth missed", "truth: cat, missed"),
        ("truth ignored", "truth: many of cat, not measured"),
        ("found", "found: cat 0.90, right, IoU 1.00"),
        ("found wrong", "found: dog 0.80, wrong, is cat, IoU 1.00"),
        ("found", "found: cat 0.70, in a region that is not measured"),
        ("found wrong", "found: dog 0.60, wrong, largest IoU with a true box 0.00"),
    ]
    assert len(shown.mistakes) == 4 and shown.left_out == 0
    assert (shown.result.right, shown.result.wrong, shown.result.missed) == (1, 2, 2)


def test_large_pictures_are_made_small_and_many_boxes_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "big.jpg"
    noise = np.random.default_rng(0).integers(0, 255, (160, 2000, 3), np.uint8)
    cv2.imwrite(str(path), noise)
    boxes = [[x, 10.0, x + 5, 20.0] for x in np.linspace(0, 1900, MOST_BOXES + 30)]
    big = Sample(**{**sample(1, boxes, path).__dict__, "width": 2000})
    (shown,) = shown_pictures([big], DatasetIndex("test", NAMES, (big,)), {}, 0.5, print)
    assert shown.left_out == 30 and len(shown.boxes) == MOST_BOXES
    assert len(shown.data) < 1.5 * LONGEST_SIDE * 38 * 3 and shown.data.startswith("data:image/jpeg;base64,")


def test_a_picture_that_vanished_is_left_out_with_a_sentence() -> None:
    lines: list[str] = []
    gone = sample(1, [LEFT], Path("nowhere/gone.jpg"))
    assert shown_pictures([gone], DatasetIndex("test", NAMES, (gone,)), {}, 0.5, lines.append) == []
    assert len(lines) == 1 and "gone.jpg" in lines[0]
