"""The learning rate and the average of the weights over a run."""

from __future__ import annotations

import pytest
from nanoedge.config.schema import TrainingConfig
from nanoedge.training.averaging import ramped_decay
from nanoedge.training.module import learning_rate_factor

TRAINING = TrainingConfig(learning_rate=1e-3, final_learning_rate=5e-5, warmup_steps=100)


def test_the_learning_rate_rises_linearly_then_falls_to_its_final_value() -> None:
    rates = [1e-3 * learning_rate_factor(step, 1000, TRAINING) for step in range(1001)]
    assert rates[0] == pytest.approx(1e-3 / 101, rel=1e-3)
    assert rates[:100] == sorted(rates[:100])
    assert rates[100:] == sorted(rates[100:], reverse=True)
    assert rates[-1] == pytest.approx(5e-5)


def test_without_warm_up_training_starts_at_the_full_rate() -> None:
    assert learning_rate_factor(0, 1000, TRAINING.model_copy(update={"warmup_steps": 0})) == pytest.approx(1.0)


def test_the_average_follows_closely_at_first() -> None:
    assert ramped_decay(0.9998, 0) == pytest.approx(0.1)
    assert ramped_decay(0.9998, 1_000_000) == 0.9998
    decays = [ramped_decay(0.9998, updates) for updates in range(1000)]
    assert decays == sorted(decays)
