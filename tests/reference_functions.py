"""Cases of kind `function` of the neutral form: tables of values, compared with functions of this package."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from builders import battery, portfolio
from reference_forecast_functions import FORECAST_FUNCTIONS
from reference_rules import NeutralCase

from ems.assets.ageing import rainflow
from ems.horizon import Horizon
from ems.settlement.battery import replay_energy_kwh
from ems.settlement.ledger import Schedule
from ems.tariffs.prices import contract_prices
from ems.tariffs.tariff import EnergyPeriod, Tariff

DAYS = {
    "WEEKDAYS": ("mon", "tue", "wed", "thu", "fri"),
    "WEEKENDS": ("sat", "sun"),
    "ALL": ("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
}
MERGED_DIGITS = 9
"""To which equal ranges of cycles are merged, as the form says."""


def tou_price(case: NeutralCase, inputs: Mapping[str, Any]) -> list[float]:
    """Return the price of energy in each step of a schedule of times of use, by its own wall clock."""
    schedule = case.given["definition"]["schedules"][inputs["tariff"]]["schedule"]
    tariff = Tariff(id="case", name="Case", periods=[one for entry in schedule for one in _periods_of(entry)])
    start = dt.datetime.fromisoformat(inputs["start"]).replace(tzinfo=dt.UTC)
    step_h = inputs["minutes"] / 60
    horizon = Horizon(start, (step_h,) * inputs["steps"])
    imports, _ = contract_prices(tariff, horizon, "UTC")
    return [float(price) for price in imports]


def _periods_of(entry: Mapping[str, Any]) -> Iterator[EnergyPeriod]:
    season = {
        name: "-".join(part.zfill(2) for part in entry[f"effective_{given}"].split("-"))
        for name, given in (("from_date", "start"), ("until_date", "end"))
    }
    for (begin, end), price in zip(itertools.pairwise([*entry["times"], 24]), entry["tariffs"], strict=True):
        clock = {"from_time": _clock(begin), "until_time": _clock(end)}
        weekdays = DAYS[entry["dow_mask"]]
        yield EnergyPeriod(name=entry["id"], import_price_per_kwh=price, weekdays=weekdays, **clock, **season)


def _clock(hours: float) -> str:
    return f"{int(hours):02d}:{round(hours % 1 * 60):02d}"


def rainflow_counts(_case: NeutralCase, inputs: Mapping[str, Any]) -> list[float]:
    """Return ranges and counts of the cycles of a series, ascending and one after the other."""
    given = inputs["series"]
    cycles = rainflow(np.array(_from_formula(given) if isinstance(given, str) else given, dtype=float))
    counts = pd.Series(cycles.count).groupby(np.round(cycles.range, MERGED_DIGITS)).sum()
    return [value for pair in counts.items() for value in pair]


def _from_formula(text: str) -> np.ndarray:
    """Return the values of a formula with its range: ``0.8*sin(0.01*pi*i), i=0..1000``."""
    formula, _, last = text.partition(", i=0..")
    names = {"sin": np.sin, "cos": np.cos, "pi": np.pi, "i": np.arange(int(last) + 1)}
    values: np.ndarray = eval(formula, {"__builtins__": {}}, names)
    return values


def stock_with_losses(_case: NeutralCase, inputs: Mapping[str, Any]) -> list[float]:
    """Return a stock that first changes and then loses a share, by the replay of a battery, which does it in turn.

    The content at the end of a step is the stock before its loss, as the loss comes with the next step.
    """
    change = np.array(inputs["deltas"], dtype=float)
    size = 10 * (abs(inputs["initial"]) + np.abs(change).sum())
    store = battery(
        capacity_kwh=size,
        initial_soc=inputs["initial"] / inputs["efficiency"] / size,
        standing_loss_per_h=1 - inputs["efficiency"],
        final_soc_rule="free",
    )
    flows = xr.Dataset(coords={"time": np.arange(len(change)), "step_h": ("time", np.ones(len(change)))})
    schedule = Schedule(flows, xr.Dataset(), portfolio(store))
    content = replay_energy_kwh(store, schedule, np.maximum(change, 0), np.maximum(-change, 0))
    return [inputs["initial"], *(content[1:] * inputs["efficiency"]).tolist()]


FUNCTIONS: dict[str, Callable[[NeutralCase, Mapping[str, Any]], list[float]]] = {
    "tou_price": tou_price,
    "rainflow_counts": rainflow_counts,
    "stock_with_losses": stock_with_losses,
    **FORECAST_FUNCTIONS,
}
"""What this package has of the functions of the form, by the form's names."""


def check_function(case: NeutralCase, expected: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Compare each value of a case's table; return one of them, expected and found."""
    function = FUNCTIONS[case.given["definition"]["function"]]
    wanted_of = {one["id"]: one for one in expected["checks"]}
    wanted_value, found = None, None
    for check in case.given["checks"]:
        wanted = wanted_of[check["id"]]
        values = function(case, check["inputs"])
        tolerance = {"rel": wanted.get("tol_rel", 0.0), "abs": wanted.get("tol_abs", 0.0)}
        assert values == pytest.approx(wanted["expected"], **tolerance), check["inputs"]
        wanted_value, found = wanted["expected"][0], values[0]
    return wanted_value, found
