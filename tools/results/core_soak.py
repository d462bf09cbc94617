"""Memory over many frames through one detector: python -m tools.results.core_soak [FRAMES]."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from nanoedge.runtime.detector import Detector

from tools.results.figures import Figure, at_most, publish
from tools.sanitize import make_bundle

FRAMES, SETTLED = 200_000, 1_000
LARGEST_GROWTH = 1.0  # MB: the noise of what the system counts as resident


def main(frames: int) -> None:
    """Frames of changing content and three sizes; resident memory after the first 1,000 and at the end."""
    random = np.random.default_rng(0)
    pictures = [random.integers(0, 256, (*size, 3), np.uint8) for size in ((480, 640), (240, 320), (360, 640))]
    with tempfile.TemporaryDirectory() as folder:
        detector = Detector(make_bundle(Path(folder)), "ncnn", threads=1, score_threshold=0.01)
        settled, largest, boxes = 0.0, 0.0, 0
        for number in range(1, frames + 1):
            boxes += len(detector(pictures[number // 50 % 3]))
            if number == SETTLED:
                settled = resident_megabytes()
            if number > SETTLED and number % 1000 == 0:
                largest = max(largest, resident_megabytes())
    figures = [
        Figure("frames", frames),
        Figure("boxes", boxes),
        Figure("memory after the first 1,000 frames", round(settled, 1), "MB"),
        at_most("growth after them, largest", round(largest - settled, 2), LARGEST_GROWTH, "MB"),
    ]
    publish(
        figures, "a small network with ncnn, one thread; three sizes of frames in turn; resident memory of the process"
    )


def resident_megabytes() -> float:
    """Memory of this process that is in RAM."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else FRAMES)
