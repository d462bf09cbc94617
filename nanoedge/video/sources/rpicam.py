"""The Raspberry Pi's own camera, by the program `rpicam-vid` (before Raspberry Pi OS 12: `libcamera-vid`).

The program pipes its frames: I420, whose rows it pads to 64 bytes, or MJPEG.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from typing import IO, cast

import numpy as np

from nanoedge.video.sources.base import Frame, Source, SourceError, SourceRefusedError
from nanoedge.video.sources.mjpeg import JpegCutter, decode_jpeg
from nanoedge.video.sources.mode import ANY_MODE, CameraMode
from nanoedge.video.sources.raw import PipeReader, RawLayout

PROGRAMS = ("rpicam-vid", "libcamera-vid")
ROW_ALIGNMENT = 64
DEFAULT_MODE = CameraMode(width=640, height=480, rate=30.0)
TIMEOUT = 5.0
"""Seconds without a byte after which the camera counts as lost."""

START_TIMEOUT = 20.0
"""The same for its first frame: the program takes a second to begin, on the smallest boards several."""


def rpicam_program() -> str | None:
    """Path of the program that is installed; `None` when there is none."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


class RaspberryPiCamera(Source):
    """Frames from `rpicam-vid`.

    Args:
        number: of the camera, as `rpicam-vid --list-cameras` counts.
        mode: what is asked for; a width that is a multiple of 64 saves a copy of each frame.
        timeout: seconds without a byte after which it is lost.

    Raises:
        InputError: for odd sides, which its frames cannot have.
    """

    def __init__(self, number: int = 0, mode: CameraMode = ANY_MODE, timeout: float = TIMEOUT) -> None:
        self.label = f"rpicam:{number}"
        self.live = True
        self._camera = number
        self._mode = mode.filled_from(DEFAULT_MODE)
        self._layout = RawLayout(cast(int, self._mode.width), cast(int, self._mode.height), "i420", ROW_ALIGNMENT)
        self._timeout = timeout
        self._process: subprocess.Popen[bytes] | None = None

    def command(self, program: str) -> list[str]:
        """What is run."""
        mode = self._mode
        codec = "mjpeg" if mode.pixel_format == "mjpeg" else "yuv420"
        return [
            *(program, "--camera", str(self._camera), "--codec", codec, "--nopreview", "--timeout", "0"),
            *("--width", str(mode.width), "--height", str(mode.height), "--framerate", f"{mode.rate:g}"),
            *("--flush", "--output", "-"),
        ]

    def open(self) -> None:
        """Start the program; whether it has a camera is seen at the first frame."""
        self.close()
        program = rpicam_program()
        if program is None:
            raise SourceRefusedError(
                "The Raspberry Pi's camera needs the program rpicam-vid, which is not here. On Raspberry Pi OS: "
                "apt-get install rpicam-apps-lite. For a USB camera: --source /dev/video0."
            )
        if self._mode.pixel_format not in (None, "i420", "mjpeg"):
            raise SourceRefusedError(f"rpicam-vid gives i420 or mjpeg, not {self._mode.pixel_format}.")
        try:
            self._process = subprocess.Popen(
                self.command(program),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C in a terminal is ours to pass on
            )
        except OSError as error:
            raise SourceError(f"{program} cannot be run: {error.strerror}.") from error
        self._number = 0
        self._said = _Tail(cast(IO[bytes], self._process.stderr))
        self._reader = PipeReader(cast(IO[bytes], self._process.stdout), max(START_TIMEOUT, self._timeout))
        self._cutter = JpegCutter() if self._mode.pixel_format == "mjpeg" else None

    def read(self) -> Frame | None:
        """The next frame.

        Raises:
            SourceError: when the program has ended or is silent; repeats what it said last.
        """
        if self._process is None:
            return None
        try:
            frame = self._read_jpeg(self._cutter) if self._cutter is not None else self._read_i420()
        except TimeoutError as error:
            raise SourceError(f"The camera {self.label} is silent: {error}.") from error
        if frame is None:
            raise self._ended()
        self._reader.timeout = self._timeout
        frame = replace(frame, number=self._number)
        self._number += 1
        return frame

    def _read_i420(self) -> Frame | None:
        memory = np.empty(self._layout.size, np.uint8)
        if self._reader.fill(memory.data) < memory.size:
            return None
        return Frame(0, self._layout.picture(memory), "i420")

    def _read_jpeg(self, cutter: JpegCutter) -> Frame | None:
        while (jpeg := cutter.next()) is None:
            data = self._reader.some(1 << 18)
            if not data:
                return None
            cutter.feed(data)
        picture = decode_jpeg(jpeg)
        if picture is None:
            return self._read_jpeg(cutter)
        return Frame(0, picture)

    def _ended(self) -> SourceError:
        process = cast("subprocess.Popen[bytes]", self._process)
        try:
            status = process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            return SourceError(f"The camera {self.label} has closed its output.")
        said = self._said.last()
        return SourceError(f"rpicam-vid ended with status {status}{': ' + said if said else ''}.")

    def close(self) -> None:
        """End the program, gently first."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()

    def interrupt(self) -> None:
        """End the program, which ends a read."""
        process = self._process
        if process is not None:
            process.terminate()


class _Tail:
    """The last line that a program says; reads what it says so that it never waits for that.

    Args:
        stream: its standard error.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        import threading

        self._line = ""
        self._thread = threading.Thread(target=self._follow, args=(stream,), name="rpicam-messages", daemon=True)
        self._thread.start()

    def _follow(self, stream: IO[bytes]) -> None:
        try:
            for line in stream:
                self._line = line.decode(errors="replace").strip() or self._line
        except ValueError:
            return  # it was closed

    def last(self) -> str:
        """Once the program has ended."""
        self._thread.join(timeout=1)
        return self._line.rstrip(".")
