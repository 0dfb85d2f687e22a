"""Quick start: from a person's own meter data to what a battery would save, in a few calls of one notebook.

The notebook `quick_start` is no study: it describes its site in a cell, where a study names a site file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import xarray as xr

from ems.assets.portfolio import Portfolio, portfolio_of
from ems.assets.prices import series_needs, with_prices
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.solve import solve
from ems.display import Card, Shown, counted, shown_range, shown_time
from ems.errors import InvalidInput
from ems.folders import LONGEST_SLUG, find_file, is_slug, project_folder, shown_path
from ems.horizon import Horizon
from ems.series.cutting import cut_series, start_of, step_of
from ems.series.gaps import columns_of
from ems.series.reading import read_series
from ems.settlement.bill import settle
from ems.studies.dispatch_plan import DispatchPlan
from ems.studies.study import start_in
from ems.units import unit_of
from ems.yaml_text import mapping_of

if TYPE_CHECKING:
    import datetime as dt

    from ems.dispatch.result import DispatchResult

SERIES_ENDINGS = (".csv", ".parquet", ".xlsx")
HOURS_OF_A_DAY = 24


@dataclass(frozen=True, repr=False)
class MeterData(Shown):
    """What a file of series holds for a site.

    Parameters
    ----------
    series : Dataset (time, asset)
        On the file's own steps; gaps are NaN.
    portfolio : Portfolio
    """

    series: xr.Dataset
    portfolio: Portfolio

    @property
    def zone(self) -> ZoneInfo:
        """Time zone of the site."""
        return ZoneInfo(self.portfolio.sites[0].timezone)

    @property
    def begin(self) -> dt.datetime:
        """Beginning of the first step, by the site's clocks."""
        return start_of(self.series).astimezone(self.zone)

    def caption(self) -> str:
        """Return the file's name."""
        return f"Meter data from {self.series.attrs['source']}"

    def facts(self) -> dict[str, str]:
        """Return what was read, in words: when, how much, what is missing, and what was assumed."""
        step_h = step_of(self.series)
        last = pd.Timestamp(self.series.time.values[-1]) + pd.Timedelta(hours=step_h)
        end = last.tz_localize("UTC").tz_convert(self.zone).to_pydatetime()
        found = {
            "From": shown_time(self.begin),
            "To": shown_time(end),
            "Steps": f"{self.series.sizes['time']:,} of {step_h:g} h",
        }
        for column in columns_of(self.series):
            name = f"{column.variable} of {column.asset}"
            known = column.values[np.isfinite(column.values)]
            found[name] = shown_range(known.tolist(), unit_of(column.variable) or "") if known.size else "no value"
            if column.variable.endswith("_kw"):
                found[name] += f", together {float(known.sum()) * step_h:,.0f} kWh"
            missing = len(column.values) - known.size
            found[f"Gaps of {column.asset}"] = f"{counted(missing, 'step')} without a value" if missing else "none"
        notes = self.series.attrs.get("notes", ())
        return found | {f"Note {number}": note for number, note in enumerate(notes, 1)}

    def card(self) -> Card:
        """Return what was read."""
        return Card(self.caption(), list(self.facts().items()))


def read_site(text: str) -> Portfolio:
    """Return the site that a text in the form of a site file describes.

    Raises
    ------
    InvalidInput
        If it is no YAML, or any record in it cannot be used; all findings at once.
    """
    return portfolio_of(mapping_of(text, "the description of the site"), "the description of the site")


def read_meter(file: str, portfolio: Portfolio) -> MeterData:
    """Return what a file holds for the assets of a site, as it is: gaps are seen, not filled.

    Parameters
    ----------
    file : str
        A path, or a name in data/series.
    portfolio : Portfolio

    Raises
    ------
    InvalidInput
        If the file is not there or cannot be used; says where in it, and what would do.
    """
    path = find_file(file, project_folder() / "data" / "series", SERIES_ENDINGS, "series")
    timezone = portfolio.sites[0].timezone
    return MeterData(read_series(path, series_needs(portfolio), portfolio.series, timezone), portfolio)


def pose(meter: MeterData, start: str | None = None, days: float | None = None) -> DispatchProblem:
    """Return the dispatch of a site on its own data.

    Parameters
    ----------
    meter : MeterData
    start : str, optional
        Beginning in local time; that of the data where it is left out.
    days : float, optional
        Length; to the end of the data where it is left out.

    Raises
    ------
    InvalidInput
        If the data do not reach so far, or have a gap that the site's series do not say how to fill.
    """
    begin = start_in(start, meter.zone.key) if start else meter.begin
    step_h = step_of(meter.series)
    left_h = meter.series.sizes["time"] * step_h - (begin - meter.begin).total_seconds() / 3600
    horizon = Horizon.regular(begin, left_h if days is None else days * HOURS_OF_A_DAY, step_h)
    portfolio = meter.portfolio
    series = with_prices(cut_series(meter.series, horizon, portfolio.series), portfolio, horizon)
    return DispatchProblem(portfolio, horizon, series)


def plan(problem: DispatchProblem) -> DispatchPlan:
    """Return the best schedule of a site beside the best one without its battery.

    Raises
    ------
    InvalidInput
        If the site has no battery that is in use.
    Infeasible, NoSolution
    """
    if not any(asset.kind == "battery" for asset in problem.assets):
        raise InvalidInput("the description of the site", "has no battery; add '- {kind: battery, id: battery, ...}'")
    return DispatchPlan(solve(problem), solve(problem.without("battery")), "battery")


def settled_costs(found: DispatchPlan) -> pd.DataFrame:
    """Return the settled bills by type of cost, with and without the battery, as columns.

    The bills are recomputed from powers and prices by code that shares nothing with the optimizer.
    """
    assert found.baseline is not None, "a quick start has a baseline"
    columns = {f"without {found.label}": _settled(found.baseline), f"with {found.label}": _settled(found.result)}
    return pd.DataFrame(columns).fillna(0.0)


def _settled(result: DispatchResult) -> Any:
    problem = result.problem
    return settle(result.flows, problem.series, problem.portfolio).lines.groupby("cost_type")["cost"].sum()


def keep_site(text: str, name: str | None) -> str:
    """Write a description into data/sites, where studies find it, and return what to do next.

    Parameters
    ----------
    text : str
    name : str or None
        Name of the site file; None writes none.

    Raises
    ------
    InvalidInput
        If the name cannot be one of a file, or a site file of that name holds something else.
    """
    if name is None:
        return "The site is not kept. Say keep_as = 'my-site' above, and other studies can use it."
    if not is_slug(name):
        limit = f"must be small letters, digits and single hyphens, at most {LONGEST_SLUG}, as in my-site"
        raise InvalidInput(f"keep_as = {name!r}", limit)
    path = project_folder() / "data" / "sites" / f"{name}.yaml"
    kept = text.strip() + "\n"
    if path.exists() and path.read_text(encoding="utf-8") != kept:
        raise InvalidInput(f"keep_as = '{name}'", f"{shown_path(path)} is there already; choose another name")
    read_site(text)
    path.parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(kept, encoding="utf-8")
    return f"The site is kept in {shown_path(path)}. Next: ems run dispatch demo -p site={name} -p series=YOUR-FILE"
