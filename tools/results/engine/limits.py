"""The ratios that are wanted, and on which CPUs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.results.engine.latency import Row
from tools.results.figures import Figure, at_most

NATIVE, NATIVE_BF16, NATIVE_INT8 = (
    Row("native", "float", "fp32"),
    Row("native", "float", "bf16"),
    Row("native", "int8", "fp32"),
)
OPENVINO, OPENVINO_BF16 = Row("openvino", "float", "fp32"), Row("openvino", "float", "bf16")

KINDS: dict[str, tuple[str, ...]] = {
    "AMX": ("amx_tile", "amx_int8", "amx_bf16", "avx512_vnni"),
    "AVX-512 VNNI": ("avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni"),
    "AVX-512": ("avx512f", "avx512bw", "avx512dq", "avx512vl"),
    "AVX-VNNI": ("avx2", "fma", "avx_vnni"),
    "AVX2": ("avx2", "fma"),
    "none of these": (),
}
"""Kinds of CPU, the best first, by the flags that Linux shows."""
BF16_FLAGS = ("avx512_bf16", "amx_bf16")
OTHER_NETWORKS = 1.2
"""What networks that the limits are not stated for may take more."""


@dataclass(frozen=True)
class Ratio:
    """Forward of one row to that of another.

    Attributes:
        limits: the largest that is wanted, by the kind of CPU.
    """

    one: Row
    other: Row
    limits: Mapping[str, float]

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.one.title} to {self.other.title}, forward"


RATIOS = (
    Ratio(NATIVE_INT8, OPENVINO_BF16, {"AMX": 0.24, "AVX-512 VNNI": 0.31}),
    Ratio(NATIVE_INT8, OPENVINO, {"AVX2": 0.7}),
    Ratio(NATIVE, OPENVINO, {"AMX": 0.62, "AVX-512 VNNI": 0.62, "AVX-512": 0.62, "AVX2": 1.1}),
    Ratio(NATIVE_BF16, OPENVINO_BF16, {"AMX": 0.45}),
)
END_TO_END = {"AMX": 0.35, "AVX-512 VNNI": 0.35}
"""Milliseconds that a frame may take in int8 beside the network, by the kind of CPU."""


def kind_of(flags: Collection[str]) -> str:
    """The kind of a CPU with these flags."""
    return next(kind for kind, needed in KINDS.items() if set(needed) <= set(flags))


def cpu_flags(information: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """The flags of the first CPU; none where the system shows no such file."""
    for line in information.read_text().splitlines() if information.is_file() else []:
        if line.startswith("flags"):
            return frozenset(line.split(":", 1)[1].split())
    return frozenset()


def judged(title: str, ratio: Ratio, value: float | None, kind: str, is_base: bool) -> Figure:
    """A ratio as a figure; where this kind of CPU has no limit, in words which have one.

    Args:
        title: what it is called.
        ratio: which one.
        value: measured; `None` where a row was missing.
        kind: of the CPU, as the kernels saw it.
        is_base: whether it is the network that the limits are stated for.
    """
    share = 1.0 if is_base else OTHER_NETWORKS
    if value is not None and kind in ratio.limits:
        return at_most(title, value, round(ratio.limits[kind] * share, 3))
    wanted = ", ".join(f"≤ {round(limit * share, 3):g} with {name}" for name, limit in ratio.limits.items())
    return Figure(title, "not measured" if value is None else value, "", wanted)
