"""Sizing: cases with an answer found by hand, and laws that hold for every site and price."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from builders import battery, generator, grid, horizon, load, portfolio, series, solar
from example_counts import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from ems.assets.prices import with_prices
from ems.dispatch.options import SolverOptions
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.sizing import SizedAssets, SizedDispatch, both_ways_steps, described
from ems.dispatch.sizing_search import SizeRange, Sizing, SizingTerms, best_sizes, sizing_matrix
from ems.dispatch.solvers.registry import solve_matrix
from ems.errors import Infeasible, InvalidInput

MONEY = 1e-3
"""A gap of 1e-5 of some tens of money."""
DAY = 24
LOW, HIGH = 0.10, 0.30
TWO_PRICES = [LOW] * 12 + [HIGH] * 12


def dispatch(
    demand_kw: Any = 10.0,
    import_price: Any = 0.2,
    *,
    export_price: Any = 0.0,
    sun_kw_per_kw: Any = 0.0,
    steps: int = DAY,
    factor: float = 1.0,
    **of_battery: Any,
) -> SizedDispatch:
    """A site with a load of 10 kW whose largest battery has 200 kWh and 50 kW, roof 50 kW, connection 100 kW."""
    over = horizon(*[1] * steps)
    assets = (
        battery(
            **{
                "capacity_kwh": 200,
                "max_charge_kw": 50,
                "max_discharge_kw": 50,
                "final_soc_rule": "cyclic",
                **of_battery,
            }
        ),
        solar(),
        load(),
        grid(),
    )
    whole = portfolio(*assets)
    given_series = series(
        over,
        {
            "load.demand_kw": demand_kw,
            "solar.available_kw": np.asarray(sun_kw_per_kw) * 50.0,
            "grid.import_price_per_kwh": import_price,
            "grid.export_price_per_kwh": export_price,
        },
    )
    problem = DispatchProblem(whole, over, with_prices(given_series, whole, over))
    return SizedDispatch(problem, SizedAssets("grid", "battery", "solar"), factor)


def terms(*cost_per_unit: float, highest: tuple[float, ...] = (200, 50, 50, 100), **lots: float) -> SizingTerms:
    """Prices of a kWh, a kW, a kW of sun, and a kW of connection, in the money of the horizon."""
    names = ("kwh", "kw", "pv", "connection")
    ranges = tuple(SizeRange(0, most, lots.get(name)) for name, most in zip(names, highest, strict=True))
    return SizingTerms(np.array(cost_per_unit, dtype=float), ranges)


def as_one_matrix(one: SizedDispatch, of: SizingTerms) -> float:
    solution = solve_matrix(sizing_matrix(one, of), SolverOptions(mip_gap=0.0))
    assert solution.status == "optimal"
    return solution.objective


# ---------------------------------------------------------------------------------- found by hand
def test_best_sizes__battery_of_two_prices_shifts_all_of_the_dear_hours():
    """A kWh of battery saves 0.20 a day and costs 0.15: all 120 kWh of the dear half are moved, at 10 kW.

    240 kWh at 0.10 are 24, the battery 120 * 0.15 + 10 * 0.01 = 18.10.
    """
    found = best_sizes(dispatch(import_price=TWO_PRICES), terms(0.15, 0.01, 1.0, 0.0))

    assert found.cost_a == pytest.approx(42.10, abs=MONEY)
    assert found.sizes[:3] == pytest.approx([120, 10, 0], abs=0.05)
    assert found.gap <= 1e-5


def test_best_sizes__battery_dearer_than_the_spread_is_none():
    """A kWh costs 0.21 and saves 0.20: 120 kWh at 0.10 and 120 at 0.30 are 48."""
    found = best_sizes(dispatch(import_price=TWO_PRICES), terms(0.21, 0.0, 1.0, 0.0))

    assert found.cost_a == pytest.approx(48, abs=MONEY)
    assert found.sizes[0] == pytest.approx(0, abs=0.01)


def test_best_sizes__free_sun_is_taken_to_its_bound():
    """A kW gives 6 kWh of which the site uses what it can and sells the rest at 0.05: more is never worse."""
    sun = [0.0] * 9 + [1.0] * 6 + [0.0] * 9
    found = best_sizes(dispatch(sun_kw_per_kw=sun, export_price=0.05), terms(9.0, 9.0, 0.0, 0.0))

    assert found.sizes[2] == pytest.approx(50)
    # 18 h of 10 kW at 0.20, less 6 h of 40 kW at 0.05.
    assert found.cost_a == pytest.approx(180 * 0.2 - 240 * 0.05, abs=MONEY)


def test_best_sizes__battery_and_connection_share_a_peak():
    """23 h of 10 kW and one of 30 kW, 260 kWh: a connection of 260 / 24 kW, and a battery of the rest of the peak.

    A kW of connection costs 1, a kWh of battery 0.5: all of the peak above the mean is shaved.
    """
    demand = [10.0] * 12 + [30.0] + [10.0] * 11
    found = best_sizes(dispatch(demand_kw=demand), terms(0.5, 0.0, 9.0, 1.0))

    mean_kw = 260 / 24
    assert found.sizes[3] == pytest.approx(mean_kw, abs=0.01)
    assert found.sizes[0] == pytest.approx(30 - mean_kw, abs=0.01)
    assert found.cost_a == pytest.approx(52 + mean_kw + 0.5 * (30 - mean_kw), abs=MONEY)
    assert found.found.missing_kwh == pytest.approx(0, abs=1e-3)


def test_best_sizes__losses_and_wear_narrow_the_spread():
    """Of 0.30 a kWh bought at 0.10 / 0.5 gives 0.10 less wear of 0.04: 0.06 are left of the spread of 0.20.

    A kWh of content gives sqrt(0.5) kWh: it may cost 0.0424.
    """
    one = dispatch(import_price=TWO_PRICES, round_trip_efficiency=0.5, degradation_cost_per_kwh=0.04)

    assert best_sizes(one, terms(0.0430, 0.0, 1.0, 0.0)).sizes[0] == pytest.approx(0, abs=0.01)
    assert best_sizes(one, terms(0.0418, 0.0, 1.0, 0.0)).sizes[0] == pytest.approx(120 / np.sqrt(0.5), abs=0.5)


def test_best_sizes__in_lots_are_whole_ones():
    """Modules of 50 kWh: 100 kWh save 20 for 15, 150 kWh save 24 for 22.50; one matrix with whole numbers agrees."""
    one, of = dispatch(import_price=TWO_PRICES), terms(0.15, 0.0, 1.0, 0.0, kwh=50)

    found = best_sizes(one, of)

    assert found.sizes[0] == pytest.approx(100)
    assert found.cost_a == pytest.approx(43, abs=MONEY)
    assert as_one_matrix(one, of) == pytest.approx(found.cost_a, abs=MONEY)


def test_best_sizes__energy_price_factor_leaves_wear():
    """Twice the bill: a spread of 0.40, less wear of 0.05 for each kWh."""
    one = dispatch(import_price=TWO_PRICES, degradation_cost_per_kwh=0.05, factor=2.0)

    found = best_sizes(one, terms(0.3, 0.0, 1.0, 0.0))

    assert found.cost_a == pytest.approx(240 * 0.2 + 120 * 0.05 + 120 * 0.3, abs=MONEY)


def test_best_sizes__small_site_in_wide_ranges():
    """0.25 kWh are needed in one hour; the last tenth of a watt of the connection is found, too."""
    sun, demand = [0.0] * 4 + [1.0] * 2, [0.0] * 5 + [0.25]
    one = dispatch(demand, 0.5, sun_kw_per_kw=sun, steps=6, initial_soc=0.5, round_trip_efficiency=0.998)
    of = terms(0.25, 0.0625, 1.0, 0.5)

    assert best_sizes(one, of).cost_a == pytest.approx(as_one_matrix(one, of), rel=2e-5)


def test_best_sizes__connection_too_small():
    with pytest.raises(Infeasible, match="no connection up to 5 kW carries what the site needs"):
        best_sizes(dispatch(), terms(1.0, 1.0, 1.0, 1.0, highest=(200, 50, 50, 5)))


@pytest.mark.parametrize(
    ("of", "message"),
    [
        (terms(1, 1, 1, 1, highest=(300, 50, 50, 100)), "battery_kwh: the most, 300, is above the dispatch's largest"),
        (
            SizingTerms(np.ones(4), (SizeRange(5, 3), *terms(1, 1, 1, 1).ranges[1:])),
            "battery_kwh: the least, 5, is above the most, 3",
        ),
        (
            SizingTerms(np.ones(4), (SizeRange(11, 19, 10), *terms(1, 1, 1, 1).ranges[1:])),
            "battery_kwh: no whole number of lots of 10 lies from 11 to 19",
        ),
    ],
)
def test_best_sizes__ranges_that_cannot_be(of: SizingTerms, message: str):
    with pytest.raises(InvalidInput, match=message):
        best_sizes(dispatch(), of)


def test_sized_dispatch__decisions_are_refused():
    over = horizon(*[1] * 3)
    whole = portfolio(generator(min_output_kw=10), load(), grid())
    prices = {"grid.import_price_per_kwh": 0.2, "grid.export_price_per_kwh": 0.0}
    problem = DispatchProblem(whole, over, with_prices(series(over, {"load.demand_kw": 5, **prices}), whole, over))

    with pytest.raises(InvalidInput, match=r"without on/off decisions.*'generator'"):
        SizedDispatch(problem, SizedAssets("grid"))


def test_schedule__is_that_of_the_sizes():
    one = dispatch(import_price=TWO_PRICES)

    schedule = one.schedule(np.array([60.0, 10.0, 0.0, 100.0]))

    assert float(schedule.flows.energy_kwh.max()) == pytest.approx(60)
    assert both_ways_steps(schedule) == 0
    assert described(np.array([60.0, 10.0, 0.0, 100.0])) == "battery 60 kWh and 10 kW, PV 0 kW, connection 100 kW"


# ---------------------------------------------------------------------------------- laws
SITES = st.fixed_dictionaries(
    {
        "demand_kw": st.lists(st.floats(0, 30), min_size=6, max_size=6),
        "import_price": st.lists(st.floats(0.05, 0.6), min_size=6, max_size=6),
        "export_price": st.floats(0, 0.05),
        "sun_kw_per_kw": st.lists(st.floats(0, 1), min_size=6, max_size=6),
        "round_trip_efficiency": st.floats(0.7, 1),
        "min_soc": st.sampled_from([0.0, 0.1]),
        "initial_soc": st.just(0.5),
        "steps": st.just(6),
    }
)
PRICES = st.tuples(st.floats(0.01, 0.3), st.floats(0.001, 0.1), st.floats(0.05, 1), st.floats(0.01, 1))
SHARES = st.lists(st.floats(0, 1), min_size=4, max_size=4)


@settings(max_examples=examples(12), deadline=None)
@given(site=SITES, prices=PRICES, shares=SHARES)
def test_law__search_is_the_one_programme_and_below_all_sizes(site: dict[str, Any], prices: Any, shares: list[float]):
    one, of = dispatch(**site), terms(*prices)

    found = best_sizes(one, of)
    other = of.lowest + np.array(shares) * (of.highest - of.lowest)

    assert found.cost_a == pytest.approx(as_one_matrix(one, of), rel=2e-5, abs=MONEY)
    assert found.cost_a <= of.cost_a(one.at(other)) * (1 + 2e-5) + MONEY
    assert found.bound_a <= found.cost_a
    at_its_own = best_sizes(one, of.with_fixed(dict(enumerate(map(float, found.sizes)))))
    assert at_its_own.cost_a == pytest.approx(found.cost_a, abs=MONEY)


@settings(max_examples=examples(20), deadline=None)
@given(site=SITES, first=SHARES, second=SHARES)
def test_law__slopes_lie_below_the_cost(site: dict[str, Any], first: list[float], second: list[float]):
    one = dispatch(**site)
    here, there = (one.at(np.array(shares) * one.largest) for shares in (first, second))

    promised = here.cost + float(here.slopes @ (there.sizes - here.sizes))

    assert there.cost >= promised - 1e-6 * (1 + abs(promised))


@settings(max_examples=examples(15), deadline=None)
@given(site=SITES, prices=PRICES, factor=st.floats(1, 3), place=st.integers(0, 3))
def test_law__dearer_equipment_never_costs_less(site: dict[str, Any], prices: Any, factor: float, place: int):
    """And what it saves against doing without is never more: without it nothing of the price is paid."""
    one, of = dispatch(**site), terms(*prices)
    dearer = np.array(prices)
    dearer[place] *= factor

    now: Sizing = best_sizes(one, of)
    then: Sizing = best_sizes(one, SizingTerms(dearer, of.ranges))

    slack = 2e-5 * abs(now.cost_a) + MONEY
    assert then.cost_a >= now.cost_a - slack
    assert then.cost_a <= now.cost_a + (factor - 1) * prices[place] * now.sizes[place] + slack
    # Of what has become dearer, less is bought.
    assert float((dearer - np.array(prices)) @ (then.sizes - now.sizes)) <= 2 * slack
