"""Folders of pictures as a source."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from nanoedge.video.sources.base import SourceRefusedError
from nanoedge.video.sources.folder import PictureFolder
from tests.video.sources.test_video_file import frames_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((10 + number, 20, 3), number, np.uint8))
    (tmp_path / "1.jpg").write_bytes(b"no picture")
    return tmp_path


def test_pictures_come_by_name_and_what_is_none_is_counted(folder: Path) -> None:
    source, said = PictureFolder(folder), []
    source.log = said.append
    found = frames_of(source)
    assert [frame.name for frame in found] == ["0.png", "1.png", "2.png"]
    assert len(said) == 1 and "1.jpg" in said[0]
    assert [(frame.number, frame.height, int(frame.picture[0, 0, 0])) for frame in found] == [
        (0, 10, 0),
        (1, 11, 1),
        (2, 12, 2),
    ]
    assert source.unreadable == 1


def test_a_loop_has_no_end_and_a_single_picture_is_a_folder_too(folder: Path) -> None:
    assert len(frames_of(PictureFolder(folder, loop=True), most=10)) == 10
    assert [frame.height for frame in frames_of(PictureFolder(folder / "2.png"))] == [12]


def test_a_rate_gives_positions(folder: Path) -> None:
    assert [frame.position for frame in frames_of(PictureFolder(folder, rate=100))] == [0.0, 0.01, 0.02]


def test_nothing_to_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(SourceRefusedError, match=r"No picture of .* can be read.*a\.png"):
        frames_of(PictureFolder(tmp_path, loop=True))
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(SourceRefusedError, match="has no pictures"):
        frames_of(PictureFolder(empty))
