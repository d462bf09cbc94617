"""A video file of the frames with their boxes drawn."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from nanoedge.errors import InputError, NanoEdgeError
from nanoedge.files import make_folder, refuse_existing
from nanoedge.runtime.drawing import draw_detections
from nanoedge.video.pixels import bgr_of
from nanoedge.video.result import Result
from nanoedge.video.sources.container import pyav, reason

SUFFIXES = (".mp4", ".mkv")
CODECS = ("libx264", "mpeg4")
"""The first that this build of FFmpeg can write: H.264 plays in browsers."""

PAUSE = 10.0
"""Seconds after a failure, such as a full disk, before a new file is begun."""

_MILLISECOND = Fraction(1, 1000)
_SETTINGS = {"libx264": {"preset": "ultrafast", "crf": "26"}, "mpeg4": {"q": "5"}}


class Recording:
    """Writes what the detector has looked at, each frame for as long as it lasted.

    The file can be played while it grows and after a power cut. When frames change their size, or writing has failed, a
    new file with a number in its name goes on.

    Args:
        place: ends with .mp4 or .mkv.
        force: replace a file that is there.

    Raises:
        InputError: when the suffix is another one, or the file exists.
    """

    name = "recording"

    def __init__(self, place: Path, force: bool = False) -> None:
        if place.suffix.lower() not in SUFFIXES:
            raise InputError(f"A recording ends with {' or '.join(SUFFIXES)}, not {place.name!r}.")
        refuse_existing(place, force)
        self._av = pyav()
        make_folder(place.parent)
        self._place = place
        self._force = force
        self._files = 0
        self._container: Any = None
        self._stream: Any = None
        self._size = (0, 0)
        self._first, self._last = 0.0, -1
        self._failed_at: float | None = None

    def write(self, result: Result) -> bool:
        """Add a frame.

        Raises:
            NanoEdgeError: when it cannot be written, or writing has just failed.
        """
        if self._failed_at is not None and time.monotonic() - self._failed_at < PAUSE:
            raise NanoEdgeError(f"A new file is begun {PAUSE:.0f} seconds after the last one failed")
        drawn = draw_detections(bgr_of(result.frame), result.detections)
        drawn = drawn[: drawn.shape[0] // 2 * 2, : drawn.shape[1] // 2 * 2]  # 4:2:0 has even sides
        size = (drawn.shape[1], drawn.shape[0])
        try:
            if self._container is None or size != self._size:
                self._end_file()
                self._begin_file(size, result)
            frame = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(drawn), format="bgr24")
            moment = round((self._moment(result) - self._first) * 1000)
            frame.pts = self._last = max(moment, self._last + 1)
            frame.time_base = _MILLISECOND
            self._container.mux(self._stream.encode(frame))
        except (self._av.error.FFmpegError, OSError) as error:
            self._failed_at = time.monotonic()
            self._abandon_file()
            raise NanoEdgeError(f"{self._place} cannot be written: {reason(error)}") from error
        self._failed_at = None
        return True

    @staticmethod
    def _moment(result: Result) -> float:
        position = result.frame.position
        return result.frame.captured if position is None else position

    def _begin_file(self, size: tuple[int, int], result: Result) -> None:
        self._files += 1
        place = self._place
        if self._files > 1:
            place = place.with_stem(f"{place.stem}-{self._files}")
            while place.exists() and not self._force:
                self._files += 1
                place = place.with_stem(f"{self._place.stem}-{self._files}")
        options = {"flush_packets": "1"}
        if place.suffix.lower() == ".mp4":
            options |= {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "2000000"}
        self._container = self._av.open(str(place), "w", options=options)
        codec = next(name for name in CODECS if name in self._av.codecs_available)
        self._stream = self._container.add_stream(codec, rate=30, options=_SETTINGS[codec])
        self._stream.width, self._stream.height = self._size = size
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = _MILLISECOND
        self._stream.codec_context.gop_size = 60
        self._first, self._last = self._moment(result), -1

    def _end_file(self) -> None:
        if self._container is not None:
            self._container.mux(self._stream.encode())
            self._container.close()
        self._container = None

    def _abandon_file(self) -> None:
        container, self._container = self._container, None
        if container is not None:
            try:
                container.close()
            except (self._av.error.FFmpegError, OSError):
                return  # it has failed already, and that was told

    def close(self) -> None:
        """Write the end.

        Raises:
            NanoEdgeError: when that fails.
        """
        try:
            self._end_file()
        except (self._av.error.FFmpegError, OSError) as error:
            raise NanoEdgeError(f"{self._place} cannot be finished: {reason(error)}") from error
