"""Baselines: no battery, the rule of self-consumption, and what was metered; each replayed with the equipment."""

from __future__ import annotations

from typing import Any

import builders
import numpy as np
import pytest
import xarray as xr
from example_counts import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from ems.errors import InvalidInput
from ems.settlement.baseline import Baseline, no_battery, practice, self_consumption, stored_value
from ems.settlement.bill import settle

SMALL = 1e-9
"""In kW and kWh: rounding of sums of numbers up to 100."""


def site(demand_kw: list[float], available_kw: list[float], *assets: Any, **more: Any) -> tuple[Any, xr.Dataset, Any]:
    """A load and a solar plant beside other assets, in hours, at prices of 0.30 and 0.10."""
    names = {asset.kind for asset in assets}
    connection = () if "grid_connection" in names else (builders.grid(),)
    problem = builders.problem(
        [*connection, builders.load(), builders.solar(), *assets],
        {
            "load.demand_kw": demand_kw,
            "solar.available_kw": available_kw,
            "grid.import_price_per_kwh": 0.30,
            "grid.export_price_per_kwh": 0.10,
            **more,
        },
        [1.0] * len(demand_kw),
    )
    return problem.series, problem.portfolio, problem.horizon


def flow(baseline: Baseline, name: str, asset: str) -> list[float]:
    return baseline.flows[name].sel(asset=asset).to_numpy().tolist()


def test_no_battery__buys_what_is_missing_and_sells_what_is_left():
    """10 kW wanted, 4 and 25 kW generated: 6 kWh are bought for 1.80 and 15 kWh sold for 1.50."""
    series, portfolio, horizon = site([10, 10], [4, 25], builders.battery())

    found = no_battery(series, portfolio, horizon)

    assert flow(found, "import_kw", "grid") == [6, 0]
    assert flow(found, "export_kw", "grid") == [0, 15]
    assert "battery" not in found.flows.asset
    assert found.violations == []
    assert settle(found.flows, series, found.portfolio).total_cost == pytest.approx(1.80 - 1.50)


def test_self_consumption__charges_from_surplus_and_discharges_into_demand():
    """Of 20 kWh left over, 20 * 0.8 = 16 kWh are stored; they give 16 * 0.8 = 12.8 of the 20 kWh wanted."""
    battery = builders.battery(charge_efficiency=0.8, discharge_efficiency=0.8, initial_soc=0)
    series, portfolio, horizon = site([10, 20], [30, 0], battery)

    found = self_consumption(series, portfolio, horizon)

    assert flow(found, "charge_kw", "battery") == pytest.approx([20, 0])
    assert flow(found, "discharge_kw", "battery") == pytest.approx([0, 12.8])
    assert flow(found, "energy_kwh", "battery") == pytest.approx([0, 16, 0])
    assert flow(found, "import_kw", "grid") == pytest.approx([0, 7.2])
    assert found.violations == []


def test_self_consumption__stops_at_power_and_content():
    """10 kW of 30 kW surplus fit, then 5 kWh of room are left; discharging stops at min_soc."""
    battery = builders.battery(max_charge_kw=10, max_discharge_kw=12, min_soc=0.3, initial_soc=0.8, max_soc=0.95)
    series, portfolio, horizon = site([0, 0, 60, 60, 60, 60, 60, 60], [30, 30, 0, 0, 0, 0, 0, 0], battery)

    found = self_consumption(series, portfolio, horizon)

    assert flow(found, "charge_kw", "battery")[:2] == pytest.approx([10, 5])
    assert flow(found, "discharge_kw", "battery")[2:] == pytest.approx([12, 12, 12, 12, 12, 5])
    assert found.violations == []


def test_self_consumption__does_not_trade_with_the_grid():
    """Without generation a battery that is empty stays so, whatever the prices."""
    series, portfolio, horizon = site([10, 10, 10], [0, 0, 0], builders.battery(initial_soc=0))

    found = self_consumption(series, portfolio, horizon)

    assert found.total_kw("charge_kw").tolist() == [0, 0, 0]
    assert found.total_kw("import_kw").tolist() == [10, 10, 10]


def test_self_consumption__holds_its_least_content_against_its_losses():
    """10 % of 20 kWh are lost in an hour; at min_soc the 2 kWh come from the grid."""
    battery = builders.battery(min_soc=0.2, initial_soc=0.2, standing_loss_per_h=0.1)
    series, portfolio, horizon = site([0], [0], battery)

    found = self_consumption(series, portfolio, horizon)

    assert flow(found, "charge_kw", "battery") == pytest.approx([2])
    assert flow(found, "energy_kwh", "battery") == pytest.approx([20, 20])
    assert found.violations == []


def test_self_consumption__keeps_the_cycles_of_a_day():
    """Half a cycle of 100 kWh a day: after 50 kWh it rests."""
    battery = builders.battery(max_cycles_per_d=0.5, initial_soc=1)
    series, portfolio, horizon = site([30, 30, 30], [0, 0, 0], battery)

    found = self_consumption(series, portfolio, horizon)

    assert flow(found, "discharge_kw", "battery") == pytest.approx([30, 20, 0])
    assert found.violations == []


def test_self_consumption__second_battery_takes_what_the_first_leaves():
    series, portfolio, horizon = site(
        [0], [50], builders.battery(max_charge_kw=20), builders.battery(id="other", max_charge_kw=40)
    )

    found = self_consumption(series, portfolio, horizon)

    assert flow(found, "charge_kw", "battery") == [20]
    assert flow(found, "charge_kw", "other") == [30]


def test_self_consumption__curtails_what_the_connection_cannot_take():
    """Of 50 kW, 20 kW may be fed in and nothing is used: 30 kW stay unused."""
    series, portfolio, horizon = site([0], [50], builders.grid(max_export_kw=20))

    found = self_consumption(series, portfolio, horizon)

    assert flow(found, "curtailed_kw", "solar") == [30]
    assert flow(found, "export_kw", "grid") == [20]
    assert found.violations == []


def test_no_battery__beyond_the_connection_is_named():
    series, portfolio, horizon = site([130], [0])

    assert no_battery(series, portfolio, horizon).violations == [
        "'grid': imports above 100 kW by 30 kW at 2024-06-03 00:00 UTC"
    ]


def test_no_battery__of_a_kind_without_a_rule():
    series, portfolio, horizon = site([1], [0], builders.generator())

    with pytest.raises(InvalidInput, match="'generator' is of kind generator: no rule says when it runs"):
        no_battery(series, portfolio, horizon)


def test_practice__takes_the_battery_as_metered():
    """The battery charged 10 kW at night: the connection took the load's 5 kW and these."""
    series, portfolio, horizon = site([5, 5], [0, 0], builders.battery())
    metered = builders.series(horizon, {"battery.charge_kw": [10, 0], "battery.discharge_kw": [0, 5]})

    found = practice(metered, series, portfolio, horizon)

    assert flow(found, "import_kw", "grid") == [15, 0]
    assert flow(found, "energy_kwh", "battery") == [50, 60, 55]
    assert found.violations == []


def test_practice__names_a_kilowatt_hour_between_meters():
    """The connection's meter says 16 kW where load and battery take 15."""
    series, portfolio, horizon = site([5, 5], [0, 0], builders.battery())
    metered = builders.series(
        horizon,
        {
            "battery.charge_kw": [10, 0],
            "battery.discharge_kw": [0, 5],
            "grid.import_kw": [16, 0],
            "grid.export_kw": [0, 0],
        },
    )

    found = practice(metered, series, portfolio, horizon)

    assert flow(found, "import_kw", "grid") == [16, 0]
    assert found.violations == ["'site': the power balance is open by 1 kW at 2024-06-03 00:00 UTC"]


def test_practice__without_a_meter():
    series, portfolio, horizon = site([5], [0], builders.battery())

    with pytest.raises(InvalidInput, match="charge_kw is not among them"):
        practice(builders.series(horizon, {"battery.discharge_kw": [0]}), series, portfolio, horizon)


def test_practice__with_a_gap():
    series, portfolio, horizon = site([5], [0], builders.battery())
    metered = builders.series(horizon, {"battery.charge_kw": [float("nan")], "battery.discharge_kw": [0]})

    with pytest.raises(InvalidInput, match="charge_kw needs a value in each of 1 steps"):
        practice(metered, series, portfolio, horizon)


def test_stored_value__counts_what_can_be_given_back():
    """10 kWh more than at first give 8 kWh at the bus, worth 2.40 at 0.30."""
    battery = builders.battery(charge_efficiency=1, discharge_efficiency=0.8)
    series, portfolio, horizon = site([0], [10], battery)
    found = self_consumption(series, portfolio, horizon)

    assert stored_value(found.flows, found.portfolio, 0.30) == pytest.approx(2.40)
    assert stored_value(no_battery(series, portfolio, horizon).flows, portfolio, 0.30) == 0


BATTERIES = st.fixed_dictionaries(
    {
        "capacity_kwh": st.floats(10, 200),
        "max_charge_kw": st.floats(1, 60),
        "max_discharge_kw": st.floats(1, 60),
        "charge_efficiency": st.floats(0.7, 1),
        "discharge_efficiency": st.floats(0.7, 1),
        "standing_loss_per_h": st.sampled_from([0.0, 0.01]),
        "drain_kw": st.sampled_from([0.0, 0.1]),
        "auxiliary_load_kw": st.sampled_from([0.0, 0.5]),
        "min_soc": st.floats(0, 0.4),
        "max_soc": st.floats(0.6, 1),
        "charge_taper": st.sampled_from([[], [{"soc": 0.5, "share": 1.0}, {"soc": 1.0, "share": 0.1}]]),
        "discharge_taper": st.sampled_from([[], [{"soc": 0.0, "share": 0.1}, {"soc": 0.5, "share": 1.0}]]),
    }
)
POWERS = st.lists(st.floats(0, 60), min_size=6, max_size=6)


@settings(max_examples=examples(30), deadline=None)
@given(BATTERIES, POWERS, POWERS)
def test_self_consumption__keeps_every_law_of_the_equipment(
    fields: dict[str, Any], demand_kw: list[float], available_kw: list[float]
):
    """Any battery: no limit is broken, no energy is lost, and neither import nor export is more than without it."""
    series, portfolio, horizon = site(demand_kw, available_kw, builders.battery(**fields))

    found, without = (rule(series, portfolio, horizon) for rule in (self_consumption, no_battery))

    assert found.violations == []
    # A battery's own losses and needs may be bought; beyond them it buys no more than the site without it.
    own_kw = fields["auxiliary_load_kw"] + (0.01 * fields["capacity_kwh"] + 0.1) / fields["charge_efficiency"]
    assert (found.total_kw("import_kw") <= without.total_kw("import_kw") + own_kw + SMALL).all()
    assert (found.total_kw("export_kw") <= without.total_kw("export_kw") + SMALL).all()
    assert (np.minimum(found.total_kw("charge_kw"), found.total_kw("discharge_kw")) == 0).all()
