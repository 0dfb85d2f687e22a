"""Performance of a period: energy, efficiency, starts, money and carbon dioxide by hand, and laws for any flows."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from builders import START, battery, charger, generator, grid, load, solar
from hypothesis import given
from hypothesis import strategies as st

from ems.assets.operation import Performance
from ems.assets.performance import performance_of, summarise
from ems.errors import InvalidInput, MissingValues

EXACT = 1e-9  # sums of a few products of short decimal numbers


def arrays(**flows: list[float]) -> dict[str, np.ndarray]:
    return {name: np.array(values, dtype=float) for name, values in flows.items()}


def test_performance_of__battery_earns_the_spread():
    """In for an hour at 100 kW and 0.10, out for an hour at 80 kW and 0.50: earned 40, paid 10 and 0.80 of wear.

    80 of 100 kWh came out, nothing stayed in store: efficiency 0.8. 80 kWh in two hours of 100 kW are 0.4.
    """
    asset = battery(charge_efficiency=0.8, discharge_efficiency=1, degradation_cost_per_kwh=0.01)
    flows = arrays(charge_kw=[100, 0], discharge_kw=[0, 80], energy_kwh=[10, 90, 10])

    found = performance_of(asset, flows, 1.0, period_start=START, energy_price_per_kwh=np.array([0.1, 0.5]))

    assert (found.total_energy_charged_kwh, found.total_energy_discharged_kwh) == (100, 80)
    assert found.total_energy_generated_kwh is None
    assert found.total_energy_consumed_kwh is None
    assert found.average_efficiency == pytest.approx(0.8, abs=EXACT)
    assert found.capacity_factor == pytest.approx(0.4, abs=EXACT)
    assert found.total_revenue == pytest.approx(40, abs=EXACT)
    assert found.total_cost == pytest.approx(10.8, abs=EXACT)
    assert found.net_profit == pytest.approx(29.2, abs=EXACT)
    assert found.operating_h == 2
    assert found.period_end == START + dt.timedelta(hours=2)
    assert found.id == "battery-20240603-0000"


def test_performance_of__battery_that_ends_fuller():
    """100 kWh in, 90 of them still in store: nothing is lost but 10. Without the content nobody can tell."""
    flows = arrays(charge_kw=[100], discharge_kw=[0], energy_kwh=[0, 90])

    assert performance_of(battery(), flows, 1.0, period_start=START).average_efficiency == pytest.approx(
        0.9, abs=EXACT
    )
    del flows["energy_kwh"]
    assert performance_of(battery(), flows, 1.0, period_start=START).average_efficiency is None


def test_performance_of__battery_with_its_own_use():
    """1 kW of cooling for two hours is drawn from the bus besides the 100 kWh that are stored."""
    flows = arrays(charge_kw=[100, 0], discharge_kw=[0, 0])

    found = performance_of(battery(auxiliary_load_kw=1), flows, 1.0, period_start=START)

    assert found.total_energy_charged_kwh == 102
    assert found.operating_h == 1


def test_performance_of__generator_starts_hours_fuel_and_carbon():
    """On, off, on, on in half hours: two starts at 5, 35 kWh of fuel at 0.10, 0.5 kg of CO2 a kWh."""
    asset = generator(startup_cost=5, min_uptime_h=0, min_downtime_h=0, co2_emissions_kg_per_kwh=0.5)
    flows = arrays(output_kw=[20, 0, 20, 30], is_on=[1, 0, 1, 1])

    found = performance_of(asset, flows, 0.5, period_start=START, downtime_h=0.5, number_of_faults=1)

    assert found.total_energy_generated_kwh == 35
    assert found.number_of_starts == 2
    assert found.operating_h == 1.5
    assert found.total_cost == pytest.approx(3.5 + 10, abs=EXACT)
    assert found.total_revenue is None
    assert found.net_profit is None
    assert found.co2_emitted_kg == pytest.approx(17.5, abs=EXACT)
    assert found.capacity_factor == pytest.approx(35 / (40 * 2), abs=EXACT)
    assert found.availability == pytest.approx(0.75, abs=EXACT)
    assert (found.downtime_h, found.number_of_faults) == (0.5, 1)


def test_performance_of__generator_that_ran_on_from_before():
    flows = arrays(output_kw=[20, 0, 20])

    assert performance_of(generator(), flows, 1.0, period_start=START).number_of_starts == 2
    assert performance_of(generator(), flows, 1.0, period_start=START, was_on=True).number_of_starts == 1


def test_performance_of__grid_buys_and_sells():
    """40 kW for half an hour at 0.10 cost 2; 20 kW for two hours at 0.30 earn 12; 20 kWh at 0.4 kg emit 8 kg."""
    flows = arrays(
        import_kw=[40, 0], export_kw=[0, 20], import_price_per_kwh=[0.1, 0.2], export_price_per_kwh=[0.05, 0.3]
    )

    found = performance_of(grid(), flows, np.array([0.5, 2]), period_start=START, grid_co2_kg_per_kwh=0.4)

    assert (found.total_energy_generated_kwh, found.total_energy_consumed_kwh) == (20, 40)
    assert found.total_cost == pytest.approx(2, abs=EXACT)
    assert found.total_revenue == pytest.approx(12, abs=EXACT)
    assert found.co2_emitted_kg == pytest.approx(8, abs=EXACT)
    assert found.co2_avoided_kg is None


def test_performance_of__grid_prices_given_flat_or_not_at_all():
    flows = arrays(import_kw=[40], export_kw=[0])

    unknown = performance_of(grid(), flows, 1.0, period_start=START)
    flat = performance_of(grid(import_price_per_kwh=0.2, export_price_per_kwh=0.1), flows, 1.0, period_start=START)
    given_here = performance_of(
        grid(), flows, 1.0, period_start=START, import_price_per_kwh=0.3, export_price_per_kwh=0.1
    )

    assert (unknown.total_cost, unknown.total_revenue) == (None, None)
    assert flat.total_cost == pytest.approx(8, abs=EXACT)
    assert given_here.total_cost == pytest.approx(12, abs=EXACT)


def test_performance_of__solar_avoids_carbon():
    """25 kWh in place of 0.4 kg a kWh avoid 10 kg; 25 kWh in an hour of 50 kW are 0.5."""
    found = performance_of(solar(), arrays(used_kw=[25]), 1.0, period_start=START, grid_co2_kg_per_kwh=0.4)

    assert found.co2_avoided_kg == pytest.approx(10, abs=EXACT)
    assert found.co2_emitted_kg is None
    assert found.capacity_factor == 0.5
    assert found.number_of_starts is None
    assert (found.total_revenue, found.total_cost) == (None, None)


def test_performance_of__load_and_charger_take():
    """A load of 30 kW without unserved energy, and drivers who pay 0.40 for each of 10 kWh."""
    served = performance_of(load(rated_load_kw=60), arrays(served_kw=[30]), 1.0, period_start=START)
    charged = performance_of(charger(usage_fee_per_kwh=0.4), arrays(charge_kw=[10]), 1.0, period_start=START)

    assert (served.total_energy_consumed_kwh, served.capacity_factor) == (30, 0.5)
    assert served.total_energy_generated_kwh is None
    assert charged.total_energy_consumed_kwh == 10
    assert charged.total_revenue == pytest.approx(4, abs=EXACT)


def test_performance_of__flow_that_is_missing():
    with pytest.raises(InvalidInput, match="performance of 'battery': discharge_kw is not among the flows"):
        performance_of(battery(), arrays(charge_kw=[1]), 1.0, period_start=START)
    with pytest.raises(InvalidInput, match="unserved_kw is not among the flows"):
        asset = load(rated_load_kw=60, is_sheddable=True, interruption_cost_per_kwh=2)
        performance_of(asset, arrays(served_kw=[1]), 1.0, period_start=START)


def test_performance_of__flow_of_another_length():
    with pytest.raises(InvalidInput, match="charge_kw has 2 values; discharge_kw has 1"):
        performance_of(battery(), arrays(charge_kw=[1, 2], discharge_kw=[0]), 1.0, period_start=START)


def test_performance_of__gap():
    with pytest.raises(MissingValues, match="output_kw has 1 gaps"):
        performance_of(generator(), arrays(output_kw=[1, np.nan]), 1.0, period_start=START)


def test_performance_of__name_that_only_other_assets_have():
    """A dataset of several assets holds NaN throughout where an asset has no flow of that name."""
    flows = arrays(output_kw=[20, 0], is_on=[np.nan, np.nan])

    assert performance_of(generator(), flows, 1.0, period_start=START).operating_h == 1


power = st.floats(0, 100)


@given(st.lists(st.tuples(power, power, power, power), min_size=1, max_size=20), st.floats(0.1, 4))
def test_performance_of__energy_of_a_site_balances(rows, step_h):
    """What comes into the bus goes out of it: here the grid closes the balance of sun, store and load."""
    sun, charge, discharge, demand = (np.array(column) for column in zip(*rows, strict=True))
    need = demand + charge + 1 - discharge - sun + 2
    flows = {
        "solar": (solar(), {"used_kw": sun}),
        "battery": (battery(auxiliary_load_kw=1), {"charge_kw": charge, "discharge_kw": discharge}),
        "load": (load(rated_load_kw=100), {"served_kw": demand}),
        "grid": (
            grid(transformer_losses_kw=2),
            {"import_kw": np.maximum(need, 0), "export_kw": np.maximum(-need, 0)},
        ),
    }
    found = [performance_of(asset, named, step_h, period_start=START) for asset, named in flows.values()]

    sums = summarise(found, dict.fromkeys(flows, "site"))["site"].sums
    came = sums["total_energy_generated_kwh"] + sums["total_energy_discharged_kwh"]
    went = sums["total_energy_consumed_kwh"] + sums["total_energy_charged_kwh"]
    assert came == pytest.approx(went, rel=1e-9, abs=1e-6)  # sums of up to 20 numbers of some thousand kWh


@given(st.lists(power, min_size=2, max_size=20), st.integers(1, 19))
def test_performance_of__two_halves_make_the_whole(output, cut):
    asset = generator(startup_cost=5, max_output_kw=100, min_uptime_h=0, min_downtime_h=0)
    cut = min(cut, len(output) - 1)
    kw = np.array(output)
    middle = START + dt.timedelta(hours=cut)

    whole = performance_of(asset, {"output_kw": kw}, 1.0, period_start=START)
    first = performance_of(asset, {"output_kw": kw[:cut]}, 1.0, period_start=START)
    runs_on = bool(kw[cut - 1] > 1e-6)
    second = performance_of(asset, {"output_kw": kw[cut:]}, 1.0, period_start=middle, was_on=runs_on)

    both = summarise([first, second])["generator"]
    assert both.sums["number_of_starts"] == whole.number_of_starts
    assert both.sums["operating_h"] == whole.operating_h
    assert both.sums["total_cost"] == pytest.approx(whole.total_cost, abs=EXACT * 1e3)
    assert both.capacity_factor == pytest.approx(whole.capacity_factor, abs=EXACT)
    assert (both.period_start, both.period_end) == (whole.period_start, whole.period_end)


# ------------------------------------------------------------------------------------------------- summaries
def figures(asset: str, **fields: object) -> Performance:
    """A day of an asset."""
    day = {"period_start": START, "period_end": START + dt.timedelta(hours=24)}
    return Performance(**{"id": f"{asset}-day", "asset_id": asset, **day, **fields})


def test_summarise__by_site_and_by_groups():
    """Two batteries of 100 and 300 kWh with efficiencies 0.8 and 0.9: together 0.875."""
    ones = [
        figures("a", total_energy_charged_kwh=100.0, average_efficiency=0.8, total_cost=1.0),
        figures("b", total_energy_charged_kwh=300.0, average_efficiency=0.9, total_cost=2.0),
        figures("c", total_cost=4.0),
    ]

    sites = summarise(ones, {"a": "harbour", "b": "harbour", "c": "mill"})
    groups = summarise(ones, {"a": ["vpp", "harbour"], "c": ["vpp"]})

    assert list(sites) == ["harbour", "mill"]
    assert sites["harbour"].average_efficiency == pytest.approx(0.875, abs=EXACT)
    assert sites["harbour"].sums["total_cost"] == 3
    assert sites["harbour"].assets == ("a", "b")
    assert {name: one.sums["total_cost"] for name, one in groups.items()} == {"vpp": 5, "harbour": 1}


def test_summarise__unknown_stays_unknown():
    summary = summarise([figures("a"), figures("b", downtime_h=0.0, availability=1.0)], {"a": "s", "b": "s"})["s"]

    assert summary.sums["total_revenue"] is None
    assert summary.average_efficiency is None
    assert summary.sums["downtime_h"] == 0
    assert summary.availability == 1


def test_summarise__availability_by_the_length_of_periods():
    """A day at 1 and three days at 0.6 are 0.7 in all."""
    later = {"period_start": START + dt.timedelta(days=1), "period_end": START + dt.timedelta(days=4)}
    ones = [figures("a", availability=1.0), figures("a", availability=0.6, **later)]

    assert summarise(ones)["a"].availability == pytest.approx(0.7, abs=EXACT)
