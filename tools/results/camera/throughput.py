"""A file as fast as it goes, against the core alone on decoded frames: python -m tools.results.camera.throughput."""

from __future__ import annotations

import itertools
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from nanoedge.runtime.detector import Detector
from nanoedge.video.pipeline.pipeline import Pipeline, PipelineSettings
from nanoedge.video.result import Result
from nanoedge.video.sources.base import Frame
from nanoedge.video.sources.video_file import VideoFile

from tools.results.bundles import published_bundle
from tools.results.camera.running import person_clip
from tools.results.figures import Figure, at_least, publish

FRAMES, ROUNDS, WARM_UP = 300, 4, 20
ENGINES = ("native", "openvino", "ncnn")


class Counter:
    """An output that ends the pipeline after some results and keeps their times."""

    name = "counter"

    def __init__(self) -> None:
        self.moments: list[float] = []
        self.done = threading.Event()

    def write(self, result: Result) -> None:
        """Count."""
        self.moments.append(result.finished)
        if len(self.moments) == WARM_UP + FRAMES:
            self.done.set()

    def close(self) -> None:
        """Nothing is held."""


def whole_way(detector: Detector) -> float:
    """Frames a second of a pipeline that decodes the clip itself."""
    counter = Counter()
    pipeline = Pipeline(
        lambda: VideoFile(person_clip(), loop=True),
        lambda: detector,
        [counter],
        lambda text: print(text, file=sys.stderr),
        PipelineSettings(realtime=False),
    )
    running = threading.Thread(target=pipeline.run)
    running.start()
    counter.done.wait()
    pipeline.stop()
    running.join()
    return FRAMES / (counter.moments[WARM_UP + FRAMES - 1] - counter.moments[WARM_UP - 1])


def core_alone(detector: Detector, frames: list[Frame]) -> float:
    """Frames a second of the core on frames that are in memory."""
    for frame in frames[:WARM_UP]:
        detector.timed(frame.picture, frame.pixel_format)
    started = time.monotonic()
    for frame in frames:
        detector.timed(frame.picture, frame.pixel_format)
    return len(frames) / (time.monotonic() - started)


def decoded() -> list[Frame]:
    """The clip's first frames, as its decoder gives them."""
    source = VideoFile(person_clip())
    source.open()
    frames = [frame for frame in (source.read() for _ in range(FRAMES)) if frame is not None]
    source.close()
    return frames


def main() -> None:
    """Both ways in turn, order swapped each round."""
    frames, figures = decoded(), []
    with tempfile.TemporaryDirectory() as folder:
        bundle = published_bundle(Path(folder))
        for engine, threads in itertools.product(ENGINES, (1, 2)):
            detector = Detector(bundle, engine, threads)
            whole, alone = [], []
            for number in range(ROUNDS):
                if number % 2:
                    whole.append(whole_way(detector))
                    alone.append(core_alone(detector, frames))
                else:
                    alone.append(core_alone(detector, frames))
                    whole.append(whole_way(detector))
            ratio = statistics.median(w / a for w, a in zip(whole, alone, strict=True))
            what = f"{engine}, {threads} thread{'s' if threads > 1 else ''}"
            figures += [
                Figure(f"{what}: core alone", round(statistics.median(alone), 1), "frames/s"),
                Figure(f"{what}: file to boxes", round(statistics.median(whole), 1), "frames/s"),
                at_least(f"{what}: ratio", round(ratio, 3), 0.9),
            ]
    publish(
        figures,
        f"the person clip (768 x 432, H.264), Plus-m 320 fp32; {ROUNDS} rounds of {FRAMES} frames each way in turn, "
        "medians; the ratio is the median of the rounds' ratios. With two threads the network has both cores, and "
        "decoding takes its share of them",
    )


if __name__ == "__main__":
    main()
