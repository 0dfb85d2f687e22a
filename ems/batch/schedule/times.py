"""When a schedule is due: moments of a cron text in a time zone, or of an interval; right where clocks change.

A wall clock skips an hour in spring and shows one twice in autumn. Two rules, those of Debian's cron [1]_:

- A fixed time (neither minute nor hour begins with ``*``) comes once each day: skipped, it comes when the clock has
  jumped; shown twice, it comes the first time.
- Other texts (``0 * * * *``, ``*/15 * * * *``) follow real time: what the clock does not show is left out, what it
  shows twice comes twice, so that an hourly job runs each real hour.

References
----------
.. [1] cron(8), Debian, "Daylight Saving Time and other time changes".
"""

from __future__ import annotations

import datetime as dt
import heapq
import math
from collections.abc import Iterator
from typing import Protocol
from zoneinfo import ZoneInfo

from ems.errors import InvalidInput, show

LONGEST_CRON = 200
_EXAMPLE = "write five parts, minute hour day month weekday, as in '30 2 * * *' (each day at 02:30)"
_PARTS = {
    "minute": (0, "0 to 59"),
    "hour": (1, "0 to 23"),
    "day-of-month": (2, "1 to 31, or L for the last day"),
    "month": (3, "1 to 12, or JAN to DEC"),
    "day-of-week": (4, "0 to 7 (0 and 7 are Sunday), or SUN to SAT"),
}
_NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


class Schedule(Protocol):
    """What is read of a schedule: a cron text in a time zone, or an interval, between two bounds."""

    @property
    def cron(self) -> str | None:
        """Five parts: minute, hour, day of the month, month, day of the week."""

    @property
    def timezone(self) -> str:
        """Zone whose wall clock the cron text means."""

    @property
    def every_s(self) -> float | None:
        """Interval, counted from the start; without one, from 1970-01-01 00:00 UTC."""

    @property
    def start(self) -> dt.datetime | None:
        """First moment that may be due."""

    @property
    def end(self) -> dt.datetime | None:
        """Last moment that may be due."""


def due_between(schedule: Schedule, after: dt.datetime, until: dt.datetime | None = None) -> Iterator[dt.datetime]:
    """Return the due moments later than ``after`` and not later than ``until``, ascending, in UTC.

    Parameters
    ----------
    schedule : Schedule
    after, until : datetime
        With their zone; without ``until`` the moments go on as long as the schedule does.

    Raises
    ------
    InvalidInput
        If the cron text cannot be read, or the zone is unknown.
    """
    if schedule.start is not None:
        after = max(after, schedule.start - _MICROSECOND)
    last = min((one for one in (until, schedule.end) if one is not None), default=None)
    if schedule.cron is not None:
        moments = _cron_moments(schedule.cron, zone_of(schedule.timezone), after.astimezone(dt.UTC))
    elif schedule.every_s is not None:
        moments = _interval_moments(schedule.every_s, schedule.start or _EPOCH, after.astimezone(dt.UTC))
    else:
        return
    for moment in moments:
        if last is not None and moment > last:
            return
        yield moment


def next_due(schedule: Schedule, after: dt.datetime) -> dt.datetime | None:
    """Return the first due moment later than another, or None where none will come."""
    return next(due_between(schedule, after), None)


def last_due(schedule: Schedule, after: dt.datetime, until: dt.datetime) -> dt.datetime | None:
    """Return the newest due moment later than ``after`` and not later than ``until``, or None.

    Looks back from ``until`` in growing steps: after a year at rest not each of 500,000 minutes is counted.
    """
    if schedule.end is not None:
        until = min(until, schedule.end)
    span = dt.timedelta(hours=1)
    while True:
        begin = max(after, until - span)
        newest = None
        for newest in due_between(schedule, begin, until):  # noqa: B007 - the last one is wanted
            pass
        if newest is not None or begin == after:
            return newest
        span *= 12


def check_cron(text: str, timezone: str = "UTC") -> None:
    """Refuse a cron text that is never due or cannot be read.

    Raises
    ------
    InvalidInput
    """
    if next(_cron_moments(text, zone_of(timezone), _EPOCH), None) is None:
        raise InvalidInput(f"cron {show(text)}", f"is never due: there is no such day; {_EXAMPLE}")


def zone_of(timezone: str) -> ZoneInfo:
    """Return a time zone by its name.

    Raises
    ------
    InvalidInput
        If there is none of that name.
    """
    try:
        return ZoneInfo(timezone)
    except (LookupError, ValueError, OSError):  # what zoneinfo says of unknown names, of paths and of folders
        raise InvalidInput(f"timezone {show(timezone)}", "is not known; use a name such as Europe/Berlin") from None


def shown_moment(moment: dt.datetime, timezone: str) -> str:
    """Return a moment as a person of a time zone reads it.

    >>> shown_moment(dt.datetime(2026, 7, 1, 0, 30, tzinfo=dt.UTC), "Europe/Berlin")
    '2026-07-01 02:30 CEST'
    """
    local = moment.astimezone(zone_of(timezone))
    seconds = ":%S" if local.second or local.microsecond else ""
    return local.strftime(f"%Y-%m-%d %H:%M{seconds} %Z")


# ---------------------------------------------------------------------------------------------- inside
def _interval_moments(every_s: float, anchor: dt.datetime, after: dt.datetime) -> Iterator[dt.datetime]:
    """moment[k] = anchor + k * every_s, k = 0, 1, 2 ..."""
    k = max(0, math.floor((after - anchor).total_seconds() / every_s))
    while True:
        try:
            moment = anchor.astimezone(dt.UTC) + dt.timedelta(seconds=k * every_s)
        except OverflowError:  # beyond the year 9999
            return
        if moment > after:
            yield moment
        k += 1


def _cron_moments(text: str, zone: ZoneInfo, after: dt.datetime) -> Iterator[dt.datetime]:
    wall = after.astimezone(zone)
    # An hour shown twice is walked through from its beginning: of its times, the second showing may still come.
    overlap = _offset(wall, fold=0) - _offset(wall, fold=1)
    begin = wall.replace(tzinfo=None, fold=0) - max(overlap, dt.timedelta(0))
    minute, hour = _checked(text).split()[:2]
    is_fixed = not minute.startswith("*") and not hour.startswith("*")
    found = _once_a_showing(text, zone, begin) if not is_fixed else _once(text, zone, begin)
    yield from (moment for moment in found if moment > after)


def _once(text: str, zone: ZoneInfo, begin: dt.datetime) -> Iterator[dt.datetime]:
    """Return the moment of each wall time: of its first showing, or of the jump that leaves it out."""
    before = None
    for given in _wall_times(text, begin):
        wall = given
        while not _moments_of(wall, zone):
            wall += dt.timedelta(minutes=1)
        moment = _moments_of(wall, zone)[0]
        if moment != before:
            yield moment
        before = moment


def _once_a_showing(text: str, zone: ZoneInfo, begin: dt.datetime) -> Iterator[dt.datetime]:
    """Return the moments at which the clock shows each wall time: none, one or two."""
    waiting: list[dt.datetime] = []
    for wall in _wall_times(text, begin):
        moments = _moments_of(wall, zone)
        # First showings come in order; a second showing waits until no earlier moment can follow.
        while waiting and moments and waiting[0] < moments[0]:
            yield heapq.heappop(waiting)
        for moment in moments:
            heapq.heappush(waiting, moment)
    yield from sorted(waiting)


def _moments_of(wall: dt.datetime, zone: ZoneInfo) -> list[dt.datetime]:
    """Return the moments at which the clock of a zone shows a time, in UTC, ascending."""
    first, second = ((wall - _offset(wall.replace(tzinfo=zone), fold)).replace(tzinfo=dt.UTC) for fold in (0, 1))
    if first == second:
        return [first]
    return [first, second] if first < second else []  # PEP 495: in a gap the offsets stand the other way round


def _offset(wall: dt.datetime, fold: int) -> dt.timedelta:
    offset = wall.replace(fold=fold).utcoffset()
    assert offset is not None, "the time has its zone"
    return offset


def _wall_times(text: str, begin: dt.datetime) -> Iterator[dt.datetime]:
    """Return the times later than another that a cron text names, on a clock that never changes."""
    from cronsim import CronSim, CronSimError

    try:
        return iter(CronSim(text, begin))
    except CronSimError as error:
        raise InvalidInput(f"cron {show(text)}", _finding(text, str(error).removeprefix("Bad "))) from None
    except (AssertionError, TypeError, ValueError):  # as the library says of '1#2/3'
        raise InvalidInput(f"cron {show(text)}", f"cannot be read; {_EXAMPLE}") from None


def _finding(text: str, part: str) -> str:
    """Return what is wrong with a part of a cron text, by the library's name of it."""
    if part not in _PARTS:
        return f"cannot be read; {_EXAMPLE}"
    position, values = _PARTS[part]
    given = text.split()[position]
    if part == "day-of-month" and given.isdecimal() and 1 <= int(given) <= 31:
        return f"is never due: none of these months has a day {given}; {_EXAMPLE}"
    step = "; a step after / must be a whole number from 1" if "/" in given else ""
    return f"{part.replace('-', ' ')} {show(given)} must be {values}{step}; {_EXAMPLE}"


def _checked(text: str) -> str:
    """Return a cron text that has five parts and no trap."""
    subject = f"cron {show(text)}"
    nickname = _NICKNAMES.get(text.strip().lower())
    if nickname:
        raise InvalidInput(subject, f"must be written out: '{nickname}'")
    parts = len(text.split())
    if parts == 6:
        raise InvalidInput(subject, f"has six parts; for seconds use every_s, or leave one out: {_EXAMPLE}")
    if parts != 5 or len(text) > LONGEST_CRON:
        raise InvalidInput(subject, f"has {parts} part{'' if parts == 1 else 's'}; {_EXAMPLE}")
    return text
