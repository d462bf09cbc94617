"""Raw frames from a pipe: standard input, or the output of a program."""

from __future__ import annotations

import os
import re
import select
from dataclasses import dataclass
from typing import IO, Literal, get_args

import numpy as np

from nanoedge.errors import InputError
from nanoedge.pictures import Picture
from nanoedge.video.sources.base import Frame, Source, SourceError

RawFormat = Literal["bgr", "rgb", "bgra", "gray", "nv12", "i420", "yuyv"]
RAW_FORMATS: tuple[str, ...] = get_args(RawFormat)
_BYTES_A_PIXEL = {"bgr": 3, "rgb": 3, "bgra": 4, "gray": 1, "yuyv": 2}
LARGEST_SIDE = 16384


@dataclass(frozen=True)
class RawLayout:
    """How the bytes of a frame lie.

    Attributes:
        width: pixels.
        height: pixels.
        pixel_format: one of `RAW_FORMATS`.
        alignment: rows of the first plane begin at multiples of so many bytes; chroma rows of I420 at half of that.

    Raises:
        InputError: for a size that cannot be.
    """

    width: int
    height: int
    pixel_format: RawFormat
    alignment: int = 1

    def __post_init__(self) -> None:
        width, height, even = self.width, self.height, self.pixel_format in ("i420", "nv12", "yuyv")
        text = f"{width}x{height} in {self.pixel_format}"
        if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE and 0 < self.alignment <= 4096):
            raise InputError(f"Frames of {text} cannot be; sides are 1 to {LARGEST_SIDE}.")
        if even and (width % 2 or (height % 2 and self.pixel_format != "yuyv")):
            raise InputError(f"Frames of {text} cannot be: it needs even sides.")

    @classmethod
    def from_text(cls, text: str) -> RawLayout:
        """From `640x480:i420`, or `640x480:i420:64` with an alignment.

        Raises:
            InputError: when it is written otherwise, or a size cannot be.
        """
        found = re.fullmatch(r"(\d+)x(\d+):(\w+)(?::(\d+))?", text.strip().lower())
        if found is None or found[3] not in RAW_FORMATS:
            raise InputError(
                f"{text!r} does not describe raw frames; write WIDTHxHEIGHT:FORMAT[:ROW_ALIGNMENT], such as "
                f"640x480:i420, with one of {', '.join(RAW_FORMATS)}."
            )
        pixel_format: RawFormat = found[3]  # type: ignore[assignment]
        return cls(int(found[1]), int(found[2]), pixel_format, int(found[4] or 1))

    @property
    def stride(self) -> int:
        """Bytes of a row of the first plane."""
        row = self.width * _BYTES_A_PIXEL.get(self.pixel_format, 1)
        return -(-row // self.alignment) * self.alignment

    @property
    def size(self) -> int:
        """Bytes of a frame."""
        rows = self.height * 3 // 2 if self.pixel_format in ("i420", "nv12") else self.height
        return self.stride * rows

    def picture(self, frame: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> Picture:
        """The frame [size] as `Detector` takes it, rows without padding; a copy only where there is padding."""
        height, width, stride = self.height, self.width, self.stride
        if self.pixel_format in ("i420", "nv12"):
            rows = frame.reshape(height * 3 // 2, stride)
            if stride == width:
                return rows
            if self.pixel_format == "nv12":
                return np.ascontiguousarray(rows[:, :width])
            result = np.empty((height * 3 // 2, width), np.uint8)
            result[:height] = rows[:height, :width]
            chroma = rows[height:].reshape(height, stride // 2)  # rows of U, then rows of V
            result[height:] = chroma[:, : width // 2].reshape(height // 2, width)
            return result
        depth = _BYTES_A_PIXEL[self.pixel_format]
        picture = frame.reshape(height, stride)[:, : width * depth]
        if depth > 1:
            picture = np.ascontiguousarray(picture).reshape(height, width, depth)
        return np.ascontiguousarray(picture)


class PipeReader:
    """Whole frames or chunks from a pipe, with a limit on how long one may take.

    Args:
        stream: a binary file of the operating system.
        timeout: seconds without a byte after which a read fails; `None` waits for ever.
    """

    def __init__(self, stream: IO[bytes], timeout: float | None = None) -> None:
        self._file = stream.fileno()
        self.timeout = timeout
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)

    def some(self, largest: int) -> bytes:
        """What is there, at least one byte; none at the end.

        Raises:
            TimeoutError: when nothing came in time.
        """
        if not self._poll.poll(None if self.timeout is None else self.timeout * 1000):
            raise TimeoutError(f"nothing came for {self.timeout:g} seconds")
        return os.read(self._file, largest)

    def fill(self, memory: memoryview) -> int:
        """Fill with the next bytes; how many there were, fewer at the end.

        Raises:
            TimeoutError: when nothing came in time.
        """
        done = 0
        while done < len(memory):
            if not self._poll.poll(None if self.timeout is None else self.timeout * 1000):
                raise TimeoutError(f"nothing came for {self.timeout:g} seconds")
            count = os.readv(self._file, [memory[done:]])
            if not count:
                break
            done += count
        return done


class RawInput(Source):
    """Raw frames from standard input, one behind the other.

    Args:
        stream: the input.
        layout: of each frame.
    """

    def __init__(self, stream: IO[bytes], layout: RawLayout) -> None:
        self.label = "standard input"
        self.live = False
        self._stream = stream
        self._layout = layout
        self._reader: PipeReader | None = None
        self._number = 0

    def open(self) -> None:
        """Take the input."""
        self._reader = PipeReader(self._stream)

    def read(self) -> Frame | None:
        """The next frame; `None` at the end of the input."""
        if self._reader is None:
            return None
        frame = np.empty(self._layout.size, np.uint8)
        count = self._reader.fill(frame.data)
        if not count:
            return None
        if count < frame.size:
            raise SourceError(
                f"Standard input ended within frame {self._number}: {count} of {frame.size} bytes; is the size right?"
            )
        self._number += 1
        return Frame(self._number - 1, self._layout.picture(frame), self._layout.pixel_format)

    def close(self) -> None:
        """Nothing is held: standard input stays as it is."""
        self._reader = None
