"""The newest result for any number of viewers: encoded once, and never queued for a slow one."""

from __future__ import annotations

import asyncio
import json
import struct
import threading
import time
from typing import Any

from nanoedge.pictures import encode_picture, opencv
from nanoedge.video.pixels import bgr_of
from nanoedge.video.result import Result

JPEG_QUALITY = 75
LARGEST_WIDTH = 1280
"""Wider pictures are made smaller for the page; boxes are in pixels of the frame, whose size is sent too."""


class Message:
    """One result as it goes over the wire: length of the JSON (4 bytes, little endian), JSON, JPEG.

    Attributes:
        number: of the result.
        data: the bytes.
    """

    def __init__(self, result: Result) -> None:
        picture = bgr_of(result.frame)
        if picture.shape[1] > LARGEST_WIDTH:
            height = round(picture.shape[0] * LARGEST_WIDTH / picture.shape[1])
            cv2 = opencv()
            picture = cv2.resize(picture, (LARGEST_WIDTH, height), interpolation=cv2.INTER_AREA)
        self.number = result.number
        self.jpeg = encode_picture(picture, ".jpg", JPEG_QUALITY)
        text = json.dumps(_about(result), ensure_ascii=False, separators=(",", ":")).encode()
        self.data = struct.pack("<I", len(text)) + text + self.jpeg


def _about(result: Result) -> dict[str, Any]:
    return {
        "number": result.number,
        "width": result.frame.width,
        "height": result.frame.height,
        "latency_ms": round(result.latency_ms, 2),
        "age_ms": round((time.monotonic() - result.frame.captured) * 1000, 1),
        "detections": result.detections.as_json(),
    }


class Live:
    """An output of the pipeline that viewers of an event loop wait at.

    A picture is encoded when a viewer wants a newer one than it has, in the output's own thread, and at most
    `largest_rate` times a second; without viewers nothing is encoded.

    Args:
        largest_rate: pictures a second that any viewer gets.
    """

    name = "page"

    def __init__(self, largest_rate: float = 15.0) -> None:
        self._interval = 1 / largest_rate
        self._lock = threading.Lock()
        self._message: Message | None = None
        self._newest: Result | None = None
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[Message]]] = []
        self._next = 0.0
        self._closed = False

    def write(self, result: Result) -> bool:
        """Keep the newest; encode it when somebody waits."""
        with self._lock:
            self._newest = result
            if not self._waiting or time.monotonic() < self._next:
                return False
        self._next = time.monotonic() + self._interval
        self._hand_out(Message(result))
        return True

    def _hand_out(self, message: Message) -> None:
        with self._lock:
            self._message = message
            waiting, self._waiting = self._waiting, []
        for loop, future in waiting:
            try:
                loop.call_soon_threadsafe(_fulfil, future, message)
            except RuntimeError:
                continue  # the server has ended

    async def newer_than(self, number: int) -> Message:
        """The newest message with another number, at once or when it is there."""
        loop = asyncio.get_running_loop()
        with self._lock:
            message = self._message
            if message is not None and message.number > number:
                return message
            future: asyncio.Future[Message] = loop.create_future()
            self._waiting.append((loop, future))
        return await future

    def newest(self) -> Result | None:
        """The last result; `None` before the first."""
        with self._lock:
            return self._newest

    def close(self) -> None:
        """Nothing is held."""


def _fulfil(future: asyncio.Future[Message], message: Message) -> None:
    if not future.done():
        future.set_result(message)
