"""A camera on the network that goes and returns, watched by a real network."""

from __future__ import annotations

import threading
from pathlib import Path

from nanoedge.runtime.detector import Detector
from nanoedge.video.pipeline.pipeline import Pipeline
from nanoedge.video.sources.stream import Stream
from tests.video.rtsp_server import RtspServer
from tests.video.waiting import wait_for

ROUNDS = 2


def test_each_return_of_a_camera_is_counted_and_brings_results(small_bundle: Path, rtsp_server: RtspServer) -> None:
    said: list[str] = []
    detector = Detector(small_bundle, threads=1)
    pipeline = Pipeline(lambda: Stream(rtsp_server.address()), lambda: detector, [], said.append)
    running = threading.Thread(target=pipeline.run)
    running.start()

    def counted(name: str) -> int:
        return pipeline.measurements.snapshot().counters.get(name, 0)

    try:
        for number in range(ROUNDS):
            wait_for(lambda: pipeline.capture_connected)
            rtsp_server.kill()
            wait_for(lambda: not pipeline.capture_connected)
            before = counted("detected")
            rtsp_server.start()
            wait_for(lambda number=number: counted("reconnected") == number + 1)
            wait_for(lambda before=before: counted("detected") > before + 5)
    finally:
        pipeline.stop()
        running.join(timeout=20)
    assert not running.is_alive()
    assert (counted("lost"), counted("reconnected"), counted("capture_restarts")) == (ROUNDS, ROUNDS, 0)
    assert len(said) == 2 * ROUNDS
