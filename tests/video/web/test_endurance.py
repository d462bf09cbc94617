"""Two minutes of a clip in a loop with everything switched on: memory, threads, open files and delay stay as they are.

`python -m tools.results camera-soak` does it for an hour.
"""

from __future__ import annotations

import json
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.video.web.conftest import RunningCamera
from websockets.sync.client import connect

MINUTE = 60.0


@pytest.mark.slow
def test_two_minutes_leave_nothing_behind(start: Callable[..., RunningCamera], clip: Path, tmp_path: Path) -> None:
    lines = tmp_path / "found.jsonl"
    camera = start(
        *("--source", str(clip), "--loop", "--realtime", "--serve", "127.0.0.1:0", "--jsonl", str(lines)),
        *("--events", str(tmp_path / "events"), "--recordings", str(tmp_path / "recordings"), "--cool"),
    )
    done = threading.Event()

    def watch() -> None:
        with connect(camera.url.replace("http:", "ws:") + "live", max_size=None) as socket:
            while not done.wait(0.2):
                socket.send("next")
                socket.recv()

    viewer = threading.Thread(target=watch)
    viewer.start()
    samples: list[tuple[float, int, int]] = []
    began = time.monotonic()
    while time.monotonic() - began < 2 * MINUTE:
        if time.monotonic() - began > MINUTE:
            samples.append((camera.megabytes(), camera.threads(), camera.open_files()))
        time.sleep(2)
    counters = camera.json("api/status")["counters"]
    done.set()
    viewer.join()
    assert camera.stop() == 0
    memory = [megabytes for megabytes, _, _ in samples]
    assert max(memory) - min(memory) < 2, memory
    assert samples[-1][1] == samples[0][1] and samples[-1][2] == samples[0][2]
    assert not {"capture_restarts", "detection_restarts", "lost", "refused", "jsonl_failed"} & counters.keys()
    latencies = [json.loads(line)["latency_ms"] for line in lines.read_text().splitlines()]
    assert len(latencies) > 1000
    third = len(latencies) // 3
    early, late = statistics.median(latencies[third : 2 * third]), statistics.median(latencies[-third:])
    assert late < early + 200  # frames that queue up would make it seconds; other tests run beside this one
