"""What `nanoedge camera` runs: a pipeline with its outputs and, on request, the page."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanoedge.errors import InputError
from nanoedge.runtime.detector import Detector
from nanoedge.video.cooling import Cooling, CoolingThread, default_limit
from nanoedge.video.loading import detector_score
from nanoedge.video.outputs.above import above
from nanoedge.video.outputs.base import Output
from nanoedge.video.outputs.events import DEFAULT_MEGABYTES, Events
from nanoedge.video.outputs.jsonl import JsonLines
from nanoedge.video.outputs.recording import Recording
from nanoedge.video.outputs.switched_recording import SwitchedRecording
from nanoedge.video.outputs.window import Window
from nanoedge.video.pipeline.pipeline import Log, Pipeline, PipelineSettings
from nanoedge.video.sources.choose import DEFAULTS, SourceSettings, source_from

if TYPE_CHECKING:
    from nanoedge.video.web.serving import Serving


@dataclass(frozen=True)
class CameraOptions:
    """What is looked at and where it goes.

    Attributes:
        source: what `--source` says.
        source_settings: the rest about it.
        target_rate: frames a second at most, where frames may be dropped.
        cool: lower the rate before the CPU throttles.
        jsonl: file for lines of JSON, `-` for standard output.
        record: video file.
        force: replace a video file that is there.
        events: folder for pictures of events.
        events_megabytes: its limit.
        window: show the picture on this machine's screen.
        serve: `HOST:PORT` of the page.
        token_file: where its token is; one is made when it is needed and not given.
        recordings: folder for what the page's button records.
        most_viewers: live pages at a time.
    """

    source: str = "auto"
    source_settings: SourceSettings = DEFAULTS
    target_rate: float | None = None
    cool: bool = False
    jsonl: str | None = None
    record: Path | None = None
    force: bool = False
    events: Path | None = None
    events_megabytes: float = DEFAULT_MEGABYTES
    window: bool = False
    serve: str | None = None
    token_file: Path | None = None
    recordings: Path | None = None
    most_viewers: int = 16


class Camera:
    """Everything that `nanoedge camera` starts.

    Args:
        make_detector: makes the detector, which gives boxes from `loading.detector_score` on.
        score: what outputs report is above it.
        options: the rest.
        log: receives sentences.

    Attributes:
        pipeline: the running part.

    Raises:
        NanoEdgeError: for a source, an output or an address that cannot be.
    """

    def __init__(self, make_detector: Callable[[], Detector], score: float, options: CameraOptions, log: Log) -> None:
        source = source_from(options.source, options.source_settings)
        if options.source_settings.loop and source.live:
            raise InputError(f"--loop is for files and folders; {source.label} has no end.")
        if options.serve is None and (options.token_file is not None or options.recordings is not None):
            raise InputError("--token-file and --recordings belong to the page; give --serve HOST:PORT too.")
        realtime = source.live or options.source_settings.realtime
        if not realtime and (options.target_rate is not None or options.cool):
            raise InputError("--target-fps and --cool leave frames out: a file needs --realtime with them.")
        log = _surviving(log)
        self._log = log
        self._options = options
        _refuse_same_files(options)
        events = None if options.events is None else Events(options.events, source.label, options.events_megabytes)
        switched = None if options.recordings is None else SwitchedRecording(options.recordings)
        outputs: list[Output] = [output for output in (events, switched) if output is not None]
        if options.jsonl is not None:
            outputs.append(
                JsonLines(None if options.jsonl == "-" else Path(options.jsonl), source.label, self._reader_gone)
            )
        if options.record is not None:
            outputs.append(Recording(options.record, options.force))
        if options.window:
            outputs.append(Window(self.stop))
        if detector_score(score, options.serve is not None) < score:
            outputs = [above(output, score) for output in outputs]
        self._serving = None if options.serve is None else self._page(options.serve, score, events, switched)
        if self._serving is not None:
            outputs.append(self._serving.live)

        def load() -> Detector:
            detector = make_detector()
            threads = f"{detector.threads} thread{'' if detector.threads == 1 else 's'}"
            log(f"{source.label}; engine {detector.engine}, {detector.compute}, {threads}")
            return detector

        self.pipeline = Pipeline(
            lambda: source_from(options.source, options.source_settings),
            load,
            outputs,
            log,
            PipelineSettings(realtime, options.target_rate),
        )

    def _page(self, address: str, score: float, events: Events | None, recordings: SwitchedRecording | None) -> Serving:
        from nanoedge.video.web.serving import Serving

        options = self._options
        return Serving(address, options.token_file, options.most_viewers, score, events, recordings)

    def run(self) -> None:
        """Until the source ends or `stop` is called.

        Raises:
            NanoEdgeError: when the source cannot be read at all, or the page cannot be served.
        """
        with self._served(), self._cooled():
            self.pipeline.run()

    def _reader_gone(self) -> None:
        self.stop()
        self._log("Whoever has read the lines of JSON has gone: ending")

    def stop(self) -> None:
        """End, from any thread or a signal's handler."""
        self.pipeline.stop()

    @contextlib.contextmanager
    def _served(self) -> Iterator[None]:
        if self._serving is None:
            yield
            return
        self._serving.start(self.pipeline, self._log)
        try:
            yield
        finally:
            self._serving.stop()
        if self._serving.failure is not None:
            raise self._serving.failure

    @contextlib.contextmanager
    def _cooled(self) -> Iterator[None]:
        if not self._options.cool:
            yield
            return
        pipeline = self.pipeline

        def rates() -> tuple[float, float]:
            found = pipeline.measurements.snapshot()
            return found.rate, min(found.capture_rate, pipeline.target_rate or found.capture_rate)

        def apply(rate: float | None) -> None:
            pipeline.cooled_rate = rate

        thread = CoolingThread(Cooling(default_limit()), rates, apply, self._log)
        thread.start()
        try:
            yield
        finally:
            thread.stop()

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


def _refuse_same_files(options: CameraOptions) -> None:
    """No output may be the source, or another output."""
    lines = None if options.jsonl in (None, "-") else Path(str(options.jsonl))
    named = {"--source": Path(options.source), "--jsonl": lines, "--record": options.record}
    seen: dict[Path, str] = {}
    for option, path in named.items():
        if path is None:
            continue
        other = seen.setdefault(path.resolve(), option)
        if other != option:
            raise InputError(f"{other} and {option} are the same file, {path}.")


def _surviving(log: Log) -> Log:
    """A log whose reader may go, as with `2>&1 | head`, without ending the thread that speaks."""

    def say(text: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            log(text)

    return say
