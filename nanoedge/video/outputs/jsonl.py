"""One line of JSON for each frame that was looked at."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from nanoedge.errors import InputError
from nanoedge.video.result import Result


class JsonLines:
    """Lines at the end of a file, or on standard output; each is there as soon as its result is.

    Args:
        place: the file, which is made or added to; `None` for standard output.
        source: what lines call the source.
        reader_gone: called when whoever reads standard output has closed it, as `head` does.

    Raises:
        InputError: when the file cannot be opened, or holds something else.
    """

    name = "jsonl"

    def __init__(self, place: Path | None, source: str, reader_gone: Callable[[], None] = lambda: None) -> None:
        self._source = source
        self._reader_gone = reader_gone
        self._place = place
        self._stream = self._opened(place)

    @staticmethod
    def _opened(place: Path | None) -> TextIO:
        if place is None:
            return sys.__stdout__ or sys.stdout
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            stream = place.open("a", encoding="utf-8")
            if place.is_file() and not _holds_lines(place):
                stream.close()
                raise InputError(f"{place} is there and holds no lines of JSON; nothing is added to it.")
            return stream
        except OSError as error:
            raise InputError(f"{place} cannot be written: {error.strerror}.") from error

    def write(self, result: Result) -> bool:
        """Add a line."""
        line = json.dumps(result.as_json(self._source), ensure_ascii=False, separators=(",", ":"))
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except BrokenPipeError:
            if self._place is not None:
                raise
            with open(os.devnull, "wb") as nothing:  # what is still in the buffer would fail again at the end
                os.dup2(nothing.fileno(), self._stream.fileno())
            self._reader_gone()
            return False
        return True

    def close(self) -> None:
        """Close the file; standard output stays open."""
        if self._place is not None:
            self._stream.close()


def _holds_lines(place: Path) -> bool:
    with place.open("rb") as stream:
        return stream.read(1) in (b"", b"{")
