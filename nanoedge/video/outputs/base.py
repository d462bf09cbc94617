"""What an output of the camera is: something that results are given to, by a thread of its own."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from nanoedge.video.result import Result


class Output(Protocol):
    """Something that results are given to, always by the same thread.

    Attributes:
        name: for messages and counters, such as `jsonl`.
    """

    name: str

    def write(self, result: Result) -> bool:
        """Take a result; whether something of it was kept or shown.

        Raises:
            NanoEdgeError: when it cannot be kept; the next one is tried all the same.
            OSError: likewise.
        """

    def close(self) -> None:
        """Finish."""


@runtime_checkable
class IdleOutput(Output, Protocol):
    """An output that also has something to do while no results come, such as a window."""

    def idle(self) -> None:
        """Do it; called by the same thread as the rest."""
