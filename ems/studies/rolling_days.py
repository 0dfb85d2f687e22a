"""Days of a rolling comparison: what each policy cost on each local day, and how full batteries were by hour."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ems.studies.rolling_result import OPTIMUM, RollingResult

PLAN = "plan_own"


def daily_costs(result: RollingResult) -> pd.DataFrame:
    """Return the money of each local day by policy: energy and wear by their prices, without charges of months.

    Parameters
    ----------
    result : RollingResult

    Returns
    -------
    DataFrame (date, policy)
    """
    days = _local(result).normalize().tz_localize(None)
    costs = {name: result.step_costs(name).sum("asset").to_numpy() for name in result.policies}
    return pd.DataFrame(costs, index=days).groupby(level=0).sum().rename_axis("date")


def worst_days(result: RollingResult, policy: str = PLAN, most: int = 5) -> pd.DataFrame:
    """Return the days on which a policy cost most above perfect foresight, the worst first.

    Perfect foresight may lose on one day to gain on another: a day's regret can be below zero.

    Returns
    -------
    DataFrame (date)
        ``cost``, ``optimal_cost``, ``regret``; empty where one of the two policies did not run.
    """
    costs = daily_costs(result)
    if policy not in costs or OPTIMUM not in costs:
        return pd.DataFrame(columns=["cost", "optimal_cost", "regret"])
    found = pd.DataFrame({"cost": costs[policy], "optimal_cost": costs[OPTIMUM]})
    found["regret"] = found["cost"] - found["optimal_cost"]
    return found.sort_values("regret", ascending=False, kind="stable").head(most)


def savings(result: RollingResult, policy: str = PLAN, against: str = "no_control") -> pd.Series[float]:
    """Return what a policy saved on each local day against another; empty where one of the two did not run."""
    costs = daily_costs(result)
    if policy not in costs or against not in costs:
        return pd.Series(dtype=float, name="saving")
    return (costs[against] - costs[policy]).rename("saving")


def filling(result: RollingResult, policy: str) -> pd.DataFrame:
    """Return how full the batteries are, as a share from 0 to 1, by hour of the local day and date.

    Parameters
    ----------
    result : RollingResult
    policy : str

    Returns
    -------
    DataFrame (hour, date)
        Mean over the hour; NaN where a day has no such hour. Empty where the policy did not run or nothing is stored.
    """
    batteries = result.case.batteries
    if policy not in result.runs or not batteries:
        return pd.DataFrame()
    flows = result.runs[policy].flows
    content = np.sum([flows[one.id, "energy_kwh"] for one in batteries], axis=0)
    capacity = sum(one.content_kwh for one in batteries)
    return _by_hour(result, content / capacity)


def prices(result: RollingResult) -> pd.DataFrame:
    """Return the price of import by hour of the local day and date, the mean over connections."""
    case = result.case
    here = slice(case.begin, case.begin + case.steps)
    found = [case.truth[one.id, "import_price_per_kwh"][here] for one in case.connections]
    return _by_hour(result, np.mean(found, axis=0)) if found else pd.DataFrame()


def hours(result: RollingResult) -> tuple[dict[str, pd.DataFrame], dict[str, str]]:
    """Return what is to be seen by hour and day, by its title, and the unit of each: prices, contents of batteries."""
    currency = result.case.portfolio.currency
    maps = {"Price of import": prices(result), "Batteries, plan on own forecasts": filling(result, PLAN)}
    maps["Batteries, perfect foresight"] = filling(result, OPTIMUM)
    return maps, {title: f"{currency}/kWh" if title.startswith("Price") else "share full" for title in maps}


def _by_hour(result: RollingResult, values: np.ndarray) -> pd.DataFrame:
    local = _local(result)
    table = pd.DataFrame({"hour": local.hour, "date": local.normalize().tz_localize(None), "value": values})
    return table.pivot_table(index="hour", columns="date", values="value", aggfunc="mean")


def _local(result: RollingResult) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(result.case.horizon.times).tz_localize("UTC").tz_convert(result.case.timezone)
