"""Frames that are given when they are due."""

from __future__ import annotations

import threading
import time


class Pace:
    """A clock that positions of a recording are waited for on; `stop` ends a wait from another thread."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._start: float | None = None

    def begin(self) -> None:
        """The first position that is waited for is now."""
        self._stopped.clear()
        self._start = None

    def wait_until(self, position: float) -> None:
        """Return when so many seconds have passed since the first one; at once when they have."""
        if self._start is None:
            self._start = time.monotonic() - position
        delay = self._start + position - time.monotonic()
        if delay > 0:
            self._stopped.wait(delay)

    def stop(self) -> None:
        """End a wait."""
        self._stopped.set()
