"""Outputs that get only what is above a score, where the detector reports more for the page's slider."""

from __future__ import annotations

from dataclasses import replace

from nanoedge.video.pipeline.delivery import Output
from nanoedge.video.pipeline.result import Result


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

    def write(self, result: Result) -> None:
        """Pass on."""
        found = result.detections
        self._output.write(replace(result, detections=found.select(found.scores > self._score)))

    def close(self) -> None:
        """Finish."""
        self._output.close()
