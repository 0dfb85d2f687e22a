"""The clock by which the service goes; an argument, so that a test can be years ahead in a moment."""

from __future__ import annotations

import datetime as dt
import threading
import time
from typing import Protocol

LONGEST_SLEEP_S = 1.0
"""The service looks at the clock at least so often: one that was set, or a machine that slept, is noticed."""


class Clock(Protocol):
    """What the service asks of time."""

    def now(self) -> dt.datetime:
        """Return the present moment, which may jump where the clock is set or the machine slept."""

    def monotonic_s(self) -> float:
        """Return seconds that only grow, for pauses and timeouts."""

    def wait(self, wake: threading.Event, seconds: float) -> None:
        """Return after some seconds, or as soon as there is something to do."""


class SystemClock:
    """The clock of the machine."""

    def now(self) -> dt.datetime:
        """Return the present moment in UTC."""
        return dt.datetime.now(dt.UTC)

    def monotonic_s(self) -> float:
        """Return seconds that only grow."""
        return time.monotonic()

    def wait(self, wake: threading.Event, seconds: float) -> None:
        """Return after some seconds, a second at most, or as soon as there is something to do."""
        wake.wait(min(max(seconds, 0.0), LONGEST_SLEEP_S))
        wake.clear()
