"""Reasons: why a battery does what it does in each step, and the price at which it would do something else."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from ems.assets.battery import Battery
from ems.dispatch.explanation.why import prices_of
from ems.dispatch.formulation.matrix import Matrix
from ems.dispatch.formulation.scaling import scale
from ems.dispatch.options import SolverOptions
from ems.dispatch.solvers.exactness import TOLERANCE_KW, solve_exactly
from ems.dispatch.solvers.highs import pass_matrix, silent_highs
from ems.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

    from ems.dispatch.result import DispatchResult

Action = Literal["charge", "discharge", "idle"]
SMALLEST_KW = 1e-5
"""Power below which a battery is idle: above a solver's tolerance."""
NEAR_PRICE = 1e-7
"""Share of the largest price at which two prices are told apart."""
MOST_SOLVES = 60
COLUMNS = (
    "asset",
    "time",
    "action",
    "power_kw",
    "price_per_kwh",
    "stored_value_per_kwh",
    "breakeven_price_per_kwh",
    "flip_price_per_kwh",
    "flip_price_name",
    "sentence",
)


def reasons(
    result: DispatchResult, steps: Collection[int] | None = None, *, with_flip_prices: bool = True
) -> pd.DataFrame:
    """Return why each battery charges, discharges or rests in each step.

    Parameters
    ----------
    result : DispatchResult
    steps : collection of int, optional
        Steps to look at; all where nothing is given.
    with_flip_prices : bool
        Whether to search for the price at which the decision of the step would change, by solving anew; a few
        milliseconds for each battery and step of a day.

    Returns
    -------
    DataFrame
        Columns ``asset``, ``time`` (UTC), ``action``, ``power_kw`` into the bus, ``price_per_kwh`` of the site,
        ``stored_value_per_kwh`` at the end of the step, ``breakeven_price_per_kwh`` (for a battery that rests, the
        price above which it would discharge), ``flip_price_per_kwh``, ``flip_price_name`` (which of the connection's
        prices it is) and ``sentence``. A flip price is NaN where no price changes the decision. Without a battery
        there are no rows.
    """
    import pandas as pd

    problem = result.problem
    if not any(isinstance(asset, Battery) for asset in problem.assets):
        return pd.DataFrame(columns=COLUMNS)
    prices = prices_of(result)
    chosen = list(problem.horizon.steps) if steps is None else sorted(steps)
    flips = _Flips(result) if with_flip_prices else None
    table = []
    for asset in problem.assets:
        if not isinstance(asset, Battery):
            continue
        unit = result.units.assets[asset.id]
        wear = asset.over_steps("degradation_cost_per_kwh", problem.inputs_of(asset))
        charge_cost = asset.over_steps("charge_cost_per_kwh", problem.inputs_of(asset))
        site_price = prices.price_per_kwh.sel(site=asset.site_id).to_numpy()
        stored = prices.stored_value_per_kwh.sel(asset=asset.id).to_numpy()[1:]
        charge_below = asset.charge_efficiency * stored - charge_cost
        discharge_above = stored / asset.discharge_efficiency + wear
        local = problem.horizon.local_times(problem.portfolio.site(asset.site_id).timezone)
        for t in chosen:
            power_kw = float(unit.discharge_kw[t] - unit.charge_kw[t])
            action = action_of(power_kw)
            flip = flips.find(asset, t) if flips is not None else Flip.none()
            breakeven = charge_below[t] if action == "charge" else discharge_above[t]
            said = _sentence(
                action,
                abs(power_kw),
                (site_price[t], stored[t], charge_below[t], discharge_above[t]),
                problem.portfolio.currency,
            )
            said += _other(action, flip)
            table.append(
                {
                    "asset": asset.id,
                    "time": problem.horizon.times[t],
                    "action": action,
                    "power_kw": power_kw if action != "idle" else 0.0,
                    "price_per_kwh": site_price[t],
                    "stored_value_per_kwh": stored[t],
                    "breakeven_price_per_kwh": breakeven,
                    "flip_price_per_kwh": flip.price_per_kwh,
                    "flip_price_name": flip.name,
                    "sentence": f"{local[t]:%Y-%m-%d %H:%M} {asset.id} {said}",
                }
            )
    return pd.DataFrame(table, columns=COLUMNS)


def action_of(power_kw: float) -> Action:
    """Return what a battery does that gives a power into the bus."""
    if abs(power_kw) <= SMALLEST_KW:
        return "idle"
    return "discharge" if power_kw > 0 else "charge"


def _sentence(action: Action, power_kw: float, prices: tuple[float, float, float, float], currency: str) -> str:
    """Return the reason of an action: price at the site, value in store, and the prices at which each way pays."""
    price, stored, charge_below, discharge_above = (f"{value + 0.0:.4g}" for value in prices)
    unit = f"{currency}/kWh"
    if action == "charge":
        return (
            f"charges {power_kw:.4g} kW because 1 kWh bought at {price} {currency} is worth {stored} "
            f"{currency} stored; it pays up to {charge_below} {unit}"
        )
    if action == "discharge":
        return (
            f"discharges {power_kw:.4g} kW because 1 kWh given saves {price} {currency} and is worth {stored} "
            f"{currency} stored; it pays from {discharge_above} {unit} on"
        )
    return (
        f"rests because the price of {price} {unit} is neither below {charge_below} {unit}, where charging pays, nor "
        f"above {discharge_above} {unit}, where discharging does"
    )


def _other(action: Action, flip: Flip) -> str:
    """Return at which prices a battery would do something else, as the end of a sentence; nothing where at none."""
    if not np.isfinite(flip.price_per_kwh):
        return ""
    if flip.is_tie:
        return "; another plan of the same cost does something else"
    price = f"an {flip.name.partition('_')[0]} price"
    way = (
        f"from {price} of {flip.price_per_kwh:.4g} on"
        if flip.is_above
        else f"below {price} of {flip.price_per_kwh:.4g}"
    )
    if action == "idle":
        return f"; {way} it would {'discharge' if flip.is_above else 'charge'}"
    return f"; {way}, not so"


@dataclass(frozen=True)
class Flip:
    """The price of a connection in one step at which a battery would do something else in that step.

    Parameters
    ----------
    price_per_kwh : float
        NaN where no price changes what it does.
    name : str
        ``import_price_per_kwh``, or ``export_price_per_kwh`` where the site sells in the step.
    is_above : bool
        Whether the decision changes from that price upwards; otherwise below it.
    is_tie : bool
        Whether that price is the one that holds: another plan of the same cost does something else.
    """

    price_per_kwh: float
    name: str
    is_above: bool = True
    is_tie: bool = False

    @classmethod
    def none(cls, name: str = "") -> Flip:
        """Return that no price changes the decision."""
        return cls(float("nan"), name)


def flip_price(result: DispatchResult, asset_id: str, step: int) -> Flip:
    """Return the price of the connection in a step at which a battery's decision for that step would change.

    All else stays: prices of other steps, and whether generators are on. The least cost is a concave, piecewise
    linear function of one price, so that the kink at which the decision changes is where two of its lines meet: a few
    solves find it to the last digit [1]_. Where the relaxed answer uses two directions at once it is solved exactly
    and the price is bisected.

    Parameters
    ----------
    result : DispatchResult
    asset_id : str
        A battery.
    step : int

    References
    ----------
    .. [1] M. J. Eisner and D. G. Severance, "Mathematical techniques for efficient record segmentation in large shared
       databases," Journal of the ACM, vol. 23, no. 4, 1976, doi:10.1145/321978.321982.
    """
    asset = next((one for one in result.problem.assets if one.id == asset_id), None)
    if not isinstance(asset, Battery):
        raise InvalidInput(f"asset '{asset_id}'", "is no active battery; only batteries have a flip price")
    return _Flips(result).find(asset, step)


@dataclass(frozen=True)
class _Asked:
    """A decision and the price that is moved: columns of the price and of both powers, sign of the price in costs."""

    column: int
    sign: float
    powers: tuple[int, int]
    step_h: float
    action: Action


@dataclass(frozen=True)
class _Point:
    """An optimum at one price: least cost, its slope over the price, the action, and whether it is of a linear one."""

    shift: float
    cost: float
    slope: float
    action: Action
    is_linear: bool


class _Flips:
    """The final programme kept warm in the solver, to be solved again at other prices."""

    def __init__(self, result: DispatchResult) -> None:
        self._result = result
        final = result.final
        lower, upper = final.lower.copy(), final.upper.copy()
        self._is_direction = np.zeros(final.columns, dtype=bool)
        for block in final.variables:
            if block.owner == "directions":
                self._is_direction[block.at] = True
                lower[block.at], upper[block.at] = 0.0, 1.0
        if final.is_integer.any():  # decisions that were not fixed
            final = final.fixed_at(result.x, final.is_integer)
            lower, upper = np.maximum(lower, final.lower), np.minimum(upper, final.upper)
        self._base: Matrix = replace(final, lower=lower, upper=upper)
        self._is_exact_only = bool(final.convex_costs)
        scaled, self._scaling = scale(self._base)
        self._scaled_cost = scaled.cost
        self._highs = silent_highs()
        self._highs.setOptionValue("threads", 1)
        pass_matrix(self._highs, scaled)
        # A shift beyond all prices is as good as an endless one.
        step_h = result.problem.horizon.step_h
        self._largest = 4 * float(np.abs(final.cost).max(initial=0.0)) / float(step_h.min()) + 1.0
        self._connections = [
            asset
            for asset in result.problem.assets
            if asset.kind == "grid_connection" and asset.id in result.units.assets
        ]

    def find(self, asset: Battery, step: int) -> Flip:
        """Return the flip price of a battery in a step."""
        priced = self._column(asset, step)
        if priced is None:
            return Flip.none()
        column, name, price, sign = priced
        unit, matrix = self._result.units.assets[asset.id], self._result.compiled.matrix
        action = action_of(float(unit.discharge_kw[step] - unit.charge_kw[step]))
        given, taken = (int(matrix.variable(asset.id, way).at[step]) for way in ("discharge_kw", "charge_kw"))
        step_h = float(self._result.problem.horizon.step_h[step])
        asked = _Asked(column, sign, (given, taken), step_h, action)
        # A dearer kWh ends charging, a cheaper one discharging; what rests may go either way.
        ways = {"charge": (1,), "discharge": (-1,), "idle": (1, -1)}[action]
        known = [(shift, way) for way in ways if (shift := self._search(asked, way)) is not None]
        if not known:
            return Flip.none(name)
        shift, way = min(known, key=lambda one: abs(one[0]))
        return Flip(price + shift, name, is_above=way > 0, is_tie=shift == 0)

    def _column(self, asset: Battery, step: int) -> tuple[int, str, float, float] | None:
        """Return the column whose price is moved, which price it is, its value, and the sign of the column's cost."""
        at_site = [one for one in self._connections if one.site_id == asset.site_id]
        if not at_site:
            return None
        units = self._result.units.assets
        name, sign = "import_kw", 1.0
        seller = max(at_site, key=lambda one: units[one.id].export_kw[step])
        chosen = max(at_site, key=lambda one: units[one.id].import_kw[step])
        if units[seller.id].export_kw[step] > SMALLEST_KW:
            name, sign, chosen = "export_kw", -1.0, seller
        price_name = name.replace("_kw", "_price_per_kwh")
        column = int(self._result.compiled.matrix.variable(chosen.id, name).at[step])
        return column, price_name, float(units[chosen.id].series[price_name][step]), sign

    def _search(self, asked: _Asked, way: int) -> float | None:
        """Return the shift of the price in one direction at which the action changes, or None."""
        near = NEAR_PRICE * self._largest
        low = self._solve(asked, 0.0)
        if low is None or low.action != asked.action:
            return 0.0  # another plan of equal cost does something else at this very price
        high = self._solve(asked, way * self._largest)
        if high is None or high.action == asked.action:
            return None
        for _ in range(MOST_SOLVES):
            if abs(high.shift - low.shift) <= near:
                break
            meet = _meeting(low, high)
            if meet is not None and min(abs(meet - low.shift), abs(meet - high.shift)) <= near:
                return meet
            point = self._solve(asked, 0.5 * (low.shift + high.shift) if meet is None else meet)
            if point is None:
                return None
            if meet is not None and point.is_linear:
                line = low.cost + low.slope * (meet - low.shift)
                if point.cost >= line - 1e-9 * (1 + abs(line)):
                    return meet  # no kink in between: the decision changes just here
            low, high = (point, high) if point.action == asked.action else (low, point)
        return 0.5 * (low.shift + high.shift)

    def _solve(self, asked: _Asked, shift: float) -> _Point | None:
        """Return the optimum where one price in one step is shifted; None where there is none."""
        cost = self._base.cost[asked.column] + asked.sign * shift * asked.step_h
        x, value, is_linear = None, 0.0, True
        if not self._is_exact_only:
            factors = np.broadcast_to(self._scaling.columns, self._base.columns)
            self._highs.changeColCost(asked.column, float(cost * factors[asked.column]))
            self._highs.run()
            if self._highs.getModelStatus().name == "kOptimal":
                x = np.array(self._highs.getSolution().col_value) * factors
                value = float(self._highs.getInfo().objective_function_value)
            self._highs.changeColCost(asked.column, float(self._scaled_cost[asked.column]))
        if x is None or self._goes_both_ways(x):
            is_linear = False
            costs = self._base.cost.copy()
            costs[asked.column] = cost
            matrix = replace(self._base, cost=costs, is_integer=self._is_direction)
            solution, _, _ = solve_exactly(matrix, SolverOptions(mip_gap=0.0))
            if solution.x is None:
                return None
            x, value = solution.x, solution.objective
        given, taken = asked.powers
        slope = asked.sign * asked.step_h * float(x[asked.column])
        return _Point(shift, value, slope, action_of(float(x[given] - x[taken])), is_linear)

    def _goes_both_ways(self, x: np.ndarray) -> bool:
        """Return whether a relaxed answer uses two exclusive directions at once."""
        return any(np.any(np.minimum(x[one.one], x[one.other]) > TOLERANCE_KW) for one in self._base.exclusions)


def _meeting(low: _Point, high: _Point) -> float | None:
    """Return the shift at which the lines of two optima meet; None where they are one, or where they are no lines."""
    if not (low.is_linear and high.is_linear) or abs(low.slope - high.slope) < 1e-12:
        return None
    at = (high.cost - low.cost + low.slope * low.shift - high.slope * high.shift) / (low.slope - high.slope)
    inside = min(low.shift, high.shift) <= at <= max(low.shift, high.shift)
    return float(at) if inside else None
