"""Vehicles at a charger: energy wanted, priced or given back, each case with the answer found by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from builders import charger, grid, prices, problem, session
from example_counts import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_loads import chargers, proved

from ems.dispatch.result import DispatchResult
from ems.errors import Infeasible
from ems.settlement.replay import violations_of

# A solver keeps each limit to 1e-6 kW; schedules of these sizes are exact to that.
NEAR = 1e-5


def flow(result: DispatchResult, name: str) -> Any:
    return pytest.approx(result.flows[name].sel(asset="charger").to_numpy(), abs=NEAR)


def ask(unit: Any, values: Mapping[str, Any], steps_h: Sequence[float] | None = None, **connection: Any) -> Any:
    """A charger behind a connection of 100 kW, in hourly steps where none are given."""
    hours = len(next(value for value in values.values() if isinstance(value, list)))
    return problem([unit, grid(**connection)], values, [1] * hours if steps_h is None else steps_h)


def test_solve__vehicle_trades_while_it_is_there():
    """5 of 10 kWh are in it: 5 bought at 1, 10 sold at 5, 5 bought back at 2; it leaves with what it came with."""
    stay = {**session(0, 3, 0), "arrival_energy_kwh": 5, "battery_capacity_kwh": 10}
    unit = charger(v2g_capable=True, charge_efficiency=1, discharge_efficiency=1, sessions=[stay])
    result = proved(ask(unit, prices([1, 5, 2])))
    assert flow(result, "charge_kw") == [5, 0, 5]
    assert flow(result, "discharge_kw") == [0, 10, 0]
    assert flow(result, "energy_kwh") == [5, 10, 0, 5]
    assert result.total_cost == pytest.approx(5 - 50 + 10)


def test_solve__vehicle_may_leave_with_less():
    """It came with 6 kWh and may leave with 2: 4 kWh at an efficiency of 0.5 are 2 kWh sold at 3."""
    stay = {**session(0, 1, -4), "arrival_energy_kwh": 6}
    unit = charger(v2g_capable=True, discharge_efficiency=0.5, sessions=[stay])
    assert proved(ask(unit, prices([3]))).total_cost == pytest.approx(-6)


def test_solve__what_is_given_back_costs_wear():
    """A spread of 4 does not pay for a wear of 5, and does for one of 3: 10 kWh earn 10."""
    stay = {**session(0, 2, 0), "battery_capacity_kwh": 10}
    unit = charger(v2g_capable=True, charge_efficiency=1, discharge_efficiency=1, sessions=[stay])
    values = prices([1, 5])
    assert proved(ask(unit.replace(discharge_cost_per_kwh=5), values)).total_cost == pytest.approx(0)
    assert proved(ask(unit.replace(discharge_cost_per_kwh=3), values)).total_cost == pytest.approx(-10)


def test_solve__vehicle_never_burns_energy_in_both_directions():
    """Energy is paid for with 1: 5 kWh are given back as 2.5, which costs 2.5, and 10 taken for 5 earn 10."""
    stay = {**session(0, 2, 0), "arrival_energy_kwh": 5}
    unit = charger(v2g_capable=True, charge_efficiency=0.5, discharge_efficiency=0.5, sessions=[stay])
    result = proved(ask(unit, prices([-1, -1])))
    assert flow(result, "charge_kw") == [0, 10]
    assert flow(result, "discharge_kw") == [2.5, 0]
    assert result.total_cost == pytest.approx(-7.5)
    assert result.binaries > 0


def test_solve__power_given_back_has_its_own_limit():
    """Of 10 kWh at most 3 kW are given back for 2 h, at 1; the rest stays."""
    stay = {**session(0, 2, -10), "arrival_energy_kwh": 10}
    unit = charger(v2g_capable=True, discharge_efficiency=1, max_discharge_kw=3, sessions=[stay])
    assert proved(ask(unit, prices([1, 1]))).total_cost == pytest.approx(-6)


@pytest.mark.parametrize(("of_charger", "of_session", "cost"), [(1, None, 10), (3, None, 20), (1, 3, 20), (3, 1, 10)])
def test_solve__energy_wanted_has_a_price(of_charger, of_session, cost):
    """10 kWh cost 20; a price below 2 lets them go, one above does not; that of the session comes first."""
    stay = {**session(0, 2, 10), "unmet_cost_per_kwh": of_session}
    unit = charger(charge_efficiency=1, unmet_cost_per_kwh=of_charger, sessions=[stay])
    assert proved(ask(unit, prices([2, 2]))).total_cost == pytest.approx(cost)


def test_solve__energy_that_cannot_be_reached_is_paid_for():
    """10 kW for half an hour are 5 of 8 kWh at 0.1; the other 3 cost 1 each."""
    unit = charger(charge_efficiency=1, unmet_cost_per_kwh=1, sessions=[session(0.5, 1, 8)])
    result = proved(ask(unit, prices([0.1])))
    assert result.costs.set_index("cost_type").cost["unmet_cost"] == pytest.approx(3)
    assert result.total_cost == pytest.approx(3.5)


def test_solve__charging_at_once_pays_for_what_it_lacks():
    """A charger that cannot wait gives 10 of 12 kWh, in the dear hour; 2 kWh cost 3 each."""
    unit = charger(
        charge_efficiency=1, smart_charging_capable=False, unmet_cost_per_kwh=3, sessions=[session(0, 1, 12)]
    )
    assert proved(ask(unit, prices([1, 0]))).total_cost == pytest.approx(16)


def test_solve__vehicle_takes_more_than_it_wants():
    """Energy is paid for with 1: of a capacity of 8 kWh all is taken, though 5 are wanted."""
    stay = {**session(0, 1, 5), "battery_capacity_kwh": 8}
    result = proved(ask(charger(charge_efficiency=1, sessions=[stay]), prices([-1])))
    assert result.total_cost == pytest.approx(-8)


def test_solve__lowest_power_of_a_port():
    """14 kWh in 2 h between 6 and 10 kW: 8 at 1 and 6 at 2, for 10 at 1 would leave 4."""
    unit = charger(charge_efficiency=1, min_charge_kw=6, sessions=[session(0, 2, 14)])
    result = proved(ask(unit, prices([1, 2])))
    assert flow(result, "charge_kw") == [8, 6]
    assert result.total_cost == pytest.approx(20)


def test_solve__lowest_power_for_a_part_of_a_step():
    """From 00:30 on, 3 to 5 kW are the mean of the first hour: 5 of 12 kWh in it, 7 in the next."""
    unit = charger(charge_efficiency=1, min_charge_kw=6, sessions=[session(0.5, 2, 12)])
    assert flow(proved(ask(unit, prices([1, 2]))), "charge_kw") == [5, 7]


def test_solve__lowest_power_with_power_given_back():
    """9 kWh sold at 5 are bought back at 1, at no less than 6 kW: 9 in one hour."""
    stay = {**session(0, 2, 0), "arrival_energy_kwh": 9}
    unit = charger(v2g_capable=True, charge_efficiency=1, discharge_efficiency=1, min_charge_kw=6, sessions=[stay])
    result = proved(ask(unit, prices([5, 1])))
    assert flow(result, "charge_kw") == [0, 9]
    assert result.total_cost == pytest.approx(-36)


def test_solve__power_of_a_port_changes_with_time():
    """2 and 10 kW may be drawn: 2 kWh at 1 and 7 at 2."""
    unit = charger(charge_efficiency=1, sessions=[session(0, 2, 9)])
    result = proved(ask(unit, {**prices([1, 2]), "charger.max_power_kw": [2, 10]}))
    assert flow(result, "charge_kw") == [2, 7]


def test_solve__one_leaves_and_the_next_comes_within_a_step():
    """A port of 10 kW has both for half of the second hour: 10 + 5 for the first, 5 + 10 for the other."""
    unit = charger(charge_efficiency=1, sessions=[session(0, 1.5, 15), session(1.5, 3, 15)])
    result = proved(ask(unit, prices([1, 1, 1])))
    assert flow(result, "charge_kw") == [10, 10, 10]
    assert flow(result, "port_1_charge_kw") == [10, 5, 0]
    assert flow(result, "port_2_charge_kw") == [0, 5, 10]


def test_solve__a_vehicle_feeds_another_at_the_next_port():
    """The grid gives nothing: 4 kWh of the first, which may leave empty, go to the second in the same hour."""
    stays = [{**session(0, 1, -4), "arrival_energy_kwh": 4}, session(0, 1, 4)]
    unit = charger(number_of_ports=2, v2g_capable=True, charge_efficiency=1, discharge_efficiency=1, sessions=stays)
    result = proved(ask(unit, prices([1], [0]), export_enabled=False))
    assert result.total_cost == pytest.approx(0)
    assert flow(result, "energy_kwh") == [4, 4]
    assert flow(result, "injection_kw") == [0, 0] or flow(result, "injection_kw") == [0]


def test_solve__ports_that_share_one_power_when_giving_back():
    """Two vehicles with 10 kWh each share 10 kW: in the one dear hour 10 kWh are sold at 5, the rest at 1."""
    stay = {**session(0, 2, -10), "arrival_energy_kwh": 10}
    unit = charger(
        number_of_ports=2,
        simultaneous_charging=False,
        v2g_capable=True,
        discharge_efficiency=1,
        sessions=[stay, stay],
    )
    assert proved(ask(unit, prices([5, 1]))).total_cost == pytest.approx(-60)


def test_solve__stay_without_any_freedom_that_cannot_be_met():
    """Power falls to 2 kW after the stay was agreed: 9 kWh are out of reach, and nothing may lack."""
    unit = charger(charge_efficiency=1, sessions=[session(0, 2, 9)])
    with pytest.raises(Infeasible):
        proved(ask(unit, {**prices([1, 1]), "charger.max_power_kw": [2, 2]}))


def test_violations_of__content_of_each_vehicle():
    """Each change of a lawful schedule by 1 kW breaks the law that is named."""
    stays = [{**session(0, 2, 2), "arrival_energy_kwh": 5, "battery_capacity_kwh": 8}, session(0, 1, 4)]
    unit = charger(number_of_ports=2, v2g_capable=True, charge_efficiency=1, discharge_efficiency=1, sessions=stays)
    asked = ask(unit, prices([1, 1]))
    powers = {
        "charge_kw": [6, 0],
        "discharge_kw": [0, 0],
        "port_1_charge_kw": [2, 0],
        "port_2_charge_kw": [4, 0],
        "port_1_discharge_kw": [0, 0],
        "port_2_discharge_kw": [0, 0],
    }

    def found(**changes: list[float]) -> str:
        flows = proved(asked).flows.copy(deep=True)
        for name, values in (powers | changes).items():
            flows[name].loc[{"asset": "charger"}] = values
        net = np.subtract((powers | changes)["charge_kw"], (powers | changes)["discharge_kw"])
        flows["import_kw"].loc[{"asset": "grid"}] = np.maximum(net, 0)
        flows["export_kw"].loc[{"asset": "grid"}] = np.maximum(-net, 0)
        return " ".join(violations_of(flows, asked.series, asked.portfolio))

    assert found() == ""
    assert "charge_kw of its ports differs from its own by 1 kW" in found(charge_kw=[7, 0])
    assert "the vehicle of 2024-06-03 00:00 leaves without its energy by 1 kWh" in found(
        charge_kw=[5, 0], port_1_charge_kw=[1, 0]
    )
    assert "the vehicle of 2024-06-03 00:00 holds more than it can by 1 kWh" in found(
        charge_kw=[8, 0], port_1_charge_kw=[4, 0]
    )
    assert "port 1 charges and gives back at once by 1 kW" in found(
        charge_kw=[7, 0], port_1_charge_kw=[3, 0], discharge_kw=[1, 0], port_1_discharge_kw=[1, 0]
    )
    assert "gives back above what the vehicles there can take by 1 kW" in found(
        charge_kw=[10, 9], port_1_charge_kw=[6, 9], discharge_kw=[0, 11], port_1_discharge_kw=[0, 11]
    )


@settings(max_examples=examples(15), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_solve__any_charger_keeps_its_laws(data):
    """Content, powers and balance are replayed, and the bill is the objective, for arrays and for Pyomo."""
    steps_h = data.draw(st.lists(st.sampled_from([0.25, 0.5, 1.0]), min_size=2, max_size=10))
    unit = data.draw(chargers(sum(steps_h)))
    price = data.draw(st.lists(st.sampled_from([-0.2, 0, 0.1, 0.3]), min_size=len(steps_h), max_size=len(steps_h)))
    proved(ask(unit, prices(price), steps_h, max_import_kw=200, max_export_kw=200))
