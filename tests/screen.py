"""A real X server without a monitor (Xvfb), whose picture is read from its memory."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import time
from collections.abc import Iterator
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

    def wait_for_colours(self, process: subprocess.Popen[Any], most: float, seconds: float = 60) -> None:
        """Until the share of black is below.

        Args:
            process: whose window it is.
        """
        end = time.monotonic() + seconds
        while (self.picture().max(axis=2) == 0).mean() >= most:
            if process.poll() is not None or time.monotonic() >= end:
                process.kill()
                pytest.fail(f"nothing was shown: {process.communicate()[1]}")
            time.sleep(0.1)

    def press(self, key: str) -> None:
        """Press a key in the window below the pointer."""
        environment = {**os.environ, "DISPLAY": self.display}
        subprocess.run(["xdotool", "mousemove", "40", "40", "key", key], env=environment, check=True, timeout=30)


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
