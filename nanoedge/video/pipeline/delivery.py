"""The last stage: each output in a thread of its own, so that a slow one holds up nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable

from nanoedge.errors import NanoEdgeError
from nanoedge.video.outputs.base import IdleOutput, Output
from nanoedge.video.pipeline.handover import Handover
from nanoedge.video.pipeline.measurements import Measurements
from nanoedge.video.result import Result

LIVE_BACKLOG, WHOLE_BACKLOG = 4, 32

IDLE_SECONDS = 0.05
"""How often an output that wants to be called without results is called."""


class Delivery:
    """Hands results to one output.

    Args:
        output: the output.
        measurements: counts `NAME_written`, `NAME_dropped` and `NAME_failed`.
        log: receives a sentence when an output fails, once until it works again.
        keep_all: make the detector wait for a slow output, instead of dropping results.

    Attributes:
        has_failed: something was lost at least once.
        failure: a fault of the program that has ended it.
    """

    def __init__(
        self, output: Output, measurements: Measurements, log: Callable[[str], None], keep_all: bool = False
    ) -> None:
        self.output = output
        self._results: Handover[Result] = Handover(WHOLE_BACKLOG if keep_all else LIVE_BACKLOG, keep_all)
        self._measurements = measurements
        self._log = log
        self.has_failed = False
        self.failure: Exception | None = None
        self._failing = False
        self._counted_drops = 0
        self.thread = threading.Thread(target=self._run, name=f"nanoedge-{output.name}", daemon=True)

    def give(self, result: Result) -> None:
        """Hand over a result."""
        self._results.put(result)
        if (dropped := self._results.dropped) > self._counted_drops:
            self._measurements.count(f"{self.output.name}_dropped", dropped - self._counted_drops)
            self._counted_drops = dropped

    def finish(self, timeout: float) -> None:
        """Write what is left, close, and end the thread."""
        self._results.close()
        self.thread.join(timeout)

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:
            self.failure = error  # raised again by the pipeline
            self._results.close(forget=True)  # nobody waits for it

    def _work(self) -> None:
        idle = self.output.idle if isinstance(self.output, IdleOutput) else None
        while not self._results.finished:
            result = self._results.take(timeout=1.0 if idle is None else IDLE_SECONDS)
            if result is not None:
                self._attempt(lambda result=result: self._write(result))  # type: ignore[misc]
            elif idle is not None:
                self._attempt(idle)
        self._attempt(self.output.close)

    def _write(self, result: Result) -> None:
        if not self.output.write(result):
            return
        self._measurements.count(f"{self.output.name}_written")
        if self._failing:
            self._log(f"The output {self.output.name} works again")
        self._failing = False

    def _attempt(self, action: Callable[[], None]) -> None:
        try:
            action()
        except (NanoEdgeError, OSError) as error:
            self._measurements.count(f"{self.output.name}_failed")
            if not self._failing:
                reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
                self._log(f"The output {self.output.name} has failed: {reason.rstrip('.')}. The rest goes on.")
            self._failing = self.has_failed = True
