"""`nanoedge camera`."""

from __future__ import annotations

import signal
import sys
import threading
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from nanoedge.cli.options import Compute, EngineName, Force, Precision, Threads, parse_size
from nanoedge.cli.terminal import Terminal, command
from nanoedge.errors import InputError

if TYPE_CHECKING:
    from nanoedge.video.pipeline.delivery import Output
    from nanoedge.video.pipeline.pipeline import Pipeline
    from nanoedge.video.sources.choose import SourceSettings

STATUS_SECONDS = 1.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "camera")(camera)


def camera(
    terminal: Terminal,
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="a bundle's folder")],
    source: Annotated[
        str,
        typer.Option(
            help="auto, 0 or /dev/video0, rpicam, rtsp://… or http://…, a video, a folder of pictures, - for raw frames"
        ),
    ] = "auto",
    size: Annotated[str | None, typer.Option(metavar="WxH", help="of a camera's frames, such as 640x480")] = None,
    rate: Annotated[float | None, typer.Option(help="frames a second asked of a camera", min=0.1, max=1000)] = None,
    pixel_format: Annotated[
        Literal["mjpeg", "yuyv", "i420", "nv12"] | None, typer.Option(help="what travels from a camera")
    ] = None,
    raw: Annotated[
        str | None, typer.Option(metavar="WxH:FORMAT", help="raw frames on standard input, such as 640x480:i420")
    ] = None,
    udp: Annotated[bool, typer.Option("--udp", help="take RTSP by UDP instead of TCP")] = False,
    loop: Annotated[bool, typer.Option("--loop", help="begin a file again at its end")] = False,
    realtime: Annotated[bool, typer.Option("--realtime", help="play a file at its speed and drop late frames")] = False,
    target_fps: Annotated[
        float | None, typer.Option(help="look at so many frames a second at most", min=0.01, max=1000)
    ] = None,
    jsonl: Annotated[
        str | None, typer.Option(metavar="FILE", help="a line of JSON for each frame; - for standard output")
    ] = None,
    record: Annotated[Path | None, typer.Option(metavar="FILE", help="a video with boxes drawn, .mp4 or .mkv")] = None,
    events: Annotated[
        Path | None, typer.Option(metavar="DIR", help="a folder for a picture of whatever comes into sight")
    ] = None,
    events_mb: Annotated[float, typer.Option("--events-mb", help="limit of that folder, megabytes", min=1)] = 500,
    force: Force = False,
    engine: EngineName = "auto",
    precision: Precision = "float",
    compute: Compute = "fp32",
    threads: Threads = None,
    score: Annotated[float | None, typer.Option(help="report boxes above this score; default: the bundle's")] = None,
    nms: Annotated[float | None, typer.Option(help="IoU of non-maximum suppression; default: the bundle's")] = None,
    max_detections: Annotated[int | None, typer.Option(help="most boxes a frame; default: the bundle's")] = None,
    classes: Annotated[str | None, typer.Option(metavar="A,B", help="report only these classes")] = None,
) -> None:
    """Find objects in what a camera sees, until Ctrl-C; a camera that goes is waited for.

    For example: nanoedge camera street.nanoedge --source rtsp://cam.local/live --jsonl found.jsonl
    """
    from nanoedge.runtime.detector import Detector
    from nanoedge.video.pipeline.pipeline import Pipeline, PipelineSettings
    from nanoedge.video.sources.choose import source_from

    if terminal.json and jsonl == "-":
        raise InputError("--json and --jsonl - both want standard output; write the lines to a file.")
    settings = _source_settings(size, rate, pixel_format, raw, udp, loop, realtime)
    named = source_from(source, settings)
    if loop and named.live:
        raise InputError(f"--loop is for files and folders; {named.label} has no end.")
    make_detector = partial(
        Detector,
        bundle,
        engine,
        threads,
        precision=precision,
        compute=compute,
        score_threshold=score,
        nms_iou=nms,
        max_detections=max_detections,
        classes=[name.strip() for name in classes.split(",") if name.strip()] if classes is not None else None,
    )
    outputs: list[Output] = []
    if jsonl is not None:
        from nanoedge.video.outputs.jsonl import JsonLines

        outputs.append(JsonLines(None if jsonl == "-" else Path(jsonl), named.label))
    if record is not None:
        from nanoedge.video.outputs.recording import Recording

        outputs.append(Recording(record, force))
    if events is not None:
        from nanoedge.video.outputs.events import Events

        outputs.append(Events(events, named.label, events_mb))
    pipeline = Pipeline(
        partial(source_from, source, settings),
        make_detector,
        outputs,
        terminal.say,
        PipelineSettings(realtime=named.live or realtime, target_rate=target_fps),
    )
    detector = pipeline.detector
    terminal.say(f"{named.label}; engine {detector.engine}, {detector.compute}, {detector.threads} threads")
    stopped_by = _run(pipeline, terminal)
    document = _summary(pipeline)
    terminal.finish(document, "" if jsonl == "-" else _sentence(document))
    if stopped_by == signal.SIGINT:
        raise typer.Exit(130)


def _source_settings(
    size: str | None,
    rate: float | None,
    pixel_format: Literal["mjpeg", "yuyv", "i420", "nv12"] | None,
    raw: str | None,
    udp: bool,
    loop: bool,
    realtime: bool,
) -> SourceSettings:
    from nanoedge.video.sources.choose import SourceSettings
    from nanoedge.video.sources.mode import CameraMode
    from nanoedge.video.sources.raw import RawLayout

    width, height = (None, None) if size is None else parse_size(size, "--size")
    mode = CameraMode(width, height, rate, pixel_format)
    return SourceSettings(mode, None if raw is None else RawLayout.from_text(raw), loop, realtime, udp)


def _run(pipeline: Pipeline, terminal: Terminal) -> int | None:
    """Until the end of the source or a signal; the signal's number."""
    received: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        received.append(number)
        pipeline.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    done = threading.Event()
    status = threading.Thread(target=_show_status, args=(pipeline, terminal, done), daemon=True)
    status.start()
    try:
        pipeline.run()
    finally:
        done.set()
        status.join(timeout=2)
        for number, handler in before.items():
            signal.signal(number, handler)
    return received[0] if received else None


def _show_status(pipeline: Pipeline, terminal: Terminal, done: threading.Event) -> None:
    """On a terminal, a line that is written over each second."""
    if terminal.quiet or not sys.stderr.isatty():
        return
    while not done.wait(STATUS_SECONDS):
        found = pipeline.measurements.snapshot()
        latency = found.stages.get("latency")
        delay = f", {latency.p50:.0f} ms from capture to boxes (p95 {latency.p95:.0f})" if latency else ""
        text = f"{found.rate:.1f} a second{delay}, {pipeline.dropped_frames()} dropped"
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
    print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _summary(pipeline: Pipeline) -> dict[str, Any]:
    found = pipeline.measurements.snapshot()
    return {
        "source": pipeline.source.label,
        "seconds": round(found.uptime, 2),
        "frames": found.counters.get("captured", 0),
        "detected": found.counters.get("detected", 0),
        "dropped": pipeline.dropped_frames(),
        "counters": found.counters,
        "stages": {name: {"p50": round(at.p50, 2), "p95": round(at.p95, 2)} for name, at in found.stages.items()},
    }


def _sentence(document: dict[str, Any]) -> str:
    detected, seconds = document["detected"], document["seconds"]
    text = f"{document['source']}: {document['frames']} frames in {seconds:.1f} s, {detected} looked at"
    text += f" ({detected / max(seconds, 1e-3):.1f} a second), {document['dropped']} dropped"
    latency = document["stages"].get("latency")
    return text + (f"; {latency['p50']:.0f} ms from capture to boxes (p95 {latency['p95']:.0f})" if latency else "")
