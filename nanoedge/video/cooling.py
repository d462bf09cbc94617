"""Looking at fewer frames before the SoC throttles by itself (`--cool`)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from nanoedge.video.health import SLOWED, cpu_temperature, throttling_flags
from nanoedge.video.health import throttling_temperature as throttles_at

RASPBERRY_PI_THROTTLES = 80.0
"""Degrees Celsius, where the kernel names no such point: a Raspberry Pi's firmware lowers the clock from here on."""

MARGIN = 10.0
"""Degrees below that point at which frames are left out."""

DEAD_BAND = 2.0
"""Degrees below the limit within which the rate stays, so that it does not swing."""

SLOWEST = 0.5
"""Frames a second that are always looked at."""

STEP_SECONDS = 5.0


@dataclass(frozen=True)
class Heat:
    """What the machine says: degrees Celsius, and whether it has lowered its clock."""

    temperature: float | None
    throttled: bool


def measure_heat() -> Heat:
    """Now."""
    flags = throttling_flags() or 0
    return Heat(cpu_temperature(), bool(flags & SLOWED))


def default_limit() -> float:
    """Degrees Celsius that are not to be passed: `MARGIN` below where this machine throttles."""
    return (throttles_at() or RASPBERRY_PI_THROTTLES) - MARGIN


class Cooling:
    """Finds the rate at which the machine stays below a temperature.

    Above it, each step takes a share of the rate away, more the hotter it is; well below it, each step gives some back
    until nothing is held back any more.

    Args:
        limit: degrees Celsius.

    Attributes:
        rate: frames a second at most; `None` holds nothing back.
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.rate: float | None = None

    def step(self, heat: Heat, running: float, wanted: float) -> float | None:
        """The rate from now on.

        Args:
            heat: what the machine says.
            running: results a second at present.
            wanted: frames a second that would be looked at if it were cool.
        """
        excess = (heat.temperature - self.limit) if heat.temperature is not None else float("-inf")
        if heat.throttled:
            excess = max(excess, DEAD_BAND)
        if excess > 0:
            now = running if self.rate is None else min(self.rate, max(running, SLOWEST))
            self.rate = max(SLOWEST, now * (0.97 - 0.03 * min(excess, 5.0)))
        elif self.rate is not None and excess < -DEAD_BAND:
            self.rate *= 1.03
            if self.rate > wanted:
                self.rate = None
        return self.rate


class CoolingThread:
    """Measures and steps every few seconds, until it is stopped.

    Args:
        cooling: decides.
        rates: results a second now, and frames a second that are wanted.
        apply: receives the rate, or `None`.
        log: receives a sentence when frames begin to be left out and when that ends.
        measure: what the machine says.
        seconds: between two steps.
    """

    def __init__(
        self,
        cooling: Cooling,
        rates: Callable[[], tuple[float, float]],
        apply: Callable[[float | None], None],
        log: Callable[[str], None],
        measure: Callable[[], Heat] = measure_heat,
        seconds: float = STEP_SECONDS,
    ) -> None:
        self._cooling, self._rates, self._apply, self._log = cooling, rates, apply, log
        self._measure, self._seconds = measure, seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="nanoedge-cooling", daemon=True)

    def start(self) -> None:
        """Begin; says so when this machine offers nothing to go by."""
        heat = self._measure()
        if heat.temperature is None:
            self._log("This machine does not say how warm it is; --cool goes by its throttling alone.")
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stop.wait(self._seconds):
            before, heat = self._cooling.rate, self._measure()
            after = self._cooling.step(heat, *self._rates())
            self._apply(after)
            if (before is None) != (after is None):
                at = "" if heat.temperature is None else f" at {heat.temperature:.0f} °C"
                self._log(
                    f"The CPU is{at or ' throttled'}: frames are left out to keep it below {self._cooling.limit:.0f} °C"
                    if after is not None
                    else f"The CPU is{at}: nothing is left out any more"
                )
