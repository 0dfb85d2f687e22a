"""Draft: a dispatch whose records and series are being changed, and the times of a finding in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from ems.dispatch.problem import DispatchProblem
from ems.horizon import Horizon
from ems.record import Record

MOST_RANGES = 3
"""Ranges of time that a sentence lists; a person reads no more of them."""


class Draft:
    """Records and series of a dispatch, to be changed one after the other.

    Outages of the goal stand in the series of the problem already, and are not worked in again.
    """

    def __init__(self, problem: DispatchProblem) -> None:
        self._problem = problem
        portfolio = problem.portfolio
        self._records: dict[str, dict[str, Record]] = {
            what: {record.id: record for record in getattr(portfolio, what)}
            for what in ("assets", "sites", "groups", "reserves")
        }
        self._columns: dict[str, dict[str, np.ndarray]] = {}

    def record(self, what: str, owner: str) -> Any:
        """Return a record as it is now; ``what`` is ``assets``, ``sites``, ``groups`` or ``reserves``."""
        return self._records[what][owner]

    def change(self, what: str, owner: str, **fields: Any) -> None:
        """Change fields of a record."""
        self._records[what][owner] = self._records[what][owner].replace(**fields)

    def series(self, owner: str, name: str) -> np.ndarray | None:
        """Return a series of an asset or reserve as it is now, shape (steps,); None where it has none."""
        changed = self._columns.get(name, {}).get(owner)
        if changed is not None:
            return None if np.isnan(changed).all() else changed
        series = self._problem.series
        if name not in series or "asset" not in series.coords or owner not in series.asset.values:
            return None
        values: np.ndarray = series[name].sel(asset=owner).to_numpy().astype(float)
        return None if np.isnan(values).all() else values

    def set_series(self, owner: str, name: str, values: np.ndarray | None) -> None:
        """Put a series of an asset or reserve in the place of what it had; None takes it away."""
        if values is None and self.series(owner, name) is None:
            return
        steps = len(self._problem.horizon)
        self._columns.setdefault(name, {})[owner] = np.full(steps, np.nan) if values is None else np.asarray(values)

    def problem(self) -> DispatchProblem:
        """Return the dispatch as it is now."""
        portfolio = self._problem.portfolio.replace(
            **{what: tuple(records.values()) for what, records in self._records.items() if records}
        )
        return replace(
            self._problem,
            portfolio=portfolio,
            series=self._new_series(),
            goal=self._problem.goal.replace(outages=()),
        )

    def _new_series(self) -> xr.Dataset:
        series = self._problem.series
        names = [str(one) for one in series.asset.values] if "asset" in series.coords else []
        added = [owner for columns in self._columns.values() for owner in columns if owner not in names]
        if added:
            names += list(dict.fromkeys(added))
            series = series.reindex(asset=names) if "asset" in series.dims else series.assign_coords(asset=names)
        for name, columns in self._columns.items():
            values = np.full((len(self._problem.horizon), len(names)), np.nan)
            attrs = {}
            if name in series:
                values = series[name].transpose("time", "asset").to_numpy().astype(float).copy()
                attrs = series[name].attrs
            for owner, column in columns.items():
                values[:, names.index(owner)] = column
            series = series.assign({name: (("time", "asset"), values, attrs)})
        return series


def ranges_of(steps: Iterable[int]) -> list[tuple[int, int]]:
    """Return runs of neighbouring steps as pairs of their first step and the step after their last.

    >>> ranges_of([1, 2, 5])
    [(1, 3), (5, 6)]
    """
    found: list[tuple[int, int]] = []
    for step in sorted(steps):
        if found and found[-1][1] == step:
            found[-1] = (found[-1][0], step + 1)
        else:
            found.append((step, step + 1))
    return found


def when(steps: Iterable[int], horizon: Horizon, timezone: str) -> str:
    """Return the local times of some steps: ``17:15-18:00``, with days where the horizon is longer than one."""
    local = horizon.boundaries.tz_localize("UTC").tz_convert(timezone)
    is_one_day = horizon.length_h <= 24 and local[0].date() == (local[-1] - local[-1].resolution).date()
    shown = []
    ranges = ranges_of(steps)
    for first, end in ranges[:MOST_RANGES]:
        begin, until = local[first], local[end]
        last = (until - until.resolution).date()
        is_whole = begin == begin.normalize() and until == until.normalize()
        if is_one_day:
            shown.append("all day" if is_whole else f"{begin:%H:%M}-{until:%H:%M}")
        elif begin.date() == last:
            shown.append(f"{begin:%Y-%m-%d} " + ("all day" if is_whole else f"{begin:%H:%M}-{until:%H:%M}"))
        elif is_whole:
            shown.append(f"{begin:%Y-%m-%d} to {last:%Y-%m-%d}")
        else:
            shown.append(f"{begin:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M}")
    more = len(ranges) - len(shown)
    return ", ".join(shown) + (f" and {more} times more" if more else "")
