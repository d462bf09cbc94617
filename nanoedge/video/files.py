"""Sources of `nanoedge detect`: a picture, a folder of pictures, or a video file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nanoedge.errors import PictureError
from nanoedge.pictures import PICTURE_SUFFIXES, Picture, list_pictures, opencv

VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v", ".mpg", ".mpeg", ".ts"})


@dataclass(frozen=True)
class VideoFrame:
    """One frame: its number from 0, its time in milliseconds from the start, uint8 BGR."""

    number: int
    time_ms: float
    picture: Picture


def expand_source(source: str) -> list[Path]:
    """The files that a source stands for: itself, or the pictures of a folder by name.

    Raises:
        PictureError: when it does not exist, is a folder without pictures, or has an unknown suffix.
    """
    path = Path(source)
    if path.is_dir():
        pictures = list_pictures(path)
        if not pictures:
            hint = ""
            if any(inner.is_dir() for inner in path.iterdir()):
                hint = f" Subfolders are not searched; give them by name: {path}/*"
            raise PictureError(f"The folder {path} has no pictures (.jpg, .png, …) in it.{hint}")
        return pictures
    if not path.is_file():
        raise PictureError(f"The source {source} does not exist.")
    if path.suffix.lower() not in PICTURE_SUFFIXES | VIDEO_SUFFIXES:
        raise PictureError(f"The source {source} is neither a picture nor a video that NanoEdge knows by its suffix.")
    return [path]


def is_video(path: Path) -> bool:
    """Whether the suffix is that of a video."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def video_length(path: Path) -> int:
    """Frames of the video as its container counts them; 0 where it does not say.

    Raises:
        PictureError: when the video cannot be opened.
    """
    cv2 = opencv()
    capture = _open(path)
    try:
        return max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
    finally:
        capture.release()


def video_rate(path: Path) -> float:
    """Frames a second, 25 where the file does not say.

    Raises:
        PictureError: when the video cannot be opened.
    """
    cv2 = opencv()
    capture = _open(path)
    try:
        rate = float(capture.get(cv2.CAP_PROP_FPS))
    finally:
        capture.release()
    return rate if 0 < rate < 1000 else 25.0


def read_video(path: Path) -> Iterator[VideoFrame]:
    """Every frame of a video.

    Raises:
        PictureError: when the video cannot be opened or holds no frame.
    """
    rate = video_rate(path)
    capture = _open(path)
    number = 0
    try:
        while True:
            there, picture = capture.read()
            if not there:
                break
            yield VideoFrame(number, number * 1000.0 / rate, np.ascontiguousarray(picture))
            number += 1
    finally:
        capture.release()
    if number == 0:
        raise PictureError(f"The video {path} holds no frame that can be decoded.")


def _open(path: Path):  # type: ignore[no-untyped-def]
    capture = opencv().VideoCapture(str(path))
    if not capture.isOpened():
        capture.release()
        raise PictureError(f"{path} is no video that can be decoded, or it is damaged.")
    return capture
