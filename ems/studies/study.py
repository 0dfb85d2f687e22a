"""Study: the parameters of one notebook, checked before a kernel starts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, StringConstraints

from ems.errors import InvalidInput, show
from ems.folders import is_slug, looks_like_path
from ems.record import Name, Record, field_table

_YEARS = range(1970, 2200)  # those of ems.horizon, whose import would load pandas before anything is checked


def _moment(text: str) -> str:
    try:
        year = dt.datetime.fromisoformat(text).year
    except ValueError:
        raise ValueError("must be a date and time, as in 2024-06-03T00:00") from None
    if year not in _YEARS:
        raise ValueError(f"must lie in the years {_YEARS[0]} to {_YEARS[-1]}")
    return text


def _name_or_path(text: str) -> str:
    if not (is_slug(text) or looks_like_path(text)):
        raise ValueError("must be a name of small letters, digits and hyphens, or a path to a file")
    return text


RUN_ID_VARIABLE = "EMS_RUN_ID"
"""Environment variable by which a command tells its kernel the run that it has opened."""

StartText = Annotated[str, StringConstraints(max_length=40), AfterValidator(_moment)]
"""Beginning of a horizon as text: without offset it is local time of the site."""
FileName = Annotated[str, StringConstraints(min_length=1, max_length=1000), AfterValidator(_name_or_path)]
"""Name of one of the project's files without its ending, or a path."""


class Study(Record):
    """The parameters of one notebook; its fields are the names in the notebook's tagged cell."""

    name: ClassVar[str]
    """Name shared by the notebook, its folder of parameters, its module here and its folder of reports."""

    title: Name = "Study"
    """Title of the report."""

    @classmethod
    def _subject(cls, given: Mapping[str, Any]) -> str:
        return f"the parameters of study '{cls.name}'"

    def _caption(self) -> str:
        return f"Study {self.name}: {self.title}"

    def check(self) -> None:
        """Raise where a file or solver that the study names is not there; quick, and done before a kernel starts."""

    def is_repeatable(self) -> bool:
        """Return whether equal parameters and equal files give an equal result; False where a database is read."""
        return True

    def report_timezone(self) -> str:
        """Return the time zone in which the report tells when it was made."""
        return "UTC"

    def report_currency(self) -> str:
        """Return the currency in which the report tells prices among the parameters; the word where none is known."""
        return "currency"

    def parameter_rows(self, currency: str = "currency") -> list[dict[str, str]]:
        """Return for each parameter its value, unit and meaning, as text; money in a currency."""
        return [
            {
                "field": row["field"],
                "value": show(getattr(self, row["field"])).removeprefix("'").removesuffix("'"),
                "unit": row["unit"],
                "meaning": row["meaning"],
            }
            for row in field_table(type(self), currency)
        ]


def start_in(text: str, timezone: str) -> dt.datetime:
    """Return the moment that a start states; without offset it is local time of the zone.

    >>> start_in("2024-06-03T00:00", "Europe/Berlin").isoformat()
    '2024-06-03T00:00:00+02:00'

    Raises
    ------
    InvalidInput
        If clocks of the zone jump over it.
    """
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo:
        return moment
    zone = ZoneInfo(timezone)
    local = moment.replace(tzinfo=zone)
    if local.astimezone(dt.UTC).astimezone(zone).replace(tzinfo=None) != moment:
        raise InvalidInput(
            f"the time {show(text)}",
            f"does not exist in {timezone}, where clocks jump over it; choose another, or state its offset from UTC",
        )
    return local
