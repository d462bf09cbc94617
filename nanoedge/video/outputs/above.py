"""Outputs that get only what is above a score, where the detector reports more for the page's slider."""

from __future__ import annotations

from dataclasses import replace

from nanoedge.video.outputs.base import IdleOutput, Output
from nanoedge.video.result import Result


def above(output: Output, score: float) -> Output:
    """An output that gets the boxes above a score."""
    return _IdleAbove(output, score) if isinstance(output, IdleOutput) else Above(output, score)


class Above:
    """Passes results on with the boxes above a score.

    Args:
        output: gets them.
        score: boxes must be above it.
    """

    def __init__(self, output: Output, score: float) -> None:
        self.name = output.name
        self._output = output
        self._score = score

    def write(self, result: Result) -> bool:
        """Pass on."""
        found = result.detections
        return self._output.write(replace(result, detections=found.select(found.scores > self._score)))

    def close(self) -> None:
        """Finish."""
        self._output.close()


class _IdleAbove(Above):
    def __init__(self, output: IdleOutput, score: float) -> None:
        super().__init__(output, score)
        self.idle = output.idle
