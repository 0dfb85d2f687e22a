"""The same problem in other units of power or money: every number of every record by the unit in its name."""

from __future__ import annotations

from typing import Any

import xarray as xr

from ems.dispatch.problem import DispatchProblem
from ems.record import Record
from ems.units import unit_of

POWERS = {"kW": 1, "kWh": 1, "kVA": 1, "kWh·h": 1, "kW·h": 1, "kW²·h": 2}
"""Power of the unit of power in a unit."""


def exponents(name: str) -> tuple[int, int]:
    """The powers of the unit of power and of money in the unit that a name states.

    >>> exponents("max_charge_kw"), exponents("import_price_per_kwh"), exponents("min_soc")
    ((1, 0), (-1, 1), (0, 0))
    """
    above, _, below = (unit_of(name, "money") or "").partition("/")
    return POWERS.get(above, 0) - POWERS.get(below, 0), int(above == "money")


def rescaled(record: Any, power: float = 1.0, money: float = 1.0) -> Any:
    """A record with its numbers in other units: one of the old is ``power`` or ``money`` of the new."""
    return type(record)(**{name: _value(name, value, power, money) for name, value in record.given().items()})


def _value(name: str, value: Any, power: float, money: float) -> Any:
    if isinstance(value, Record):
        return rescaled(value, power, money)
    if isinstance(value, tuple):
        return tuple(_value(name, one, power, money) for one in value)
    if isinstance(value, dict):
        return {key: _value(name, one, power, money) for key, one in value.items()}
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    by_power, by_money = exponents(name)
    return value * power**by_power * money**by_money if by_power or by_money else value


def rescaled_problem(asked: DispatchProblem, power: float = 1.0, money: float = 1.0) -> DispatchProblem:
    """A problem with all its assets and series in other units."""
    assets = tuple(rescaled(asset, power, money) for asset in asked.assets)
    columns = {}
    for name, column in asked.series.data_vars.items():
        by_power, by_money = exponents(str(name))
        columns[name] = column * power**by_power * money**by_money
    series = xr.Dataset(columns, coords=asked.series.coords)
    return DispatchProblem(asked.portfolio.replace(assets=assets), asked.horizon, series, asked.goal)
