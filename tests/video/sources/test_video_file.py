"""Video files: pixels, times, loops and real time."""

from __future__ import annotations

import itertools
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from nanoedge.video.files import read_video
from nanoedge.video.sources.base import Frame, Source, SourceRefusedError
from nanoedge.video.sources.video_file import VideoFile
from tests.video.conftest import FRAMES, RATE, write_clip


def frames_of(source: Source, most: int = 100) -> list[Frame]:
    source.open()
    found = []
    while len(found) < most and (frame := source.read()) is not None:
        found.append(frame)
    source.close()
    return found


def test_every_frame_comes_once_as_planes_with_its_place(clip: Path) -> None:
    found = frames_of(VideoFile(clip))
    assert [frame.number for frame in found] == list(range(FRAMES))
    assert [frame.position for frame in found] == pytest.approx([number / RATE for number in range(FRAMES)], abs=1e-3)
    assert {(frame.pixel_format, frame.width, frame.height) for frame in found} == {("i420", 96, 64)}


def test_the_pixels_are_those_that_detect_sees(clip: Path) -> None:
    for ours, theirs in zip(frames_of(VideoFile(clip)), read_video(clip), strict=True):
        picture = cv2.cvtColor(ours.picture, cv2.COLOR_YUV2BGR_I420)
        assert np.abs(picture.astype(int) - theirs.picture).max() <= 3


def test_a_loop_goes_on_counting(clip: Path) -> None:
    found = frames_of(VideoFile(clip, loop=True), most=30)
    assert [frame.number for frame in found] == list(range(30))
    assert [frame.position for frame in found] == pytest.approx([number / RATE for number in range(30)], abs=1e-3)
    assert np.array_equal(found[0].picture, found[FRAMES].picture)


def test_real_time_takes_as_long_as_the_video(clip: Path) -> None:
    started = time.monotonic()
    found = frames_of(VideoFile(clip, realtime=True))
    assert len(found) == FRAMES
    assert time.monotonic() - started >= (FRAMES - 1) / RATE
    waits = [after.captured - before.captured for before, after in itertools.pairwise(found)]
    assert np.median(waits) == pytest.approx(1 / RATE, abs=0.02)


def test_a_wait_for_a_frame_can_be_ended_from_outside(clip: Path) -> None:
    source = VideoFile(clip, realtime=True)
    source.open()
    source.read()
    timer = threading.Timer(0.05, source.interrupt)
    timer.start()
    started = time.monotonic()
    while source.read() is not None:
        pass
    assert time.monotonic() - started < (FRAMES - 1) / RATE
    source.close()


def test_it_can_be_opened_again(clip: Path) -> None:
    source = VideoFile(clip)
    assert len(frames_of(source)) == len(frames_of(source)) == FRAMES


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    for name, content in (("empty.mp4", b""), ("text.mp4", b"<html>page</html>\n" * 900), ("noise.avi", bytes(5000))):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(SourceRefusedError, match=rf"{name}.* no video"):
            frames_of(VideoFile(path))
    with pytest.raises(SourceRefusedError, match="does not exist"):
        frames_of(VideoFile(tmp_path / "gone.mp4"))


def test_a_file_that_is_cut_off_gives_what_it_has(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.ts")
    cut = tmp_path / "cut.ts"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    assert 0 < len(frames_of(VideoFile(cut))) < FRAMES + 1
