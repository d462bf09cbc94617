"""Dynamic soft label assignment against a literal, slow reading of its definition, and in its corner cases."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
import torch
from nanoedge.assigners import Assignment, GroundTruth, assign_dynamic_soft_label
from nanoedge.models.priors import make_priors

CLASSES = 4
SIDE = 96
PRIORS = make_priors(SIDE, SIDE, (8, 16, 32))


@dataclass(frozen=True)
class Scene:
    logits: torch.Tensor
    boxes_xyxy: torch.Tensor
    truth: GroundTruth


def truth_of(boxes: list[list[float]], classes: list[int], ignore: list[list[float]] | None = None) -> GroundTruth:
    return GroundTruth(
        torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        torch.tensor(classes, dtype=torch.long),
        torch.tensor(ignore or [], dtype=torch.float32).reshape(-1, 4),
    )


def perfect_boxes(target: list[float]) -> torch.Tensor:
    return torch.tensor([target], dtype=torch.float32).repeat(len(PRIORS), 1)


def random_scene(seed: int) -> Scene:
    """Objects of all sizes, also side by side and on top of each other; predictions from poor to good."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(low: float, high: float, *shape: int) -> torch.Tensor:
        return low + (high - low) * torch.rand(*shape, generator=generator)

    def some_boxes(count: int) -> torch.Tensor:
        corners = uniform(0, SIDE - 5, count, 2)
        return torch.cat([corners, (corners + uniform(3, 60, count, 2)).clamp(max=SIDE)], dim=1)

    objects = some_boxes(int(torch.randint(1, 9, (1,), generator=generator)))
    if seed % 2:
        objects = torch.cat([objects, objects[:1] + 1.5])
    kinds = torch.randint(CLASSES, (len(objects),), generator=generator)
    inside = ((PRIORS[:, None, :2] > objects[:, :2]) & (PRIORS[:, None, :2] < objects[:, 2:])).all(dim=2)
    wished = objects[torch.where(inside.any(dim=1), inside.int().argmax(dim=1), 0)]
    boxes = wished + uniform(-1, 1, len(PRIORS), 4) * float(uniform(1, 25, 1))
    boxes[:, 2:] = torch.maximum(boxes[:, 2:], boxes[:, :2] + 0.5)
    logits = uniform(-6, 3, len(PRIORS), CLASSES)
    return Scene(logits, boxes, GroundTruth(objects, kinds, some_boxes(seed % 3)))


def literal_iou(a: list[float], b: list[float]) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0.0) * max(height, 0.0)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return shared / union


def literal_class_cost(logits: list[float], kind: int, iou: float) -> float:
    """BCE(p, onehot * IoU) * |onehot * IoU - p|^2, summed over the classes."""
    cost = 0.0
    for place, logit in enumerate(logits):
        p = 1 / (1 + math.exp(-logit))
        label = iou if place == kind else 0.0
        cost += -(label * math.log(p) + (1 - label) * math.log(1 - p)) * abs(label - p) ** 2
    return cost


def literal_assignment(scene: Scene, candidates: int = 13, iou_cost: float = 3.0) -> dict[int, tuple[int, float]]:
    """Prior to (object, IoU), in the words of the definition and in double precision."""
    priors, boxes, logits = (values.double().tolist() for values in (PRIORS, scene.boxes_xyxy, scene.logits))
    objects, kinds = scene.truth.boxes_xyxy.double().tolist(), scene.truth.class_ids.tolist()
    competing = [
        row for row, (x, y, _) in enumerate(priors) if any(x1 < x < x2 and y1 < y < y2 for x1, y1, x2, y2 in objects)
    ]
    wishes: dict[int, list[tuple[float, int, float]]] = {}
    for number, (box, kind) in enumerate(zip(objects, kinds, strict=True)):
        ious = {row: literal_iou(boxes[row], box) for row in competing}
        costs = {
            row: literal_class_cost(logits[row], kind, ious[row]) - iou_cost * math.log(ious[row] + 1e-7)
            for row in competing
        }
        wanted = max(1, int(sum(sorted(ious.values(), reverse=True)[:candidates])))
        for row in sorted(competing, key=costs.__getitem__)[:wanted]:
            wishes.setdefault(row, []).append((costs[row], number, ious[row]))
    return {row: min(several)[1:] for row, several in sorted(wishes.items())}


def assign(scene: Scene, **settings: float) -> Assignment:
    return assign_dynamic_soft_label(scene.logits, scene.boxes_xyxy, PRIORS, scene.truth, **settings)


@pytest.mark.parametrize("seed", range(24))
def test_the_assignment_is_the_definition(seed: int) -> None:
    scene = random_scene(seed)
    found, literal = assign(scene), literal_assignment(scene)
    assert found.positives.tolist() == list(literal)
    assert found.objects.tolist() == [number for number, _ in literal.values()]
    torch.testing.assert_close(
        found.qualities, torch.tensor([iou for _, iou in literal.values()]), atol=1e-5, rtol=1e-5
    )


def test_the_random_scenes_contain_conflicts_and_boxes_with_many_positives() -> None:
    """The comparison above would be worth little otherwise."""
    conflicts = many = 0
    for seed in range(24):
        scene = random_scene(seed)
        everything = literal_assignment(scene)
        alone = 0
        for number in range(len(scene.truth.class_ids)):
            own = sum(1 for taken, _ in everything.values() if taken == number)
            alone += own
            many += own > 3
        wishes = 0
        for number in range(len(scene.truth.class_ids)):
            one = GroundTruth(
                scene.truth.boxes_xyxy[number : number + 1],
                scene.truth.class_ids[number : number + 1],
                scene.truth.ignore_xyxy,
            )
            wishes += len(literal_assignment(Scene(scene.logits, scene.boxes_xyxy, one)))
        conflicts += wishes > alone
    assert conflicts >= 5 and many >= 10


@pytest.mark.parametrize("settings", [{"candidates": 3}, {"iou_cost": 0.1}, {"candidates": 40, "iou_cost": 20.0}])
def test_the_settings_decide_as_in_the_definition(settings: dict) -> None:
    for seed in (2, 3):
        scene = random_scene(seed)
        assert assign(scene, **settings).positives.tolist() == list(literal_assignment(scene, **settings))


def test_a_picture_without_objects_has_no_positives() -> None:
    scene = Scene(torch.zeros(len(PRIORS), CLASSES), perfect_boxes([0, 0, 9, 9]), truth_of([], []))
    found = assign(scene)
    assert len(found.positives) == len(found.objects) == len(found.qualities) == 0
    assert found.ignored.shape == (len(PRIORS),) and not found.ignored.any()


def test_a_box_without_a_prior_inside_alone_in_the_picture_stays_unlearned() -> None:
    box = [17.0, 17.0, 23.0, 23.0]  # between the priors at 16 and 24
    found = assign(Scene(torch.zeros(len(PRIORS), CLASSES), perfect_boxes(box), truth_of([box], [0])))
    assert len(found.positives) == 0 and not found.ignored.any()


def test_a_box_without_a_prior_takes_the_cheapest_candidate_of_the_other_boxes() -> None:
    small, normal = [17.0, 17.0, 23.0, 23.0], [40.0, 40.0, 80.0, 80.0]
    logits = torch.full((len(PRIORS), CLASSES), -4.0)
    boxes = perfect_boxes(normal)
    candidates = [row for row, (x, y, _) in enumerate(PRIORS.tolist()) if 40 < x < 80 and 40 < y < 80]
    cheapest = candidates[7]
    boxes[cheapest] = torch.tensor([16.0, 16.0, 23.0, 23.0])  # of all candidates it alone overlaps the small box
    found = assign(Scene(logits, boxes, truth_of([small, normal], [1, 0])))
    assert found.positives[found.objects == 0].tolist() == [cheapest]
    assert set(found.positives[found.objects == 1].tolist()) <= set(candidates) - {cheapest}
    torch.testing.assert_close(found.qualities[found.objects == 0], torch.tensor([36 / 49]))


def test_a_prior_on_the_edge_of_a_box_is_no_candidate() -> None:
    box = [16.0, 16.0, 24.0, 24.0]
    found = assign(Scene(torch.zeros(len(PRIORS), CLASSES), perfect_boxes(box), truth_of([box], [0])))
    assert len(found.positives) == 0


@pytest.mark.parametrize(("iou", "positives"), [(0.05, 1), (0.16, 2), (0.24, 3), (0.54, 7), (0.97, 12), (1.0, 13)])
def test_a_box_gets_as_many_positives_as_the_sum_of_its_13_best_ious(iou: float, positives: int) -> None:
    """All candidates overlap the box by the same IoU: int(13 * IoU), at least 1."""
    box = [1.0, 1.0, 95.0, 95.0]
    part = [1.0, 1.0, 95.0, 1 + 94 * iou]
    logits = torch.randn(len(PRIORS), CLASSES, generator=torch.Generator().manual_seed(0))
    found = assign(Scene(logits, perfect_boxes(part), truth_of([box], [2])))
    assert len(found.positives) == positives == max(1, int(13 * iou))
    torch.testing.assert_close(found.qualities, torch.full((positives,), iou), atol=1e-4, rtol=0)


def test_a_box_with_few_candidates_gets_no_more_positives_than_those() -> None:
    box = [15.0, 15.0, 25.0, 25.0]  # priors (16, 16) and (24, 24) and between: 4 of stride 8, 1 of stride 16
    inside = [row for row, (x, y, _) in enumerate(PRIORS.tolist()) if 15 < x < 25 and 15 < y < 25]
    found = assign(Scene(torch.zeros(len(PRIORS), CLASSES), perfect_boxes(box), truth_of([box], [0])))
    assert found.positives.tolist() == inside and len(inside) == 5


def test_a_prior_that_two_objects_want_learns_the_cheaper_one() -> None:
    """Twins in place and size: only the class decides."""
    box = [1.0, 1.0, 95.0, 95.0]
    logits = torch.full((len(PRIORS), CLASSES), -5.0)
    logits[:, 2] = 5.0
    found = assign(Scene(logits, perfect_boxes(box), truth_of([box, box, box], [0, 2, 3])))
    wanted = found.positives[found.objects == 1]
    assert len(wanted) == 13
    both = truth_of([box, box], [0, 2])
    order = assign(Scene(logits, perfect_boxes(box), both))
    assert order.positives.tolist() == found.positives.tolist()
    assert (order.objects == 1).all()  # the twin of the wrong class is left with nothing


def test_no_prior_learns_two_objects_and_positives_ascend() -> None:
    for seed in range(24):
        positives = assign(random_scene(seed)).positives
        assert bool((positives.diff() > 0).all())


def test_priors_in_an_ignore_region_are_ignored_unless_they_are_positive() -> None:
    box, crowd = [1.0, 1.0, 63.0, 63.0], [10.0, 10.0, 90.0, 90.0]
    logits = torch.randn(len(PRIORS), CLASSES, generator=torch.Generator().manual_seed(1))
    found = assign(Scene(logits, perfect_boxes(box), truth_of([box], [0], [crowd])))
    covered = {row for row, (x, y, _) in enumerate(PRIORS.tolist()) if 10 < x < 90 and 10 < y < 90}
    positives = set(found.positives.tolist())
    assert positives & covered and covered - positives
    assert set(found.ignored.nonzero().squeeze(1).tolist()) == covered - positives


def test_without_objects_ignore_regions_still_hold() -> None:
    scene = Scene(torch.zeros(len(PRIORS), CLASSES), perfect_boxes([0, 0, 9, 9]), truth_of([], [], [[0, 0, 9, 9]]))
    assert PRIORS[assign(scene).ignored].tolist() == [[8, 8, 8]]


def test_ignore_regions_change_nothing_about_the_positives() -> None:
    for seed in (1, 2, 4, 5):
        scene = random_scene(seed)
        bare = Scene(
            scene.logits,
            scene.boxes_xyxy,
            GroundTruth(scene.truth.boxes_xyxy, scene.truth.class_ids, torch.zeros(0, 4)),
        )
        crowded, free = assign(scene), assign(bare)
        assert crowded.positives.tolist() == free.positives.tolist()
        assert not crowded.ignored[crowded.positives].any() and not free.ignored.any()


@pytest.mark.parametrize("size", [30.0, 1e4])
def test_certain_predictions_of_any_size_leave_the_assignment_whole(size: float) -> None:
    scene = random_scene(2)
    logits = torch.where(scene.logits > 0, size, -size)
    found = assign_dynamic_soft_label(logits, scene.boxes_xyxy, PRIORS, scene.truth)
    assert len(found.positives) > 0 and bool(found.qualities.isfinite().all())


def test_the_assignment_carries_no_gradient() -> None:
    scene = random_scene(3)
    found = assign_dynamic_soft_label(
        scene.logits.requires_grad_(), scene.boxes_xyxy.requires_grad_(), PRIORS, scene.truth
    )
    assert not found.qualities.requires_grad
