"""When a workflow starts by itself: its times, and what else starts it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from ems.errors import InvalidInput, show
from ems.record import Moment, Name, Positive, Record

Missed = Literal["run_all", "run_last", "skip"]
SHORTEST_INTERVAL_S = 1.0
_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_INTERVAL = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(s|min|h|d|w)\s*\Z")


def interval_s(text: object) -> float:
    """Return the seconds of an interval as people write it.

    >>> interval_s("15min"), interval_s("1 h"), interval_s("1d")
    (900.0, 3600.0, 86400.0)

    Raises
    ------
    ValueError
        If it is none; says how one is written.
    """
    found = _INTERVAL.match(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("must be a number with its unit s, min, h, d or w, as in 15min, 1h or 1d")
    return float(found[1]) * _UNITS[found[2]]


def _known_zone(name: str) -> str:
    from ems.batch.schedule.times import zone_of

    try:
        zone_of(name)
    except InvalidInput as error:
        raise ValueError(error.findings[0]) from None
    return name


def _inside(pattern: str) -> str:
    path = PurePosixPath(pattern.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or pattern.startswith("~") or "\0" in pattern:
        raise ValueError("must be a pattern of files within the project, as in data/inbox/*.csv")
    return pattern


class ScheduleSpec(Record):
    """The times at which a workflow starts: a cron text in a time zone, or an interval."""

    cron: Annotated[str, Field(max_length=200)] | None = None
    """Minute, hour, day of the month, month and day of the week, as in '30 2 * * *'."""
    timezone: Annotated[Name, AfterValidator(_known_zone)] = "UTC"
    """Zone whose wall clock the cron text means, as in Europe/Berlin; also that of local dates in parameters."""
    every_s: Positive | None = None
    """Interval, counted from the start; written as every: 15min, 1h or 1d."""
    start: Moment | None = None
    """First moment at which it may start."""
    end: Moment | None = None
    """Last moment at which it may start."""
    missed: Missed = "run_last"
    """What becomes of times that passed while nothing looked after them: run_all, run_last or skip."""

    @classmethod
    def _subject(cls, given: Mapping[str, Any]) -> str:
        return "schedule"

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any], where: str = "") -> Self:
        """Return the schedule that a mapping states; ``every`` is read as an interval with its unit."""
        plain = dict(given)
        if "every" in plain:
            text = plain.pop("every")
            try:
                if "every_s" in plain:
                    raise ValueError("every_s stands beside it; keep one")
                plain["every_s"] = interval_s(text)
            except ValueError as error:
                raise InvalidInput("schedule", f"every = {show(text)}: {error}") from None
        return super().from_mapping(plain, where)

    @model_validator(mode="after")
    def _is_due(self) -> ScheduleSpec:
        if (self.cron is None) == (self.every_s is None):
            raise ValueError("say either cron, as in '30 2 * * *', or every, as in 15min")
        if self.every_s is not None and self.every_s < SHORTEST_INTERVAL_S:
            raise ValueError(f"every_s = {self.every_s:g} s: must be at least {SHORTEST_INTERVAL_S:g} s")
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError(f"end = {self.end.isoformat()}: must be after start = {self.start.isoformat()}")
        if self.cron is not None:
            from ems.batch.schedule.times import check_cron

            try:
                check_cron(self.cron, self.timezone)
            except InvalidInput as error:
                raise ValueError(f"{error.subject}: {error.findings[0]}") from None
        return self


class TriggerSpec(Record):
    """What else starts a workflow: files that come, a request by HTTP."""

    files: Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_inside)] | None = None
    """Pattern of files within the project that are watched, as in data/inbox/*.csv."""
    http: bool = False
    """Whether a request by HTTP may start it."""

    @classmethod
    def _subject(cls, given: Mapping[str, Any]) -> str:
        return "trigger"
