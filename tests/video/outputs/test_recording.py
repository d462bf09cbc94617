"""Recordings: frames, times, changing sizes, odd sizes, a full disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from nanoedge.detections import Detections
from nanoedge.errors import InputError, NanoEdgeError
from nanoedge.runtime.network import StageTimes
from nanoedge.video.outputs import recording as recordings
from nanoedge.video.outputs.recording import Recording
from nanoedge.video.result import Result
from nanoedge.video.sources.base import Frame
from nanoedge.video.sources.video_file import VideoFile
from tests.video.sources.test_video_file import frames_of


def result(number: int, size: tuple[int, int] = (64, 96), position: float | None = None) -> Result:
    height, width = size
    picture = np.full((height, width, 3), 20 + 10 * number, np.uint8)
    found = Detections.of([[10, 10, 40, 40]], [0.9], [0], ["thing"])
    frame = Frame(number, picture, position=position, captured=100 + number / 8)
    return Result(number, frame, found, StageTimes(0, 0, 0), 100 + number / 8)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_frames_come_back_with_boxes_and_times(tmp_path: Path, suffix: str) -> None:
    place = tmp_path / "new" / f"out{suffix}"
    recording = Recording(place)
    for number in range(10):
        recording.write(result(number))
    recording.close()
    frames = frames_of(VideoFile(place))
    assert [frame.position for frame in frames] == pytest.approx([number / 8 for number in range(10)], abs=2e-3)
    assert [int(np.median(frame.picture[:64])) for frame in frames] == pytest.approx(
        [16 + (20 + 10 * number) * 219 / 255 for number in range(10)], abs=4
    )
    luma = frames[0].picture[:64].astype(int)
    assert luma[10:40, 10:12].max() > luma[50:, 60:].max() + 30  # the box


def test_a_file_that_was_never_closed_can_be_played(tmp_path: Path) -> None:
    place = tmp_path / "out.mp4"
    program = (
        "import os, sys; sys.path.insert(0, '.')\n"
        "from tests.video.outputs.test_recording import Recording, Path, result\n"
        "recording = Recording(Path(sys.argv[1]))\n"
        "for number in range(200): recording.write(result(number % 20, position=number / 25))\n"
        "os._exit(9)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(place)], check=False)
    assert done.returncode == 9
    assert len(frames_of(VideoFile(place), most=1000)) >= 60


def test_another_size_goes_on_in_another_file(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "out.mp4")
    for number in range(6):
        recording.write(result(number, (64, 96) if number < 3 else (49, 81)))
    recording.close()
    sizes = [{(frame.width, frame.height) for frame in frames_of(VideoFile(tmp_path / name))} for name in FILES]
    assert sizes == [{(96, 64)}, {(80, 48)}]


FILES = ("out.mp4", "out-2.mp4")


def write_on(recording: Recording) -> None:
    for number in range(200):
        recording.write(result(number % 20, position=number / 25))


def test_a_disk_that_is_full_is_told_and_later_a_new_file_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """/dev/full is the kernel's own full disk."""
    place = tmp_path / "out.mp4"
    recording = Recording(place)
    place.symlink_to("/dev/full")
    with pytest.raises(NanoEdgeError, match=r"out\.mp4 cannot be written: No space left on device"):
        write_on(recording)
    with pytest.raises(NanoEdgeError, match="10 seconds after"):
        recording.write(result(0))
    monkeypatch.setattr(recordings, "PAUSE", 0.0)
    for number in range(3):
        recording.write(result(number))
    recording.close()
    assert len(frames_of(VideoFile(tmp_path / "out-2.mp4"))) == 3


def test_what_is_there_stays_there(tmp_path: Path) -> None:
    place = tmp_path / "out.mp4"
    place.write_text("mine")
    with pytest.raises(InputError, match="--force"):
        Recording(place)
    with pytest.raises(InputError, match=r"ends with \.mp4 or \.mkv"):
        Recording(tmp_path / "out.gif")
