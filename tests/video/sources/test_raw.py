"""Raw frames: layouts with padded rows, and frames from a real pipe."""

from __future__ import annotations

import os
import re
import threading

import numpy as np
import pytest
from nanoedge.errors import InputError
from nanoedge.video.sources.base import SourceError
from nanoedge.video.sources.raw import RAW_FORMATS, PipeReader, RawInput, RawLayout


def padded(picture: np.ndarray, stride: int) -> bytes:
    rows = np.full((picture.shape[0], stride), 255, np.uint8)
    rows[:, : picture.shape[1]] = picture
    return rows.tobytes()


def test_a_layout_is_read_from_text() -> None:
    layout = RawLayout.from_text("600x338:i420:64")
    assert (layout.width, layout.height, layout.pixel_format, layout.stride) == (600, 338, "i420", 640)
    assert layout.size == 640 * 338 * 3 // 2
    assert RawLayout.from_text("600X338:BGR").stride == 1800


@pytest.mark.parametrize(
    "text", ["", "640x480", "640x480:jpeg", "640:i420", "641x480:i420", "640x481:nv12", "0x4:bgr", "99999x4:bgr"]
)
def test_a_layout_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"[Ff]rames"):
        RawLayout.from_text(text)


@pytest.mark.parametrize("width", [64, 62])
def test_planes_with_padded_rows_come_out_without_the_padding(width: int) -> None:
    """As rpicam-vid pads them: luma rows to 64 bytes, chroma rows to half of that."""
    random = np.random.default_rng(0)
    luma, blue, red = (
        random.integers(0, 256, size, np.uint8) for size in ((8, width), (4, width // 2), (4, width // 2))
    )
    frame = np.frombuffer(padded(luma, 64) + padded(blue, 32) + padded(red, 32), np.uint8)
    layout = RawLayout(width, 8, "i420", 64)
    assert frame.size == layout.size
    picture = layout.picture(frame)
    assert picture.shape == (12, width) and picture.flags.c_contiguous
    assert np.array_equal(picture[:8], luma)
    assert np.array_equal(picture[8:].reshape(2, 4, width // 2), [blue, red])


@pytest.mark.parametrize("pixel_format", RAW_FORMATS)
@pytest.mark.parametrize("alignment", [1, 64])
def test_every_format_has_the_shape_that_a_detector_takes(pixel_format: str, alignment: int) -> None:
    layout = RawLayout.from_text(f"30x20:{pixel_format}:{alignment}")
    picture = layout.picture(np.zeros(layout.size, np.uint8))
    shapes = {"bgr": (20, 30, 3), "rgb": (20, 30, 3), "bgra": (20, 30, 4), "gray": (20, 30), "yuyv": (20, 30, 2)}
    assert picture.shape == shapes.get(pixel_format, (30, 30))
    assert picture.flags.c_contiguous


def test_frames_are_read_from_a_pipe_in_pieces_of_any_size() -> None:
    layout = RawLayout(10, 6, "gray")
    frames = np.arange(180, dtype=np.uint8).reshape(3, 6, 10)
    taken, given = os.pipe()

    def write() -> None:
        data = frames.tobytes()
        for start in range(0, len(data), 17):
            os.write(given, data[start : start + 17])
        os.close(given)

    writer = threading.Thread(target=write)
    writer.start()
    with os.fdopen(taken, "rb") as stream:
        source = RawInput(stream, layout)
        source.open()
        found = [source.read() for _ in range(4)]
    writer.join()
    assert found[3] is None
    assert [frame.number for frame in found if frame] == [0, 1, 2]
    assert all(np.array_equal(frame.picture, expected) for frame, expected in zip(found, frames, strict=False) if frame)


def test_an_input_that_ends_within_a_frame_is_told_with_both_numbers() -> None:
    taken, given = os.pipe()
    os.write(given, bytes(70))
    os.close(given)
    with os.fdopen(taken, "rb") as stream:
        source = RawInput(stream, RawLayout(10, 6, "gray"))
        source.open()
        assert source.read() is not None
        with pytest.raises(SourceError, match=re.escape("within frame 1: 10 of 60 bytes")):
            source.read()


def test_a_silent_pipe_is_not_waited_for_for_ever() -> None:
    taken, given = os.pipe()
    with os.fdopen(taken, "rb") as stream, os.fdopen(given, "wb"), pytest.raises(TimeoutError, match=r"0\.05 seconds"):
        PipeReader(stream, timeout=0.05).some(10)
