"""History: a measured series with what helps to forecast it; Known: what of it is known when a forecast is issued."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from ems.display import NOTHING, Card, Shown, shown_range, shown_time
from ems.errors import InvalidInput, MissingValues, show
from ems.forecast.calendar import LocalCalendar
from ems.units import unit_of

if TYPE_CHECKING:
    import xarray as xr

    from ems.forecast.features import Features

Kind = Literal["load", "solar", "wind", "price"]
"""What is forecast; tells bounds, and which physics and features apply."""

MOST_TRAINING_DAYS = 366
SHORTEST_HISTORY_DAYS = 7
"""Days of history without which no model is fitted: one of each kind of day."""


@dataclass(frozen=True)
class IssuedSignal:
    """A signal that was forecast again and again, as a weather service does.

    Parameters
    ----------
    issued_at : DatetimeIndex (issues)
        When each forecast was published, UTC, ascending.
    values : ndarray (issues, times)
        NaN where a forecast does not reach.
    """

    issued_at: pd.DatetimeIndex
    values: np.ndarray

    def known(self, origins: pd.DatetimeIndex) -> np.ndarray:
        """Return for each time the value of the last forecast that was out at its origin, shape (times,).

        Parameters
        ----------
        origins : DatetimeIndex (times,)
        """
        found = np.full(len(origins), np.nan)
        is_out = np.searchsorted(self.issued_at.to_numpy(), origins.to_numpy(), side="right")
        for row, values in enumerate(self.values):
            usable = (is_out > row) & np.isfinite(values)
            found[usable] = values[usable]
        return found


@dataclass(frozen=True, repr=False)
class History(Shown):
    """A series on a raster of equal steps, up to where it is measured, and the signals beside it.

    Parameters
    ----------
    name : str
        Variable with its unit: ``demand_kw``.
    times : DatetimeIndex (steps)
        Beginnings of steps, UTC without zone; they may go on after the last measured value.
    values : ndarray (steps,)
        NaN is a gap, or not yet known.
    timezone : str
        IANA name of the site's time zone, for the calendar.
    kind : str
    known_ahead : mapping of str to ndarray (steps,) or IssuedSignal
        What is known before its time: weather forecasts, published prices. NaN is a gap.
    known_past : mapping of str to ndarray (steps,)
        What is known once it is measured: observed weather, another meter.
    country : str, optional
        Country, or country and part of it, whose holidays count: ``DE``, ``DE-BY``.
    lower, upper : float, optional
        Bounds of what can be; a capacity is an upper one.
    is_dark : ndarray of bool (steps,), optional
        Steps in which the sun does not rise above the horizon: solar power is zero.
    asset : str
        Id of the asset, or empty.
    unit : str, optional
        Unit of the values; that of the name where it is left out.
    notes : tuple of str
        What was assumed when the series was read.
    """

    name: str
    times: pd.DatetimeIndex
    values: np.ndarray
    timezone: str = "UTC"
    kind: Kind = "load"
    known_ahead: Mapping[str, np.ndarray | IssuedSignal] = field(default_factory=dict)
    known_past: Mapping[str, np.ndarray] = field(default_factory=dict)
    country: str | None = None
    lower: float | None = None
    upper: float | None = None
    is_dark: np.ndarray | None = None
    asset: str = ""
    unit: str | None = None
    notes: tuple[str, ...] = ()

    def caption(self) -> str:
        """Return what it is about."""
        return f"History of {self.label}"

    def card(self) -> Card:
        """Return when it begins and ends, by local clocks, how much is measured, and what is known beside it."""
        zone = ZoneInfo(self.timezone)
        known = self.values[np.isfinite(self.values)]
        begin, end = (shown_time(one.tz_localize("UTC").tz_convert(zone)) for one in (self.times[0], self.times[-1]))
        rows = [
            ("first step", begin),
            ("last step", end),
            ("measured", f"{known.size:,} of {len(self.values):,} steps of {self.step_h:g} h"),
            ("known ahead", ", ".join(self.known_ahead) or NOTHING),
            ("known once measured", ", ".join(self.known_past) or NOTHING),
        ]
        if known.size:
            rows.append(("values", shown_range(known.tolist(), self.units)))
        return Card(self.caption(), rows)

    def __post_init__(self) -> None:
        findings = []
        steps = np.diff(self.times.to_numpy())
        if len(self.times) < 2 or np.any(steps != steps[0]) or steps[0] <= np.timedelta64(0):
            findings.append("time: must be a raster of equal steps, at least two; resample the series")
        given: dict[str, np.ndarray] = {self.name: self.values, **self.known_past}
        if self.is_dark is not None:
            given["is_dark"] = self.is_dark
        given |= {name: one for name, one in self.known_ahead.items() if not isinstance(one, IssuedSignal)}
        for name, values in given.items():
            if np.shape(values) != (len(self.times),):
                findings.append(f"{name}: has shape {np.shape(values)}, must have one value for each of the times")
            elif np.isinf(np.asarray(values, dtype=float)).any():
                findings.append(f"{name}: holds an infinite value at {self._first(np.isinf(values))}")
        both = sorted(set(self.known_ahead) & set(self.known_past))
        findings += [f"{name}: is given as known ahead and as known past; keep one" for name in both]
        if self.lower is not None and self.upper is not None and self.lower >= self.upper:
            findings.append(f"lower = {self.lower:g}: must be less than upper = {self.upper:g}")
        if findings:
            raise InvalidInput(f"history of {self.label}", findings)

    @classmethod
    def of(cls, series: pd.Series[float], **more: object) -> History:
        """Return the history of a pandas series whose index has equal steps; an index without zone is UTC.

        Parameters
        ----------
        series : Series
            Its name is the variable's unless ``name`` is given.
        **more
            The other fields; frames and series of signals are taken by name and must share the index.
        """
        index = pd.DatetimeIndex(series.index)
        utc = index if index.tz is None else index.tz_convert("UTC").tz_localize(None)
        plain = dict(more)
        for name in ("known_ahead", "known_past"):
            signals = plain.get(name)
            if isinstance(signals, pd.DataFrame):
                plain[name] = {str(column): signals[column].to_numpy(dtype=float) for column in signals}
        plain.setdefault("name", str(series.name or "value"))
        return cls(times=utc.as_unit("ns"), values=series.to_numpy(dtype=float), **plain)  # type: ignore[arg-type]

    @property
    def label(self) -> str:
        """Words for the series in messages: ``demand_kw of 'office'``."""
        return f"{self.name} of {show(self.asset)}" if self.asset else show(self.name)

    @property
    def units(self) -> str:
        """Unit of the values, or an empty text."""
        return self.unit if self.unit is not None else unit_of(self.name) or ""

    @cached_property
    def step_h(self) -> float:
        """Length of a step in hours."""
        return float((self.times[1] - self.times[0]) / pd.Timedelta(hours=1))

    @cached_property
    def steps_per_day(self) -> int:
        """Steps of a day of 24 hours.

        Raises
        ------
        InvalidInput
            If a day is no whole number of steps.
        """
        share = 24 / self.step_h
        if abs(share - round(share)) > 1e-9 or share < 1:
            raise InvalidInput(
                f"history of {self.label}", f"a step of {self.step_h:g} h: a day must be a whole number of steps"
            )
        return round(share)

    @cached_property
    def calendar(self) -> LocalCalendar:
        """Local time of each step."""
        return LocalCalendar.of(self.times, self.timezone, self.country)

    @cached_property
    def last_known(self) -> int:
        """Number of steps up to the last measured one."""
        known = np.flatnonzero(np.isfinite(self.values))
        if not known.size:
            raise MissingValues(f"history of {self.label}", "has no value at all")
        return int(known[-1]) + 1

    def position(self, moment: dt.datetime | pd.Timestamp | np.datetime64) -> int:
        """Return the step that begins at a moment; the one after the last step is allowed.

        Raises
        ------
        InvalidInput
            If no step begins there.
        """
        stamp = pd.Timestamp(moment)
        stamp = stamp.tz_convert("UTC").tz_localize(None) if stamp.tz is not None else stamp
        share = (stamp - self.times[0]) / (self.times[1] - self.times[0])
        if abs(share - round(share)) > 1e-9 or not 0 <= share <= len(self.times):
            raise InvalidInput(
                f"history of {self.label}",
                f"no step begins at {stamp:%Y-%m-%d %H:%M} UTC; the series goes from "
                f"{self.times[0]:%Y-%m-%d %H:%M} to {self.times[-1]:%Y-%m-%d %H:%M} in steps of {self.step_h:g} h",
            )
        return round(share)

    def reaching(self, steps: int) -> History:
        """Return the history with a raster that goes on for at least so many steps, unknown in all of them."""
        missing = steps - len(self.times)
        if missing <= 0:
            return self
        step = self.times[1] - self.times[0]
        times = pd.date_range(self.times[0], periods=steps, freq=step, unit="ns")

        def longer(values: np.ndarray) -> np.ndarray:
            return np.concatenate([np.asarray(values, dtype=float), np.full(missing, np.nan)])

        ahead = {
            name: IssuedSignal(
                one.issued_at, np.column_stack([one.values, np.full((len(one.values), missing), np.nan)])
            )
            if isinstance(one, IssuedSignal)
            else longer(one)
            for name, one in self.known_ahead.items()
        }
        dark = None if self.is_dark is None else longer(self.is_dark)
        past = {name: longer(values) for name, values in self.known_past.items()}
        values = longer(self.values)
        return replace(self, times=times, values=values, known_ahead=ahead, known_past=past, is_dark=dark)

    def known_at(
        self,
        issued_at: int | dt.datetime | pd.Timestamp | np.datetime64,
        steps: int,
        training_days: float | None = None,
        least_days: int = SHORTEST_HISTORY_DAYS,
    ) -> Known:
        """Return what is known at an issue time: a copy in which nothing later exists.

        Parameters
        ----------
        issued_at : int or datetime
            First step that is forecast, as a position or a moment.
        steps : int
            Steps that are forecast.
        training_days : float, optional
            Days of history before; None gives a year.
        least_days : int
            Days of values that must be known.

        Raises
        ------
        MissingValues
            If a signal that must be known ahead lacks a value within the steps that are forecast.
        InvalidInput
            If there is less history than that.
        """
        at = issued_at if isinstance(issued_at, int) else self.position(issued_at)
        if steps < 1:
            raise InvalidInput(f"forecast of {self.label}", f"steps = {steps}: there must be at least one to forecast")
        if at + steps > len(self.times):
            return self.reaching(at + steps).known_at(at, steps, training_days, least_days)
        days = MOST_TRAINING_DAYS if training_days is None else training_days
        begin = max(0, at - round(days * 24 / self.step_h))
        self._check_length(begin, at, least_days)
        window, past = slice(begin, at + steps), slice(begin, at)
        ahead = {}
        for name, one in self.known_ahead.items():
            if isinstance(one, IssuedSignal):
                only = IssuedSignal(one.issued_at, one.values[:, window])
                ahead[name] = only.known(self._origins(window, at, steps))
            else:
                ahead[name] = np.asarray(one[window], dtype=float).copy()
        self._check_ahead(ahead, at, steps)
        return Known(
            history=self,
            begin=begin,
            at=at,
            steps=steps,
            values=np.asarray(self.values[past], dtype=float).copy(),
            ahead=ahead,
            past={name: np.asarray(values[past], dtype=float).copy() for name, values in self.known_past.items()},
        )

    def _origins(self, window: slice, at: int, steps: int) -> pd.DatetimeIndex:
        """Return for each step the issue time from which a forecast of a training day would have seen it."""
        spacing = max(1, min(steps, self.steps_per_day))
        position = np.arange(window.start, window.stop)
        before = np.ceil(np.maximum(at - position, 0) / spacing).astype(int) * spacing
        origin = (at - before) * (self.times[1] - self.times[0]).to_timedelta64()
        return pd.DatetimeIndex(self.times[0].to_datetime64() + origin)

    def _check_length(self, begin: int, at: int, least_days: int) -> None:
        known = int(np.isfinite(self.values[begin:at]).sum())
        least = least_days * self.steps_per_day
        if known < least:
            when = f"{self.times[at - 1]:%Y-%m-%d %H:%M} UTC" if at else "the first step"
            raise InvalidInput(
                f"forecast of {self.label}",
                f"{known} values ({known * self.step_h:g} h) are known up to {when}: a forecast needs at least "
                f"{least} ({least_days} days); give a longer history or a later issue time",
            )

    def _check_ahead(self, ahead: Mapping[str, np.ndarray], at: int, steps: int) -> None:
        findings = []
        for name, values in ahead.items():
            is_missing = ~np.isfinite(values[-steps:])
            if is_missing.any():
                first = self.times[at + int(np.argmax(is_missing))]
                findings.append(
                    f"{name} lacks {int(is_missing.sum())} of {steps} values from {first:%Y-%m-%d %H:%M} UTC, which "
                    "must be known ahead; give them, or leave the signal out"
                )
        if findings:
            raise MissingValues(f"forecast of {self.label}", findings)

    def _first(self, flags: np.ndarray) -> str:
        return f"{self.times[int(np.argmax(flags))]:%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True)
class Known:
    """What is known when a forecast is issued; a model sees nothing else.

    Parameters
    ----------
    history : History
        Raster, calendar and bounds; its values are not read.
    begin, at : int
        First step of the training window and first step that is forecast, as positions in the raster.
    steps : int
        Steps that are forecast.
    values : ndarray (at - begin,)
        NaN is a gap.
    ahead : mapping of str to ndarray (at - begin + steps,)
        Signals known ahead, from the window's begin to the last step that is forecast.
    past : mapping of str to ndarray (at - begin,)
    fits : dict
        What was fitted to exactly this already, so that models which share a part fit it once.
    """

    history: History
    begin: int
    at: int
    steps: int
    values: np.ndarray
    ahead: Mapping[str, np.ndarray]
    past: Mapping[str, np.ndarray]
    fits: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def window(self) -> slice:
        """Steps of the raster from the training window's begin to the last one that is forecast."""
        return slice(self.begin, self.at + self.steps)

    @property
    def past_steps(self) -> int:
        """Steps before the issue time."""
        return self.at - self.begin

    @property
    def times(self) -> pd.DatetimeIndex:
        """Beginnings of the steps that are forecast."""
        return self.history.times[self.at : self.at + self.steps]

    @property
    def past_times(self) -> pd.DatetimeIndex:
        """Beginnings of the steps before."""
        return self.history.times[self.begin : self.at]

    @property
    def issued_at(self) -> pd.Timestamp:
        """Issue time: the beginning of the first step that is forecast."""
        return self.history.times[self.at]

    @cached_property
    def calendar(self) -> LocalCalendar:
        """Local time of each step of the window."""
        return self.history.calendar.part(self.window)

    @property
    def samples(self) -> int:
        """Measured values to learn from."""
        return int(np.isfinite(self.values).sum())

    @cached_property
    def features(self) -> Features:
        """Rows and columns of direct models; made once for all models."""
        from ems.forecast.features import Features

        return Features(self)

    def with_ahead(self, ahead: Mapping[str, np.ndarray]) -> Known:
        """Return the same with other signals, as where one of them is shuffled to see what it is worth."""
        return self._varied(replace(self, ahead=ahead, fits={}))

    def with_values(self, values: np.ndarray, past: Mapping[str, np.ndarray]) -> Known:
        """Return the same with other measured values, of the series and of the signals known once measured."""
        return self._varied(replace(self, values=values, past=past, fits={}))

    def _varied(self, other: Known) -> Known:
        """Return another state of knowledge of the same window, with what of its features is the same as here."""
        if "calendar" in self.__dict__:
            other.__dict__["calendar"] = self.calendar
        if "features" in self.__dict__ and self.features.is_made:
            other.__dict__["features"] = self.features.varied(other)
        return other


def history_from_dataset(
    series: xr.Dataset,
    variable: str,
    asset: str,
    *,
    timezone: str,
    kind: Kind,
    known_ahead: Sequence[tuple[str, str]] = (),
    known_past: Sequence[tuple[str, str]] = (),
    **more: object,
) -> History:
    """Return the history of one asset's variable in a dataset as `ems.series.reading.read_series` gives it.

    Parameters
    ----------
    series : Dataset (time, asset)
    variable, asset : str
    timezone : str
    kind : str
    known_ahead, known_past : sequence of (variable, asset)
        Signals beside it; one of another asset is named ``asset.variable``.
    **more
        Further fields of the history.
    """

    def values_of(name: str, of: str) -> np.ndarray:
        found: np.ndarray = series[name].sel(asset=of).to_numpy().astype(float)
        return found

    def named(pairs: Sequence[tuple[str, str]]) -> dict[str, np.ndarray]:
        return {name if of == asset else f"{of}.{name}": values_of(name, of) for name, of in pairs}

    return History(
        name=variable,
        times=pd.DatetimeIndex(series["time"].to_numpy()).as_unit("ns"),
        values=values_of(variable, asset),
        timezone=timezone,
        kind=kind,
        known_ahead=named(known_ahead),
        known_past=named(known_past),
        asset=asset,
        **more,  # type: ignore[arg-type]
    )
