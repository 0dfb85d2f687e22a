"""What becomes of due times: which one is started, and which are skipped, with the reason.

One rule for all that is late, whether the service did not run, the machine slept, or the workflow was still busy:

``run_all``
    Each time is started, the oldest first, one after the other.
``run_last``
    The newest time is started; older ones are skipped.
``skip``
    The newest time is started if it passed less than a minute ago; all others are skipped.

While a workflow runs, nothing is decided: its due times wait, and the rule is applied when it has ended.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from ems.batch.schedule.times import Schedule, due_between, last_due, next_due

ON_TIME_S = 60.0
"""A time that passed less long ago than this is not missed."""
MOST_COUNTED = 1000


@dataclass(frozen=True)
class Skipped:
    """Due times that are not started.

    Parameters
    ----------
    first, last : datetime
        Oldest and newest of them.
    count : int
        How many; `MOST_COUNTED` stands for that many or more.
    reason : str
    """

    first: dt.datetime
    last: dt.datetime
    count: int
    reason: str

    def sentence(self, shown: Callable[[dt.datetime], str]) -> str:
        """Return what is said of them, with moments as a person reads them."""
        if self.count == 1:
            return f"skipped {shown(self.last)}: {self.reason}"
        count = f"{MOST_COUNTED} or more" if self.count >= MOST_COUNTED else str(self.count)
        return f"skipped {count} times from {shown(self.first)} to {shown(self.last)}: {self.reason}"


@dataclass(frozen=True)
class Decision:
    """What is to be done at some moment: which due time is started, which are skipped; perhaps neither."""

    start: dt.datetime | None = None
    skipped: Skipped | None = None


def decide(
    schedule: Schedule,
    missed: str,
    handled_until: dt.datetime,
    now: dt.datetime,
    busy: tuple[dt.datetime, dt.datetime] | None = None,
) -> Decision:
    """Return what is to be done of the times later than ``handled_until`` and not later than ``now``.

    Parameters
    ----------
    schedule : Schedule
    missed : str
        run_all, run_last or skip.
    handled_until, now : datetime
    busy : tuple of datetime, optional
        Beginning and end of the workflow's last run; tells the reason of times between them.
    """
    first = next_due(schedule, handled_until)
    if first is None or first > now:
        return Decision()
    if missed == "run_all":
        return Decision(start=first)
    newest = last_due(schedule, handled_until, now)
    assert newest is not None, f"{first} is due before {now}"
    is_late = (now - newest).total_seconds() > ON_TIME_S
    if missed == "skip" and is_late:
        return Decision(None, _skipped(schedule, first, newest, missed, busy))
    if newest == first:
        return Decision(newest)
    before = last_due(schedule, handled_until, newest - dt.timedelta(microseconds=1))
    assert before is not None, f"{first} is due before {newest}"
    return Decision(newest, _skipped(schedule, first, before, missed, busy))


def _skipped(
    schedule: Schedule,
    first: dt.datetime,
    last: dt.datetime,
    missed: str,
    busy: tuple[dt.datetime, dt.datetime] | None,
) -> Skipped:
    all_of_them = due_between(schedule, first - dt.timedelta(microseconds=1), last)
    count = sum(1 for _ in islice(all_of_them, MOST_COUNTED))
    was_busy = busy is not None and busy[0] <= first and last <= busy[1]
    why = "the workflow was still running then" if was_busy else "nothing looked after the schedule then"
    return Skipped(first, last, count, f"{why} (missed: {missed})")
