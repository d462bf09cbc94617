"""JPEG pictures cut out of a stream of bytes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from nanoedge.video.sources.mjpeg import LARGEST, JpegCutter, decode_jpeg


def jpegs(count: int) -> list[bytes]:
    random = np.random.default_rng(0)
    return [cv2.imencode(".jpg", random.integers(0, 256, (40, 60, 3), np.uint8))[1].tobytes() for _ in range(count)]


@pytest.mark.parametrize("piece", [1, 7, 1000, 10**6])
def test_pictures_come_whole_whatever_the_pieces(piece: int) -> None:
    pictures = jpegs(4)
    data = b"rubbish\xff" + b"".join(picture + b"\r\n--boundary\r\n" for picture in pictures)
    cutter, found = JpegCutter(), []
    for start in range(0, len(data), piece):
        cutter.feed(data[start : start + piece])
        while (picture := cutter.next()) is not None:
            found.append(picture)
    assert found == pictures


def test_a_stream_without_an_end_does_not_fill_the_memory() -> None:
    cutter = JpegCutter()
    for _ in range(2 * LARGEST // (1 << 20)):
        cutter.feed(b"\xff\xd8" + bytes(1 << 20))
        assert cutter.next() is None
    cutter.feed(jpegs(1)[0])
    assert cutter.next() is not None


def test_what_is_damaged_is_no_picture() -> None:
    assert decode_jpeg(b"\xff\xd8 nothing \xff\xd9") is None
    assert decode_jpeg(b"") is None
    picture = decode_jpeg(jpegs(1)[0])
    assert picture is not None and picture.shape == (40, 60, 3)
