"""Latency of each stage of detectors, interleaved so that a machine's changing speed touches all alike."""

from __future__ import annotations

import time
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
            started = time.perf_counter()
            tensor, placed = detector.preprocess(picture)
            prepared = time.perf_counter()
            output = detector.forward(tensor)
            calculated = time.perf_counter()
            detector.postprocess(output, placed)
            done = time.perf_counter()
            if number >= 0:
                times[place, number] = (prepared - started, calculated - prepared, done - calculated)
    rows = []
    for detector, seconds in zip(detectors, times * 1000, strict=True):
        row: dict[str, Any] = {
            "engine": detector.engine,
            "precision": detector.precision,
            "compute": detector.compute,
            "threads": detector.threads,
        }
        for stage, values in (*zip(STAGES, seconds.T, strict=True), ("total", seconds.sum(axis=1))):
            row[stage] = {f"p{share}": round(float(np.percentile(values, share)), 3) for share in PERCENTILES}
        rows.append(row)
    return rows
