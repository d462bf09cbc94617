"""What the model knows of CPUs: pipes, what each class of micro-operation occupies, caches.

Where the numbers come from:

- Cortex-A76: Arm, "Cortex-A76 Software Optimization Guide" (PJDOC-466751330-7215), whose pipes and throughputs are also
  those of the Neoverse N1 guide, as LLVM's AArch64SchedNeoverseN1.td has them class by class.
- Cortex-A72: Arm, "Cortex-A72 Software Optimization Guide" (UAN 0016A) for the pipes (one branch, two integer, one
  multi-cycle, two FP/ASIMD, one load, one store; three instructions decoded a cycle); what a class occupies is that of
  its predecessor with the same pipes, "Cortex-A57 Software Optimization Guide" (UAN 0015B), as in LLVM's
  AArch64SchedA57.td.
- Cortex-A53: Arm publishes no such guide. Two instructions a cycle in order, one load or store of 64 bits a cycle, and
  one vector operation of 128 bits a cycle are from its Technical Reference Manual (DDI 0500) and LLVM's
  AArch64SchedA53.td; that a load of 128 bits takes two cycles and keeps vector operations waiting was found by others'
  measurements.
- Zen: AMD, "Software Optimization Guide for AMD Family 17h Processors" (55723), with vectors of 256 bits as two of 128;
  it is here because it can be measured (check.py).

Measured by others and in agreement: the Raspberry Pi 5 does 38.4 GFLOP/s in fp32 and 153.5 GOP/s with sdot at 2.4 GHz
(two of 128 bits a cycle), the Raspberry Pi 4 12.0 GFLOP/s at 1.5 GHz, additions and products likewise (one of 128 bits
a cycle, two of 64), a Cortex-A53 of an RK3399 11.3 GFLOP/s at 1.4 GHz (one of 128 bits a cycle): benchmark_result of
the project cpufp, log of the project vfpbench.

Cache sizes are those of the boards. Latencies and bandwidths of memory are round numbers for them, `parallel_misses`
and `overlap` guesses; none was fitted to a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tools.instructions.measure import CacheSize

Use = Mapping[str, float]
"""Cycles that a micro-operation takes of a pipe, or of any one of several: their names with blanks between."""


@dataclass(frozen=True)
class Core:
    """A CPU core.

    Attributes:
        title: for people, with the clock.
        gigahertz: cycles a nanosecond.
        issue: instructions a cycle that all pipes together are given.
        uses: what a micro-operation occupies, by class. A class that is not here does not exist on that CPU.
        overlap: the share of the less busy pipes' work that is done beside that of the busiest: 1 where a CPU reorders
            instructions.
        caches: first and second level of data.
        l1_bytes, l2_bytes: a cycle, from the second level and from what lies behind it, when lines come in order.
        l1_latency, l2_latency: cycles until data come from there, for a line that was not fetched ahead.
        parallel_misses: how many of those are waited for at a time.
    """

    title: str
    gigahertz: float
    issue: float
    uses: Mapping[str, Use]
    overlap: float
    caches: tuple[CacheSize, CacheSize]
    l1_bytes: float
    l2_bytes: float
    l1_latency: float
    l2_latency: float
    parallel_misses: float


_A76: dict[str, Use] = {
    "branch": {"B": 1},
    "integer": {"S0 S1 M": 1},
    "integer_multiply": {"M": 1},
    "load": {"L0 L1": 1},
    "load_vector": {"L0 L1": 1},
    "load_wide": {"L0 L1": 1},
    "store": {"L0 L1": 1, "D": 1},
    "store_vector": {"L0 L1": 1, "V0 V1": 1},
    "store_wide": {"L0 L1": 2, "V0 V1": 2},
    "fp_multiply_add": {"V0 V1": 1},
    "fp": {"V0 V1": 1},
    "fp_slow": {"V0": 7},
    "convert": {"V0": 2},
    "multiply_long": {"V0": 1},
    "multiply": {"V0": 2},
    "pair_add": {"V1": 1},
    "dot": {"V0 V1": 1},
    "shift": {"V1": 1},
    "vector": {"V0 V1": 1},
    "table": {"V0 V1": 1},
    "zip": {"V0 V1": 1},
    "transfer": {"M V1": 1},
    "other": {"S0 S1 M": 1},
}
_A72: dict[str, Use] = {
    "branch": {"B": 1},
    "integer": {"I0 I1": 1},
    "integer_multiply": {"M": 1},
    "load": {"L": 1},
    "load_vector": {"L": 1},
    "load_wide": {"L": 1},
    "store": {"S": 1},
    "store_vector": {"S": 1},
    "store_wide": {"S": 2},
    "fp_multiply_add": {"F0 F1": 2},
    "fp": {"F0 F1": 2},
    "fp_slow": {"F0": 34},
    "convert": {"F0 F1": 2},
    "multiply_long": {"F0": 1},
    "multiply": {"F0": 2},
    "pair_add": {"F1": 1},
    "shift": {"F1": 1},
    "vector": {"F0 F1": 1},
    "table": {"F0 F1": 3},
    "zip": {"F0 F1": 3},
    "transfer": {"L": 1},
    "other": {"I0 I1": 1},
}
_A53: dict[str, Use] = {
    "branch": {"B": 1},
    "integer": {"A0 A1": 1},
    "integer_multiply": {"M": 1},
    "load": {"L": 1},
    "load_vector": {"L": 1},
    "load_wide": {"L": 2},
    "store": {"L": 1},
    "store_vector": {"L": 1},
    "store_wide": {"L": 2},
    "fp_multiply_add": {"N": 1},
    "fp": {"N": 1},
    "fp_slow": {"N": 26},
    "convert": {"N": 1},
    "multiply_long": {"N": 1},
    "multiply": {"N": 1},
    "pair_add": {"N": 1},
    "shift": {"N": 1},
    "vector": {"N": 1},
    "table": {"N": 1},
    "zip": {"N": 1},
    "transfer": {"L": 1},
    "other": {"A0 A1": 1},
}
_ZEN: dict[str, Use] = {
    "branch": {"I0 I1": 1},
    "integer": {"I0 I1 I2 I3": 1},
    "integer_multiply": {"I1": 1},
    "load": {"A0 A1": 1},
    "load_vector": {"A0 A1": 1},
    "load_wide": {"A0 A1": 1},
    "store": {"A0 A1": 1, "D": 1},
    "store_vector": {"A0 A1": 1, "D": 1},
    "store_wide": {"A0 A1": 1, "D": 1},
    "fp_multiply_add": {"F0 F1": 1},
    "fp": {"F0 F1 F2 F3": 1},
    "fp_slow": {"F3": 4},
    "convert": {"F3": 1},
    "multiply_long": {"F0": 1},
    "multiply": {"F0": 2},
    "shift": {"F2": 1},
    "vector": {"F0 F1 F3": 1},
    "zip": {"F1 F2": 1},
    "transfer": {"F2": 1},
    "other": {"I0 I1 I2 I3": 1},
}

_A53_CACHES = (CacheSize(32 * 1024, 4), CacheSize(512 * 1024, 16))


def _a53(board: str, gigahertz: float) -> Core:
    # Memory of these boards gives one core some 2 GB/s, and data after some 150 ns.
    return Core(
        title=f"Cortex-A53 at {gigahertz:g} GHz ({board})",
        gigahertz=gigahertz,
        issue=2,
        uses=_A53,
        overlap=0.5,
        caches=_A53_CACHES,
        l1_bytes=8,
        l2_bytes=2 / gigahertz,
        l1_latency=13,
        l2_latency=150 * gigahertz,
        parallel_misses=1,
    )


CORES: dict[str, Core] = {
    "cortex-a76": Core(
        title="Cortex-A76 at 2.4 GHz (Raspberry Pi 5)",
        gigahertz=2.4,
        issue=4,
        uses=_A76,
        overlap=1,
        caches=(CacheSize(64 * 1024, 4), CacheSize(512 * 1024, 8)),
        l1_bytes=32,
        l2_bytes=8 / 2.4,  # GB/s by GHz; a third level of 2 MB lies before the memory
        l1_latency=11,
        l2_latency=40 * 2.4,  # ns by GHz: some from the third level, some from memory
        parallel_misses=4,
    ),
    "cortex-a72": Core(
        title="Cortex-A72 at 1.5 GHz (Raspberry Pi 4)",
        gigahertz=1.5,
        issue=3,
        uses=_A72,
        overlap=1,
        caches=(CacheSize(32 * 1024, 2), CacheSize(1024 * 1024, 16)),
        l1_bytes=16,
        l2_bytes=4 / 1.5,
        l1_latency=21,
        l2_latency=150 * 1.5,
        parallel_misses=3,
    ),
    "cortex-a53": _a53("Raspberry Pi Zero 2 W", 1.0),
    "cortex-a53 1.4": _a53("Raspberry Pi 3B+", 1.4),
}
"""The boards, by the CPU as QEMU names it; a second clock behind it."""

ZEN = Core(
    title="Zen",
    gigahertz=1.0,  # check.py measures it
    issue=5,
    uses=_ZEN,
    overlap=1,
    caches=(CacheSize(32 * 1024, 8), CacheSize(512 * 1024, 8)),
    l1_bytes=32,
    l2_bytes=8,
    l1_latency=17,
    l2_latency=40,
    parallel_misses=4,
)
