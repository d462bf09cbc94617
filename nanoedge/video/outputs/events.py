"""Pictures of events in a folder that does not outgrow its limit."""

from __future__ import annotations

import json
import re
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from nanoedge.errors import InputError, NanoEdgeError
from nanoedge.files import make_folder, write_atomically
from nanoedge.pictures import encode_picture
from nanoedge.runtime.drawing import draw_detections
from nanoedge.video.pixels import bgr_of
from nanoedge.video.result import Result

QUIET_SECONDS = 10.0
"""A class that was not seen for so long is an event when it is seen again."""

PAUSE = 10.0
"""Seconds after a failure, such as a full disk, before the next try."""

DEFAULT_MEGABYTES = 500
_JPEG_QUALITY = 85
_NAME = re.compile(r"(\d{8}-\d{6}-\d{3})(?:-\d+)?\.(jpg|json)")


@dataclass(frozen=True)
class Event:
    """Classes that came into sight.

    Attributes:
        name: of its files, without suffix; begins with its local time.
        labels: the classes.
    """

    name: str
    labels: tuple[str, ...]


class Events:
    """Writes `TIME.jpg`, the picture with boxes, and `TIME.json`, what was found, when a class comes into sight.

    Files of earlier runs in the same folder count; the oldest are deleted when the limit is passed. Other files in the
    folder are left alone.

    Args:
        folder: is made when it is not there.
        source: what the JSON calls the source.
        megabytes: limit of all its files, 10^6 bytes each.
        quiet: seconds without a class after which it comes into sight anew.

    Attributes:
        newest: the last events of this run, the newest last.

    Raises:
        InputError: when the folder cannot be made.
    """

    name = "events"

    def __init__(
        self, folder: Path, source: str, megabytes: float = DEFAULT_MEGABYTES, quiet: float = QUIET_SECONDS
    ) -> None:
        try:
            make_folder(folder)
        except NanoEdgeError as error:
            raise InputError(str(error)) from error
        self.folder = folder
        self.newest: deque[Event] = deque(maxlen=200)
        self._source = source
        self._limit = int(megabytes * 1e6)
        self._quiet = quiet
        self._seen: dict[str, float] = {}
        self._pause_until = float("-inf")
        self._files = deque(sorted(self._own_files()))
        self._bytes = sum(size for _, size in self._files)

    def _own_files(self) -> list[tuple[str, int]]:
        return [(path.name, path.stat().st_size) for path in self.folder.iterdir() if _NAME.fullmatch(path.name)]

    def write(self, result: Result) -> bool:
        """Keep the picture when something has come into sight; what could not be written is tried again later.

        Raises:
            NanoEdgeError: when it cannot be written.
        """
        labels = {detection.label for detection in result.detections}
        now = result.frame.captured
        fresh = sorted(label for label in labels if now - self._seen.get(label, float("-inf")) > self._quiet)
        self._seen |= dict.fromkeys(labels.difference(fresh), now)
        if not fresh or now < self._pause_until:
            return False
        try:
            self._keep(result, tuple(fresh))
        except NanoEdgeError:
            self._pause_until = now + PAUSE
            raise
        self._seen |= dict.fromkeys(fresh, now)
        return True

    def _keep(self, result: Result, labels: tuple[str, ...]) -> None:
        moment = datetime.now().astimezone()
        name = self._free_name(moment.strftime("%Y%m%d-%H%M%S-") + f"{moment.microsecond // 1000:03d}")
        drawn = draw_detections(bgr_of(result.frame), result.detections)
        document = {"time": moment.isoformat(timespec="milliseconds"), "labels": labels, **result.as_json(self._source)}
        self._add(f"{name}.jpg", encode_picture(drawn, ".jpg", _JPEG_QUALITY))
        self._add(f"{name}.json", json.dumps(document, ensure_ascii=False).encode())
        self.newest.append(Event(name, labels))

    def _free_name(self, wanted: str) -> str:
        name, number = wanted, 2
        while (self.folder / f"{name}.jpg").exists():
            name, number = f"{wanted}-{number}", number + 1
        return name

    def _add(self, name: str, data: bytes) -> None:
        """Make room first, so that the folder never holds more than its limit."""
        while self._files and self._bytes + len(data) > self._limit:
            oldest, size = self._files.popleft()
            (self.folder / oldest).unlink(missing_ok=True)
            self._bytes -= size
        write_atomically(self.folder / name, data)
        self._files.append((name, len(data)))
        self._bytes += len(data)

    def close(self) -> None:
        """Nothing is held."""
