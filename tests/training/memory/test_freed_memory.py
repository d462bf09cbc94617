"""The allocator keeps what a step frees, and training's optimiser is the one that the figures are measured with."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest
import torch
from nanoedge.config.schema import TrainingConfig
from nanoedge.training.module import adamw

STEPS = """
import resource, torch
from nanoedge.training.memory.freed_memory import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        held = [torch.ones(4_000_000) for _ in range(10)]  # 10 x 16 MB, more than glibc keeps by itself
        del held
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

usual = faults()
assert keep_freed_memory()
faults(), faults()
print(usual, faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the settings are those of glibc")
def test_memory_that_was_freed_is_not_taken_from_the_system_again() -> None:
    done = subprocess.run([sys.executable, "-c", STEPS], capture_output=True, text=True, check=True)
    usual, kept = map(int, done.stdout.split())
    assert kept < usual / 2


def test_adamw_of_one_kernel_takes_the_steps_of_the_plain_one() -> None:
    training = TrainingConfig()
    weights = []
    for fused in (False, True):
        torch.manual_seed(0)
        layer = torch.nn.Linear(8, 8)
        optimiser = adamw(layer, training)
        assert optimiser.param_groups[0]["fused"] is True
        optimiser.param_groups[0]["fused"] = fused
        for _ in range(5):
            optimiser.zero_grad()
            layer(torch.randn(4, 8)).square().sum().backward()
            optimiser.step()
        weights.append(layer.weight.detach())
    torch.testing.assert_close(weights[0], weights[1])
