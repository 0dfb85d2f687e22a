"""Demand charge: the price of the highest power of a month, a day or a horizon, within hours of the week."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from ems.record import Fraction, FromList, Name, NonNegative, Record
from ems.tariffs.tariff import MONTHS, WEEKDAYS, ClockTime, Weekday

WHOLE_HORIZON = "horizon"
"""Label of the only period of a charge on the peak of a whole horizon."""
_LABELS = {
    "month": (r"\d{4}-(0[1-9]|1[0-2])", "a month, as in 2024-06"),
    "day": (r"\d{4}-(0[1-9]|1[0-2])-\d{2}", "a day, as in 2024-06-03"),
    "horizon": (WHOLE_HORIZON, f"'{WHOLE_HORIZON}', the only period"),
    "series": (r"0|-?[1-9]\d*", "the number of a period, as in '6'"),
}


def _as_label(value: object) -> object:
    # YAML reads 2024-06-03 as a day; as a label it is text.
    return value.isoformat() if isinstance(value, dt.date) else value


def _with_text_labels(given: object) -> object:
    """Return a mapping whose labels are text, where YAML read a number or a day."""
    if not isinstance(given, Mapping):
        return given
    return {
        str(_as_label(label)) if isinstance(label, int | dt.date) else label: value for label, value in given.items()
    }


KwByPeriod = Annotated[dict[str, NonNegative], BeforeValidator(_with_text_labels)]
"""Powers or prices by label of period: ``{"2024-06": 80}``."""


class Ratchet(Record):
    """The least that a period is billed, as a share of the peaks of other periods."""

    share: Fraction
    """Share of the highest peak looked back at. Acts in dispatch and settlement."""
    periods: Annotated[
        tuple[Annotated[str | Annotated[int, Field(ge=1)], BeforeValidator(_as_label)], ...], FromList
    ] = ()
    """Periods looked back at: labels as 2024-06, or numbers: of months of any year, or of a period series. Acts in
    dispatch and settlement."""
    previous: Annotated[int, Field(ge=1)] | None = None
    """How many periods before each one are looked back at, in place of named ones. Acts in dispatch and settlement."""

    @model_validator(mode="after")
    def _looks_back_one_way(self) -> Ratchet:
        if bool(self.periods) == (self.previous is not None):
            raise ValueError("a ratchet looks back at named periods or at the previous ones: give one of the two")
        return self


class DemandCharge(Record):
    """What the highest power of each period costs.

    billed[period] = max(max(prior_peak, highest power within the window) - free, share * peak looked back at, 0)

    The peak looked back at is the power itself, before the free part is taken off, and bounds what is billed from
    below: a utility states it as a share of an earlier month's demand, and so has REopt it [1]_.

    References
    ----------
    .. [1] National Renewable Energy Laboratory, "REopt.jl," ``add_demand_lookback_constraints``, constraints 12e and
       12f, https://github.com/NREL/REopt.jl.
    """

    name: Name
    """What the contract calls it; no two charges of a connection share a name. Acts in dispatch and settlement."""
    rate_per_kw: NonNegative | None = None
    """Price of a kW billed in a period. Acts in dispatch and settlement."""
    rates_per_kw: KwByPeriod = Field(default_factory=dict)
    """Prices by label of period, where they differ from the one for all. Acts in dispatch and settlement."""
    basis: Literal["import", "export"] = "import"
    """Which way the power flows that is charged. Acts in dispatch and settlement."""
    period: Literal["month", "day", "horizon"] = "month"
    """Time whose highest power is billed, in local civil time. Acts in dispatch and settlement."""
    from_time: ClockTime = "00:00"
    """Wall-clock time at which the window begins. Acts in dispatch and settlement."""
    until_time: ClockTime = "24:00"
    """Wall-clock time at which the window ends; earlier than the beginning where it spans midnight. Acts in dispatch
    and settlement."""
    weekdays: Annotated[tuple[Weekday, ...], FromList, Field(min_length=1)] = WEEKDAYS
    """Days on which it holds; hours after midnight belong to the new day. Acts in dispatch and settlement."""
    months: Annotated[tuple[Annotated[int, Field(ge=1, le=12)], ...], FromList, Field(min_length=1)] = MONTHS
    """Months in which it holds, 1 to 12. Acts in dispatch and settlement."""
    prior_peak_kw: NonNegative = 0
    """Highest power before the horizon, counted in each of its periods; it is charged in full. Acts in dispatch and
    settlement."""
    prior_peaks_kw: KwByPeriod = Field(default_factory=dict)
    """Highest powers so far by label of period, in place of the one for all; those of earlier periods act through the
    ratchet. Acts in dispatch and settlement."""
    free_kw: NonNegative = 0
    """Power that each period has free. Acts in dispatch and settlement."""
    ratchet: Ratchet | None = None
    """Least that is billed, as a share of the peaks of other periods. Acts in dispatch and settlement."""
    window_series: Name | None = None
    """Series of the connection that is 1 in the steps which count and 0 in others, in place of the calendar. Acts in
    dispatch and settlement."""
    period_series: Name | None = None
    """Series of the connection with the number of each step's period, in place of the calendar. Acts in dispatch and
    settlement."""

    @property
    def series_names(self) -> tuple[str, ...]:
        """Names of the series that replace its calendar."""
        return tuple(name for name in (self.window_series, self.period_series) if name is not None)

    def rate_of(self, label: str) -> float | None:
        """Return the price of a kW in a period, or None where none is stated."""
        return self.rates_per_kw.get(label, self.rate_per_kw)

    def prior_peak_of(self, label: str) -> float:
        """Return the highest power so far in a period of the horizon."""
        return self.prior_peaks_kw.get(label, self.prior_peak_kw)

    @model_validator(mode="after")
    def _says_each_thing_once(self) -> DemandCharge:
        if self.rate_per_kw is None and not self.rates_per_kw:
            raise ValueError("rate_per_kw: is required, where rates_per_kw does not give the price of each period")
        window = {"from_time", "until_time", "weekdays", "months"} & self.model_fields_set
        for source, others in (("window_series", window), ("period_series", {"period"} & self.model_fields_set)):
            if getattr(self, source) is not None and others:
                name = min(others)
                raise ValueError(f"{name}: {source} = '{getattr(self, source)}' says it already; keep one")
        return self

    @model_validator(mode="after")
    def _knows_its_labels(self) -> DemandCharge:
        kind = self.period if self.period_series is None else "series"
        pattern, words = _LABELS[kind]
        looked_back: tuple[Any, ...] = () if self.ratchet is None else self.ratchet.periods
        for field, labels in (
            ("rates_per_kw", self.rates_per_kw),
            ("prior_peaks_kw", self.prior_peaks_kw),
            ("ratchet.periods", [one for one in looked_back if isinstance(one, str)]),
        ):
            for label in labels:
                if not re.fullmatch(pattern, label):
                    raise ValueError(f"{field} = '{label}': must be {words}")
        numbers = [one for one in looked_back if isinstance(one, int)]
        if self.ratchet is not None and kind == "horizon":
            raise ValueError("ratchet: there is no other period to look back at; choose period: month or day")
        if numbers and (kind == "day" or (kind == "month" and max(numbers) > 12)):
            wanted = "a day, as in 2024-06-03" if kind == "day" else "a month from 1 to 12"
            raise ValueError(f"ratchet.periods = {max(numbers)}: must be {wanted}")
        return self
