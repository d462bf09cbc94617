"""Memory, threads and delay over an hour: python -m tools.results.camera.soak [MINUTES]."""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from websockets.sync.client import connect

from tools.results.bundles import published_bundle
from tools.results.camera.running import RunningCamera, person_clip, status
from tools.results.figures import Figure, at_most, publish, within

MINUTES = 60.0
SETTLED = 60.0
SAMPLE_SECONDS = 5.0
BLOCKS = 12
LARGEST_GROWTH, LARGEST_DRIFT = 2.0, 0.1


def watch(page: str, stop: threading.Event, pictures: list[int]) -> None:
    """A viewer that takes a picture a second."""
    with connect(page.replace("http:", "ws:") + "live", max_size=None) as socket:
        while not stop.wait(1.0):
            socket.send("next")
            pictures.append(len(socket.recv()))


def main(minutes: float) -> None:
    """One process with page, events and lines of JSON."""
    latencies: list[tuple[float, float, float]] = []
    pictures: list[int] = []
    memory: list[tuple[float, float]] = []
    threads: list[int] = []
    files: list[int] = []
    with tempfile.TemporaryDirectory() as folder:
        bundle = published_bundle(Path(folder))
        arguments = ["--source", person_clip(), "--realtime", "--loop", "--jsonl", "-", "--serve", "127.0.0.1:0"]
        camera = RunningCamera(bundle, *arguments, "--events", Path(folder) / "events", "--events-mb", "5")
        page, stop = camera.page(), threading.Event()
        viewer = threading.Thread(target=watch, args=(page, stop, pictures))

        def read() -> None:
            for line in camera.lines():
                latencies.append((time.monotonic() - camera.started, line["latency_ms"], line["forward_ms"]))

        reader = threading.Thread(target=read)
        viewer.start()
        reader.start()
        while (age := time.monotonic() - camera.started) < minutes * 60:
            if age > SETTLED:
                memory.append((age, camera.megabytes()))
                threads.append(camera.threads())
                files.append(camera.open_files())
            time.sleep(SAMPLE_SECONDS)
        counters = status(page)["counters"]
        stop.set()
        viewer.join()
        camera.stop(reader)
    sizes = [size for _, size in memory]
    per_minute = round(60 / SAMPLE_SECONDS)
    by_minute = [statistics.median(sizes[n : n + per_minute]) for n in range(0, len(sizes), per_minute)]
    first = by_minute[0]
    length = (minutes * 60 - SETTLED) / BLOCKS
    frames = [
        [(ms, ms - forward) for age, ms, forward in latencies if 0 <= age - SETTLED - n * length < length]
        for n in range(BLOCKS)
    ]
    blocks = [[ms for ms, _ in block] for block in frames]
    medians = [statistics.median(block) for block in blocks if block]
    added = [statistics.median(ms for _, ms in block) for block in frames if block]
    p95 = [sorted(block)[round(0.95 * (len(block) - 1))] for block in blocks if block]
    middle = statistics.median(medians)
    figures = [
        Figure("minutes", minutes),
        Figure("results", counters["detected"]),
        Figure("stages begun anew", counters.get("capture_restarts", 0) + counters.get("detection_restarts", 0)),
        Figure("pictures sent to a viewer", len(pictures)),
        Figure("memory after the first minute, median of a minute", round(first, 1), "MB"),
        within(
            "later minutes against that: lowest",
            round(min(by_minute) - first, 2),
            -LARGEST_GROWTH,
            LARGEST_GROWTH,
            "MB",
        ),
        within(
            "later minutes against that: highest",
            round(max(by_minute) - first, 2),
            -LARGEST_GROWTH,
            LARGEST_GROWTH,
            "MB",
        ),
        Figure("the last minute against that", round(by_minute[-1] - first, 2), "MB"),
        Figure(
            "single samples against that, with the frames on their way",
            f"{min(sizes) - first:.1f} to {max(sizes) - first:.1f}",
            "MB",
        ),
        within("threads at the end against the first", threads[-1] - threads[0], 0, 0),
        within("open files at the end against the first", files[-1] - files[0], 0, 0),
        Figure("capture to boxes, median", round(middle, 2), "ms"),
        Figure("capture to boxes, p95 of twelfths, lowest to highest", f"{min(p95):.1f} to {max(p95):.1f}", "ms"),
        Figure("added to a frame's forward, medians of twelfths", f"{min(added):.2f} to {max(added):.2f}", "ms"),
        at_most(
            "largest difference of a twelfth's median from the median",
            round(max(abs(value - middle) for value in medians) / middle, 3),
            LARGEST_DRIFT,
        ),
    ]
    publish(
        figures,
        "the person clip with `--loop --realtime`, Plus-m 320 fp32, page with one viewer, events, lines of JSON; "
        f"resident memory, threads and open files every {SAMPLE_SECONDS:g} s after the first minute",
    )


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else MINUTES)
