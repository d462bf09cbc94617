"""Recordings that are begun and ended while the camera runs."""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path

from nanoedge.files import make_folder
from nanoedge.video.outputs.recording import Recording
from nanoedge.video.result import Result


class SwitchedRecording:
    """An output that writes `recording-TIME.mp4` into a folder while it is switched on.

    Args:
        folder: is made when the first recording begins.
    """

    name = "recordings"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._wanted = False
        self._recording: Recording | None = None
        self._place: Path | None = None

    @property
    def on(self) -> bool:
        """Whether it is switched on."""
        return self._wanted

    @property
    def place(self) -> Path | None:
        """The file of the recording that is on, or was the last."""
        return self._place

    def switch(self, on: bool) -> None:
        """From any thread; takes effect with the next frame.

        Raises:
            NanoEdgeError: when the folder cannot be made.
        """
        if on:
            make_folder(self.folder)
        self._wanted = on

    def write(self, result: Result) -> bool:
        """Record, begin or end."""
        with self._lock:
            if not self._wanted:
                self._end()
                return False
            if self._recording is None:
                name = datetime.now().astimezone().strftime("recording-%Y%m%d-%H%M%S")
                place, number = self.folder / f"{name}.mp4", 2
                while place.exists():
                    place, number = self.folder / f"{name}-{number}.mp4", number + 1
                self._recording, self._place = Recording(place), place
            return self._recording.write(result)

    def _end(self) -> None:
        recording, self._recording = self._recording, None
        if recording is not None:
            recording.close()

    def close(self) -> None:
        """End what is on.

        Raises:
            NanoEdgeError: when its end cannot be written.
        """
        with self._lock:
            self._end()
