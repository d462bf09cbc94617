"""`nanoedge detect`."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
)
from nanoedge.cli.terminal import Terminal, command

if TYPE_CHECKING:
    from nanoedge.video.detect import DetectionResult


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "detect")(detect)


def detect(
    terminal: Terminal,
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="a bundle's folder")],
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE...", help="pictures, folders of pictures, videos")],
    out: Annotated[Path | None, typer.Option(help="folder for pictures and videos with boxes drawn")] = None,
    engine: EngineName = "auto",
    precision: Precision = "float",
    compute: Compute = "fp32",
    threads: Threads = None,
    score: Score = None,
    nms: Nms = None,
    max_detections: MaxDetections = None,
    classes: Classes = None,
    force: Force = False,
) -> None:
    """Find objects in pictures and videos; nothing is written without --out."""
    from nanoedge.video.detect import detect_sources

    make_detector = detector_maker(bundle, engine, precision, compute, threads, nms, max_detections, classes)
    detector = make_detector(score)
    terminal.detail(f"engine {detector.engine}, {detector.compute}, {detector.threads} threads")
    result = detect_sources(detector, sources, out, force, terminal.progress)
    for problem in result.problems:
        terminal.say(f"nanoedge: {problem}")
    terminal.finish(result.items, "\n".join(_lines(result, terminal.verbose)))
    if result.written:
        terminal.say(f"{_counted(len(result.written), 'file')} written to {out}")
    if result.problems:
        done = len({item["source"] for item in result.items})
        terminal.say(f"{_counted(done, 'source')} done, {len(result.problems)} failed")
        raise typer.Exit(1 if result.items else 2)


def _lines(result: DetectionResult, every_frame: bool) -> Iterator[str]:
    """One line a picture; one a video, or one a frame."""
    for source, group in itertools.groupby(result.items, key=lambda item: item["source"]):
        items = list(group)
        seconds = result.seconds.get(source)
        if seconds is None or every_frame:
            yield from (_line(item) for item in items)
        if seconds is not None:
            counts = Counter(row["label"] for item in items for row in item["detections"])
            boxes = ", ".join(f"{label} {count}" for label, count in counts.most_common())
            rate = len(items) / seconds
            yield f"{source}: {_counted(len(items), 'frame')}, {rate:.1f} a second; boxes: {boxes or 'none'}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _line(item: dict[str, Any]) -> str:
    frame = f" frame {item['frame']}" if "frame" in item else ""
    found = item["detections"]
    boxes = "; ".join(
        f"{row['label']} {row['score']:.2f} [{', '.join(f'{value:.0f}' for value in row['box'])}]" for row in found
    )
    return f"{item['source']}{frame}: {len(found)} found" + (f": {boxes}" if boxes else "")
