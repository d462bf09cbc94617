"""A video file."""

from __future__ import annotations

from pathlib import Path

from nanoedge.video.sources.base import Frame, Source, SourceRefusedError
from nanoedge.video.sources.container import Container
from nanoedge.video.sources.pace import Pace

FALLBACK_RATE = 25.0


class VideoFile(Source):
    """Frames of a video file as its container says.

    Args:
        path: the file.
        loop: begin again at the end; numbers and times go on.
        realtime: give each frame when it is due, as a camera would; else as fast as they are read.
    """

    def __init__(self, path: Path, loop: bool = False, realtime: bool = False) -> None:
        self.path = path
        self.label = str(path)
        self.live = False
        self._loop = loop
        self._pace = Pace() if realtime else None
        self._container: Container | None = None

    def open(self) -> None:
        """Open the file from its start."""
        if not self.path.is_file():
            raise SourceRefusedError(f"The video {self.path} does not exist.")
        self._number = 0
        self._begun_at = self._last = 0.0
        self._container = self._reopened()
        if self._pace is not None:
            self._pace.begin()

    def _reopened(self) -> Container:
        # decoding in two threads keeps up with a network on one core; frames that are held back do not matter in a file
        container = Container(str(self.path), str(self.path), {}, threads=1 if self._pace is not None else 2)
        self._step = 1 / (container.rate or FALLBACK_RATE)
        self._in_round = 0
        return container

    def read(self) -> Frame | None:
        """The next frame; waits until it is due in real time."""
        if self._container is None:
            return None
        found = self._container.read()
        if found is None:
            if not self._in_round:
                raise SourceRefusedError(f"The video {self.path} holds no frame that can be decoded.")
            if not self._loop:
                return None
            self._begun_at = self._last + self._step
            self._in_round = 0
            if not self._container.rewind():
                self._container.close()
                self._container = self._reopened()
            return self.read()
        picture, pixel_format, seconds = found
        if seconds is None:
            seconds = self._in_round * self._step
        position = self._last = max(self._begun_at + seconds, self._last)
        if self._pace is not None:
            self._pace.wait_until(position)
        frame = Frame(self._number, picture, pixel_format, position)
        self._number += 1
        self._in_round += 1
        return frame

    def close(self) -> None:
        """Let go of the file."""
        if self._container is not None:
            self._container.close()
        self._container = None

    def interrupt(self) -> None:
        """Wait no longer for a frame that is not yet due."""
        if self._pace is not None:
            self._pace.stop()
