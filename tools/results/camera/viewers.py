"""The detector's rate with and without viewers: python -m tools.results.camera.viewers [ROUNDS [SECONDS]]."""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from nanoedge.video.sources.video_file import VideoFile
from tests.browser import browser_tab

from tools.results.bundles import published_bundle
from tools.results.camera.running import RunningCamera, person_clip, status
from tools.results.figures import Figure, at_least, publish

ROUNDS, SECONDS, SETTLE = 10, 15.0, 2.0
CLIENTS, FRAMES, RATE = 9, 150, 50.0


FEED = """
import sys, time
frames = open(sys.argv[1], "rb").read()
size, rate, number, due = int(sys.argv[2]), float(sys.argv[3]), 0, time.monotonic()
while True:
    begin = number * size % len(frames)
    sys.stdout.buffer.write(frames[begin : begin + size])
    sys.stdout.buffer.flush()
    number, due = number + 1, due + 1 / rate
    time.sleep(max(0.0, due - time.monotonic()))
"""


def feeder(folder: Path) -> subprocess.Popen[bytes]:
    """Raw I420 frames of the clip on its standard output, more of them than the network can take."""
    source, place = VideoFile(person_clip()), folder / "frames.yuv"
    source.open()
    frames = [frame.picture for frame in (source.read() for _ in range(FRAMES)) if frame is not None]
    source.close()
    place.write_bytes(b"".join(map(bytes, frames)))
    command = [sys.executable, "-c", FEED, str(place), str(frames[0].size), str(RATE)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


CLIENT = """
import sys, time
from websockets.sync.client import connect
with connect(sys.argv[1], max_size=None, max_queue=1) as socket:
    while True:
        socket.send("next")
        if sys.argv[2] == "stalled":
            time.sleep(3600)
        socket.recv()
"""


@contextlib.contextmanager
def viewers(page: str, folder: Path) -> Iterator[None]:
    """A browser, eight clients that take every picture, and one that asks and then never reads again."""
    address = page.replace("http:", "ws:") + "live"
    clients = [
        subprocess.Popen([sys.executable, "-c", CLIENT, address, kind], stderr=subprocess.DEVNULL)
        for kind in ["reading"] * (CLIENTS - 1) + ["stalled"]
    ]
    try:
        with browser_tab(folder) as tab:
            tab.open(page)
            tab.wait_for("document.getElementById('state').textContent === 'live'")
            yield
            if tab.value("view.drawn") < 5:
                sys.exit("The browser has drawn too few pictures.")
    finally:
        for client in clients:
            client.kill()
            client.wait()


def viewer_count(page: str) -> int:
    """How many the page has."""
    text = urllib.request.urlopen(f"{page}metrics", timeout=30).read().decode()
    return int(float(next(line for line in text.splitlines() if line.startswith("nanoedge_viewers ")).split()[1]))


def rate(page: str, seconds: float) -> float:
    """Results a second."""
    time.sleep(SETTLE)
    began, before = time.monotonic(), status(page)["counters"]["detected"]
    time.sleep(seconds)
    return float(status(page)["counters"]["detected"] - before) / (time.monotonic() - began)


def main(rounds: int, seconds: float) -> None:
    """With and without, in turn. Viewers are bound to the second core: they are other machines' work."""
    without, together, captures, seen = [], [], [], 0
    with tempfile.TemporaryDirectory() as folder:
        bundle = published_bundle(Path(folder))
        arguments = ["--source", "-", "--raw", "768x432:i420", "--realtime", "--threads", "1"]
        feeding = feeder(Path(folder))
        camera = RunningCamera(bundle, *arguments, "--serve", "127.0.0.1:0", stdin=feeding.stdout)
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        page = camera.page()
        while status(page)["counters"].get("detected", 0) < 50:
            time.sleep(0.2)
        for number in range(rounds):
            without.append(rate(page, seconds))
            place = Path(folder) / str(number)
            place.mkdir()
            with viewers(page, place):
                together.append(rate(page, seconds))
                seen = max(seen, viewer_count(page))
                captures.append(status(page)["capture_rate"])
        camera.stop()
        feeding.kill()
        feeding.wait()
    ratio = statistics.median(b / a for a, b in zip(without, together, strict=True))
    figures = [
        Figure("viewers at a time", seen),
        Figure("frames captured with them", round(statistics.median(captures), 1), "frames/s"),
        Figure("without", round(statistics.median(without), 2), "results/s"),
        Figure("with", round(statistics.median(together), 2), "results/s"),
        at_least("ratio", round(ratio, 3), 0.97),
    ]
    publish(
        figures,
        f"raw frames at {RATE:g} a second, Plus-m 320 fp32 on one thread; one headless Chromium and nine clients, one "
        f"of which never reads, bound to one of the two cores; {rounds} rounds of {seconds:g} s without and with them "
        "in turn; the ratio is the median of the rounds' ratios",
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS, float(sys.argv[2]) if len(sys.argv) > 2 else SECONDS)
