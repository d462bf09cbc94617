"""A real X server without a monitor (Xvfb), whose picture is read from its memory."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

# .ci/run installs it: there a skip would hide a fault.
REQUIRED = os.environ.get("NANOEDGE_REQUIRE_SCREEN") == "1"
WIDTH, HEIGHT = 800, 600


class Screen:
    """A screen.

    Attributes:
        display: for the environment's DISPLAY.
    """

    def __init__(self, display: str, memory: Path) -> None:
        self.display = display
        self._memory = memory

    def picture(self) -> npt.NDArray[np.uint8]:
        """What is shown, uint8 [600, 800, 3], BGR; the memory is an XWD file (X11/XWDFile.h)."""
        data = self._memory.read_bytes()
        head = struct.unpack(">25I", data[:100])
        begin, stride, colours = head[0], head[12], head[19]
        pixels = np.frombuffer(data, np.uint8, stride * HEIGHT, begin + 12 * colours)
        return pixels.reshape(HEIGHT, stride // 4, 4)[:, :WIDTH, :3]

    def has_colours(self, process: subprocess.Popen[Any], most: float, seconds: float) -> bool:
        """Whether the share of black falls below `most` in time.

        Args:
            process: whose window it is; fails when it has ended.
        """
        end = time.monotonic() + seconds
        while (self.picture().max(axis=2) == 0).mean() >= most:
            if process.poll() is not None:
                pytest.fail(f"it ended with status {process.returncode}: {process.communicate()[1]}")
            if time.monotonic() >= end:
                return False
            time.sleep(0.1)
        return True

    def press_until_it_ends(self, key: str, process: subprocess.Popen[Any], seconds: float = 60) -> tuple[Any, Any]:
        """Press a key in the window below the pointer, again where the window has not had it, as a person would.

        Returns:
            What the process has written to its standard output and error.
        """
        environment = {**os.environ, "DISPLAY": self.display}
        end = time.monotonic() + seconds
        while True:
            subprocess.run(["xdotool", "mousemove", "40", "40", "key", key], env=environment, check=True, timeout=30)
            try:
                if process.stdin is not None:
                    process.wait(timeout=5)  # to communicate would close its standard input
                return process.communicate(timeout=5)
            except subprocess.TimeoutExpired:
                if time.monotonic() >= end:
                    process.kill()
                    pytest.fail(f"{key} did not end it: {process.communicate()[1]}")


@contextmanager
def window(
    folder: Path, start: Callable[[str], subprocess.Popen[Any]], most: float
) -> Iterator[tuple[Screen, subprocess.Popen[Any]]]:
    """A process with its window on a screen of its own, once that is seen.

    Where there is no window manager and the CPU is busy, one in ten of OpenCV's windows is never painted, whatever is
    shown in it: then all is begun anew, at most twice.

    Args:
        folder: for the screen's memory.
        start: starts the process on a display.
        most: what share of the screen is black at most.
    """
    attempts = 3
    for attempt in range(attempts):
        place = folder / f"screen-{attempt}"
        place.mkdir()
        with screen(place) as shown:
            process = start(shown.display)
            if shown.has_colours(process, most, 60 if attempt + 1 == attempts else 30):
                yield shown, process
                return
            process.kill()
            _, err = process.communicate()
    pytest.fail(f"nothing was shown: {err}")


@contextmanager
def screen(folder: Path) -> Iterator[Screen]:
    """A fresh one.

    Args:
        folder: for its memory.
    """
    if shutil.which("Xvfb") is None or shutil.which("xdotool") is None:
        (pytest.fail if REQUIRED else pytest.skip)("needs xvfb and xdotool (Debian)")
    size = f"{WIDTH}x{HEIGHT}x24"
    # -noreset: it would begin anew after the last client left, and turn away who comes meanwhile.
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", size, "-fbdir", str(folder), "-nolisten", "tcp", "-noreset"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        number = process.stdout.readline().strip()
        assert number, "Xvfb did not start"
        yield Screen(f":{number}", folder / "Xvfb_screen0")
    finally:
        process.terminate()
        process.wait(timeout=30)
