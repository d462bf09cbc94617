"""Frames of anything that FFmpeg reads, by PyAV: the way of files and streams."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from nanoedge.errors import NanoEdgeError
from nanoedge.pictures import Picture
from nanoedge.runtime.network import PixelFormat
from nanoedge.video.sources.base import SourceError, SourceRefusedError

NO_VIDEO = frozenset({"tty", "ansi", "xbin", "bintext", "idf", "adf"})
"""Formats as which FFmpeg takes any text, so that a page of HTML would be a video of its letters."""

MOST_DAMAGED = 250
"""Packets in a row that cannot be decoded, after which a stream counts as lost: some ten seconds of it."""

_ALWAYS = {"analyzeduration": "2000000", "probesize": "2000000"}


def pyav() -> Any:
    """The module `av`.

    Raises:
        NanoEdgeError: when it is not installed; says how.
    """
    try:
        import av
    except ImportError as error:
        raise NanoEdgeError(
            f"Videos and streams of the camera need PyAV ({error}). Install it: pip install 'nanoedge[video]'."
        ) from error
    # FFmpeg's own lines name addresses with their passwords. And a decoder's thread that brought one to Python would
    # wait for the interpreter, which waits for that thread where a video is closed.
    av.logging.set_level(None)
    return av


class Container:
    """An open file or stream and its first video.

    Args:
        place: path or address.
        what: how messages call it, without credentials.
        options: of FFmpeg.
        timeout: seconds that opening and each read may take; `None` waits for ever.
        threads: for decoding; with more than one FFmpeg holds back as many frames.

    Attributes:
        stream: PyAV's video stream.
        damaged: packets that could not be decoded.

    Raises:
        SourceError: when it cannot be opened now.
        SourceRefusedError: when it is no video.
    """

    def __init__(
        self, place: str, what: str, options: Mapping[str, str], timeout: float | None = None, threads: int = 1
    ) -> None:
        self._av = pyav()
        self._what = what
        self._timeout = timeout
        self.damaged = 0
        try:
            self._container = self._av.open(place, options={**_ALWAYS, **options}, timeout=timeout)
        except self._av.error.FFmpegError as error:
            raise self._opening_error(error, place) from error
        try:
            self._frames = self._first_video(threads)
        except BaseException:
            self._container.close()
            raise

    def _first_video(self, threads: int) -> Iterator[Any]:
        videos = self._container.streams.video
        if not videos or self._container.format.name in NO_VIDEO:
            raise SourceRefusedError(f"{self._what} is no video ({_kind(self._container)}).")
        self.stream = videos[0]
        self.stream.codec_context.thread_count = threads
        self.stream.thread_type = "SLICE" if threads == 1 else "AUTO"
        return self._decoded()

    def _decoded(self) -> Iterator[Any]:
        """All frames; packets that cannot be decoded are passed over, as before a stream's first whole picture."""
        in_a_row = 0
        for packet in self._packets():
            try:
                frames = packet.decode()
            except self._av.error.FFmpegError as error:
                self.damaged += 1
                in_a_row += 1
                if in_a_row == MOST_DAMAGED:
                    raise SourceError(f"{self._what} cannot be decoded: {reason(error)}.") from error
                continue
            if frames:
                in_a_row = 0
            yield from frames

    def _packets(self) -> Iterator[Any]:
        """All packets. After silence FFmpeg gives what it still has of the last one, and would wait as long again."""
        packets = iter(self._container.demux(self.stream))
        while True:
            started = time.monotonic()
            packet = next(packets, None)
            if self._timeout and time.monotonic() - started >= self._timeout:
                raise SourceError(f"{self._what} was lost: {self._silence()}.")
            if packet is None:
                return
            yield packet

    @property
    def rate(self) -> float | None:
        """Frames a second, where the container says it."""
        rate = self.stream.average_rate or self.stream.guessed_rate
        return float(rate) if rate else None

    def read(self) -> tuple[Picture, PixelFormat, float | None] | None:
        """The next frame, how its pixels lie, and its place in seconds; `None` at the end.

        Raises:
            SourceError: when the stream was lost or is damaged.
        """
        try:
            frame = next(self._frames)
        except (StopIteration, EOFError):
            return None
        except self._av.error.FFmpegError as error:
            raise SourceError(f"{self._what} was lost: {self._reason(error)}.") from error
        picture, pixel_format = pixels_of(frame)
        return picture, pixel_format, frame.time

    def rewind(self) -> bool:
        """Go on with the first frame, in the memory that is there; whether this container can."""
        try:
            self._container.seek(0)
        except self._av.error.FFmpegError:
            return False
        self._frames = self._decoded()
        return True

    def close(self) -> None:
        """Let go."""
        self._frames = iter(())
        self._container.close()

    def _reason(self, error: BaseException) -> str:
        return self._silence() if isinstance(error, self._av.error.ExitError) else reason(error)

    def _silence(self) -> str:
        return f"nothing came for {self._timeout:g} s"

    def _opening_error(self, error: BaseException, place: str) -> SourceError:
        errors, what = self._av.error, self._what
        if isinstance(error, errors.HTTPUnauthorizedError | errors.HTTPForbiddenError):
            return SourceError(f"{what} refuses these credentials ({reason(error)}); check user and password.")
        if isinstance(error, errors.InvalidDataError) and place.lower().startswith("rtsp"):
            # All that FFmpeg says when a camera hangs up or falls silent in RTSP's first exchange.
            return SourceError(f"{what} cannot be opened: it gave no whole answer, as while a camera starts.")
        if isinstance(error, errors.InvalidDataError):
            return SourceRefusedError(f"{what} is no video that can be decoded.")
        if isinstance(error, errors.ProtocolNotFoundError):
            return SourceRefusedError(f"{what} has an address of a kind that is not known.")
        return SourceError(f"{what} cannot be opened: {self._reason(error)}.")


def pixels_of(frame: Any) -> tuple[Picture, PixelFormat]:
    """A decoded frame's pixels: planes of 4:2:0 as they are, anything else as BGR.

    Full-range YUV (that of JPEG) becomes BGR too: the core's conversion is that of luma 16..235.
    """
    even = frame.width % 2 == 0 and frame.height % 2 == 0
    if frame.format.name != "yuv420p" or not even or frame.color_range == 2:
        return np.ascontiguousarray(frame.to_ndarray(format="bgr24")), "bgr"
    height, width = frame.height, frame.width
    result = np.empty((height * 3 // 2, width), np.uint8)
    result[:height] = _plane(frame.planes[0], width, height)
    chroma = result[height:].reshape(2, height // 2, width // 2)
    for place, plane in zip(chroma, frame.planes[1:], strict=True):
        place[:] = _plane(plane, width // 2, height // 2)
    return result, "i420"


def _plane(plane: Any, width: int, height: int) -> Picture:
    rows = np.frombuffer(plane, np.uint8)
    return np.lib.stride_tricks.as_strided(rows, (height, width), (plane.line_size, 1))


def reason(error: BaseException) -> str:
    """What FFmpeg says, without the address that it says it about."""
    return str(getattr(error, "strerror", None) or type(error).__name__).rstrip(".")


def _kind(container: Any) -> str:
    return "text" if container.format.name in NO_VIDEO else str(container.format.long_name or container.format.name)
