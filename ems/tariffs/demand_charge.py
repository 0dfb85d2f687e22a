"""Demand charge: the price of the highest power of a month, a day or a horizon, within hours or at moments."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from ems.record import Efficiency, Fraction, FromList, Moment, Name, NonNegative, Positive, Record
from ems.tariffs.clock import Hours, Month
from ems.tariffs.tier_limits import check_limits

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
    wraps: bool = False
    """Whether a January looks back at the December of the same year, where no earlier peaks are known: for bills of a
    year that stands for every year. Acts in dispatch and settlement."""

    @model_validator(mode="after")
    def _looks_back_one_way(self) -> Ratchet:
        if bool(self.periods) == (self.previous is not None):
            raise ValueError("a ratchet looks back at named periods or at the previous ones: give one of the two")
        if self.wraps and self.previous is None:
            raise ValueError("wraps = true: needs previous; named periods are looked back at wherever they lie")
        return self


class DemandTier(Record):
    """A block of power with a price of its own."""

    up_to_kw: Positive | None = None
    """Power at which the block ends; none for the last one. Acts in dispatch and settlement."""
    rate_per_kw: NonNegative
    """Price of a kW of the block. Acts in dispatch and settlement."""


DemandTiers = Annotated[tuple[DemandTier, ...], FromList]


class DemandSeason(Record):
    """Months with a price of their own."""

    months: Annotated[tuple[Month, ...], FromList, Field(min_length=1)]
    """Months in which it holds, 1 to 12. Acts in dispatch and settlement."""
    rate_per_kw: NonNegative | None = None
    """Price of a kW billed. Acts in dispatch and settlement."""
    tiers: DemandTiers = ()
    """Prices by how much is billed, in place of one for all. Acts in dispatch and settlement."""

    @model_validator(mode="after")
    def _has_one_price(self) -> DemandSeason:
        if (self.rate_per_kw is None) == (not self.tiers):
            raise ValueError("a season has one price, rate_per_kw, or tiers: give one of the two")
        if self.tiers:
            check_limits([one.up_to_kw for one in self.tiers], "up_to_kw", "kW")
        return self


class DemandCharge(Hours):
    """What the highest power of each period costs.

    billed[period] = max(max(prior_peak, highest power within the window) - free, share * peak looked back at, minimum)

    The peak looked back at is the power itself, before the free part is taken off, and bounds what is billed from
    below: a utility states it as a share of an earlier month's demand, and so has REopt it [1]_. Prices, peaks, free
    power and tiers are per kVA and in kVA where the unit is that.

    References
    ----------
    .. [1] National Renewable Energy Laboratory, "REopt.jl," ``add_demand_lookback_constraints``, constraints 12e and
       12f, https://github.com/NREL/REopt.jl.
    """

    name: Name
    """What the contract calls it; no two charges of a connection share a name. Acts in dispatch and settlement."""
    rate_per_kw: NonNegative | None = None
    """Price of a kW billed in a period. Acts in dispatch and settlement."""
    tiers: DemandTiers = ()
    """Prices by how much is billed in a period, in place of one for all. Acts in dispatch and settlement."""
    seasons: Annotated[tuple[DemandSeason, ...], FromList] = ()
    """Prices by month of the year, where they differ from the one for all. Acts in dispatch and settlement."""
    rates_per_kw: KwByPeriod = Field(default_factory=dict)
    """Prices by label of period, where they differ from the one for all. Acts in dispatch and settlement."""
    basis: Literal["import", "export"] = "import"
    """Which way the power flows that is charged. Acts in dispatch and settlement."""
    unit: Literal["kw", "kva"] = "kw"
    """What is billed: active power, or apparent power, which is active power over the power factor. Acts in dispatch
    and settlement."""
    power_factor: Efficiency | None = None
    """Power factor at the meter, by which active power is divided for a bill in kVA. Acts in dispatch and
    settlement."""
    period: Literal["month", "day", "horizon"] = "month"
    """Time whose highest power is billed, in local civil time. Acts in dispatch and settlement."""
    highest_days: Annotated[int, Field(ge=1)] = 1
    """How many of the highest daily peaks of a period are averaged; of fewer days, all of them. Acts in dispatch and
    settlement."""
    windows: Annotated[tuple[Hours, ...], FromList] = ()
    """Hours that count, where one window does not say them; a moment in any of them counts. Acts in dispatch and
    settlement."""
    coincident_times: Annotated[tuple[Moment, ...], FromList] = ()
    """Moments of the utility's own peaks: the power of the steps that hold them counts, in place of a window. Acts in
    dispatch and settlement."""
    coincident_of: Literal["max", "mean"] = "max"
    """What of the powers at those moments is billed in a period. Acts in dispatch and settlement."""
    prior_peak_kw: NonNegative = 0
    """Highest power before the horizon, counted in each of its periods; it is charged in full. Acts in dispatch and
    settlement."""
    prior_peaks_kw: KwByPeriod = Field(default_factory=dict)
    """Highest powers so far by label of period, in place of the one for all; those of earlier periods act through the
    ratchet. Acts in dispatch and settlement."""
    prior_daily_peaks_kw: KwByPeriod = Field(default_factory=dict)
    """Highest powers of days before the horizon, as ``{"2024-06-03": 80}``, for the mean of the highest days. Acts in
    dispatch and settlement."""
    free_kw: NonNegative = 0
    """Power that each period has free. Acts in dispatch and settlement."""
    minimum_kw: NonNegative = 0
    """Least that each period is billed. Acts in dispatch and settlement."""
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

    @property
    def is_coincident(self) -> bool:
        """Whether it bills the power at given moments."""
        return bool(self.coincident_times)

    @property
    def per_kw(self) -> float:
        """What is billed for a kW of active power: 1, or the kVA of it."""
        return 1.0 if self.power_factor is None else 1.0 / self.power_factor

    @property
    def hours(self) -> tuple[Hours, ...]:
        """The windows of the calendar that count."""
        return self.windows or (self,)

    def tiers_of(self, label: str) -> tuple[DemandTier, ...]:
        """Return the prices of a kW in a period, one tier where one price holds; none where none is stated."""
        season = next((one for one in self.seasons if month_of_label(label) in one.months), None)
        tiers = self.tiers if season is None else season.tiers
        rate = self.rates_per_kw.get(label, self.rate_per_kw if season is None else season.rate_per_kw)
        if label in self.rates_per_kw or not tiers:
            return () if rate is None else (DemandTier(rate_per_kw=rate),)
        return tiers

    def prior_peak_of(self, label: str) -> float:
        """Return the highest power so far in a period of the horizon."""
        return self.prior_peaks_kw.get(label, self.prior_peak_kw)

    @model_validator(mode="after")
    def _has_one_price(self) -> DemandCharge:
        if self.rate_per_kw is not None and self.tiers:
            raise ValueError(f"rate_per_kw = {self.rate_per_kw:g}: the tiers give the price already; keep one")
        if self.rate_per_kw is None and not (self.tiers or self.seasons or self.rates_per_kw):
            raise ValueError("rate_per_kw: is required, where rates_per_kw does not give the price of each period")
        if self.tiers:
            check_limits([one.up_to_kw for one in self.tiers], "up_to_kw", "kW")
        months = [month for season in self.seasons for month in season.months]
        if len(set(months)) < len(months):
            raise ValueError(f"two seasons hold month {max(months, key=months.count)}; keep it in one")
        if self.seasons and (self.period == "horizon" or self.period_series is not None):
            raise ValueError(
                "seasons: need periods of the calendar; choose period: month or day, and no period_series"
            )
        return self

    @model_validator(mode="after")
    def _says_each_thing_once(self) -> DemandCharge:
        calendar = set(Hours.model_fields) & self.model_fields_set
        sources: list[tuple[str, set[str]]] = [
            ("window_series", calendar | ({"windows"} if self.windows else set())),
            ("windows", calendar),
            ("coincident_times", calendar | {name for name in ("windows", "window_series") if getattr(self, name)}),
            ("period_series", {"period"} & self.model_fields_set),
        ]
        for source, others in sources:
            if getattr(self, source) and others:
                said = f" = '{getattr(self, source)}' says" if source.endswith("_series") else " say"
                raise ValueError(f"{min(others)}: {source}{said} it already; keep one")
        return self

    @model_validator(mode="after")
    def _measures_what_is_stated(self) -> DemandCharge:
        if self.unit == "kva" and self.power_factor is None:
            raise ValueError("power_factor: is required for a bill in kVA")
        if self.unit == "kw" and self.power_factor is not None:
            raise ValueError(f"power_factor = {self.power_factor:g}: needs unit: kva; active power has none")
        if self.coincident_of == "mean" and not self.coincident_times:
            raise ValueError("coincident_of = 'mean': needs coincident_times")
        is_mean = self.coincident_of == "mean" or self.highest_days > 1
        if is_mean and self.prior_peak_kw:
            words = "give prior_daily_peaks_kw" if self.highest_days > 1 else "leave it out"
            raise ValueError(f"prior_peak_kw = {self.prior_peak_kw:g} kW: says nothing of a mean; {words}")
        if self.highest_days > 1 and (self.period == "day" or self.coincident_times):
            raise ValueError(
                f"highest_days = {self.highest_days}: needs period: month or horizon, and no given moments"
            )
        if self.prior_daily_peaks_kw and self.highest_days == 1:
            raise ValueError("prior_daily_peaks_kw: needs highest_days above 1; give prior_peaks_kw")
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
        for label in self.prior_daily_peaks_kw:
            if not re.fullmatch(_LABELS["day"][0], label):
                raise ValueError(f"prior_daily_peaks_kw = '{label}': must be {_LABELS['day'][1]}")
        numbers = [one for one in looked_back if isinstance(one, int)]
        if self.ratchet is not None and kind == "horizon":
            raise ValueError("ratchet: there is no other period to look back at; choose period: month or day")
        if numbers and (kind == "day" or (kind == "month" and max(numbers) > 12)):
            wanted = "a day, as in 2024-06-03" if kind == "day" else "a month from 1 to 12"
            raise ValueError(f"ratchet.periods = {max(numbers)}: must be {wanted}")
        if self.ratchet is not None and self.ratchet.wraps and kind != "month":
            raise ValueError("ratchet.wraps = true: needs period: month, of which a year has twelve")
        return self


def month_of_label(label: str) -> int:
    """Return the month of the year of a label, 0 where it is none of the calendar."""
    parts = label.split("-")
    return int(parts[1]) if len(parts) > 1 and parts[0] else 0
