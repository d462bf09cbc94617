"""The sum of the three losses: weights, divisors, and pictures without objects."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from nanoedge.config.schema import LossConfig
from nanoedge.losses.detection import BatchTargets, DetectionLoss, box_distances, detection_loss, total_loss
from nanoedge.losses.distribution_focal import distribution_focal_loss
from nanoedge.losses.iou import aligned_iou
from nanoedge.losses.quality_focal import quality_focal_loss
from nanoedge.models.priors import decode_boxes, make_priors

CLASSES = 3
PRIORS = make_priors(32, 32, (8, 16))  # 16 + 4
PUBLISHED = LossConfig()


def no_targets(pictures: int = 2) -> BatchTargets:
    none = torch.zeros(0, dtype=torch.long)
    return BatchTargets(none, none, torch.zeros(0), torch.zeros(0, 4), torch.ones(pictures * len(PRIORS)))


def five_targets() -> BatchTargets:
    """Positives in both pictures of a batch of two; one prior lies in an ignore region."""
    weights = torch.ones(2 * len(PRIORS))
    weights[3] = 0
    return BatchTargets(
        positives=torch.tensor([5, 6, 17, 20 + 5, 20 + 19]),
        class_ids=torch.tensor([0, 2, 2, 1, 0]),
        qualities=torch.tensor([0.8, 0.3, 0.0, 1.0, 0.55]),
        boxes_xyxy=torch.tensor(
            [[2.0, 3, 20, 22], [2, 3, 20, 22], [0, 0, 32, 32], [4, 4, 12, 12.5], [10, 10, 31, 200]]
        ),
        weights=weights,
    )


def predictions_of(seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, len(PRIORS), CLASSES + 32, generator=generator)


def loss_of(predictions: torch.Tensor, targets: BatchTargets, config: LossConfig = PUBLISHED, **more) -> DetectionLoss:
    boxes = decode_boxes(predictions[..., CLASSES:], PRIORS)
    return detection_loss(predictions, boxes, PRIORS, targets, CLASSES, config, **more)


def literal_terms(predictions: torch.Tensor, targets: BatchTargets) -> tuple[float, float, float]:
    """The facts, word for word, positive after positive: QFL * 1.0, DFL * 0.25, GIoU * 2.0."""
    boxes = decode_boxes(predictions[..., CLASSES:], PRIORS)
    weights, giou_sum, dfl_sum = [], 0.0, 0.0
    for place, row in enumerate(targets.positives.tolist()):
        picture, prior = divmod(row, len(PRIORS))
        raw = predictions[picture, prior]
        weight = max(1 / (1 + math.exp(-logit)) for logit in raw[:CLASSES].tolist())
        weights.append(weight)
        target = targets.boxes_xyxy[place]
        giou_sum += weight * (1 - float(aligned_iou(boxes[picture, prior][None], target[None], "giou")))
        x, y, stride = PRIORS[prior].tolist()
        x1, y1, x2, y2 = target.tolist()
        for side, pixels in enumerate((x - x1, y - y1, x2 - x, y2 - y)):
            distance = min(max(pixels / stride, 0.0), 6.9)
            bins = raw[CLASSES + 8 * side : CLASSES + 8 * side + 8].double().log_softmax(0).tolist()
            below = int(distance)
            share = distance - below
            dfl_sum -= weight * ((1 - share) * bins[below] + share * bins[below + 1])
    quality = quality_focal_loss(
        predictions.flatten(0, 1)[:, :CLASSES], targets.positives, targets.class_ids, targets.qualities, targets.weights
    )
    divisor = max(1.0, sum(weights))
    return (
        1.0 * float(quality) / max(1, len(weights)),
        0.25 * dfl_sum / (4 * divisor),
        2.0 * giou_sum / divisor,
    )


@pytest.mark.parametrize("seed", range(4))
def test_the_three_terms_are_the_published_ones(seed: int) -> None:
    predictions, targets = predictions_of(seed), five_targets()
    loss = loss_of(predictions, targets)
    quality, distribution, giou = literal_terms(predictions, targets)
    assert float(loss.quality_focal) == pytest.approx(quality, rel=1e-5)
    assert float(loss.distribution_focal) == pytest.approx(distribution, rel=1e-5)
    assert float(loss.giou) == pytest.approx(giou, rel=1e-5)
    assert float(loss.total) == pytest.approx(quality + distribution + giou, rel=1e-5)


def test_the_published_weights_are_the_defaults() -> None:
    assert (PUBLISHED.quality_focal, PUBLISHED.distribution_focal, PUBLISHED.giou) == (1.0, 0.25, 2.0)
    assert PUBLISHED.quality_focal_beta == 2.0


@pytest.mark.parametrize("name", ["quality_focal", "distribution_focal", "giou"])
def test_each_weight_scales_its_own_term_alone(name: str) -> None:
    predictions, targets = predictions_of(0), five_targets()
    before = loss_of(predictions, targets)
    after = loss_of(predictions, targets, PUBLISHED.model_copy(update={name: 3 * getattr(PUBLISHED, name)}))
    for term in ("quality_focal", "distribution_focal", "giou"):
        factor = 3 if term == name else 1
        torch.testing.assert_close(getattr(after, term), factor * getattr(before, term))


def test_pictures_without_any_object_teach_background_only() -> None:
    predictions = predictions_of(1).requires_grad_()
    loss = loss_of(predictions, no_targets())
    loss.total.backward()
    assert loss.distribution_focal.item() == 0 and loss.giou.item() == 0
    assert bool(loss.total.isfinite()) and loss.quality_focal.item() > 0
    assert bool(predictions.grad.isfinite().all())
    assert bool((predictions.grad[..., :CLASSES] > 0).all())  # every class score is pressed down
    assert float(predictions.grad[..., CLASSES:].abs().max()) == 0


def test_without_objects_the_divisor_of_the_class_term_is_1() -> None:
    predictions, targets = predictions_of(1), no_targets()
    flat = predictions.flatten(0, 1)[:, :CLASSES]
    none = targets.positives
    summed = quality_focal_loss(flat, none, none, targets.qualities, targets.weights)
    torch.testing.assert_close(loss_of(predictions, targets).quality_focal, summed)


def test_the_class_term_is_divided_by_the_number_of_positives() -> None:
    predictions, targets = predictions_of(2), five_targets()
    logits = predictions.flatten(0, 1)[:, :CLASSES]
    summed = quality_focal_loss(logits, targets.positives, targets.class_ids, targets.qualities, targets.weights)
    torch.testing.assert_close(loss_of(predictions, targets).quality_focal, summed / 5)


def test_improbable_positives_do_not_blow_up_the_box_terms() -> None:
    """The sum of the weights is far below 1, and the divisor stays 1."""
    predictions, targets = predictions_of(3), five_targets()
    predictions[..., :CLASSES] = -10.0
    weight = 1 / (1 + math.exp(10))
    boxes = decode_boxes(predictions[..., CLASSES:], PRIORS).flatten(0, 1)[targets.positives]
    missed = (1 - aligned_iou(boxes, targets.boxes_xyxy, "giou")).sum()
    torch.testing.assert_close(loss_of(predictions, targets).giou, 2 * weight * missed)


def test_the_weights_of_the_box_terms_send_no_gradient_to_the_classes() -> None:
    predictions = predictions_of(0).requires_grad_()
    loss = loss_of(predictions, five_targets())
    (loss.giou + loss.distribution_focal).backward()
    assert float(predictions.grad[..., :CLASSES].abs().max()) == 0
    learning = predictions.grad[..., CLASSES:].flatten(0, 1).abs().sum(dim=1) > 0
    assert learning.nonzero().squeeze(1).tolist() == five_targets().positives.tolist()


def test_a_prior_in_an_ignore_region_counts_for_nothing() -> None:
    predictions, targets = predictions_of(0), five_targets()
    before = loss_of(predictions, targets).total
    predictions[0, 3] = 9.0
    torch.testing.assert_close(loss_of(predictions, targets).total, before)
    counted = replace(targets, weights=torch.ones_like(targets.weights))
    assert float(loss_of(predictions, counted).total) > float(before) + 1


def test_both_divisors_are_those_of_all_devices() -> None:
    predictions, targets = predictions_of(0), five_targets()
    alone = loss_of(predictions, targets)
    seen = []

    def other_device_has_three_times_as_much(value: torch.Tensor) -> torch.Tensor:
        seen.append(float(value))
        return (value + 3 * value) / 2

    shared = loss_of(predictions, targets, divisor=other_device_has_three_times_as_much)
    weight_sum = float(predictions.flatten(0, 1)[targets.positives, :CLASSES].amax(dim=1).sigmoid().sum())
    assert seen == [5, pytest.approx(weight_sum)]
    for term in ("quality_focal", "distribution_focal", "giou"):
        torch.testing.assert_close(getattr(shared, term), getattr(alone, term) / 2)


def test_distances_are_left_top_right_bottom_in_strides_and_stay_below_the_last_bin() -> None:
    priors = torch.tensor([[16.0, 24.0, 8.0], [16.0, 24.0, 8.0]])
    boxes = torch.tensor([[4.0, 20, 36, 25], [20, 0, 400, 10]])
    torch.testing.assert_close(
        box_distances(boxes, priors, reg_max=7), torch.tensor([[1.5, 0.5, 2.5, 0.125], [0, 3.0, 6.9, 0]])
    )


def test_a_target_at_the_clamp_can_be_learned() -> None:
    distances = box_distances(torch.tensor([[-999.0, -999, 999, 999]]), torch.tensor([[16.0, 16, 8]]), reg_max=7)
    loss = distribution_focal_loss(torch.zeros(4, 8), distances.reshape(-1), torch.ones(4), torch.tensor(1.0))
    assert float(loss) == pytest.approx(4 * math.log(8), rel=1e-5)


def test_the_total_is_the_sum_over_head_and_agm() -> None:
    losses = [loss_of(predictions_of(seed), five_targets()) for seed in (0, 1)]
    torch.testing.assert_close(total_loss(losses), losses[0].total + losses[1].total)
