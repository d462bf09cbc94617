"""A camera on the network: RTSP, HTTP (MJPEG, MPEG-TS, HLS), and whatever else FFmpeg reads from an address."""

from __future__ import annotations

from urllib.parse import urlsplit

from nanoedge.video.sources.address import without_credentials
from nanoedge.video.sources.base import Frame, SinglePictureError, Source, SourceError
from nanoedge.video.sources.container import Container

TIMEOUT = 5.0
"""Seconds without an answer or a frame after which a stream counts as lost."""

_LOW_LATENCY = {"flags": "low_delay", "fpsprobesize": "0"}
"""Without `fflags=nobuffer`, which throws away what was read to find the video: a whole picture, and then the wait for
the next one. `fpsprobesize=0` waits for no frames to find their rate, which nobody asks."""


class Stream(Source):
    """Frames from an address.

    Args:
        address: `rtsp://…`, `http://…`, …; may hold credentials, which no message repeats.
        timeout: seconds without an answer or a frame after which it is lost.
        udp: of RTSP, take packets by UDP, which loses some on a busy network, instead of TCP.
    """

    def __init__(self, address: str, timeout: float = TIMEOUT, udp: bool = False) -> None:
        self._address = address
        self._timeout = timeout
        self._udp = udp
        self.label = without_credentials(address)
        self.live = True
        self._container: Container | None = None

    def open(self) -> None:
        """Connect and find the video."""
        self.close()
        options = dict(_LOW_LATENCY)
        scheme = urlsplit(self._address).scheme.lower()
        if scheme.startswith("rtsp"):
            options["rtsp_transport"] = "udp" if self._udp else "tcp"
        self._container = Container(self._address, f"The stream {self.label}", options, self._timeout)
        self._number = 0

    def read(self) -> Frame | None:
        """The next frame; a stream that ends was lost, unless its address gives single pictures."""
        if self._container is None:
            return None
        found = self._container.read()
        if found is None:
            if self._number == 1:
                raise SinglePictureError(f"The stream {self.label} gives a single picture each time.")
            raise SourceError(f"The stream {self.label} has ended.")
        frame = Frame(self._number, found[0], found[1])
        self._number += 1
        return frame

    def close(self) -> None:
        """Hang up."""
        if self._container is not None:
            self._container.close()
        self._container = None
