"""A folder of pictures, or one picture."""

from __future__ import annotations

import time
from pathlib import Path

from nanoedge.errors import PictureError
from nanoedge.pictures import read_picture
from nanoedge.video.files import expand_source
from nanoedge.video.sources.base import Frame, Source, SourceRefusedError
from nanoedge.video.sources.pace import Pace


class PictureFolder(Source):
    """The pictures of a folder by name, one a frame; one that cannot be read is left out, told and counted.

    Args:
        path: the folder, or a single picture.
        loop: begin again at the end.
        rate: pictures a second; `None` gives them as fast as they are read.

    Attributes:
        unreadable: pictures that were left out.
    """

    def __init__(self, path: Path, loop: bool = False, rate: float | None = None) -> None:
        self.path = path
        self.label = str(path)
        self.live = False
        self.unreadable = 0
        self._loop = loop
        self._rate = rate
        self._pace = Pace()
        self._files: list[Path] = []
        self._told: set[Path] = set()
        self._number = self._next = 0

    def open(self) -> None:
        """List the folder."""
        try:
            self._files = expand_source(str(self.path))
        except PictureError as error:
            raise SourceRefusedError(str(error)) from error
        self._number = self._next = 0
        self._pace.begin()

    def read(self) -> Frame | None:
        """The next picture that can be read."""
        failed = ""
        for _ in range(len(self._files) + 1):
            if self._next == len(self._files):
                if not self._loop and self._number:
                    return None
                if not self._loop:
                    break
                self._next = 0
            file = self._files[self._next]
            self._next += 1
            try:
                picture = read_picture(file)
            except PictureError as error:
                failed = str(error)
                self.unreadable += 1
                if file not in self._told:
                    self._told.add(file)
                    self.log(f"A picture is left out: {error}")
                continue
            position = None if self._rate is None else self._number / self._rate
            if position is not None:
                self._pace.wait_until(position)
            self._number += 1
            return Frame(self._number - 1, picture, "bgr", position, file.name, time.monotonic())
        raise SourceRefusedError(f"No picture of {self.path} can be read. The last one: {failed}")

    def close(self) -> None:
        """Nothing is held."""

    def interrupt(self) -> None:
        """Wait no longer for a picture that is not yet due."""
        self._pace.stop()
