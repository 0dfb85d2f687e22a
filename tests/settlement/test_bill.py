"""A bill is what a person would reckon from powers, prices and steps."""

from __future__ import annotations

import pytest
import xarray as xr
from builders import battery, charger, generator, grid, horizon, load, portfolio, series, solar
from pandas.testing import assert_frame_equal

from ems.assets.portfolio import Portfolio
from ems.settlement.bill import Bill, settle

EXACT = 1e-12  # sums of a few products of short decimal numbers


def schedule(values: dict, *steps_h: float) -> xr.Dataset:
    """A schedule written by hand."""
    steps = horizon(*steps_h)
    return series(steps, values).assign_coords(step_h=("time", steps.step_h))


def lines(bill: Bill) -> dict[tuple[str, str], tuple[float, float]]:
    """Quantity and cost of each line."""
    return {(row.asset, row.cost_type): (row.quantity, row.cost) for row in bill.lines.itertuples()}


def test_settle__grid_and_battery_over_unequal_steps():
    """Half an hour of 40 kW at 0.10 and two hours of 20 kW sold at 0.30; 10 kWh of wear at 0.01 EUR.

    20 kWh cost 2 EUR, 40 kWh earn 12 EUR, wear is 0.10 EUR: -9.90 EUR.
    """
    flows = schedule(
        {
            "grid.import_kw": [40, 0],
            "grid.export_kw": [0, 20],
            "battery.discharge_kw": [0, 5],
        },
        0.5,
        2,
    )
    prices = schedule({"grid.import_price_per_kwh": [0.1, 0.2], "grid.export_price_per_kwh": [0.05, 0.3]}, 0.5, 2)
    bill = settle(flows, prices, portfolio(grid(), battery(degradation_cost_per_kwh=0.01)))
    assert lines(bill) == {
        ("grid", "import_cost"): pytest.approx((20, 2), abs=EXACT),
        ("grid", "export_revenue"): pytest.approx((40, -12), abs=EXACT),
        ("battery", "wear_cost"): pytest.approx((10, 0.1), abs=EXACT),
    }
    assert bill.total_cost == pytest.approx(-9.9, abs=EXACT)
    assert bill.lines.unit.tolist() == ["kWh"] * 3
    assert bill.lines.rate_per_unit.tolist() == pytest.approx([0.1, 0.3, 0.01], abs=EXACT)


def test_settle__generator_fuel_and_starts():
    """It runs from the start, stops and runs again: 2 starts at 5 EUR, 70 kWh of fuel at 0.10 EUR: 17 EUR."""
    flows = schedule({"generator.output_kw": [20, 0, 20, 30], "generator.is_on": [1, 0, 1, 1]}, 1, 1, 1, 1)
    bill = settle(flows, flows, portfolio(generator(startup_cost=5)))
    assert lines(bill) == {
        ("generator", "fuel_cost"): pytest.approx((70, 7), abs=EXACT),
        ("generator", "startup_cost"): (2, 10),
    }
    assert bill.lines.unit.tolist() == ["kWh", "starts"]


@pytest.mark.parametrize(("is_on", "starts"), [([0, 0], 0), ([0, 1], 1), ([1, 1], 1), ([1, 0], 1)])
def test_settle__starts_are_counted_from_off(is_on, starts):
    flows = schedule({"generator.output_kw": [0, 0], "generator.is_on": is_on}, 1, 1)
    assert lines(settle(flows, flows, portfolio(generator(startup_cost=5))))["generator", "startup_cost"] == (
        starts,
        5 * starts,
    )


def test_settle__demand_that_was_not_served():
    """10 kW for a quarter of an hour at 2 EUR/kWh: 5 EUR. A firm load has no line."""
    flows = schedule({"load.unserved_kw": [10], "firm.unserved_kw": [0]}, 0.25)
    whole = portfolio(load(is_sheddable=True, interruption_cost_per_kwh=2), load(id="firm"))
    assert lines(settle(flows, flows, whole)) == {("load", "interruption_cost"): (2.5, 5)}


def test_settle__assets_without_a_price_have_no_line():
    bill = settle(schedule({"solar.used_kw": [5]}, 1), schedule({}, 1), portfolio(solar(), charger()))
    assert (len(bill.lines), bill.total_cost) == (0, 0)


def test_settle__inactive_asset_has_no_line():
    assert len(settle(schedule({}, 1), schedule({}, 1), portfolio(grid(status="inactive"))).lines) == 0


def test_settle__nothing_used_has_no_rate():
    flows = schedule({"grid.import_kw": [0], "grid.export_kw": [0]}, 1)
    prices = schedule({"grid.import_price_per_kwh": [0.1], "grid.export_price_per_kwh": [0.1]}, 1)
    bill = settle(flows, prices, portfolio(grid()))
    assert bill.total_cost == 0
    assert bill.lines.rate_per_unit.isna().all()


def test_settle__one_kwh_more_in_one_hour_shows_on_the_bill():
    """1 kWh at 0.25 EUR/kWh is 0.25 EUR more, and nothing else changes."""
    values = {"grid.import_kw": [10, 20, 30], "grid.export_kw": [0, 0, 0]}
    prices = schedule({"grid.import_price_per_kwh": [0.1, 0.25, 0.3], "grid.export_price_per_kwh": 0}, 1, 1, 1)
    whole: Portfolio = portfolio(grid())
    before = settle(schedule(values, 1, 1, 1), prices, whole)
    after = settle(schedule({**values, "grid.import_kw": [10, 21, 30]}, 1, 1, 1), prices, whole)
    assert after.total_cost - before.total_cost == pytest.approx(0.25, abs=EXACT)
    others = before.lines.cost_type != "import_cost"
    assert_frame_equal(before.lines[others], after.lines[others])
