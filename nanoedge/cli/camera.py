"""`nanoedge camera`."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from nanoedge.cli.options import (
    Classes,
    Compute,
    EngineName,
    Force,
    MaxDetections,
    Nms,
    Precision,
    Score,
    Threads,
    detector_maker,
    parse_size,
)
from nanoedge.cli.terminal import Terminal, command
from nanoedge.errors import InputError, NanoEdgeError

if TYPE_CHECKING:
    from nanoedge.video.camera import Camera
    from nanoedge.video.pipeline.pipeline import Pipeline
    from nanoedge.video.sources.choose import SourceSettings

STATUS_SECONDS = 1.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "camera", context_settings={"allow_extra_args": True})(camera)


def camera(
    terminal: Terminal,
    context: typer.Context,
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
    cool: Annotated[
        bool, typer.Option("--cool", help="leave frames out before the CPU gets so hot that it slows")
    ] = False,
    jsonl: Annotated[
        str | None, typer.Option(metavar="FILE", help="a line of JSON for each frame; - for standard output")
    ] = None,
    record: Annotated[Path | None, typer.Option(metavar="FILE", help="a video with boxes drawn, .mp4 or .mkv")] = None,
    events: Annotated[
        Path | None, typer.Option(metavar="DIR", help="a folder for a picture of whatever comes into sight")
    ] = None,
    events_mb: Annotated[float, typer.Option("--events-mb", help="limit of that folder, megabytes", min=1)] = 500,
    window: Annotated[bool, typer.Option("--window", help="show it on this machine's screen; q ends it")] = False,
    serve: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="a page with the live picture, such as 127.0.0.1:8080")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="the token of the page; else one is made where it is needed")
    ] = None,
    recordings: Annotated[
        Path | None, typer.Option(metavar="DIR", help="a folder for what the page's button records")
    ] = None,
    max_viewers: Annotated[int, typer.Option(help="live pages at a time", min=1, max=1000)] = 16,
    force: Force = False,
    engine: EngineName = "auto",
    precision: Precision = "float",
    compute: Compute = "fp32",
    threads: Threads = None,
    score: Score = None,
    nms: Nms = None,
    max_detections: MaxDetections = None,
    classes: Classes = None,
) -> None:
    """Find objects in what a camera sees, until Ctrl-C; a camera that goes is waited for.

    For example: nanoedge camera street.nanoedge --source rtsp://cam.local/live --jsonl found.jsonl
    """
    from nanoedge.bundle import load_bundle
    from nanoedge.video.allocator import keep_memory_level
    from nanoedge.video.loading import Loading, detector_score

    if context.args:
        from nanoedge.video.sources.address import as_option

        raise InputError(f"After the bundle there are options only; a source is named by {as_option(context.args[0])}")
    if terminal.json and jsonl == "-":
        raise InputError("--json and --jsonl - both want standard output; write the lines to a file.")
    loaded = load_bundle(bundle)
    reported = loaded.manifest.interface.postprocess.score_threshold if score is None else score
    make_detector = detector_maker(loaded, engine, precision, compute, threads, nms, max_detections, classes)
    keep_memory_level()
    loading = Loading(lambda: make_detector(detector_score(reported, serve is not None)))
    from nanoedge.video.camera import Camera, CameraOptions

    options = CameraOptions(
        source=source,
        source_settings=_source_settings(size, rate, pixel_format, raw, udp, loop, realtime),
        target_rate=target_fps,
        cool=cool,
        jsonl=jsonl,
        record=record,
        force=force,
        events=events,
        events_megabytes=events_mb,
        window=window,
        serve=serve,
        token_file=token_file,
        recordings=recordings,
        most_viewers=max_viewers,
    )
    running = Camera(loading, reported, options, terminal.say)
    stopped_by = _run(running, terminal)
    document = running.summary()
    terminal.finish(document, "" if jsonl == "-" else _sentence(document))
    if stopped_by == signal.SIGINT:
        raise typer.Exit(130)
    failed = running.pipeline.failed_outputs()
    if failed and not running.pipeline.realtime:
        raise NanoEdgeError(f"Not everything was kept: the output {' and '.join(failed)} has failed.")


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


def _run(running: Camera, terminal: Terminal) -> int | None:
    """Until the end of the source or a signal; the signal's number."""
    received: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        received.append(number)
        running.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    done = threading.Event()
    status = threading.Thread(target=_show_status, args=(running.pipeline, terminal, done), daemon=True)
    status.start()
    try:
        running.run()
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


def _sentence(document: dict[str, Any]) -> str:
    detected, seconds = document["detected"], document["seconds"]
    text = f"{document['source']}: {document['frames']} frames in {seconds:.1f} s, {detected} looked at"
    text += f" ({detected / max(seconds, 1e-3):.1f} a second), {document['dropped']} dropped"
    latency = document["stages"].get("latency")
    return text + (f"; {latency['p50']:.0f} ms from capture to boxes (p95 {latency['p95']:.0f})" if latency else "")
