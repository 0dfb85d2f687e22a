"""What a running workflow says: a line when a task starts and when it ends."""

from __future__ import annotations

import sys
import time


class Progress:
    """Lines on the standard error output, with the local time.

    Parameters
    ----------
    is_on : bool
        Whether anything is said.
    """

    def __init__(self, is_on: bool) -> None:
        self.is_on = is_on

    def say(self, what: str, how: str) -> None:
        """Say how something is: ``12:30:05  load  started``."""
        if self.is_on:
            line = f"{what}  {how}".splitlines()[0]
            # What people write must not steer a terminal.
            plain = "".join(c if c.isprintable() else "\ufffd" for c in line)
            print(f"{time.strftime('%H:%M:%S')}  {plain}", file=sys.stderr, flush=True)


def seconds_in_words(seconds: float) -> str:
    """Return a length of time as people read it.

    >>> seconds_in_words(3.21), seconds_in_words(125), seconds_in_words(7260)
    ('3.2 s', '2 min 5 s', '2 h 1 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min {int(seconds % 60)} s"
    return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60)} min"
