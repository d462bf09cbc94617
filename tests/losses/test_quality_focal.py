"""Quality focal loss against its formula, written densely."""

from __future__ import annotations

import math

import pytest
import torch
from nanoedge.losses.quality_focal import quality_focal_loss

PRIORS, CLASSES = 12, 5


def literal_loss(
    logits: torch.Tensor,
    positives: torch.Tensor,
    class_ids: torch.Tensor,
    qualities: torch.Tensor,
    weights: torch.Tensor,
    beta: float,
) -> float:
    """Equation 4 for each prior and class: -|y - p|^beta * ((1 - y) log(1 - p) + y log p), y = onehot * quality."""
    target = [[0.0] * logits.shape[1] for _ in range(logits.shape[0])]
    for row, kind, quality in zip(positives.tolist(), class_ids.tolist(), qualities.tolist(), strict=True):
        target[row][kind] = quality
    total = 0.0
    for row, values in enumerate(logits.double().tolist()):
        for kind, logit in enumerate(values):
            p, y = 1 / (1 + math.exp(-logit)), target[row][kind]
            entropy = -(1 - y) * math.log(1 - p) - y * math.log(p)
            total += float(weights[row]) * abs(y - p) ** beta * entropy
    return total


def random_case(seed: int, positives: int = 4) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {
        "logits": torch.randn(PRIORS, CLASSES, generator=generator) * 3,
        "positives": torch.randperm(PRIORS, generator=generator)[:positives].sort().values,
        "class_ids": torch.randint(CLASSES, (positives,), generator=generator),
        "qualities": torch.rand(positives, generator=generator),
        "weights": (torch.rand(PRIORS, generator=generator) > 0.3).float(),
    }


@pytest.mark.parametrize("beta", [1.0, 2.0, 2.5])
@pytest.mark.parametrize("seed", range(5))
def test_the_loss_is_the_formula_summed_over_all_priors_and_classes(seed: int, beta: float) -> None:
    case = random_case(seed)
    assert float(quality_focal_loss(**case, beta=beta)) == pytest.approx(literal_loss(**case, beta=beta), rel=1e-5)


def test_two_is_the_usual_exponent() -> None:
    case = random_case(7)
    assert float(quality_focal_loss(**case)) == float(quality_focal_loss(**case, beta=2.0))


def test_without_positives_everything_is_background() -> None:
    case = random_case(1, positives=0)
    assert float(quality_focal_loss(**case)) == pytest.approx(literal_loss(**case, beta=2.0), rel=1e-5)


def test_a_weight_of_0_takes_a_prior_out_whatever_it_predicts() -> None:
    case = random_case(2)
    out = int(case["positives"][0])
    case["weights"] = torch.ones(PRIORS)
    case["weights"][out] = 0
    loss = quality_focal_loss(**case)
    case["logits"][out] = 8.0
    torch.testing.assert_close(quality_focal_loss(**case), loss)
    case["weights"][out] = 1
    assert float(quality_focal_loss(**case)) > float(loss) + 1


def test_a_prior_without_weight_receives_no_gradient() -> None:
    case = random_case(3)
    case["weights"] = torch.ones(PRIORS)
    case["weights"][[2, 5]] = 0
    case["logits"].requires_grad_()
    quality_focal_loss(**case).backward()
    moved = case["logits"].grad.abs().sum(dim=1) > 0
    assert moved.tolist() == [row not in (2, 5) for row in range(PRIORS)]


def test_the_loss_is_least_where_the_score_is_the_quality() -> None:
    quality = torch.tensor([0.7])
    one = {"positives": torch.tensor([0]), "class_ids": torch.tensor([0]), "weights": torch.ones(1)}
    best = quality.logit().view(1, 1)
    losses = [float(quality_focal_loss(best + shift, qualities=quality, **one)) for shift in (-0.5, -0.1, 0, 0.1, 0.5)]
    assert losses[2] == pytest.approx(0, abs=1e-6)
    assert losses[0] > losses[1] > losses[2] < losses[3] < losses[4]


@pytest.mark.parametrize("size", [1e-3, 1.0, 30.0, 1e4])
@pytest.mark.parametrize("quality", [0.0, 0.5, 1.0])
def test_gradients_stay_finite_for_logits_of_any_size(size: float, quality: float) -> None:
    logits = torch.tensor([[size, -size], [-size, size]], requires_grad=True)
    positives, class_ids = torch.tensor([0, 1]), torch.tensor([0, 0])
    loss = quality_focal_loss(logits, positives, class_ids, torch.full((2,), quality), torch.ones(2))
    loss.backward()
    assert bool(loss.isfinite()) and bool(logits.grad.isfinite().all())
