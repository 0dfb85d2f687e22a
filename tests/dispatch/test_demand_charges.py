"""Demand charges, limits that change, directions and emissions of a connection in a dispatch, against the bill."""

from __future__ import annotations

import datetime as dt

import pytest
from builders import battery, grid, load, prices, problem, solar
from example_counts import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_connections import connection_fields, demand_charges
from random_numbers import rounded

from ems.dispatch.problem import DispatchProblem
from ems.dispatch.result import DispatchResult
from ems.dispatch.solve import solve
from ems.errors import InvalidInput
from ems.settlement.bill import settle
from ems.settlement.replay import violations_of

END_OF_MAY = dt.datetime(2024, 5, 31, 22, tzinfo=dt.UTC)


def solved(asked: DispatchProblem) -> DispatchResult:
    """The dispatch, whose schedule is sound and whose cost is that of the bill."""
    result = solve(asked)
    assert violations_of(result.flows, asked.series, asked.portfolio) == []
    billed = settle(result.flows, asked.series, asked.portfolio).total_cost
    # Costs of up to 10,000 are sums of powers that are exact to 1e-6 kW.
    assert result.total_cost == pytest.approx(billed, rel=1e-6, abs=1e-4)
    return result


def charged(*charges: dict, demand_kw=(0, 50), stored_kwh: float = 100, **fields) -> DispatchProblem:
    """A load behind a connection with demand charges and a lossless battery that is empty at both ends.

    Energy costs 0.10 per kWh at all times, so that only peaks tell plans apart.
    """
    named = [{"name": f"charge {number}", **one} for number, one in enumerate(charges)]
    assets = [grid(demand_charges=named, max_import_kw=500), load()]
    if stored_kwh:
        assets.append(battery(capacity_kwh=stored_kwh, initial_soc=0, final_soc_rule="exactly"))
    steps_h = [1.0] * len(demand_kw)
    return problem(assets, {**prices(0.1, 0.05), "load.demand_kw": demand_kw}, steps_h, **fields)


def test_demand_charge__battery_halves_the_peak():
    """50 kWh in the second hour come half from the grid in the first: 25 kW at 10 and 5 of energy make 255."""
    result = solved(charged({"rate_per_kw": 10}))
    assert result.total_cost == pytest.approx(255)
    assert result.flows.import_kw.sel(asset="grid").values == pytest.approx([25, 25])


def test_demand_charge__prior_peak_is_sunk_and_free_to_use():
    """The 40 kW of before cost 400 in any plan; below them nothing is worth flattening."""
    result = solved(charged({"rate_per_kw": 10, "prior_peak_kw": 40}))
    assert result.total_cost == pytest.approx(405)


def test_demand_charge__free_power():
    """25 kW are below the 30 kW that are free; above 20 kW free, 5 kW cost 50."""
    assert solved(charged({"rate_per_kw": 10, "free_kw": 30})).total_cost == pytest.approx(5)
    assert solved(charged({"rate_per_kw": 10, "free_kw": 20})).total_cost == pytest.approx(55)


def test_demand_charge__free_power_is_taken_off_the_prior_peak_too():
    """40 kW before, less 30 kW free, are 10 kW at 10."""
    result = solved(charged({"rate_per_kw": 10, "free_kw": 30, "prior_peak_kw": 40}))
    assert result.total_cost == pytest.approx(105)


def test_demand_charge__window_lets_the_battery_charge_outside():
    """Only the second hour counts, so that all is bought in the first."""
    result = solved(charged({"rate_per_kw": 10, "from_time": "01:00", "until_time": "02:00"}))
    assert result.total_cost == pytest.approx(5)
    assert result.flows.import_kw.sel(asset="grid").values == pytest.approx([50, 0])


def test_demand_charge__window_and_period_by_series():
    """The first two steps are one period, of which the first counts; the last two are another.

    The load of 40, 40, 30, 30 kW without a battery has peaks of 40 kW at 10 and 30 kW at 2; energy costs 14.
    """
    one = {"rates_per_kw": {"1": 10, "2": 2}, "window_series": "is_peak", "period_series": "season"}
    connection = grid(demand_charges=[{"name": "peak", **one}])
    asked = problem(
        [connection, load()],
        {
            **prices(0.1),
            "load.demand_kw": [40, 90, 30, 30],
            "grid.is_peak": [1, 0, 1, 1],
            "grid.season": [1, 1, 2, 2],
        },
        [1] * 4,
    )
    assert solved(asked).total_cost == pytest.approx(0.1 * 190 + 400 + 60)


def test_demand_charge__missing_series():
    with pytest.raises(InvalidInput, match=r"is_peak of 'grid'.*is not in the series"):
        problem([grid(demand_charges=[{"name": "peak", "rate_per_kw": 1, "window_series": "is_peak"}])], prices(0.1))


def test_demand_charge__each_month_of_its_own():
    """31 May at 30 kW and 1 June at 10 kW, by the clock of the site: 2 x 30 + 7 x 10, and 4 of energy."""
    one = {"rate_per_kw": 2, "rates_per_kw": {"2024-06": 7}}
    result = solved(charged(one, demand_kw=[30, 0, 10, 0], stored_kwh=0, start=END_OF_MAY))
    assert result.total_cost == pytest.approx(60 + 70 + 4)


def test_demand_charge__ratchet_bills_a_share_of_the_peak_before():
    """Half of May's 30 kW is more than June's 10 kW: 30 + 15 kW at 2, and 4 of energy."""
    one = {"rate_per_kw": 2, "ratchet": {"share": 0.5, "previous": 1}}
    result = solved(charged(one, demand_kw=[30, 0, 10, 0], stored_kwh=0, start=END_OF_MAY))
    assert result.total_cost == pytest.approx(90 + 4)


def test_demand_charge__ratchet_is_a_share_of_the_whole_peak():
    """With 20 kW free, May is billed 10 kW and June the half of 30 kW, not the half of 10 kW."""
    one = {"rate_per_kw": 2, "free_kw": 20, "ratchet": {"share": 0.5, "previous": 1}}
    result = solved(charged(one, demand_kw=[30, 0, 10, 0], stored_kwh=0, start=END_OF_MAY))
    assert result.total_cost == pytest.approx(2 * (10 + 15) + 4)


def test_demand_charge__ratchet_makes_a_peak_dearer():
    """30 kWh of May flattened to 15 kW cost 2 x 15 in May and 2 x 7.5 in June, and 3 of energy."""
    one = {"rate_per_kw": 2, "ratchet": {"share": 0.5, "previous": 1}}
    result = solved(charged(one, demand_kw=[0, 30, 0, 0], start=END_OF_MAY))
    assert result.total_cost == pytest.approx(2 * (15 + 7.5) + 3)


def test_demand_charge__ratchet_of_a_month_before_the_horizon():
    """80 % of March's 100 kW is billed in June, whose own 50 kW is less."""
    one = {"rate_per_kw": 2, "prior_peaks_kw": {"2024-03": 100}, "ratchet": {"share": 0.8, "previous": 3}}
    assert solved(charged(one, stored_kwh=0)).total_cost == pytest.approx(2 * 80 + 5)


def test_demand_charge__several_add_up():
    """The whole day at 10 and its second hour at 3: 25 kW of each, flattened alike."""
    window = {"rate_per_kw": 3, "from_time": "01:00", "until_time": "02:00", "period": "day"}
    result = solved(charged({"rate_per_kw": 10, "period": "horizon"}, window, demand_kw=(25, 25)))
    assert result.total_cost == pytest.approx(25 * 13 + 5)


def test_demand_charge__on_exports():
    """Sun of 50 kW sells at 0.05; each exported kW of peak costs 0.02, less than its 0.05, until 0.06."""
    for rate, cost in ((0.02, -50 * 0.05 + 50 * 0.02), (0.06, 0.0)):
        connection = grid(demand_charges=[{"name": "feed-in", "rate_per_kw": rate, "basis": "export"}])
        asked = problem([connection, solar()], {**prices(0.1, 0.05), "solar.available_kw": 50})
        assert solved(asked).total_cost == pytest.approx(cost, abs=1e-6)


def test_grid_connection__limits_of_each_step():
    """The battery carries 20 kWh over, where only 30 of 50 kW can be imported."""
    asked = problem(
        [grid(), load(), battery(initial_soc=0)],
        {**prices([0.1, 0.1], 0), "load.demand_kw": [0, 50], "grid.max_import_kw": [100, 30]},
        [1, 1],
    )
    result = solved(asked)
    assert result.flows.import_kw.sel(asset="grid").values[1] <= 30 + 1e-6


def test_grid_connection__negative_limit_of_a_step():
    asked = problem([grid(), load()], {**prices(0.1), "load.demand_kw": 0, "grid.max_import_kw": -5})
    with pytest.raises(InvalidInput, match="max_import_kw = -5 kW at 2024-06-03 00:00 UTC: must be at least 0 kW"):
        solve(asked)


@pytest.mark.parametrize("limit_kw", [100, 1e9])
def test_grid_connection__no_import_while_exporting(limit_kw):
    """Selling at 0.50 what is bought at 0.10 would be paid at any size; a meter sees one direction only."""
    connection = grid(max_import_kw=limit_kw, max_export_kw=limit_kw)
    values = {**prices(0.1, 0.5), "load.demand_kw": 10, "solar.available_kw": 30}
    result = solved(problem([connection, load(), solar()], values))
    assert result.total_cost == pytest.approx(-20 * 0.5)


def test_grid_connection__metered_apart():
    """100 kW in at 0.10 and 80 kW out at 0.50, of which 20 kW feed the load."""
    connection = grid(max_export_kw=80, may_import_while_exporting=True)
    result = solved(problem([connection, load()], {**prices(0.1, 0.5), "load.demand_kw": 20}))
    assert result.total_cost == pytest.approx(100 * 0.1 - 80 * 0.5)


def test_grid_connection__emissions_of_what_is_bought():
    """10 kW for half an hour at 0.4 kg, and at a series of 0.2 and 0.6 kg over two steps."""
    asked = problem([grid(co2_intensity_kg_per_kwh=0.4), load()], {**prices(0.1), "load.demand_kw": 10}, [0.5])
    assert solved(asked).emissions_kg == {"grid": pytest.approx(2)}
    values = {**prices(0.1), "load.demand_kw": 10, "grid.co2_intensity_kg_per_kwh": [0.2, 0.6]}
    assert solved(problem([grid(), load()], values, [0.5, 0.5])).emissions_kg == {"grid": pytest.approx(4)}


@settings(max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_demand_charge__cost_is_that_of_the_bill(data):
    """Peaks and what is billed of them, counted once by constraints and once from the schedule."""
    steps = data.draw(st.integers(2, 12))
    charges = data.draw(st.lists(demand_charges(), min_size=1, max_size=3))
    demand_kw = data.draw(st.lists(rounded(0, 60, 1), min_size=steps, max_size=steps))
    solved(charged(*charges, demand_kw=demand_kw, start=END_OF_MAY))


@settings(max_examples=examples(15), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), st.lists(st.sampled_from([0.25, 1.0, 2.0]), min_size=2, max_size=8))
def test_grid_connection__cost_is_that_of_the_bill(data, steps_h):
    """Steps of any length, periods and windows by series, meters apart or not."""
    fields, columns = data.draw(connection_fields(len(steps_h)))
    values = {f"grid.{name}": column for name, column in columns.items()}
    buy = data.draw(st.lists(rounded(-0.2, 0.5), min_size=len(steps_h), max_size=len(steps_h)))
    asked = problem(
        [grid(**fields), load(), battery(final_soc_rule="at_least"), solar()],
        {**values, **prices(buy, 0.1), "load.demand_kw": 40, "solar.available_kw": 30},
        steps_h,
    )
    solved(asked)


@settings(max_examples=examples(10), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(demand_charges(), st.lists(rounded(0, 60, 1), min_size=4, max_size=8), rounded(0, 20))
def test_demand_charge__a_larger_free_part_never_costs_more(one, demand_kw, more_kw):
    dear = solved(charged(one, demand_kw=demand_kw, start=END_OF_MAY))
    freer = {**one, "free_kw": one.get("free_kw", 0) + more_kw}
    cheap = solved(charged(freer, demand_kw=demand_kw, start=END_OF_MAY))
    assert cheap.total_cost <= dear.total_cost + 1e-6 * max(1.0, dear.total_cost)
