"""Latency of each stage of detectors, interleaved so that a machine's changing speed touches all alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nanoedge.pictures import Picture
from nanoedge.runtime.detector import Detector

STAGES = ("preprocess", "forward", "postprocess")
PERCENTILES = (50, 90, 99)
WARM_UP = 5


def measure_latency(detectors: Sequence[Detector], picture: Picture, rounds: int = 50) -> list[dict[str, Any]]:
    """Time the stages of each detector on one picture.

    Args:
        detectors: measured in turn, round by round.
        picture: uint8 BGR.
        rounds: counted rounds after 5 that are not.

    Returns:
        For each detector engine, precision, compute, threads, and for each stage and their `total` p50, p90 and p99 in
        milliseconds.
    """
    times = np.zeros((len(detectors), rounds, len(STAGES)))
    for number in range(-WARM_UP, rounds):
        for place, detector in enumerate(detectors):
            _, stages = detector.timed(picture)
            if number >= 0:
                times[place, number] = stages
    rows = []
    for detector, milliseconds in zip(detectors, times, strict=True):
        row: dict[str, Any] = {
            "engine": detector.engine,
            "precision": detector.precision,
            "compute": detector.compute,
            "threads": detector.threads,
        }
        for stage, values in (*zip(STAGES, milliseconds.T, strict=True), ("total", milliseconds.sum(axis=1))):
            row[stage] = {f"p{share}": round(float(np.percentile(values, share)), 6) for share in PERCENTILES}
        rows.append(row)
    return rows
