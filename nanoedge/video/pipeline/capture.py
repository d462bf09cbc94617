"""The first stage: frames from a source, which is opened again when it was lost."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

from nanoedge.video.pipeline.handover import Handover
from nanoedge.video.pipeline.measurements import Measurements
from nanoedge.video.sources.base import Frame, SinglePictureError, Source, SourceError, SourceRefusedError

Log = Callable[[str], None]

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""Seconds before a lost source is tried again: twice as long each time, until it gives frames."""

ENOUGH_FRAMES = 5
"""Frames after which a source is really there; the address of a single picture gives one and ends."""


class Capture:
    """Reads a source until its end, or for ever when it is live.

    Args:
        source: what is read.
        frames: where frames go.
        measurements: counts `captured`, `lost`, `reconnected`, `failed_attempts`, `skipped`.
        stop: set when everything is to end.
        log: receives a sentence when the source is lost, cannot be opened, is back, or gives single pictures.
        target_rate: frames a second that are passed on at most; `None` passes on all.

    Attributes:
        heartbeat: when it last did something, seconds of `time.monotonic`.
        waiting: it waits on purpose, between two attempts.
        failure: why it gave up, a fault of the program too; `None` when it did not.
        connected: the source is open, or was there when it was last asked for a single picture.
    """

    def __init__(
        self,
        source: Source,
        frames: Handover[Frame],
        measurements: Measurements,
        stop: threading.Event,
        log: Log,
        target_rate: Callable[[], float | None] = lambda: None,
    ) -> None:
        self.source = source
        source.log = log
        self.heartbeat = time.monotonic()
        self.waiting = False
        self.failure: Exception | None = None
        self.connected = False
        self._frames = frames
        self._measurements = measurements
        self._stop = stop
        self._log = log
        self._target_rate = target_rate
        self._next_due = 0.0
        self._gave_frames = False
        self._lost_at: float | None = None
        self._told_of_single_pictures = False
        self._wait = FIRST_WAIT
        self._frames_since_opened = 0
        self._abandoned = False

    def abandon(self) -> None:
        """From another thread, when this one is stuck: when it comes back, it closes its source and nothing more."""
        self._abandoned = True
        self.source.interrupt()

    def run(self) -> None:
        """The thread's work."""
        try:
            while not self._stop.is_set():
                try:
                    ended = self._read_until_lost()
                except SourceError as error:
                    self._lose(error)
                else:
                    if ended:
                        return
        except Exception as error:
            self.failure = error  # raised again by the pipeline
        finally:
            self.connected = False
            self.source.close()
            if not self._abandoned:
                self._frames.close()

    def _read_until_lost(self) -> bool:
        """Whether everything was read."""
        self.source.open()
        self._frames_since_opened = 0
        while not self._stop.is_set():
            self.heartbeat = time.monotonic()
            frame = self.source.read()
            if frame is None:
                return True
            self._found_again()
            self._measurements.captured()
            if self._is_due(frame):
                self._frames.put(frame)
            else:
                self._measurements.count("skipped")
        return True

    def _is_due(self, frame: Frame) -> bool:
        rate = self._target_rate()
        if not rate:
            return True
        if frame.captured < self._next_due - 0.25 / rate:
            return False
        self._next_due = max(self._next_due + 1 / rate, frame.captured)
        return True

    def _found_again(self) -> None:
        self.connected = True
        self._frames_since_opened += 1
        if self._frames_since_opened == ENOUGH_FRAMES:
            self._wait = FIRST_WAIT
        if self._lost_at is not None and self._gave_frames:
            self._measurements.count("reconnected")
            self._log(f"{self.source.label} is back after {time.monotonic() - self._lost_at:.0f} s")
        self._gave_frames, self._lost_at = True, None

    def _lose(self, error: SourceError) -> None:
        """Say it once, then wait; a source that cannot ever work, or is not live, is given up."""
        single = isinstance(error, SinglePictureError)
        self.connected = single
        self.source.close()
        if self._stop.is_set():
            return
        hopeless = isinstance(error, SourceRefusedError) and not self._gave_frames
        if hopeless or not self.source.live:
            raise error
        if single:
            if not self._told_of_single_pictures:
                self._log(f"{error} It is asked again and again, at last every {LONGEST_WAIT:.0f} s.")
            self._told_of_single_pictures = True
        elif self._lost_at is None:
            self._lost_at = time.monotonic()
            self._measurements.count("lost" if self._gave_frames else "failed_attempts")
            self._log(f"{error} It is tried again until it is there.")
        else:
            self._measurements.count("failed_attempts")
        self.waiting = True
        self._stop.wait(self._wait * random.uniform(0.9, 1.1))  # noqa: S311 - many devices of one network
        self.heartbeat = time.monotonic()  # before the next line: the wait is no sign of being stuck
        self.waiting = False
        self._wait = min(2 * self._wait, LONGEST_WAIT)
