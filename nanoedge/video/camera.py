"""What `nanoedge camera` runs: a pipeline with its outputs and, on request, the page."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoedge.errors import InputError
from nanoedge.runtime.detector import Detector
from nanoedge.video.outputs.above import Above
from nanoedge.video.outputs.events import DEFAULT_MEGABYTES, Events
from nanoedge.video.outputs.jsonl import JsonLines
from nanoedge.video.outputs.recording import Recording
from nanoedge.video.outputs.switched_recording import SwitchedRecording
from nanoedge.video.pipeline.delivery import Output
from nanoedge.video.pipeline.pipeline import Log, Pipeline, PipelineSettings
from nanoedge.video.sources.choose import DEFAULTS, SourceSettings, source_from

if TYPE_CHECKING:
    from nanoedge.video.web.server import WebServer

PAGE_SCORE = 0.2
"""The page gets boxes from here on, so that its slider can go below what the other outputs report."""


@dataclass(frozen=True)
class CameraOptions:
    """What is looked at and where it goes.

    Attributes:
        source: what `--source` says.
        source_settings: the rest about it.
        target_rate: frames a second at most, of a live source.
        jsonl: file for lines of JSON, `-` for standard output.
        record: video file.
        force: replace a video file that is there.
        events: folder for pictures of events.
        events_megabytes: its limit.
        serve: `HOST:PORT` of the page.
        token_file: where its token is; one is made when it is needed and not given.
        recordings: folder for what the page's button records.
        most_viewers: live pages at a time.
    """

    source: str = "auto"
    source_settings: SourceSettings = DEFAULTS
    target_rate: float | None = None
    jsonl: str | None = None
    record: Path | None = None
    force: bool = False
    events: Path | None = None
    events_megabytes: float = DEFAULT_MEGABYTES
    serve: str | None = None
    token_file: Path | None = None
    recordings: Path | None = None
    most_viewers: int = 16


class Camera:
    """Everything that `nanoedge camera` starts.

    Args:
        make_detector: makes the detector for a score threshold.
        score: what outputs report is above it.
        options: the rest.
        log: receives sentences.

    Attributes:
        pipeline: the running part.

    Raises:
        NanoEdgeError: for a source, an output or an address that cannot be.
    """

    def __init__(
        self, make_detector: Callable[[float], Detector], score: float, options: CameraOptions, log: Log
    ) -> None:
        source = source_from(options.source, options.source_settings)
        if options.source_settings.loop and source.live:
            raise InputError(f"--loop is for files and folders; {source.label} has no end.")
        if options.serve is None and (options.token_file is not None or options.recordings is not None):
            raise InputError("--token-file and --recordings belong to the page; give --serve HOST:PORT too.")
        self._log = log
        self._options = options
        detector_score = score if options.serve is None else min(score, PAGE_SCORE)
        events = None if options.events is None else Events(options.events, source.label, options.events_megabytes)
        switched = None if options.recordings is None else SwitchedRecording(options.recordings)
        outputs: list[Output] = [output for output in (events, switched) if output is not None]
        if options.jsonl is not None:
            outputs.append(JsonLines(None if options.jsonl == "-" else Path(options.jsonl), source.label))
        if options.record is not None:
            outputs.append(Recording(options.record, options.force))
        if detector_score < score:
            outputs = [Above(output, score) for output in outputs]
        self._serving = None if options.serve is None else self._page(options.serve, score, events, switched)
        if self._serving is not None:
            outputs.append(self._serving.live)
        self.pipeline = Pipeline(
            lambda: source_from(options.source, options.source_settings),
            lambda: make_detector(detector_score),
            outputs,
            log,
            PipelineSettings(source.live or options.source_settings.realtime, options.target_rate),
        )

    @staticmethod
    def _page(address: str, score: float, events: Events | None, switched: SwitchedRecording | None) -> _Page:
        from nanoedge.video.web.access import ListenAddress
        from nanoedge.video.web.live import Live
        from nanoedge.video.web.server import listening_socket

        parsed = ListenAddress.from_text(address)
        return _Page(parsed, listening_socket(parsed), Live(), score, events, switched)

    def run(self) -> None:
        """Until the source ends or `stop` is called.

        Raises:
            NanoEdgeError: when the source cannot be read at all, or the page cannot be served.
        """
        detector = self.pipeline.detector
        self._log(
            f"{self.pipeline.source.label}; engine {detector.engine}, {detector.compute}, {detector.threads} threads"
        )
        with self._served():
            self.pipeline.run()

    def stop(self) -> None:
        """End, from any thread or a signal's handler."""
        self.pipeline.stop()

    @contextlib.contextmanager
    def _served(self) -> Iterator[None]:
        if self._serving is None:
            yield
            return
        server = self._serving.start(self.pipeline, self._options, self._log)
        try:
            yield
        finally:
            server.stop()

    def summary(self) -> dict[str, Any]:
        """What was done, as plain values."""
        found = self.pipeline.measurements.snapshot()
        return {
            "source": self.pipeline.source.label,
            "seconds": round(found.uptime, 2),
            "frames": found.counters.get("captured", 0),
            "detected": found.counters.get("detected", 0),
            "dropped": self.pipeline.dropped_frames(),
            "counters": found.counters,
            "stages": {name: {"p50": round(at.p50, 2), "p95": round(at.p95, 2)} for name, at in found.stages.items()},
        }


@dataclass(frozen=True)
class _Page:
    """The page before it is served."""

    address: Any
    listener: Any
    live: Any
    score: float
    events: Events | None
    switched: SwitchedRecording | None

    def start(self, pipeline: Pipeline, options: CameraOptions, log: Log) -> WebServer:
        from nanoedge.video.web.access import Access, new_token, read_token
        from nanoedge.video.web.server import WebServer
        from nanoedge.video.web.station import Station

        token = None if options.token_file is None else read_token(options.token_file)
        made = token is None and not self.address.is_loopback
        if made:
            token = new_token()
        station = Station(pipeline, self.live, self.score, self.events, self.switched)
        access = Access(token, frozenset({self.address.host.lower()}))
        server = WebServer(self.listener, station, self.live, access, options.most_viewers)
        server.start()
        url = self.address.url(server.port)
        log(f"the page is at {url}" + (f"?token={token}" if made else ""))
        return server
