"""Times that others published, of boards that are not here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """A published time.

    Attributes:
        title: the board and what ran on it.
        core: in `CORES`.
        compute: what ncnn calculates in there, as it chooses by itself.
        milliseconds: of a forward pass.
        work: its multiply-adds by those of the network that is counted, NanoDet-Plus-m 320.
    """

    title: str
    core: str
    compute: str
    milliseconds: float
    work: float


NANODET_M = 0.72
"""NanoDet-m 320 to NanoDet-Plus-m 320: the same backbone, a lighter neck and head."""
PUBLISHED = (
    Published("Raspberry Pi 5, ncnn, NanoDet-m 320, one thread", "cortex-a76", "fp16", 19.6, NANODET_M),
    Published("Raspberry Pi 4, ncnn, NanoDet-m 320, one thread", "cortex-a72", "fp32", 103.0, NANODET_M),
)
