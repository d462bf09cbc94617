"""JPEG pictures one behind the other."""

from __future__ import annotations

import numpy as np

from nanoedge.pictures import Picture, opencv

_START, _END = b"\xff\xd8", b"\xff\xd9"
LARGEST = 32 << 20
"""Bytes without an end after which what is there is thrown away."""


class JpegCutter:
    """Cuts a stream of bytes into JPEG pictures.

    The end-of-image marker cannot occur within the coded data of a picture (there a 0xFF byte is followed by 0x00 or a
    restart marker); one within a thumbnail of the header would end a picture early, which cameras' streams do not have.
    """

    def __init__(self) -> None:
        self._data = bytearray()
        self._searched = 0

    def feed(self, data: bytes) -> None:
        """Add bytes."""
        self._data += data
        if len(self._data) > LARGEST:
            self._data.clear()
            self._searched = 0

    def next(self) -> bytes | None:
        """The next whole picture; `None` until more bytes are there."""
        start = self._data.find(_START)
        if start < 0:
            del self._data[:-1]
            self._searched = 0
            return None
        if start:
            del self._data[:start]
            self._searched = 0
        end = self._data.find(_END, max(2, self._searched - 1))
        if end < 0:
            self._searched = len(self._data)
            return None
        picture = bytes(self._data[: end + 2])
        del self._data[: end + 2]
        self._searched = 0
        return picture


def decode_jpeg(data: bytes) -> Picture | None:
    """BGR; `None` when it is damaged."""
    cv2 = opencv()
    try:
        picture: Picture | None = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return picture
