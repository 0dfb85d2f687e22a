"""The cases in this package."""

from __future__ import annotations

import datetime as dt

import numpy as np
import xarray as xr

from benchmarks.peers import cases
from benchmarks.peers.cases import Case
from ems.assets.battery import Battery
from ems.assets.grid_connection import GridConnection
from ems.assets.group import Group, GroupMember
from ems.assets.load import Load
from ems.assets.portfolio import AnyAsset, Portfolio, Site
from ems.assets.solar_pv import SolarPV
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.result import DispatchResult
from ems.dispatch.solve import solve
from ems.dispatch.warm import WarmDispatch
from ems.horizon import Horizon

START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def problem_of(case: Case) -> DispatchProblem:
    """Return a case as a problem."""
    ids = [str(number) for number in range(case.sites)]
    whole: tuple[AnyAsset, ...] = tuple(asset for number in ids for asset in _assets(number))
    feeder = Group(id="feeder", max_import_kw=case.feeder_kw, max_export_kw=case.feeder_kw)
    is_limited = case.feeder_kw is not None
    portfolio = Portfolio(
        currency="EUR",
        sites=tuple(Site(id=f"site-{number}", timezone="UTC") for number in ids),
        assets=whole,
        groups=(feeder,) if is_limited else (),
        members=tuple(GroupMember(asset_id=f"grid-{number}", group_id="feeder") for number in ids if is_limited),
    )
    horizon = Horizon.regular(START, case.steps * cases.STEP_H, cases.STEP_H)
    names = [f"{kind}-{number}" for number in ids for kind in ("grid", "load", "solar")]
    columns = {}
    for place, (name, values) in (
        (0, ("import_price_per_kwh", case.import_price_per_kwh[:, None])),
        (0, ("export_price_per_kwh", case.export_price_per_kwh[:, None])),
        (1, ("demand_kw", case.demand_kw)),
        (2, ("available_kw", case.available_kw)),
    ):
        column = np.full((case.steps, len(names)), np.nan)
        column[:, place::3] = values
        columns[name] = (("time", "asset"), column)
    return DispatchProblem(portfolio, horizon, xr.Dataset(columns, {"time": horizon.times.to_numpy(), "asset": names}))


def result_of(problem: DispatchProblem) -> DispatchResult:
    """Return the result of a problem with its schedule in arrays."""
    result = solve(problem)
    assert result.units.assets, "the schedule is read"
    return result


def least_cost(case: Case) -> tuple[float, np.ndarray]:
    """Return the cheapest cost and the contents of the first site at the boundaries of the steps."""
    result = result_of(problem_of(case))
    return result.solution.objective, result.units.assets["battery-0"].energy_kwh


def roll(windows: list[Case], warm: WarmDispatch | None = None) -> float:
    """Return the sum of the costs of windows, each of which begins with the content after a day of the last."""
    warm = warm or WarmDispatch(problem_of(windows[0]))
    place = warm.compiled.matrix.variable("battery-0", "energy_kwh").at[cases.STEPS_OF_DAY]
    total, content = 0.0, cases.INITIAL_SOC * cases.CAPACITY_KWH
    for window in windows:
        solution = warm.solve(series_of(window), {"battery-0": content})
        assert solution.x is not None
        total += solution.objective
        content = float(solution.x[place])
    return total


def series_of(case: Case) -> dict[tuple[str, str], np.ndarray]:
    """Return the series of a case of one site."""
    return {
        ("grid-0", "import_price_per_kwh"): case.import_price_per_kwh,
        ("grid-0", "export_price_per_kwh"): case.export_price_per_kwh,
        ("load-0", "demand_kw"): case.demand_kw[:, 0],
        ("solar-0", "available_kw"): case.available_kw[:, 0],
    }


def _assets(number: str) -> tuple[AnyAsset, ...]:
    site = f"site-{number}"
    return (
        Battery(
            id=f"battery-{number}",
            site_id=site,
            capacity_kwh=cases.CAPACITY_KWH,
            max_charge_kw=cases.POWER_KW,
            max_discharge_kw=cases.POWER_KW,
            charge_efficiency=cases.EFFICIENCY,
            discharge_efficiency=cases.EFFICIENCY,
            min_soc=cases.MIN_SOC,
            max_soc=cases.MAX_SOC,
            initial_soc=cases.INITIAL_SOC,
            degradation_cost_per_kwh=cases.WEAR_PER_KWH,
        ),
        GridConnection(
            id=f"grid-{number}", site_id=site, max_import_kw=cases.CONNECTION_KW, max_export_kw=cases.CONNECTION_KW
        ),
        Load(id=f"load-{number}", site_id=site, rated_load_kw=200),
        SolarPV(id=f"solar-{number}", site_id=site, rated_capacity_kw=200),
    )
