"""Detection in pictures, folders and video files, with annotated copies on request."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nanoedge.detections import Detections
from nanoedge.errors import NanoEdgeError, PictureError
from nanoedge.files import make_folder, refuse_existing
from nanoedge.pictures import Picture, opencv, read_picture, write_picture
from nanoedge.runtime.detector import Detector
from nanoedge.runtime.drawing import draw_detections
from nanoedge.video.files import expand_source, is_video, read_video, video_length, video_rate

Progress = Callable[[int, int, str], None]


@dataclass
class DetectionResult:
    """What was found in the sources.

    Attributes:
        items: in source order, the contract's `{"source", "width", "height", "detections"}`; items of a video also have
            `"frame"` and `"time_ms"`.
        written: annotated files.
        problems: one sentence for each source that failed; the others are done.
        seconds: video file to how long its frames took, reading and drawing included.
    """

    items: list[dict[str, Any]] = field(default_factory=list)
    written: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def detect_sources(
    detector: Detector,
    sources: Sequence[str],
    out: Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> DetectionResult:
    """Detect in every source; one that fails does not stop the others.

    Args:
        detector: the detector.
        sources: pictures, folders of pictures, video files.
        out: folder for annotated copies; `None` writes nothing.
        force: replace annotated copies that are there.
        progress: called with (done, in all, `pictures` or `frames`); the frames of a video are counted by themselves.

    Raises:
        InputError: when an annotated copy exists and `force` is not given; nothing is done then.
    """
    result = DetectionResult()
    files: list[Path] = []
    for source in sources:
        try:
            files += expand_source(source)
        except PictureError as error:
            result.problems.append(str(error))
    places = _places(files, out)
    for place in places:
        if place is not None:
            refuse_existing(place, force)
    if out is not None:
        make_folder(out)
    report: Progress = progress or (lambda done, total, unit: None)
    for number, (file, place) in enumerate(zip(files, places, strict=True), start=1):
        try:
            if is_video(file):
                _detect_in_video(detector, file, place, result, report)
            else:
                _detect_in_picture(detector, file, place, result)
                report(number, len(files), "pictures")
        except PictureError as error:
            result.problems.append(str(error))
    return result


def _places(files: Sequence[Path], out: Path | None) -> list[Path | None]:
    """Where each file's annotated copy goes; equal names of different folders are numbered."""
    if out is None:
        return [None] * len(files)
    places: list[Path | None] = []
    taken: set[str] = set()
    for file in files:
        suffix = ".mp4" if is_video(file) else (".png" if file.suffix.lower() == ".png" else ".jpg")
        name, number = file.stem + suffix, 2
        while name in taken:
            name, number = f"{file.stem}-{number}{suffix}", number + 1
        taken.add(name)
        places.append(out / name)
    return places


def _item(source: Path, picture: Picture, found: Detections) -> dict[str, Any]:
    height, width = picture.shape[:2]
    return {"source": str(source), "width": width, "height": height, "detections": found.as_json()}


def _detect_in_picture(detector: Detector, file: Path, place: Path | None, result: DetectionResult) -> None:
    picture = read_picture(file)
    found = detector(picture)
    if place is not None:
        write_picture(place, draw_detections(picture, found))
        result.written.append(place)
    result.items.append(_item(file, picture, found))


def _detect_in_video(
    detector: Detector, file: Path, place: Path | None, result: DetectionResult, report: Progress
) -> None:
    total, started = video_length(file), time.perf_counter()
    writer = _VideoWriter(place, video_rate(file)) if place is not None else None
    try:
        for frame in read_video(file):
            found = detector(frame.picture)
            item = _item(file, frame.picture, found)
            item |= {"frame": frame.number, "time_ms": round(frame.time_ms, 3)}
            result.items.append(item)
            if writer is not None:
                writer.write(draw_detections(frame.picture, found))
            report(frame.number + 1, max(total, frame.number + 1), "frames")
    except BaseException:
        if writer is not None:
            writer.discard()
        raise
    result.seconds[str(file)] = time.perf_counter() - started
    if writer is not None:
        result.written.append(writer.finish())


class _VideoWriter:
    """An MP4 file that appears under its name when it is complete."""

    def __init__(self, place: Path, rate: float) -> None:
        self._place = place
        self._aside = place.with_name(f".{place.stem}.{os.getpid()}.part{place.suffix}")
        self._rate = rate
        self._writer: Any = None

    def write(self, picture: Picture) -> None:
        cv2 = opencv()
        if self._writer is None:
            height, width = picture.shape[:2]
            code = cv2.VideoWriter.fourcc(*"mp4v")
            self._writer = cv2.VideoWriter(str(self._aside), code, self._rate, (width, height))
            if not self._writer.isOpened():
                raise NanoEdgeError(f"The video {self._place} cannot be written.")
        self._writer.write(picture)

    def finish(self) -> Path:
        self._writer.release()
        os.replace(self._aside, self._place)
        return self._place

    def discard(self) -> None:
        if self._writer is not None:
            self._writer.release()
        self._aside.unlink(missing_ok=True)
