"""A planted fault in a schedule is found, and named with asset, law, size and time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import xarray as xr
from builders import battery, charger, generator, grid, horizon, load, portfolio, series, session, solar, wind
from hypothesis import given
from hypothesis import strategies as st

from ems.assets.portfolio import AnyAsset
from ems.settlement.battery import replay_energy_kwh
from ems.settlement.ledger import Schedule
from ems.settlement.replay import violations_of

HOURS = (1.0, 1.0, 1.0)


def found(values: dict, *assets: AnyAsset, steps_h: Sequence[float] = HOURS) -> list[str]:
    """The violations of a schedule written by hand, which holds flows and series alike."""
    steps = horizon(*steps_h)
    flows = series(steps, values).assign_coords(step_h=("time", steps.step_h))
    return violations_of(flows, flows, portfolio(*assets))


def balanced(values: dict, *assets: AnyAsset) -> list[str]:
    """The violations of assets behind a connection that carries what is left."""
    sign = {"discharge_kw": 1, "output_kw": 1, "used_kw": 1, "unserved_kw": 1, "charge_kw": -1, "demand_kw": -1}
    injected = sum(
        sign.get(name.split(".")[1], 0) * np.broadcast_to(np.array(numbers, float), 3)
        for name, numbers in values.items()
    )
    both = {"grid.import_kw": np.maximum(-injected, 0), "grid.export_kw": np.maximum(injected, 0)}
    return found({**values, **both}, grid(max_import_kw=1000, max_export_kw=1000), *assets)


GOOD = {
    "grid.import_kw": [30, 10, 0],
    "grid.export_kw": [0, 0, 0],
    "battery.charge_kw": [20, 0, 0],
    "battery.discharge_kw": [0, 0, 10],
    "load.demand_kw": [10, 10, 10],
    "load.unserved_kw": [0, 0, 0],
}


def changed(name: str, hour: int, kw: float) -> dict:
    numbers = list(GOOD[name])
    numbers[hour] = kw
    return {**GOOD, name: numbers}


def test_violations_of__a_sound_schedule_has_none():
    assert found(GOOD, grid(), battery(), load()) == []


def test_violations_of__one_kwh_in_one_hour_is_found():
    """1 kW more in the second hour than anyone takes."""
    violations = found(changed("grid.import_kw", 1, 11), grid(), battery(), load())
    assert violations == ["'site': the power balance is open by 1 kW at 2024-06-03 01:00 UTC"]


@pytest.mark.parametrize("size", [1e-3, 1e3])
def test_violations_of__open_balance_of_any_size(size):
    violations = found(changed("grid.import_kw", 0, 30 + size), grid(max_import_kw=1e6), battery(), load())
    assert violations == [f"'site': the power balance is open by {size:g} kW at 2024-06-03 00:00 UTC"]


def test_violations_of__power_above_a_limit():
    violations = found(GOOD, grid(max_import_kw=25), battery(max_charge_kw=15, max_discharge_kw=9), load())
    assert violations == [
        "'grid': imports above 25 kW by 5 kW at 2024-06-03 00:00 UTC",
        "'battery': charges above 15 kW by 5 kW at 2024-06-03 00:00 UTC",
        "'battery': discharges above 9 kW by 1 kW at 2024-06-03 02:00 UTC",
    ]


def test_violations_of__disabled_way():
    violations = found(GOOD, grid(import_enabled=False), battery(), load())
    assert violations == ["'grid': imports above 0 kW by 30 kW at 2024-06-03 00:00 UTC"]


def test_violations_of__content_above_and_below():
    """Half of 100 kWh, and 20 kWh more at 01:00; a window of 45 to 60 kWh is left by 10 kWh."""
    above = found(GOOD, grid(), battery(max_soc=0.6), load())
    assert above == ["'battery': content above max_soc by 10 kWh at 2024-06-03 00:00 UTC"]
    values = {"battery.discharge_kw": [8, 4, 0], "battery.charge_kw": [0, 0, 12]}
    below = balanced(values, battery(min_soc=0.45))
    assert below == ["'battery': content below min_soc by 7 kWh at 2024-06-03 01:00 UTC"]


def test_violations_of__losses_are_reckoned():
    """10 kWh into an efficiency of 0.9 are 9 kWh in store; 10 kWh out take 11.1: 2.1 kWh are missing at the end."""
    values = {"battery.charge_kw": [10, 0, 0], "battery.discharge_kw": [0, 10, 0]}
    unit = battery(charge_efficiency=0.9, discharge_efficiency=0.9)
    violations = balanced(values, unit)
    assert violations == ["'battery': final content misses target_soc by 2.11111 kWh at 2024-06-03 02:00 UTC"]


@pytest.mark.parametrize(
    ("rule", "target_soc", "missing"),
    [
        ("at_least", 0.5, None),
        ("at_least", 0.7, "10"),
        ("exactly", 0.5, "10"),
        ("exactly", 0.6, None),
        ("free", 1, None),
    ],
)
def test_violations_of__final_content(rule, target_soc, missing):
    """10 kWh more than half of 100 kWh."""
    unit = battery(final_soc_rule=rule, target_soc=target_soc)
    violations = balanced({"battery.charge_kw": [10, 0, 0], "battery.discharge_kw": 0}, unit)
    expected = [f"'battery': final content misses target_soc by {missing} kWh at 2024-06-03 02:00 UTC"]
    assert violations == (expected if missing else [])


def test_violations_of__two_directions_at_once():
    values = changed("grid.export_kw", 1, 4)
    values["grid.import_kw"] = [30, 14, 0]
    violations = found(values, grid(), battery(), load())
    assert violations == ["'grid': imports and exports at once by 4 kW at 2024-06-03 01:00 UTC"]
    values = {"battery.charge_kw": [0, 5, 0], "battery.discharge_kw": [0, 5, 0]}
    assert balanced(values, battery()) == ["'battery': charges and discharges at once by 5 kW at 2024-06-03 01:00 UTC"]


def test_violations_of__negative_power():
    violations = balanced({"battery.charge_kw": [0, 0, -5], "battery.discharge_kw": 0}, battery(final_soc_rule="free"))
    assert violations == ["'battery': charge_kw is negative by 5 kW at 2024-06-03 02:00 UTC"]


def test_violations_of__plan_of_content_differs():
    """A plan that says 69 kWh where the powers give 70."""
    steps = horizon(*HOURS)
    flows = series(steps, GOOD).assign_coords(step_h=("time", steps.step_h), boundary=range(4))
    planned = xr.DataArray([[50.0], [69.0], [70.0], [60.0]], dims=("boundary", "asset"), coords={"asset": ["battery"]})
    flows["energy_kwh"] = planned.reindex(asset=flows.asset)
    violations = violations_of(flows, flows, portfolio(grid(), battery(), load()))
    assert violations == ["'battery': content differs from the plan's by 1 kWh at 2024-06-03 00:00 UTC"]


def test_violations_of__value_that_is_not_there():
    violations = found(changed("load.unserved_kw", 2, float("nan")), grid(), battery(), load())
    assert "'load': unserved_kw is negative by nan kW at 2024-06-03 02:00 UTC" in violations
    assert "'site': the power balance is open by nan kW at 2024-06-03 02:00 UTC" in violations


def test_violations_of__shedding():
    values = {"load.demand_kw": 10, "load.unserved_kw": [0, 4, 12]}
    assert balanced(values, load()) == ["'load': sheds more than it may by 12 kW at 2024-06-03 02:00 UTC"]
    sheddable = load(is_sheddable=True, interruption_cost_per_kwh=1)
    assert balanced(values, sheddable) == ["'load': sheds more than it may by 2 kW at 2024-06-03 02:00 UTC"]


@pytest.mark.parametrize("make", [solar, wind])
def test_violations_of__renewable(make: Callable[..., AnyAsset]):
    name = make().id
    values = {f"{name}.available_kw": 10, f"{name}.used_kw": [10, 12, 7]}
    assert balanced(values, make()) == [f"'{name}': uses more than is available by 2 kW at 2024-06-03 01:00 UTC"]
    values[f"{name}.used_kw"] = [10, 10, 7]
    assert balanced(values, make()) == []
    assert balanced(values, make(is_curtailable=False)) == [
        f"'{name}': cannot be curtailed but is by 3 kW at 2024-06-03 02:00 UTC"
    ]


def test_violations_of__generator():
    values = {"generator.output_kw": [45, 5, 10], "generator.is_on": [1, 0, 1]}
    violations = balanced(values, generator(min_output_kw=20))
    assert [text.split(" at ")[0] for text in violations] == [
        "'generator': gives more than 40 kW by 5 kW",
        "'generator': gives power while off by 4.9996 kW",
        "'generator': runs below its lowest output by 9.9996 kW",
    ]
    assert balanced({"generator.output_kw": [40, 5, 0]}, generator()) == []


def test_violations_of__vehicle():
    """It is there from 01:00 to 03:00 and wants 9 kWh, which are 10 kWh at the bus."""
    unit = charger(sessions=[session(1, 3, 9)])
    assert balanced({"charger.charge_kw": [0, 4, 6]}, unit) == []
    assert balanced({"charger.charge_kw": [4, 0, 6]}, unit) == [
        "'charger': charges above what the vehicles there can take by 4 kW at 2024-06-03 00:00 UTC",
        "'charger': charges more than the vehicles that came want by 3.6 kWh at 2024-06-03 00:00 UTC",
    ]
    assert balanced({"charger.charge_kw": [0, 4, 5]}, unit) == [
        "'charger': a vehicle leaves without its energy by 0.9 kWh at 2024-06-03 02:00 UTC"
    ]
    assert balanced({"charger.charge_kw": [0, 5, 6]}, unit) == [
        "'charger': charges more than the vehicles that came want by 0.9 kWh at 2024-06-03 02:00 UTC"
    ]
    assert balanced({"charger.charge_kw": [0, 0, 10]}, unit.replace(max_power_kw=8)) == [
        "'charger': charges above what the vehicles there can take by 2 kW at 2024-06-03 02:00 UTC"
    ]


def test_violations_of__each_vehicle_gets_its_own_energy():
    """Both stays want 4.5 kWh, 5 at the bus; 10 for the first and none for the second is the right sum, and wrong."""
    unit = charger(sessions=[session(0, 1, 4.5), session(2, 3, 4.5)])
    assert balanced({"charger.charge_kw": [5, 0, 5]}, unit) == []
    assert balanced({"charger.charge_kw": [10, 0, 0]}, unit) == [
        "'charger': charges more than the vehicles that came want by 4.5 kWh at 2024-06-03 00:00 UTC",
    ]
    assert balanced({"charger.charge_kw": [0, 0, 10]}, unit) == [
        "'charger': a vehicle leaves without its energy by 4.5 kWh at 2024-06-03 00:00 UTC"
    ]


def test_violations_of__vehicle_that_is_there_for_a_part_of_a_step():
    """It comes at 00:30: 10 kW for half an hour are a mean of 5 kW, and 6 kW are too many."""
    unit = charger(sessions=[session(0.5, 2, 9)])
    assert balanced({"charger.charge_kw": [5, 5, 0]}, unit) == []
    violations = balanced({"charger.charge_kw": [6, 4, 0]}, unit)
    assert violations == ["'charger': charges above what the vehicles there can take by 1 kW at 2024-06-03 00:00 UTC"]


def test_violations_of__inactive_asset_is_not_looked_at():
    assert found(GOOD, grid(), battery(), load(), generator(status="maintenance")) == []


def test_replay_energy_kwh__by_hand():
    """50 kWh; 10 kW for half an hour at 0.9 add 4.5; 9 kW for 2 h at 0.9 take 20."""
    unit = battery(charge_efficiency=0.9, discharge_efficiency=0.9)
    steps = horizon(0.5, 2)
    schedule = Schedule(
        xr.Dataset(coords={"time": steps.times.to_numpy(), "step_h": ("time", steps.step_h)}),
        xr.Dataset(coords={"asset": []}),
        portfolio(unit),
    )
    energy = replay_energy_kwh(unit, schedule, np.array([10, 0]), np.array([0, 9]))
    np.testing.assert_allclose(energy, [50, 54.5, 34.5], atol=1e-12)


@given(st.sampled_from(sorted(GOOD)), st.integers(0, 2), st.floats(1e-3, 1e3))
def test_violations_of__any_single_change_is_found(name, hour, size):
    """The schedule is balanced, so that more of one flow in one hour always breaks a law."""
    assert found(changed(name, hour, GOOD[name][hour] + size), grid(), battery(), load())
