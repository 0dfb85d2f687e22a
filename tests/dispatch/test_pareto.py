"""Fronts of two measures, found by hand and by trying everything."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from builders import battery, generator, grid, load, prices, problem, solar

from ems.dispatch.goal import Goal
from ems.dispatch.options import SolverOptions
from ems.dispatch.pareto import ParetoFront, pareto_front
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.solve import solve
from ems.errors import InvalidInput

NEAR = 1e-4
"""Measures of the ends are held to 1e-7 of themselves; they are below 1000 here."""
EXACT = SolverOptions(mip_gap=0)


def points_of(front: ParetoFront) -> Any:
    return [tuple(row) for row in front.points.itertuples(index=False)]


def near(*points: tuple[float, float]) -> Any:
    return [pytest.approx(point, abs=NEAR) for point in points]


def store_to_fill() -> DispatchProblem:
    """100 kWh for a store: at 0.10 EUR/kWh with 0.6 kg/kWh, or at 0.20 with 0.2 kg/kWh."""
    series = {**prices([0.1, 0.2], 0), "grid.co2_intensity_kg_per_kwh": [0.6, 0.2]}
    return problem([battery(initial_soc=0, target_soc=1), grid()], series, [1, 1])


def blocks(values: list[tuple[float, float]]) -> DispatchProblem:
    """Two of several generators that give 20 kW or nothing serve 40 kW; each has a cost and emissions per kWh."""
    units = [
        generator(
            id=f"unit-{number}",
            min_output_kw=20,
            max_output_kw=20,
            fuel_cost_per_kwh=cost,
            co2_emissions_kg_per_kwh=kg,
        )
        for number, (cost, kg) in enumerate(values)
    ]
    return problem([*units, load()], {"load.demand_kw": 40})


def efficient(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the points that no other dominates, by trying all."""
    kept = [
        one
        for one in points
        if not any(other[0] <= one[0] and other[1] <= one[1] and other != one for other in points)
    ]
    return sorted(set(kept))


def test_pareto_front__a_line_between_its_ends():
    """Each 10 kg less move 25 kWh into the hour that is 0.10 EUR/kWh dearer: 2.50 EUR."""
    front = pareto_front(store_to_fill(), EXACT, points=5)
    assert points_of(front) == near((10, 60), (12.5, 50), (15, 40), (17.5, 30), (20, 20))
    assert list(front.points.columns) == ["cost", "emissions_kg"]
    for point, result in zip(points_of(front), front.results, strict=True):
        assert (result.total_cost, sum(result.emissions_kg.values())) == pytest.approx(point, abs=NEAR)


def test_pareto_front__ends_are_lexicographic_optima():
    """The cheap end costs what a dispatch by cost costs, the clean end emits what one by emissions emits."""
    front = pareto_front(store_to_fill(), EXACT, points=3)
    cheap = solve(store_to_fill(), EXACT)
    asked = store_to_fill()
    clean = solve(DispatchProblem(asked.portfolio, asked.horizon, asked.series, Goal(objective="emissions")), EXACT)
    first, *_, last = points_of(front)
    assert first == pytest.approx((cheap.total_cost, sum(cheap.emissions_kg.values())), abs=NEAR)
    assert last == pytest.approx((clean.total_cost, sum(clean.emissions_kg.values())), abs=NEAR)


def test_pareto_front__finds_what_no_weights_find_and_leaves_out_what_gives_nothing_new():
    """Pairs of A (0.10, 0.9), B (0.20, 0.5), C (0.25, 0.6) and D (0.40, 0.1) EUR and kg per kWh, 20 kWh of each.

    AB (6, 28), BC (9, 22), AD (10, 20) and BD (12, 12) are efficient; BC and AD lie above the line from AB to BD. Of
    the seven values 26, 24, ..., 14 kg between the ends, BC meets 26 to 22, AD 20, BD 18 to 14: three are solved.
    """
    front = pareto_front(blocks([(0.1, 0.9), (0.2, 0.5), (0.25, 0.6), (0.4, 0.1)]), EXACT, points=9)
    assert points_of(front) == near((6, 28), (9, 22), (10, 20), (12, 12))
    assert front.solved == 4 + 3


@pytest.mark.parametrize("seed", range(5))
def test_pareto_front__trying_everything_agrees(seed):
    """Of six generators every pair is tried; the front is the pairs that no other dominates, on a fine grid."""
    chance = random.Random(seed)
    values = [(chance.randint(1, 20) / 20, chance.randint(1, 20) / 20) for _ in range(6)]
    pairs = [
        (round(20 * (one[0] + other[0]), 6), round(20 * (one[1] + other[1]), 6))
        for one, other in itertools.combinations(values, 2)
    ]
    # All emissions are multiples of 1 kg, so that steps of half a kg at most miss none.
    known = efficient(pairs)
    points = 2 + 2 * round(known[0][1] - known[-1][1])
    assert points_of(pareto_front(blocks(values), EXACT, points=points)) == near(*known)


def test_pareto_front__of_the_peak():
    """Loads of 0, 90 and 0 kW at 0.10, 0.10 and 0.50; a store of 100 kWh holds 60 before and after.

    Filled in the first hour it takes the peak to 50 kW for nothing: 9 EUR. From 50 to 40 kW the third hour buys 10 kWh
    at 0.40 more: 13 EUR. At 30 kW all hours buy 30 kWh: 21 EUR.
    """
    series = {**prices([0.1, 0.1, 0.5], 0), "load.demand_kw": [0, 90, 0]}
    asked = problem([battery(initial_soc=0.6), grid(), load()], series, [1, 1, 1])
    front = pareto_front(asked, EXACT, points=3, against="peak")
    assert points_of(front) == near((9, 50), (13, 40), (21, 30))
    assert list(front.points.columns) == ["cost", "peak_import_kw"]


def test_pareto_front__of_import():
    """Sun of 50 kWh that is sold at 0.30 and bought back at 0.20, or stored: 5 EUR for 50 kWh."""
    assets = [solar(), battery(initial_soc=0), grid(), load()]
    series = {**prices([0.4, 0.2], [0.3, 0.1]), "solar.available_kw": [50, 0], "load.demand_kw": [0, 50]}
    front = pareto_front(problem(assets, series, [1, 1]), EXACT, points=3, against="import")
    assert points_of(front) == near((-5, 50), (-2.5, 25), (0, 0))


def test_pareto_front__of_quadratic_costs():
    """0.01 x p^2 and 1 kg/kWh against 0.50 EUR/kWh without emissions, for 40 kW.

    The least cost is at p = 25: 6.25 + 7.50 EUR. At 12.5 kg it is 1.5625 + 13.75 EUR, at none 20 EUR.
    """
    unit = generator(fuel_cost_per_kwh=0, quadratic_cost_per_kw2h=0.01, co2_emissions_kg_per_kwh=1)
    asked = problem([unit, grid(), load()], {**prices(0.5, 0), "load.demand_kw": 40})
    front = pareto_front(asked, EXACT, points=3)
    # A flat optimum: an output that is off by d costs d^2 / 100, so that it is known less well than the cost.
    (first, middle, last) = points_of(front)
    assert first == (pytest.approx(13.75, abs=NEAR), pytest.approx(25, abs=0.1))
    assert middle[0] == pytest.approx(0.01 * middle[1] ** 2 + 0.5 * (40 - middle[1]), abs=NEAR)
    assert middle[1] == pytest.approx(12.5, abs=0.05)
    assert last == pytest.approx((20, 0), abs=NEAR)


def test_pareto_front__of_one_point():
    """Where nothing can be chosen the front is a point."""
    asked = problem([grid(), load()], {**prices(0.2), "load.demand_kw": 10})
    assert points_of(pareto_front(asked, EXACT)) == near((2, 0))


def test_pareto_front__needs_two_points():
    with pytest.raises(InvalidInput, match="points = 1: must be at least 2"):
        pareto_front(store_to_fill(), EXACT, points=1)


def test_pareto_front__no_point_dominates_another():
    """A portfolio with decisions and a store, solved to a gap of a tenth of a percent."""
    assets = [
        generator(id="clean", fuel_cost_per_kwh=0.4, co2_emissions_kg_per_kwh=0.1, startup_cost=2, min_output_kw=10),
        generator(id="dirty", fuel_cost_per_kwh=0.1, co2_emissions_kg_per_kwh=0.9, min_output_kw=15),
        battery(),
        grid(max_import_kw=30),
        load(),
    ]
    series = {
        **prices([0.2, 0.5, 0.3, 0.1], 0.05),
        "grid.co2_intensity_kg_per_kwh": [0.5, 0.2, 0.4, 0.6],
        "load.demand_kw": [20, 70, 60, 30],
    }
    points = points_of(pareto_front(problem(assets, series, [1] * 4), SolverOptions(), points=8))
    assert len(points) >= 4
    for one, other in itertools.pairwise(points):
        assert one[0] < other[0]
        assert one[1] > other[1]
