"""The camera's network, loaded by a thread of its own while everything else is imported and opened."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from nanoedge.errors import NanoEdgeError

if TYPE_CHECKING:
    from nanoedge.runtime.detector import Detector

PAGE_SCORE = 0.2
"""The page gets boxes from here on, so that its slider can go below what the other outputs report."""


def detector_score(reported: float, served: bool) -> float:
    """The score from which the detector gives boxes, when outputs report those above `reported`."""
    return min(reported, PAGE_SCORE) if served else reported


class Loading:
    """Makes a detector; begins with the first one at once.

    Args:
        make: makes one.
    """

    def __init__(self, make: Callable[[], Detector]) -> None:
        self._make = make
        self._made: Detector | None = None
        self._error: NanoEdgeError | None = None
        # Not a daemon: a process that ends while an engine's library is at work crashes.
        self._thread = threading.Thread(target=self._run, name="nanoedge-loading")
        self._thread.start()

    def _run(self) -> None:
        try:
            self._made = self._make()
        except NanoEdgeError as error:
            self._error = error

    def __call__(self) -> Detector:
        """The first one when it is loaded; each later call makes another.

        Raises:
            NanoEdgeError: what loading has raised.
        """
        self._thread.join()
        error, self._error = self._error, None
        if error is not None:
            raise error
        made, self._made = self._made, None
        return self._make() if made is None else made
