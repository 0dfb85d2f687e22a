"""Wear of batteries by a schedule: by rainflow counting and by age, beside the wear that the plan was charged for."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
import xarray as xr

from ems.assets.ageing import END_OF_LIFE_HEALTH, calendar_loss, cycle_loss, equivalent_full_cycles, life_curve_of
from ems.assets.battery import Battery
from ems.assets.portfolio import Portfolio
from ems.settlement import battery as battery_settlement
from ems.settlement.ledger import Ledger, Schedule

HOURS_PER_YEAR = 8766.0
PLANNED = ("wear_cost", "cycle_depth_cost")
"""Types of cost by which a plan takes wear into account."""


def wear_of(flows: xr.Dataset, series: xr.Dataset, portfolio: Portfolio) -> pd.DataFrame:
    """Return what a schedule wears off each battery, and what the plan assumed.

    cost = capital_cost * loss of capacity / (1 - end_of_life_health)

    The loss by cycles follows from the depths of the content's cycles, deep ones wearing more than the same energy in
    shallow ones; a plan that pays a price for each kWh cannot know that. The loss by age comes whatever is planned.

    Parameters
    ----------
    flows : Dataset (time, asset)
        The schedule.
    series : Dataset (time, asset)
    portfolio : Portfolio

    Returns
    -------
    DataFrame
        One row a battery: ``asset``, ``full_cycles``, ``cycle_loss`` and ``age_loss`` (shares of capacity),
        ``cycle_cost`` and ``age_cost`` (money), ``planned_cost`` (money of the plan's own wear), ``difference``
        (cycle_cost less planned_cost) and ``reason`` where a number is not known and therefore NaN.
    """
    schedule = Schedule(flows, series, portfolio)
    rows = [_row(asset, schedule) for asset in portfolio.active() if isinstance(asset, Battery)]
    columns = ["full_cycles", "cycle_loss", "age_loss", "cycle_cost", "age_cost", "planned_cost", "difference"]
    return pd.DataFrame(rows, columns=["asset", *columns, "reason"])


def _row(asset: Battery, schedule: Schedule) -> dict[str, object]:
    charge, discharge = (schedule.flow(f"{way}_kw", asset.id) for way in ("charge", "discharge"))
    energy_kwh = battery_settlement.replay_energy_kwh(asset, schedule, charge, discharge)
    soc = np.clip(energy_kwh / battery_settlement.content_of(asset), 0, 1)
    curve = life_curve_of(asset)
    by_cycles = math.nan if curve is None else cycle_loss(soc, curve)
    by_age = _loss_by_age(asset, schedule)
    price = math.nan if asset.capital_cost is None else asset.capital_cost / (1 - END_OF_LIFE_HEALTH)
    ledger = Ledger(schedule.flows, schedule.series, schedule.portfolio)
    battery_settlement.bill(asset, ledger)
    planned = sum(cost for _, cost_type, _, _, cost in ledger.lines if cost_type in PLANNED)
    missing = {
        "cycle_life or degradation_rate_per_cycle": curve is None,
        "calendar_life_a and a date of installation or commissioning": math.isnan(by_age),
        "capital_cost": asset.capital_cost is None,
    }
    return {
        "asset": asset.id,
        "full_cycles": equivalent_full_cycles(soc),
        "cycle_loss": by_cycles,
        "age_loss": by_age,
        "cycle_cost": price * by_cycles,
        "age_cost": price * by_age,
        "planned_cost": planned,
        "difference": price * by_cycles - planned,
        "reason": ", ".join(f"without {name}" for name, is_missing in missing.items() if is_missing),
    }


def _loss_by_age(asset: Battery, schedule: Schedule) -> float:
    """Return the loss of capacity by the time of the schedule, from the battery's age at its beginning."""
    since = asset.commissioning_date or asset.installation_date
    if asset.calendar_life_a is None or since is None:
        return math.nan
    begin = schedule.times[0].astype("datetime64[s]").astype(dt.datetime)
    age_a = max((begin - dt.datetime.combine(since, dt.time())) / dt.timedelta(hours=HOURS_PER_YEAR), 0.0)
    later_a = age_a + float(schedule.step_h.sum()) / HOURS_PER_YEAR
    return calendar_loss(age_a, later_a, asset.calendar_life_a, asset.chemistry)
