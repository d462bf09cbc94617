"""Eight Python threads on the C++ core, and one on two of its threads: python -m tools.results.core_threads."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from nanoedge.pictures import list_pictures, read_picture
from nanoedge.runtime.detector import Detector

from tools.results.bundles import published_bundle
from tools.results.figures import Figure, at_least, at_most, publish, shared_folder

THREADS, FRAMES, RUNS = 8, 160, 15
ALLOWANCE = 0.97  # of one thread's throughput: what a run may lose to noise


def main() -> None:
    """Frames a second of one thread, of eight with a shared detector, of eight with their own."""
    pictures = [read_picture(file) for file in list_pictures(shared_folder() / "data" / "coco_open300" / "images")[:8]]
    with tempfile.TemporaryDirectory() as folder:
        bundle = published_bundle(Path(folder))
        detectors = [Detector(bundle, "ncnn", threads=1) for _ in range(THREADS)]
        wanted = [detectors[0](picture).boxes_xyxy for picture in pictures]
        wrong = 0

        def work(detector: Detector, number: int, frames: int) -> None:
            nonlocal wrong
            for frame in range(number, number + frames):
                shown = frame % len(pictures)  # every thread meets every picture: the ways differ in nothing else
                if not np.array_equal(detector(pictures[shown]).boxes_xyxy, wanted[shown]):
                    wrong += 1

        def rate(choose: Callable[[int], Detector], threads: int) -> float:
            workers = [
                threading.Thread(target=work, args=(choose(number), number, FRAMES // threads))
                for number in range(threads)
            ]
            started = time.perf_counter()
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
            return FRAMES / (time.perf_counter() - started)

        two = Detector(bundle, "ncnn", threads=2)
        ways: dict[str, Callable[[], float]] = {
            "one": lambda: rate(lambda number: detectors[0], 1),
            "shared": lambda: rate(lambda number: detectors[0], THREADS),
            "own": lambda: rate(lambda number: detectors[number], THREADS),
            "two": lambda: rate(lambda number: two, 1),
            "two, busy": lambda: beside_another(lambda: rate(lambda number: two, 1)),
        }
        rates = {name: [] for name in ways}  # type: dict[str, list[float]]
        for _ in range(RUNS):
            for name, way in ways.items():
                rates[name].append(way())
    one, shared, own, two_quiet, two_busy = (statistics.median(rates[name]) for name in ways)
    figures = [
        Figure("one thread", round(one, 1), "frames/s"),
        at_least("eight threads share a detector: throughput to one thread's", round(shared / one, 3), ALLOWANCE),
        at_least("eight threads with their own: throughput to one thread's", round(own / one, 3), ALLOWANCE),
        Figure("one thread on a detector with two threads: throughput to that with one", round(two_quiet / one, 3)),
        Figure("the same beside a program that keeps one CPU busy", round(two_busy / one, 3)),
        at_most("wrong answers", wrong, 0),
    ]
    publish(figures, f"Plus-m 320 with ncnn on one thread each; {FRAMES} frames a run, medians of {RUNS} runs in turn")


def beside_another(measure: Callable[[], float]) -> float:
    """What `measure` gives while another process keeps one CPU busy."""
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        return measure()
    finally:
        other.kill()
        other.wait()


if __name__ == "__main__":
    main()
