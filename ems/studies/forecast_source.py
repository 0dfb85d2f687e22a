"""Where a forecast gets its history from: a file or the database, cut at the issue time, with anomalies found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from ems.display import Card, Shown, counted
from ems.errors import InvalidInput
from ems.forecast.anomalies import Anomaly, find_anomalies, mask_of
from ems.forecast.darkness import dark_steps
from ems.forecast.history import History
from ems.forecast.issue import steps_of
from ems.studies.forecast_columns import ReadColumns, from_database, from_file
from ems.studies.forecast_target import Target, target_of
from ems.studies.study import start_in

if TYPE_CHECKING:
    from ems.assets.portfolio import Portfolio
    from ems.studies.history_study import HistoryStudy


@dataclass(frozen=True, repr=False)
class MeasuredHistory(Shown):
    """A measured series up to an issue time, and what was found when it was read.

    Parameters
    ----------
    target : Target
    history : History
        In which nothing exists that is measured at the issue time or later.
    at : int
        First step that is not known, as a position in the history's raster.
    measured : ndarray (steps,)
        All values that were read, those at and after the issue time, too: to compare with, never to learn from.
    anomalies : tuple of Anomaly
        Of the values before the issue time.
    columns : ReadColumns
        Where the values came from.
    """

    target: Target
    history: History
    at: int
    measured: np.ndarray
    anomalies: tuple[Anomaly, ...]
    columns: ReadColumns

    def caption(self) -> str:
        """Return what it is about."""
        return self.history.label

    def card(self) -> Card:
        """Return what was read."""
        return Card(self.caption(), [(name, str(value)) for name, value in self.facts().items()])

    @property
    def timezone(self) -> str:
        """Time zone of local days."""
        return self.history.timezone

    @property
    def issued_at(self) -> pd.Timestamp:
        """Beginning of the first step that is not known, UTC."""
        return self.history.times[self.at]

    @cached_property
    def known(self) -> pd.Series[float]:
        """What was measured before the issue time, anomalies included, by time in UTC."""
        return pd.Series(self.measured[: self.at], index=self.history.times[: self.at], name=self.history.name)

    def as_array(self) -> xr.DataArray:
        """Return what was measured before the issue time along time, for figures."""
        return xr.DataArray(
            self.known.to_numpy(),
            coords={"time": self.known.index.to_numpy()},
            dims="time",
            name=self.history.name,
            attrs={"units": self.history.units},
        )

    @cached_property
    def later(self) -> pd.Series[float]:
        """What was measured at the issue time and later, by time in UTC; empty where nothing was."""
        values = pd.Series(self.measured[self.at :], index=self.history.times[self.at :], name=self.history.name)
        return values.dropna()

    def with_later(self, error: InvalidInput) -> InvalidInput:
        """Return an error that also says that values after the issue time are there, which nothing learned from."""
        later = _later_notes(self.measured, self.at, self.columns.kind_of_place)
        return type(error)(error.subject, [*error.findings, *later])

    def facts(self) -> dict[str, Any]:
        """Return what was read, in words."""
        zone = self.timezone
        measured = self.known.dropna()
        found: dict[str, Any] = {
            "Series": f"{self.history.label} ({self.history.units or 'unit not stated'})",
            "Read from": self.columns.source,
            "First value": f"{local(measured.index[0], zone):%Y-%m-%d %H:%M}",
            "Nothing known from": f"{local(self.issued_at, zone):%Y-%m-%d %H:%M} ({zone})",
            "Steps": f"{counted(len(measured), 'value')} of {self.history.step_h:g} h, "
            f"{counted(int(self.known[measured.index[0] :].isna().sum()), 'gap step')}",
            "Holidays": self.history.country or "none",
            "Bounds": _bounds_words(self.history),
        }
        for label, names in (
            ("Known ahead", self.history.known_ahead),
            ("Known once measured", self.history.known_past),
        ):
            found[label] = ", ".join(names) or "nothing"
        return found


def local(moment: pd.Timestamp, timezone: str) -> pd.Timestamp:
    """Return a moment in UTC without zone as local time."""
    return moment.tz_localize("UTC").tz_convert(timezone)


def load_history(study: HistoryStudy) -> MeasuredHistory:
    """Return the measured series of a study up to the time from which on it knows nothing.

    Raises
    ------
    InvalidInput
        If the series or the asset is not there or cannot be used.
    """
    target = target_of(study, _portfolio(study))
    columns = from_file(study, target) if study.source == "file" else from_database(study, target)
    zone = target.timezone or columns.timezone
    if zone is None:
        raise InvalidInput("timezone = nothing", "neither a site nor the series tells the time zone of local days")
    history = History(
        name=target.variable if study.source == "file" or target.asset is not None else columns.variable,
        times=columns.times,
        values=columns.values,
        timezone=zone,
        kind=target.kind,
        known_ahead=columns.ahead,
        known_past=columns.past,
        country=target.country,
        asset=target.asset_id,
        unit=target.unit or columns.unit or "",
    )
    at = history.last_known if study.known_until() is None else _position(history, str(study.known_until()))
    steps = steps_of(history, at, study.horizon_h)
    history = history.reaching(at + steps)
    measured = history.values
    notes = [*columns.notes, *target.notes, *_later_notes(measured, at, columns.kind_of_place)]
    before = np.arange(len(measured)) < at
    values = np.where(before, measured, np.nan)
    past = {name: np.where(before, one, np.nan) for name, one in history.known_past.items()}
    history = replace(history, values=values, known_past=past)
    anomalies = tuple(_anomalies_of(history, at))
    is_odd = mask_of(anomalies, history.times)
    lower, upper, bound_notes = bounds_of(target, np.where(is_odd, np.nan, values), study.capacity, history.units)
    notes += bound_notes
    if is_odd.any():
        what = f"{counted(int(is_odd.sum()), 'value')} in anomalies {'was' if is_odd.sum() == 1 else 'were'}"
        if study.leave_out_anomalies:
            values = np.where(is_odd, np.nan, values)
            notes.append(f"{what} left out of what is learned from and scored")
        else:
            notes.append(f"{what} learned from; leave_out_anomalies = true leaves them out")
    history = replace(history, values=values, lower=lower, upper=upper, notes=tuple(notes))
    return MeasuredHistory(target, _with_darkness(history, target), at, measured, anomalies, columns)


def _portfolio(study: HistoryStudy) -> Portfolio | None:
    """Return the portfolio of the site file, or of the register where an asset is read from the database."""
    path = study.site_file()
    if path is not None:
        from ems.assets.portfolio import read_portfolio

        return read_portfolio(path)
    if study.column is not None:
        return None
    from ems.studies.register_database import portfolio_in_database

    return portfolio_in_database(None, None)


def _position(history: History, text: str) -> int:
    """Return the step that begins at a local time, on the raster of the history or up to a day after it.

    Raises
    ------
    InvalidInput
        If the time lies outside, or no step begins then.
    """
    moment = pd.Timestamp(start_in(text, history.timezone)).tz_convert("UTC").tz_localize(None)
    return history.position(moment)


def _later_notes(measured: np.ndarray, at: int, place: str) -> list[str]:
    count = int(np.isfinite(measured[at:]).sum())
    if not count:
        return []
    verb = "it was" if count == 1 else "they were"
    return [f"{place} holds {counted(count, 'value')} after the issue time; {verb} not used"]


def _anomalies_of(history: History, at: int) -> Sequence[Anomaly]:
    if at < 2:
        return ()
    units = history.units
    return find_anomalies(history.values[:at], history.times[:at], history.timezone, history.kind, units)


def bounds_of(
    target: Target, values: np.ndarray, capacity: float | None, units: str
) -> tuple[float | None, float | None, list[str]]:
    """Return the bounds of what can be, and a sentence on each that was assumed or could not be taken.

    A load or generation that was never below zero stays at or above it. The upper bound is the capacity that is
    stated, else what the asset is rated for where no value exceeds that; a price has none.

    Parameters
    ----------
    target : Target
    values : ndarray (steps,)
        Known ones, without anomalies; NaN is a gap.
    capacity : float, optional
    units : str
    """
    known = values[np.isfinite(values)]
    notes: list[str] = []
    if not known.size:
        return None, capacity, notes
    lowest, highest = float(known.min()), float(known.max())
    lower = None
    if target.kind != "price":
        if lowest >= 0:
            lower = 0.0
            notes.append(f"{target.variable} was never below zero; forecasts stay at or above it")
        else:
            notes.append(f"{target.variable} was as low as {_with(lowest, units)}: forecasts have no lower bound")
    upper = capacity if capacity is not None else target.rated
    if upper is None or upper >= highest:
        return _checked(lower, upper, units), upper, notes
    count = counted(int((known > upper).sum()), "value")
    if capacity is not None:
        notes.append(f"{count} above capacity = {_with(capacity, units)}, up to {_with(highest, units)}")
        return _checked(lower, upper, units), upper, notes
    notes.append(
        f"{count} above {target.rated_field} = {_with(upper, units)}, up to {_with(highest, units)}: it bounds no "
        "forecast; state capacity to have a bound"
    )
    return lower, None, notes


def _checked(lower: float | None, upper: float | None, units: str) -> float | None:
    if lower is not None and upper is not None and upper <= lower:
        raise InvalidInput(f"capacity = {_with(upper, units)}", f"must be above {_with(lower, units)}")
    return lower


def _with(value: float, units: str) -> str:
    return f"{value:.6g} {units}".strip()


def _bounds_words(history: History) -> str:
    low, high = (None if one is None else _with(one, history.units) for one in (history.lower, history.upper))
    if low is None and high is None:
        return "none"
    return f"{low or 'none below'} to {high or 'none above'}"


def _with_darkness(history: History, target: Target) -> History:
    """Return the history of solar power with the steps in which the sun does not rise, where its place is known."""
    site = target.site
    if target.kind != "solar" or site is None or site.latitude is None or site.longitude is None:
        return history
    return replace(history, is_dark=dark_steps(history.times, history.step_h, site.latitude, site.longitude))
