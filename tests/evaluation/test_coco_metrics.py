"""COCO average precision: perfect, empty, wrong, and what crowds and negatives do to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nanoedge.data.index import DatasetIndex, Sample
from nanoedge.detections import Detections
from nanoedge.errors import DataError
from nanoedge.evaluation.coco_metrics import CocoMetrics, coco_metrics
from nanoedge.evaluation.evaluate import evaluate
from nanoedge.pictures import Picture, write_picture

NAMES = ("cat", "dog")
KEYS = {"AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large", "AR100", "per_class", "images"}
LARGE, MEDIUM = [10.0, 10.0, 150.0, 150.0], [160.0, 10.0, 220.0, 70.0]


def sample(
    image_id: int, boxes: list[list[float]], kinds: list[int], crowds: list[list[float]] | None = None
) -> Sample:
    array = np.array(boxes, np.float32).reshape(-1, 4)
    regions = np.array(crowds or [], np.float32).reshape(-1, 4)
    return Sample(
        image_id=image_id,
        path=Path(f"{image_id}.png"),
        width=240,
        height=200,
        boxes_xyxy=array,
        class_ids=np.array(kinds, np.int64),
        areas=(array[:, 2:] - array[:, :2]).prod(axis=1),
        ignore_xyxy=regions,
        ignore_class_ids=np.zeros(len(regions), np.int64),
    )


def index_of(*samples: Sample, names: tuple[str, ...] = NAMES) -> DatasetIndex:
    return DatasetIndex("test", names, samples)


def said(boxes: list[list[float]], kinds: list[int], scores: list[float] | None = None) -> Detections:
    return Detections.of(boxes, scores or [0.9] * len(boxes), kinds, NAMES)


TWO = index_of(sample(3, [LARGE, MEDIUM], [0, 1]), sample(8, [LARGE], [1]))
PERFECT = {3: said([LARGE, MEDIUM], [0, 1]), 8: said([LARGE], [1])}


def test_perfect_detections_are_worth_1() -> None:
    metrics = coco_metrics(TWO, PERFECT)
    for value in (metrics.AP, metrics.AP50, metrics.AP75, metrics.AP_medium, metrics.AP_large, metrics.AR100):
        assert value == pytest.approx(1, abs=1e-6)
    assert metrics.per_class == {"cat": pytest.approx(1), "dog": pytest.approx(1)}
    assert metrics.images == 2


def test_where_there_is_nothing_to_measure_it_says_minus_1() -> None:
    metrics = coco_metrics(index_of(sample(3, [LARGE], [0])), {3: said([LARGE], [0])})
    assert pytest.approx(1) == metrics.AP
    assert (metrics.AP_small, metrics.AP_medium) == (-1, -1)  # the one object is large
    assert metrics.per_class["dog"] == -1


@pytest.mark.parametrize("found", [{}, {3: said([], []), 8: said([], [])}])
def test_no_detections_are_worth_0(found: dict) -> None:
    metrics = coco_metrics(TWO, found)
    assert metrics.AP == metrics.AP50 == metrics.AP75 == metrics.AP_large == metrics.AR100 == 0
    assert metrics.per_class == {"cat": 0, "dog": 0}
    assert metrics.images == 2


def test_no_detections_say_minus_1_where_even_a_perfect_detector_would() -> None:
    """Otherwise a class or size without objects looks failed, and the mean over classes drops."""
    index = index_of(sample(3, [LARGE], [0]))
    perfect, empty = coco_metrics(index, {3: said([LARGE], [0])}), coco_metrics(index, {})
    assert empty.AP_small == perfect.AP_small == -1
    assert empty.per_class == {"cat": 0, "dog": perfect.per_class["dog"]}


def test_a_box_of_the_wrong_class_or_picture_is_worth_nothing() -> None:
    index = index_of(sample(3, [LARGE], [0]), sample(8, [], []))
    assert coco_metrics(index, {3: said([LARGE], [1])}).AP == 0
    assert coco_metrics(index, {8: said([LARGE], [0])}).AP == 0


def test_a_shifted_box_counts_up_to_the_iou_that_it_reaches() -> None:
    """IoU 140 * 112 / (140 * 140) = 0.8: found at the thresholds 0.50 to 0.75, maybe 0.80, not above."""
    metrics = coco_metrics(index_of(sample(3, [LARGE], [0])), {3: said([[10, 10, 150, 10 + 140 * 0.81]], [0])})
    assert metrics.AP50 == metrics.AP75 == pytest.approx(1)
    assert pytest.approx(0.7, abs=1e-6) == metrics.AP  # seven of the ten thresholds


def test_a_false_alarm_on_a_negative_costs_precision() -> None:
    index = index_of(sample(3, [LARGE], [0]), sample(8, [], []))
    right = said([LARGE], [0], [0.5])
    assert pytest.approx(0.5, abs=0.01) == coco_metrics(index, {3: right, 8: said([LARGE], [0], [0.9])}).AP
    assert pytest.approx(1) == coco_metrics(index, {3: right, 8: said([LARGE], [0], [0.3])}).AP


def test_a_detection_in_a_crowd_is_neither_right_nor_wrong() -> None:
    crowd = index_of(sample(3, [LARGE], [0], crowds=[MEDIUM]))
    plain = index_of(sample(3, [LARGE], [0]))
    found = {3: said([MEDIUM, LARGE], [0, 0], [0.9, 0.5])}
    assert pytest.approx(1) == coco_metrics(crowd, found).AP
    assert pytest.approx(0.5, abs=0.01) == coco_metrics(plain, found).AP


def test_a_crowd_that_nobody_found_costs_nothing() -> None:
    index = index_of(sample(3, [LARGE], [0], crowds=[MEDIUM]))
    metrics = coco_metrics(index, {3: said([LARGE], [0])})
    assert metrics.AP == metrics.AR100 == pytest.approx(1)


def test_the_mean_is_over_the_classes_that_have_objects() -> None:
    three = index_of(sample(3, [LARGE, MEDIUM], [0, 1]), names=("cat", "dog", "owl"))
    metrics = coco_metrics(three, {3: said([LARGE], [0])})
    assert list(metrics.per_class) == ["cat", "dog", "owl"]
    assert metrics.per_class == {"cat": pytest.approx(1), "dog": 0, "owl": -1}
    assert pytest.approx(0.5) == metrics.AP


def test_sizes_follow_the_annotated_area() -> None:
    tiny = sample(3, [LARGE], [0])
    tiny.areas[:] = 500  # a thin mask in a large box
    metrics = coco_metrics(index_of(tiny), {3: said([LARGE], [0])})
    assert metrics.AP_small == pytest.approx(1) and metrics.AP_large == -1


def test_at_most_100_boxes_of_a_picture_count() -> None:
    boxes = [[float(x), 20.0 * row, x + 10.0, 20.0 * row + 10] for row in range(10) for x in range(0, 240, 20)]
    index = index_of(sample(3, boxes, [0] * 120))
    metrics = coco_metrics(index, {3: said(boxes, [0] * 120, list(np.linspace(0.9, 0.1, 120)))})
    assert pytest.approx(100 / 120, abs=1e-6) == metrics.AR100


def test_the_json_has_the_contracts_keys_and_5_decimals() -> None:
    document = coco_metrics(TWO, {3: said([LARGE], [0])}).as_json()
    assert set(document) == KEYS
    assert document["per_class"] == {"cat": 1.0, "dog": 0.0} and document["images"] == 2
    rounded = CocoMetrics(1 / 3, 0, 0, 0, 0, 0, 0, {"cat": 2 / 3}, 1).as_json()
    assert (rounded["AP"], rounded["per_class"]["cat"]) == (0.33333, 0.66667)


def test_the_index_is_not_changed() -> None:
    before = TWO.samples[0].boxes_xyxy.copy()
    coco_metrics(TWO, PERFECT)
    np.testing.assert_array_equal(TWO.samples[0].boxes_xyxy, before)


# --- evaluate ------------------------------------------------------------------------------------------------------


def written(folder: Path, size: tuple[int, int] = (240, 200)) -> DatasetIndex:
    """Two pictures whose grey level tells them apart, annotated as in TWO."""
    samples = []
    for truth, grey in zip(TWO.samples, (50, 90), strict=True):
        path = folder / f"{truth.image_id}.png"
        write_picture(path, np.full((size[1], size[0], 3), grey, np.uint8))
        samples.append(Sample(**{**vars(truth), "path": path}))
    return index_of(*samples)


def test_every_picture_is_read_predicted_and_measured(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []

    def predict(picture: Picture) -> Detections:
        return PERFECT[3 if picture[0, 0, 0] == 50 else 8]

    metrics = evaluate(predict, written(tmp_path), progress=lambda done, total: told.append((done, total)))
    assert pytest.approx(1) == metrics.AP
    assert told == [(1, 2), (2, 2)]


def test_a_picture_of_another_size_than_annotated_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"3\.png is 200x240 pixels .*image 3 is annotated as 240x200"):
        evaluate(lambda picture: PERFECT[3], written(tmp_path, size=(200, 240)))
