"""What is kept of measurements: meters, their series, and points of which each correction is a version of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, get_args
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from pydantic import AfterValidator, Field, field_validator, model_validator

from ems.database.records import Count, utc_now
from ems.database.register_tables import ASSETS, SITES
from ems.database.tables import table_of
from ems.record import Moment, Name, Positive, Record, Slug, Text, meaning_of
from ems.units import unit_of

Quality = Literal["measured", "estimated", "substituted", "suspect", "missing"]
QUALITIES: tuple[Quality, ...] = get_args(Quality)
"""From the surest to none."""

ValueKind = Literal["mean", "total", "state"]
FIRST_MOMENT = "1970-01-01T00:00Z"
LONGEST_STEP_H = 8784
CURRENCY = re.compile(r"[A-Z]{3}(?=/|$)")


def _known_timezone(name: str) -> str:
    try:
        if name.lower() in {"localtime", "factory"}:  # the machine's own zone, under a portable name
            raise ValueError
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise ValueError("no such time zone; as in Europe/Berlin, America/New_York or UTC") from None
    return name


def _variable_name(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        raise ValueError("must be small letters, digits and single underscores with the unit last, as in demand_kw")
    return name


class Meter(Record):
    """What measures: a device, or a source such as a market or a weather service."""

    id: Slug
    """Id of the meter."""
    name: Name
    """What people call it; the id where nothing is given."""
    site_id: Slug | None = None
    """Site of the register at which it is."""
    asset_id: Slug | None = None
    """Asset of the register that it measures."""
    serial_number: Name | None = None
    """Number on the device, or the one by which its operator knows it."""
    description: Text = ""
    """Anything else that people should know."""
    created_at: Moment = Field(default_factory=utc_now)
    """When it was made."""
    created_by: Name
    """Who made it."""

    @classmethod
    def derive(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the id as the name, where no name is given."""
        return {"name": given.get("id")}


class Series(Record):
    """One variable on a raster of equal steps in UTC, as one meter or asset gives it."""

    id: Slug
    """Id of the series."""
    meter_id: Slug | None = None
    """Meter that gives it."""
    asset_id: Slug | None = None
    """Asset of the register that it belongs to; left out, it is the meter's."""
    variable: Annotated[Name, AfterValidator(_variable_name)]
    """What its values are, with the unit at the end: demand_kw."""
    unit: Name | None = None
    """Unit of its values: the one that the variable's name states, a price with its currency."""
    kind: ValueKind = "mean"
    """What a value says of its step: the mean over it, the total within it, or the state at its beginning."""
    step_h: Annotated[Positive, Field(le=LONGEST_STEP_H)]
    """Length of a step, in whole seconds."""
    raster_start: Moment = Field(default=FIRST_MOMENT, validate_default=True)
    """Beginning of any one step; each point lies whole steps away from it."""
    timezone: Annotated[Name, AfterValidator(_known_timezone)] = "UTC"
    """IANA name of the time zone by whose days values are summed up."""
    source: Text = ""
    """Where it comes from, in words."""
    description: Text = ""
    """Anything else that people should know."""
    created_at: Moment = Field(default_factory=utc_now)
    """When it was made."""
    created_by: Name
    """Who made it."""

    @classmethod
    def derive(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the unit that the variable's name states, where none is given."""
        return {"unit": unit_of(given["variable"])} if isinstance(given.get("variable"), str) else {}

    @field_validator("step_h")
    @classmethod
    def _whole_seconds(cls, step_h: float) -> float:
        seconds = step_h * 3600
        if round(seconds) < 1 or abs(seconds - round(seconds)) > 1e-6 * seconds:
            raise ValueError("must be whole seconds, at least one")
        return round(seconds) / 3600

    @field_validator("raster_start")
    @classmethod
    def _on_a_second(cls, start: Any) -> Any:
        if start.microsecond:
            raise ValueError("must be a whole second")
        return start

    @model_validator(mode="after")
    def _stated_once(self) -> Self:
        if self.meter_id is None and self.asset_id is None:
            raise ValueError("needs meter_id or asset_id, which say whose series it is")
        stated = unit_of(self.variable)
        if stated is not None and self.unit != stated and self._without_currency() != stated:
            raise ValueError(
                f"unit = {self.unit}: {self.variable} is in {stated}; leave unit out or rename the variable"
            )
        return self

    def _without_currency(self) -> str:
        return CURRENCY.sub("currency", self.unit or "", count=1)

    @property
    def step_s(self) -> int:
        """Length of a step in seconds."""
        return round(self.step_h * 3600)


class SeriesVersion(Record):
    """One import into a series that changed something; counts from 1 in each series."""

    series_id: Slug
    """Series."""
    version: Annotated[int, Field(ge=1)]
    """Number of the import."""
    recorded_at: Moment
    """When it was kept; reading as of a moment goes by this."""
    recorded_by: Name
    """Who imported."""
    source: Text | None = None
    """File or service that the points came from."""
    sha256: Name | None = None
    """Hash of that file."""
    new_points: Count
    """Points at times that had none."""
    changed_points: Count
    """Points whose value or quality is another than before."""


class SeriesPoint(Record):
    """A value of a series; the one of the highest version holds, earlier ones stay."""

    series_id: Slug
    """Series."""
    time: Moment
    """Beginning of the step."""
    version: Annotated[int, Field(ge=1)]
    """Import that brought it."""
    value: float | None = None
    """Value in the unit of the series; empty where the point is missing."""
    quality: Quality
    """How sure it is: measured, estimated, substituted, suspect, or missing."""


METERS = table_of(Meter, "meters", primary_key="id", indices=("site_id", "asset_id"))
for _column, _parent in (("site_id", SITES), ("asset_id", ASSETS)):
    METERS.append_constraint(sa.ForeignKeyConstraint([_column], [f"{_parent.name}.id"], ondelete="RESTRICT"))

SERIES = table_of(
    Series,
    "series",
    primary_key="id",
    indices=("meter_id", ("asset_id", "variable")),
    checks={
        "has_owner": "meter_id IS NOT NULL OR asset_id IS NOT NULL",
        # A hair of tolerance: 514 s are no exact number of hours.
        "step_in_seconds": "abs(step_h * 3600 - round(step_h * 3600)) < 0.001 AND step_h * 3600 > 0.999",
    },
)
for _column, _parent in (("meter_id", METERS), ("asset_id", ASSETS)):
    SERIES.append_constraint(sa.ForeignKeyConstraint([_column], [f"{_parent.name}.id"], ondelete="RESTRICT"))

VERSIONS = table_of(
    SeriesVersion, "series_versions", primary_key=("series_id", "version"), foreign_keys={"series_id": "series"}
)

# SQLite looks a value up in a list of five for each row, which takes longer than to insert it; of comparisons the
# first one mostly holds.
POINTS = table_of(
    SeriesPoint,
    "series_points",
    primary_key=("series_id", "time", "version"),
    foreign_keys={("series_id", "version"): "series_versions"},
    exclude=("quality",),
    after=[
        sa.Column(
            "quality",
            sa.String(max(map(len, QUALITIES))),
            nullable=False,
            comment=meaning_of(SeriesPoint.model_fields["quality"]),
        )
    ],
    checks={
        "quality_choice": " OR ".join(f"quality = '{quality}'" for quality in QUALITIES),
        "missing_has_no_value": "(quality = 'missing') = (value IS NULL)",
    },
)
# Rows lie in the order of their key: half the space, and a series is read from one place.
POINTS.dialect_options["sqlite"]["with_rowid"] = False
