"""Market position: energy bought ahead at a grid connection, and what deviating from it costs."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np

from ems.assets.asset import AssetInputs
from ems.assets.unit import Unit
from ems.errors import InvalidInput
from ems.horizon import Horizon

IMBALANCE_PRICES = ("imbalance_short_price_per_kwh", "imbalance_long_price_per_kwh")
"""Series of a connection: the price of a kWh taken beyond the position, and of a kWh of it that is not taken."""
NEAR_H = 1e-6
"""Lengths in hours that differ by less are equal: far above the rounding of sums of steps, far below a second."""


def declare_position(
    unit: Unit, inputs: AssetInputs, import_limit_kw: np.ndarray, export_limit_kw: np.ndarray
) -> None:
    """Declare a position and how the schedule deviates from it; nothing where nothing is bought ahead.

    import[t] - export[t] - position[t] == short[t] - long[t]
    position[t] == position[t-1] within a market period

    The position is bought, or sold where it is negative, at the price of imports, which is the day-ahead price. It is
    at most what the connection can carry: nobody who has to deliver may trade more. Of short and long at most one is
    above zero; that matters only where imbalance would pay more for being short and long at once.

    Parameters
    ----------
    unit : Unit
        The connection's, with ``import_kw`` and ``export_kw`` declared and its prices given.
    inputs : AssetInputs
    import_limit_kw, export_limit_kw : ndarray (steps,)

    Raises
    ------
    InvalidInput
        If a series of imbalance prices is absent, or if a step lies in two market periods.
    """
    if inputs.market_period_h is None:
        return
    missing = [name for name in IMBALANCE_PRICES if name not in inputs.series]
    if missing:
        raise InvalidInput(
            f"procurement at '{unit.owner}'",
            f"needs the series {' and '.join(missing)}; give both, or choose another optimization_type",
        )
    for name in IMBALANCE_PRICES:
        unit.add_series(name, inputs.series[name])
    periods = market_periods(inputs.horizon, inputs.timezone, inputs.market_period_h)
    unit.add_variable("position_kw", lower=-export_limit_kw, upper=import_limit_kw)
    unit.add_variable("short_kw", upper=import_limit_kw + export_limit_kw)
    unit.add_variable("long_kw", upper=import_limit_kw + export_limit_kw)
    unit.add_constraint(
        "deviation",
        lambda t: unit.import_kw[t] - unit.export_kw[t] - unit.position_kw[t] == unit.short_kw[t] - unit.long_kw[t],
    )
    unit.add_constraint(
        "market_period",
        lambda t: unit.position_kw[t] == unit.position_kw[t - 1],
        over=(np.flatnonzero(np.diff(periods) == 0) + 1).tolist(),
    )
    unit.exclude("short_kw", "long_kw")


def imbalance_costs(unit: Any, t: Any, step_h: Any) -> dict[str, Any]:
    """Return what deviating from the position costs in step ``t``, beside what is bought and sold.

    (short_price - import_price) * short + (import_price - long_price) * long

    Together with the cost of imports and the revenue of exports that is the position at the day-ahead price and each
    deviation at its own, where exports earn what imports cost.
    """
    if not unit.has("position_kw"):
        return {}
    price = unit.import_price_per_kwh[t]
    short_premium = unit.imbalance_short_price_per_kwh[t] - price
    long_premium = price - unit.imbalance_long_price_per_kwh[t]
    return {
        "imbalance_cost": unit.short_kw[t] * (short_premium * step_h[t]) + unit.long_kw[t] * (long_premium * step_h[t])
    }


def market_periods(horizon: Horizon, timezone: str, period_h: float) -> np.ndarray:
    """Return the number of the market period in which each step lies, shape (steps,), rising.

    Periods are counted from local midnight in hours that pass, so that days of 23 and 25 hours have as many periods
    of an hour. A step may be as long as several whole periods; then it stands for all of them.

    Raises
    ------
    InvalidInput
        If a step lies partly in one period and partly in another.
    """
    local = horizon.local_times(timezone)
    midnight = local.normalize()
    begin_h = (local - midnight) / dt.timedelta(hours=1)
    within = np.asarray(begin_h) / period_h
    number = np.floor(within + NEAR_H / period_h)
    ends = within + horizon.step_h / period_h
    is_inside = ends <= number + 1 + NEAR_H / period_h
    is_whole = (np.abs(within - number) <= NEAR_H / period_h) & (np.abs(ends - np.round(ends)) <= NEAR_H / period_h)
    bad = np.flatnonzero(~(is_inside | is_whole))
    if len(bad):
        at = horizon.times[int(bad[0])]
        raise InvalidInput(
            "procurement",
            f"the step at {at:%Y-%m-%d %H:%M} UTC of {horizon.step_h[bad[0]]:g} h lies in two market periods of "
            f"{period_h:g} h; use steps that divide market_period_h",
        )
    keys = list(zip(midnight.date, number.tolist(), strict=True))
    is_new = [one != other for one, other in zip(keys[1:], keys, strict=False)]
    numbers: np.ndarray = np.cumsum([0, *is_new])
    return numbers
