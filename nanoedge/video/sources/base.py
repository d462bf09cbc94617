"""What a source of frames is: something that is opened, read frame by frame, and closed."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field

from nanoedge.errors import NanoEdgeError
from nanoedge.pictures import Picture
from nanoedge.runtime.network import PixelFormat


class SourceError(NanoEdgeError):
    """A source cannot be opened or was lost; trying again may help."""


class SinglePictureError(SourceError):
    """A source is there, but gives one picture each time that it is opened."""


class SourceRefusedError(SourceError):
    """A source can never be read as it was named: a wrong address, a missing file, a mode that a camera lacks."""

    exit_code = 2


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a source.

    Attributes:
        number: counted from 0 as long as the source stays open.
        picture: uint8 in `pixel_format`, as `Detector` takes it; YUV as it came.
        pixel_format: `bgr`, `i420`, `nv12`, `yuyv`, …
        position: seconds from the start of a file; `None` where there is no start.
        name: of its file, where each frame is one.
        captured: when it was there, seconds of `time.monotonic`.
    """

    number: int
    picture: Picture
    pixel_format: PixelFormat = "bgr"
    position: float | None = None
    name: str | None = None
    captured: float = field(default_factory=time.monotonic)

    @property
    def height(self) -> int:
        """Pixels."""
        rows = int(self.picture.shape[0])
        return rows * 2 // 3 if self.pixel_format in ("i420", "nv12") else rows

    @property
    def width(self) -> int:
        """Pixels."""
        return int(self.picture.shape[1])


class Source(ABC):
    """Frames from a camera, a stream, a file, a folder or standard input.

    One thread opens, reads and closes; `interrupt` may be called from any other. A closed source can be opened again.

    Attributes:
        label: what people see; holds no credentials.
        live: frames come whether they are wanted or not, and the source is worth waiting for when it is gone.
        log: receives sentences about frames that are left out; set by whoever reads the source.
    """

    label: str
    live: bool
    log: Callable[[str], None] = staticmethod(lambda text: None)

    @abstractmethod
    def open(self) -> None:
        """Connect.

        Raises:
            SourceError: when that fails now.
            SourceRefusedError: when it cannot ever work.
        """

    @abstractmethod
    def read(self) -> Frame | None:
        """The next frame; `None` at the end.

        Raises:
            SourceError: when the source was lost.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of everything; may be called more than once, and after an `open` that failed."""

    def interrupt(self) -> None:  # noqa: B027
        """End a `read` that waits, as soon as possible; what it then does is of no interest."""
