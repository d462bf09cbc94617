"""The model: from counts to time.

A layer's micro-operations are given to pipes. Where a class may take one of several, work is spread as well as it can
be: then the busiest pipe is busy for the largest, over all sets of pipes, of the work that only that set can do, by the
number of its pipes (Hall's theorem for fractions). Beside the pipes stand two bounds more: the instructions by those
issued a cycle, and the lines that come from the second cache and from behind it by what passes a cycle.

    cycles = largest + (1 - overlap) * (the other busy pipes) + waiting
    waiting = lines that were not fetched ahead * their latency / misses at a time

Latencies of arithmetic, branches that were guessed wrong, and the caches of instructions and addresses are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from tools.cost_model.cores import Core
from tools.instructions.measure import Count

LINE = 64
ISSUE, MEMORY, WAITING = "issue", "memory", "waiting"


@dataclass(frozen=True)
class Cost:
    """What some counts take on a core.

    Attributes:
        cycles: in all.
        limit: what it waits for most: `issue`, `memory`, or pipes by their names.
        parts: cycles of each bound that is not zero, and `waiting`; the largest first.
        milliseconds: at the core's clock.
    """

    cycles: float
    limit: str
    parts: Mapping[str, float]
    milliseconds: float


def cost(count: Count, core: Core) -> Cost:
    """The modelled time of what was counted.

    Raises:
        ValueError: when something was executed that the core does not have.
    """
    work: dict[frozenset[str], float] = {}
    for name, number in count.classes.items():
        if name not in core.uses:
            raise ValueError(f"{core.title} does not execute {name}.")
        for pipes, cycles in core.uses[name].items():
            key = frozenset(pipes.split())
            work[key] = work.get(key, 0.0) + number * cycles
    bounds = {"+".join(sorted(pipes)): cycles for pipes, cycles in busy_pipes(work).items()}
    bounds[ISSUE] = count.instructions / core.issue
    near = sum(count.misses.get(name, 0) for name in ("l1_misses", "l1_in_order"))
    far = sum(count.misses.get(name, 0) for name in ("l2_misses", "l2_in_order"))
    bounds[MEMORY] = LINE * (near / core.l1_bytes + far / core.l2_bytes)
    limit = max(bounds, key=lambda name: bounds[name])
    latency = count.misses.get("l1_misses", 0) * core.l1_latency + count.misses.get("l2_misses", 0) * core.l2_latency
    waiting = latency / core.parallel_misses
    others = sum(cycles for name, cycles in bounds.items() if name not in (limit, ISSUE))
    cycles = bounds[limit] + (1 - core.overlap) * others + waiting
    parts = {name: value for name, value in {**bounds, WAITING: waiting}.items() if value}
    ordered = dict(sorted(parts.items(), key=lambda part: -part[1]))
    return Cost(cycles, limit, ordered, cycles / core.gigahertz / 1e6)


def busy_pipes(work: Mapping[frozenset[str], float]) -> dict[frozenset[str], float]:
    """Cycles of groups of pipes that share no work: what can only be done in each, by how many they are.

    Args:
        work: cycles by the pipes that may do it.
    """
    found: dict[frozenset[str], float] = {}
    for group in _groups(list(work)):
        pipes = sorted(frozenset().union(*group))
        best, cycles = frozenset(pipes), 0.0
        for size in range(1, len(pipes) + 1):
            for chosen in map(frozenset, combinations(pipes, size)):
                own = sum(amount for may, amount in work.items() if may <= chosen) / size
                if own > cycles:
                    best, cycles = chosen, own
        found[best] = cycles
    return found


def _groups(sets: list[frozenset[str]]) -> list[list[frozenset[str]]]:
    """Sets that share something, directly or through others, together."""
    groups: list[list[frozenset[str]]] = []
    for one in sets:
        touched = [group for group in groups if any(one & other for other in group)]
        groups = [group for group in groups if group not in touched]
        groups.append([one, *(other for group in touched for other in group)])
    return groups


def together(costs: Sequence[Cost]) -> Cost:
    """Several after one another."""
    names = dict.fromkeys(name for each in costs for name in each.parts)
    parts = {name: sum(each.parts.get(name, 0.0) for each in costs) for name in names}
    ordered = dict(sorted(parts.items(), key=lambda part: -part[1]))
    limit = next((name for name in ordered if name != WAITING), "")
    return Cost(sum(each.cycles for each in costs), limit, ordered, sum(each.milliseconds for each in costs))
