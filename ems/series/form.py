"""How a file of people is read: which column feeds what, and in which clothes its numbers and stamps come."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, field_validator, model_validator

from ems.errors import did_you_mean, show
from ems.record import FromList, Name, Positive, Record, Slug


@dataclass(frozen=True)
class Variable:
    """What is known of a variable before any file is read.

    Parameters
    ----------
    kind : str
        ``power`` in kW, ``price`` in currency per kWh, or any other ``number``.
    largest : float
        A value beyond this, with either sign, is out of range: no site and no market has it.
    """

    kind: Literal["power", "price", "number"]
    largest: float


LARGEST_POWER_KW = 1e9  # a thousand times the largest power station
LARGEST_PRICE_PER_KWH = 1000.0  # above the price caps of all markets, in any major currency
SIGNS_CLASH = 'separator and decimal are both a comma; say which sign separates cells, as separator: ";"'
_POWER = Variable("power", LARGEST_POWER_KW)
_PRICE = Variable("price", LARGEST_PRICE_PER_KWH)
_SHARE = Variable("number", 1.0)
_NUMBER = Variable("number", LARGEST_POWER_KW)
VARIABLES = {
    "demand_kw": _POWER,
    "available_kw": _POWER,
    "import_price_per_kwh": _PRICE,
    "export_price_per_kwh": _PRICE,
    # What replaces a field in every step.
    "charge_cost_per_kwh": _PRICE,
    "co2_intensity_kg_per_kwh": Variable("number", 10.0),
    "degradation_cost_per_kwh": _PRICE,
    "drain_kw": _POWER,
    "fuel_cost_per_kwh": _PRICE,
    "imbalance_long_price_per_kwh": _PRICE,
    "imbalance_short_price_per_kwh": _PRICE,
    "interruption_cost_per_kwh": _PRICE,
    "max_charge_kw": _POWER,
    "max_discharge_kw": _POWER,
    "max_export_kw": _POWER,
    "max_import_kw": _POWER,
    "max_output_kw": _POWER,
    "max_power_kw": _POWER,
    "max_soc": _SHARE,
    "min_output_kw": _POWER,
    "min_soc": _SHARE,
    "required_on": _SHARE,
    "shiftable_is_allowed": _SHARE,
    "shiftable_power_kw": _POWER,
    "thermal_cop": Variable("number", 100.0),
    "variable_om_cost_per_kwh": _PRICE,
    # What only some assets need.
    "outdoor_temperature_degc": Variable("number", 100.0),
    "reserve_requirement_kw": _POWER,
}
"""The variables that a file can feed, besides the windows and periods of demand charges."""
FREE_ENDINGS = ("_window", "_period")
"""Endings of the names that people choose themselves, for windows and periods of demand charges."""


def variable_of(name: str) -> Variable | None:
    """Return what is known of a variable, or None where there is none of that name."""
    if name.endswith(FREE_ENDINGS):
        return _NUMBER
    return VARIABLES.get(name)


@dataclass(frozen=True)
class Need:
    """A variable that an asset needs from a series.

    Parameters
    ----------
    variable : str
        A name that `variable_of` knows.
    asset : str
        Id of the asset.
    is_required : bool
        Whether its absence is an error; otherwise the dataset goes without it.
    """

    variable: str
    asset: str
    is_required: bool = True

    def __post_init__(self) -> None:
        assert variable_of(self.variable), f"{self.variable} is no variable of a series"

    def __str__(self) -> str:
        return f"{self.variable} of {show(self.asset)}"


def _known_variable(name: str) -> str:
    if variable_of(name) is None:
        raise ValueError(f"no such variable; {did_you_mean(name, VARIABLES)}")
    return name


class ColumnUse(Record):
    """A column of a file and what it feeds."""

    column: Name
    """Header of the column in the file."""

    variable: Annotated[Name, AfterValidator(_known_variable)]
    """What the column holds: demand_kw, available_kw, import_price_per_kwh, a field that changes with time."""

    asset: Slug | None = None
    """Id of the asset it belongs to; may be left out where just one asset needs the variable."""

    multiply_by: float = 1.0
    """Factor from the column's unit to the variable's: 1000 from MW to kW, 0.001 from EUR/MWh to EUR/kWh."""

    @field_validator("multiply_by")
    @classmethod
    def _not_zero(cls, factor: float) -> float:
        if factor == 0:
            raise ValueError("must not be 0, which would erase the column")
        return factor


class SeriesForm(Record):
    """How a file of people is read, and what is done about its gaps; the part ``series:`` of a site file."""

    time_column: Name = "time"
    """Header of the column with the beginning of each step."""

    time_format: Name | None = None
    """Form of the stamps where it is not ISO 8601, in the codes of strptime: '%d.%m.%Y %H:%M'."""

    timezone: Name | None = None
    """Time zone of stamps without offset: Europe/Berlin; left out, it is the site's, with a warning."""

    encoding: Name = "utf-8"
    """Encoding of a text file: utf-8, latin-1, cp1252, utf-16."""

    separator: Literal[",", ";", "\t", "|"] = ","
    """Sign between the cells of a text file; another one than the decimal sign."""

    decimal: Literal[".", ","] = "."
    """Decimal sign of numbers that are written as text."""

    sheet: Name | None = None
    """Sheet of an Excel file; left out, it is the first one."""

    columns: Annotated[tuple[ColumnUse, ...], FromList] = ()
    """What columns feed; not needed for columns named demand_kw or office.demand_kw (asset, variable)."""

    fill_gaps: Literal["refuse", "interpolate", "previous"] = "refuse"
    """What is done about missing values: an error, a straight line between neighbours, or the value before."""

    longest_fill_h: Positive = 3.0
    """Longest gap that is filled; a longer one is an error."""

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, name: str | None) -> str | None:
        if name is None:
            return None
        try:
            if name.lower() in {"localtime", "factory"}:  # the machine's own zone, under a portable name
                raise ValueError
            ZoneInfo(name)
        except (ValueError, OSError, LookupError):
            raise ValueError("no such time zone; as in Europe/Berlin, America/New_York or UTC") from None
        return name

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            codecs.lookup(name)
            "a".encode(name)  # refuses codecs which are no text encodings, as base64 and rot13
        except (LookupError, ValueError):
            raise ValueError("no such encoding; as in utf-8, latin-1 or cp1252") from None
        return name

    @model_validator(mode="after")
    def _signs_differ(self) -> Self:
        if self.separator == self.decimal and "separator" in self.model_fields_set:
            raise ValueError(SIGNS_CLASH)
        return self
