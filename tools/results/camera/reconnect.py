"""A camera on the network that is killed and returns: python -m tools.results.camera.reconnect [ROUNDS]."""

from __future__ import annotations

import queue
import random
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.video.mjpeg_server import MjpegServer
from tests.video.network_camera import NetworkCamera
from tests.video.rtsp_server import PACKAGES, RtspServer, rtsp_server_is_installed

from tools.results.bundles import published_bundle
from tools.results.camera.running import RunningCamera, status
from tools.results.figures import Figure, at_most, publish, within

ROUNDS = 20
SETTLED = 2
SEED = 5
RATE, SIZE = 25, (640, 480)
SHOWN, GONE = (0.5, 3.0), (0.2, 6.0)
"""Seconds, at least and at most, for which the server sends after a return, and for which it is away."""

PATIENCE = 90.0
LARGEST_GROWTH = 2.0


@dataclass
class Watched:
    """What one server's kills and returns led to.

    Attributes:
        waits: seconds from each return of the server to the next boxes.
        memory: resident, MB, after each round; `threads` and `files`, how many, likewise.
        counters: of the camera, at the end.
    """

    waits: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)


def watched(bundle: Path, server: NetworkCamera, address: str, rounds: int, draw: random.Random) -> Watched:
    """One process with page and lines of JSON; the server is killed so many times."""
    moments: queue.Queue[float] = queue.Queue()
    server.start()
    camera = RunningCamera(bundle, "--source", address, "--jsonl", "-", "--serve", "127.0.0.1:0")

    def read() -> None:
        for _ in camera.lines():
            moments.put(time.monotonic())

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    found = Watched()
    try:
        page = camera.page()
        next_result(moments, camera.started)
        for number in range(rounds):
            time.sleep(draw.uniform(*SHOWN))
            server.kill()
            time.sleep(draw.uniform(*GONE))
            server.start()
            returned = time.monotonic()
            found.waits.append(next_result(moments, returned) - returned)
            time.sleep(SHOWN[0])
            found.memory.append(camera.megabytes())
            found.threads.append(camera.threads())
            found.files.append(camera.open_files())
            print(f"round {number + 1}: {found.waits[-1]:.2f} s, {found.memory[-1]:.1f} MB", file=sys.stderr)
        found.counters = status(page)["counters"]
    finally:
        server.kill()
        camera.stop(reader)
    return found


def next_result(moments: queue.Queue[float], after: float) -> float:
    """When the first boxes behind that moment came."""
    while True:
        try:
            moment = moments.get(timeout=PATIENCE)
        except queue.Empty:
            sys.exit(f"No boxes came for {PATIENCE:g} s after the server was there.")
        if moment > after:
            return moment


def figures_of(name: str, found: Watched, rounds: int) -> list[Figure]:
    """What is told of one server."""
    back = found.counters.get("reconnected", 0)
    quarter = max(1, rounds // 4)
    early, late = (statistics.median(part) for part in (found.memory[:quarter], found.memory[-quarter:]))
    return [
        Figure(f"{name}: reconnected", back, f"of {rounds}", f"{rounds} of {rounds}", back == rounds),
        Figure(f"{name}: stages begun anew", found.counters.get("capture_restarts", 0)),
        Figure(
            f"{name}: from the server's return to the next boxes, median", round(statistics.median(found.waits), 2), "s"
        ),
        Figure(f"{name}: from the server's return to the next boxes, longest", round(max(found.waits), 2), "s"),
        Figure(f"{name}: memory, median of the first {quarter} rounds", round(early, 1), "MB"),
        at_most(
            f"{name}: memory, median of the last {quarter} rounds against that",
            round(late - early, 2),
            LARGEST_GROWTH,
            "MB",
        ),
        Figure(f"{name}: open files after round {SETTLED}", found.files[SETTLED - 1]),
        within(f"{name}: open files, round {rounds} against that", found.files[-1] - found.files[SETTLED - 1], 0, 0),
        Figure(f"{name}: threads after round {SETTLED}", found.threads[SETTLED - 1]),
        within(f"{name}: threads, round {rounds} against that", found.threads[-1] - found.threads[SETTLED - 1], 0, 0),
    ]


def main(rounds: int) -> None:
    """RTSP by TCP, then HTTP."""
    if not rtsp_server_is_installed():
        sys.exit(f"This benchmark needs {PACKAGES} (Debian).")
    draw = random.Random(SEED)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bundle = published_bundle(folder)
        rtsp, http = RtspServer(folder, RATE, SIZE), MjpegServer(folder, RATE, SIZE)
        figures += figures_of("RTSP", watched(bundle, rtsp, rtsp.address(), rounds, draw), rounds)
        figures += figures_of("HTTP", watched(bundle, http, http.address, rounds, draw), rounds)
    publish(
        figures,
        f"`nanoedge camera` with page and lines of JSON, Plus-m 320 fp32, watches a server on loopback ({SIZE[0]} x "
        f"{SIZE[1]}, {RATE} a second; RTSP: gst-rtsp-server, H.264 by TCP with a whole picture each second; HTTP: JPEG "
        f"pictures), which gets SIGKILL {rounds} times, {SHOWN[0] * 2:g} to {SHOWN[0] + SHOWN[1]:g} s after boxes are "
        f"there again, and returns {GONE[0]:g} to {GONE[1]:g} s later",
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
