"""The ten units of Kazarlis et al. over a day: a problem of this package, and the root of a naive formulation.

References
----------
.. [1] S. A. Kazarlis, A. G. Bakirtzis and V. Petridis, "A genetic algorithm solution to the unit commitment problem,"
   IEEE Transactions on Power Systems, vol. 11, no. 1, 1996, doi:10.1109/59.485989.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import numpy as np
import xarray as xr

from ems.assets.generator import Generator
from ems.assets.load import Load
from ems.assets.portfolio import Portfolio, Site
from ems.assets.reserve import ReserveRequirement
from ems.assets.startup_cost import StartupCost
from ems.dispatch.goal import Goal
from ems.dispatch.problem import DispatchProblem
from ems.horizon import Horizon

START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
DEMAND = np.array(
    [
        [700, 750, 850, 950, 1000, 1100, 1150, 1200, 1300, 1400, 1450, 1500],
        [1400, 1300, 1200, 1050, 1000, 1100, 1200, 1400, 1300, 1100, 900, 800],
    ],
    dtype=float,
).ravel()
RESERVE_SHARE = 0.1
UNITS = (
    (455, 150, 1000, 16.19, 0.00048, 8, 4500, 9000, 5, 8),
    (455, 150, 970, 17.26, 0.00031, 8, 5000, 10000, 5, 8),
    (130, 20, 700, 16.60, 0.00200, 5, 550, 1100, 4, -5),
    (130, 20, 680, 16.50, 0.00211, 5, 560, 1120, 4, -5),
    (162, 25, 450, 19.70, 0.00398, 6, 900, 1800, 4, -6),
    (80, 20, 370, 22.26, 0.00712, 3, 170, 340, 2, -3),
    (85, 25, 480, 27.74, 0.00079, 3, 260, 520, 2, -3),
    (55, 10, 660, 25.92, 0.00413, 1, 30, 60, 0, -1),
    (55, 10, 665, 27.27, 0.00222, 1, 30, 60, 0, -1),
    (55, 10, 670, 27.79, 0.00173, 1, 30, 60, 0, -1),
)
"""Highest and lowest output, cost curve (constant, linear, quadratic), shortest time up and down, cost of a hot and of
a cold start, hours until cold beyond the shortest time down, hours on (or off, negative) before the day. One MW of the
paper is one kW here."""
KNOWN_COST = 563_937.7
"""Best cost known; found by many authors."""


def kazarlis_problem() -> DispatchProblem:
    """Return the ten units over a day, with a tenth of the demand as reserve of capacity."""
    horizon = Horizon.regular(START, len(DEMAND), 1.0)
    units = tuple(
        Generator(
            id=f"unit-{number}",
            site_id="system",
            max_output_kw=highest,
            min_output_kw=lowest,
            no_load_cost_per_h=constant,
            fuel_cost_per_kwh=linear,
            quadratic_cost_per_kw2h=quadratic,
            startup_costs=(
                StartupCost(offline_h=shortest, cost=hot),
                StartupCost(offline_h=shortest + until_cold + 1, cost=cold),
            ),
            min_uptime_h=shortest,
            min_downtime_h=shortest,
            initial_is_on=before > 0,
            initial_state_h=abs(before),
        )
        for number, (
            highest,
            lowest,
            constant,
            linear,
            quadratic,
            shortest,
            hot,
            cold,
            until_cold,
            before,
        ) in enumerate(UNITS, 1)
    )
    series = xr.Dataset(
        {
            "demand_kw": (("time", "asset"), np.column_stack((DEMAND, np.full(len(DEMAND), np.nan)))),
            "reserve_requirement_kw": (
                ("time", "asset"),
                np.column_stack((np.full(len(DEMAND), np.nan), RESERVE_SHARE * DEMAND)),
            ),
        },
        {"time": horizon.times.to_numpy(), "asset": ["demand", "reserve"]},
    )
    portfolio = Portfolio(
        currency="USD",
        sites=(Site(id="system", timezone="UTC"),),
        assets=(*units, Load(id="demand", site_id="system", rated_load_kw=1500)),
        reserves=(ReserveRequirement(id="reserve", kind="capacity"),),
    )
    return DispatchProblem(portfolio, horizon, series, Goal(optimization_type="unit_commitment"))


def naive_root(tangents: int = 25) -> float:
    """Return the cost of the relaxed naive formulation.

    On/off decisions alone; minimum times step by step; a start costs ``hot * (on[t] - on[t-1])`` or
    ``cold * (on[t] - sum of on before)``; tangents that are not scaled by the decision.
    """
    import scipy.sparse as sp
    from scipy.optimize import linprog

    steps, count = len(DEMAND), len(UNITS)
    size = count * steps
    on, output, fuel, start = np.arange(4 * size).reshape(4, count, steps)
    rows = [row for unit in range(count) for row in _naive_rows(unit, (on, output, fuel, start), tangents)]
    for t in range(steps):
        capacity = {int(on[unit, t]): -float(UNITS[unit][0]) for unit in range(count)}
        rows.append((capacity, -(1 + RESERVE_SHARE) * DEMAND[t]))
    cost, upper = np.zeros(4 * size), np.full(4 * size, np.inf)
    upper[on] = cost[fuel] = cost[start] = 1.0
    for unit, (_, _, constant, linear, *_) in enumerate(UNITS):
        cost[on[unit]], cost[output[unit]] = constant, linear
    places = [(row, key, value) for row, (terms, _) in enumerate(rows) for key, value in terms.items()]
    at, keys, values = (np.array(one) for one in zip(*places, strict=True))
    balance = [sp.csr_array((steps, size)), *[sp.eye(steps)] * count, sp.csr_array((steps, 2 * size))]
    answer = linprog(
        cost,
        A_ub=sp.csr_array((values, (at.astype(int), keys.astype(int))), shape=(len(rows), len(cost))),
        b_ub=np.array([right for _, right in rows]),
        A_eq=sp.hstack(balance).tocsr(),
        b_eq=DEMAND,
        bounds=np.column_stack((np.zeros(len(cost)), upper)),
    )
    return float(answer.fun)


Relation = tuple[dict[int, float], float]
"""Coefficients by column, and what their sum may be at most."""


def _naive_rows(unit: int, columns: tuple[np.ndarray, ...], tangents: int) -> Iterator[Relation]:
    on, output, fuel, start = columns
    highest, lowest, _, _, quadratic, shortest, hot, cold, until_cold, before = UNITS[unit]

    def before_on(t: int) -> Relation:
        """Return the decision of a step, or what is known of it where it lies before the day."""
        if t >= 0:
            return {int(on[unit, t]): 1.0}, 0.0
        return {}, float(-t <= before if before > 0 else -t > -before)

    for t in range(on.shape[1]):
        here, power, begin = int(on[unit, t]), int(output[unit, t]), int(start[unit, t])
        yield {power: 1.0, here: -highest}, 0.0
        yield {power: -1.0, here: lowest}, 0.0
        for point in np.linspace(lowest, highest, tangents):
            yield {power: 2 * quadratic * point, int(fuel[unit, t]): -1.0}, quadratic * point**2
        earlier, known = before_on(t - 1)
        for later in on[unit, t + 1 : t + shortest].tolist():
            yield {here: 1.0, later: -1.0, **dict.fromkeys(earlier, -1.0)}, known
            yield {here: -1.0, later: 1.0, **earlier}, 1.0 - known
        yield {here: hot, begin: -1.0, **dict.fromkeys(earlier, -hot)}, hot * known
        past = [before_on(t - back) for back in range(1, shortest + until_cold + 1)]
        ons = {key: -float(cold) for terms, _ in past for key in terms}
        yield {here: cold, begin: -1.0, **ons}, cold * sum(one for _, one in past)
