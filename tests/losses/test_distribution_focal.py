"""Distribution focal loss against its formula."""

from __future__ import annotations

import math

import pytest
import torch
from nanoedge.losses.distribution_focal import distribution_focal_loss

BINS = 8


def literal_loss(distributions: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor, normaliser: float) -> float:
    """Equation 6: -((y_above - y) log S_below + (y - y_below) log S_above)."""
    total = 0.0
    for logits, target, weight in zip(distributions.tolist(), targets.tolist(), weights.tolist(), strict=True):
        norm = sum(math.exp(logit) for logit in logits)
        below = math.floor(target)
        above = below + 1
        log_below, log_above = (math.log(math.exp(logits[place]) / norm) for place in (below, above))
        total -= weight * ((above - target) * log_below + (target - below) * log_above)
    return total / normaliser


@pytest.mark.parametrize("seed", range(5))
def test_the_loss_is_the_formula(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    distributions = torch.randn(20, BINS, generator=generator) * 2
    targets = torch.rand(20, generator=generator) * 6.9
    weights = torch.rand(20, generator=generator)
    loss = distribution_focal_loss(distributions, targets, weights, torch.tensor(3.5))
    assert float(loss) == pytest.approx(literal_loss(distributions, targets, weights, 3.5), rel=1e-5)


def test_whole_numbers_use_their_own_bin_alone() -> None:
    for target in range(BINS - 1):
        distributions = torch.full((1, BINS), -60.0)
        distributions[0, target] = 60.0
        loss = distribution_focal_loss(distributions, torch.tensor([float(target)]), torch.ones(1), torch.tensor(1.0))
        assert float(loss) == pytest.approx(0, abs=1e-6)


def test_the_loss_is_least_where_the_two_bins_share_as_the_target_does() -> None:
    target = torch.tensor([2.25])

    def loss(share_above: float) -> float:
        distributions = torch.full((1, BINS), -60.0)
        distributions[0, 2], distributions[0, 3] = math.log(1 - share_above), math.log(share_above)
        return float(distribution_focal_loss(distributions, target, torch.ones(1), torch.tensor(1.0)))

    assert loss(0.25) < min(loss(0.2), loss(0.3)) < max(loss(0.2), loss(0.3)) < loss(0.6)


def test_a_weight_of_0_takes_a_side_out() -> None:
    distributions = torch.randn(3, BINS, requires_grad=True)
    weights = torch.tensor([1.0, 0.0, 1.0])
    distribution_focal_loss(distributions, torch.tensor([0.5, 3.2, 6.9]), weights, torch.tensor(1.0)).backward()
    assert (distributions.grad.abs().sum(dim=1) > 0).tolist() == [True, False, True]


@pytest.mark.parametrize("target", [0.0, 0.5, 6.0, 6.9, 6.999])
@pytest.mark.parametrize("size", [0.0, 1e4])
def test_gradients_are_finite_at_the_ends_of_the_range(target: float, size: float) -> None:
    distributions = torch.linspace(-size, size, BINS)[None].requires_grad_()
    loss = distribution_focal_loss(distributions, torch.tensor([target]), torch.ones(1), torch.tensor(1.0))
    loss.backward()
    assert bool(loss.isfinite()) and bool(distributions.grad.isfinite().all())


def test_no_positives_give_0() -> None:
    loss = distribution_focal_loss(torch.zeros(0, BINS), torch.zeros(0), torch.zeros(0), torch.tensor(1.0))
    assert float(loss) == 0
