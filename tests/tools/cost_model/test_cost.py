"""From counts to modelled time."""

from __future__ import annotations

import dataclasses

import pytest
from tools.cost_model.cores import CORES, ZEN, Core
from tools.cost_model.cost import busy_pipes, cost, together
from tools.cost_model.published import PUBLISHED
from tools.instructions.measure import CacheSize, Count

CACHES = CacheSize(1024, 1), CacheSize(2048, 1)
USES = {"integer": {"A B": 1}, "multiply": {"A": 1}, "load": {"L": 2}}
CORE = Core("test", 2.0, 4, USES, 1.0, CACHES, 16, 4, 10, 100, 2)


def pipes(**work: float) -> dict[str, float]:
    """`AB=3`: three cycles of either."""
    found = busy_pipes({frozenset(names): cycles for names, cycles in work.items()})
    return {"".join(sorted(group)): cycles for group, cycles in found.items()}


def test_work_is_spread_over_the_pipes_that_can_do_it() -> None:
    assert pipes(AB=6) == {"AB": 3}
    assert pipes(AB=6, A=2) == {"AB": 4}
    assert pipes(AB=2, A=8) == {"A": 8}
    assert pipes(AB=6, A=6, B=2) == {"AB": 7}
    assert pipes(AB=6, CD=4, D=3) == {"AB": 3, "CD": 3.5}
    assert pipes() == {}


def test_the_busiest_decides_where_a_cpu_reorders() -> None:
    found = cost(Count(8, 0, 0, {"integer": 4, "multiply": 2, "load": 3}), CORE)
    assert (found.cycles, found.limit) == (6, "L")
    assert found.parts == {"L": 6, "A+B": 3, "issue": 2}
    assert found.milliseconds == pytest.approx(6 / 2e6)
    assert cost(Count(100, 0, 0, {"load": 3}), CORE).limit == "issue"


def test_a_cpu_in_order_waits_for_a_part_of_the_rest() -> None:
    in_order = dataclasses.replace(CORE, overlap=0.5)
    assert cost(Count(8, 0, 0, {"integer": 4, "multiply": 4, "load": 3}), in_order).cycles == 6 + 0.5 * 4


def test_lines_that_were_fetched_ahead_cost_bandwidth_alone() -> None:
    ahead = Count(1, 0, 0, {}, {"l1_in_order": 10, "l2_in_order": 2})
    assert cost(ahead, CORE).cycles == 64 * (10 / 16 + 2 / 4)
    missed = Count(1, 0, 0, {}, {"l1_misses": 10, "l2_misses": 2})
    assert cost(missed, CORE).cycles == cost(ahead, CORE).cycles + (10 * 10 + 2 * 100) / 2
    assert cost(missed, CORE).parts["waiting"] == 150


def test_several_follow_one_another() -> None:
    one, other = cost(Count(8, 0, 0, {"load": 3}), CORE), cost(Count(80, 0, 0, {"load": 1}), CORE)
    both = together([one, other])
    assert both.cycles == one.cycles + other.cycles == 26
    assert both.parts == {"issue": 22, "L": 8} and both.limit == "issue"


def test_what_a_core_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Cortex-A72 .* does not execute dot"):
        cost(Count(1, 0, 0, {"dot": 1}), CORES["cortex-a72"])


@pytest.mark.parametrize(
    ("core", "class_", "lanes", "published"),
    [
        ("cortex-a76", "fp_multiply_add", 2 * 4, 38.4),
        ("cortex-a76", "dot", 2 * 16, 153.5),
        ("cortex-a72", "fp_multiply_add", 2 * 4, 11.97),
        ("cortex-a53 1.4", "fp_multiply_add", 2 * 4, 11.2),
    ],
)
def test_peaks_are_those_that_were_measured(core: str, class_: str, lanes: int, published: float) -> None:
    """Published measurements in GFLOP/s and GOP/s; a multiply-add is two."""
    number = 10**6
    found = cost(Count(number, 0, 0, {class_: number}), CORES[core])
    assert lanes * number / found.milliseconds / 1e6 == pytest.approx(published, rel=0.01)


def test_every_core_is_complete() -> None:
    """No class is named that another core of the same instruction set does not know, but for dot products."""
    arm = [set(core.uses) for core in CORES.values()]
    assert set.union(*arm) - {"dot"} == set.intersection(*arm) - {"dot"}
    assert {each.core for each in PUBLISHED} <= set(CORES)
    for core in (*CORES.values(), ZEN):
        for cache in core.caches:
            sets = cache.size // 64 // cache.ways
            assert sets & (sets - 1) == 0, core.title
