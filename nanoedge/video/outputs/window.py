"""A window with the picture and its boxes, on the machine's own screen."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from nanoedge.errors import InputError
from nanoedge.pictures import opencv
from nanoedge.runtime.drawing import draw_detections
from nanoedge.video.pixels import bgr_of
from nanoedge.video.result import Result

TITLE = "NanoEdge"
CLOSING_KEYS = (27, ord("q"))
"""Esc and q."""

_PROBE = "import cv2; cv2.namedWindow('NanoEdge'); cv2.destroyAllWindows()"
PROBE_SECONDS = 20

_QT_RULES = "*.warning=false"
"""Of Qt inside OpenCV's wheels, which warns of the fonts that they lack and of threads that it is used from."""


def check_screen() -> None:
    """Open and close a window in another process: the window system's library ends the whole process when it fails.

    Raises:
        InputError: when no window can be opened.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE], capture_output=True, text=True, timeout=PROBE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise InputError(f"--window: the screen has not answered for {PROBE_SECONDS} s; use --serve.") from None
    if done.returncode == 0:
        return
    if "not implemented" in done.stderr:
        raise InputError("--window: this OpenCV has no windows (opencv-python-headless): pip install opencv-python.")
    screen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    there = f"the screen {screen} cannot be reached" if screen else "there is no screen (DISPLAY is not set)"
    raise InputError(f"--window: {there}. Run it on the desktop, or look from another machine with --serve.")


class Window:
    """Shows the newest result; Esc, q or its close button end everything.

    Args:
        close_all: called when the window is closed by a person.

    Raises:
        InputError: when no window can be opened.
    """

    name = "window"

    def __init__(self, close_all: Callable[[], None]) -> None:
        check_screen()
        self._close_all = close_all
        os.environ.setdefault("QT_LOGGING_RULES", _QT_RULES)
        self._cv2: Any = opencv()
        self._open = False

    def write(self, result: Result) -> bool:
        """Show it."""
        picture = draw_detections(bgr_of(result.frame), result.detections)
        if not self._open:
            self._cv2.namedWindow(TITLE, self._cv2.WINDOW_NORMAL | self._cv2.WINDOW_KEEPRATIO)
            self._cv2.resizeWindow(TITLE, picture.shape[1], picture.shape[0])
            self._open = True
        self._cv2.imshow(TITLE, picture)
        self.idle()
        return True

    def idle(self) -> None:
        """Answer the window system, also while the camera is silent."""
        if not self._open:
            return
        key = self._cv2.waitKey(1) & 0xFF
        closed = self._cv2.getWindowProperty(TITLE, self._cv2.WND_PROP_VISIBLE) < 1
        if closed or key in CLOSING_KEYS:
            self._close_all()

    def close(self) -> None:
        """Take it away."""
        if self._open:
            self._cv2.destroyAllWindows()
            self._cv2.waitKey(1)
        self._open = False
