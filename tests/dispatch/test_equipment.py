"""What each field of the equipment does to a dispatch: small cases with the answer found by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from builders import battery, charger, generator, grid, load, prices, problem, session

from ems.dispatch.problem import DispatchProblem
from ems.dispatch.solve import solve
from ems.settlement.bill import settle
from ems.settlement.replay import violations_of


def ask(assets: Sequence[Any], values: Mapping[str, Sequence[float]]) -> DispatchProblem:
    """A dispatch of hourly steps, as many as the series have values."""
    return problem(assets, values, [1] * len(next(iter(values.values()))))


def test_solve__generator_keeps_its_minimum_uptime():
    """Power is dear in hour 1 only, but a start binds for 3 h: 30 kWh at 0.2 and 20 kWh at 0.1 cost 8, not 12."""
    asked = ask(
        [generator(min_uptime_h=3, min_output_kw=10, max_output_kw=10, fuel_cost_per_kwh=0.2), grid(), load()],
        {"load.demand_kw": [10] * 5, **prices([0.1, 0.8, 0.1, 0.1, 0.1], [0] * 5)},
    )

    result = solve(asked)

    assert result.flows.is_on.sel(asset="generator").sum() == 3
    assert result.total_cost == pytest.approx(3 * 2 + 2 * 1)
    assert violations_of(result.flows, asked.series, asked.portfolio) == []


def test_solve__generator_keeps_its_minimum_downtime():
    """Off in the cheap hour means off for 2 h; the second of them is dear, so it stays on throughout."""
    asked = ask(
        [
            generator(min_downtime_h=2, min_uptime_h=0, min_output_kw=10, max_output_kw=10, fuel_cost_per_kwh=0.3),
            grid(),
            load(),
        ],
        {"load.demand_kw": [10] * 4, **prices([0.9, 0.2, 0.9, 0.9], [0] * 4)},
    )

    result = solve(asked)

    assert result.flows.is_on.sel(asset="generator").values.tolist() == [1, 1, 1, 1]
    assert result.total_cost == pytest.approx(12)


def test_solve__generator_pays_running_hours_stops_and_upkeep():
    """2 h on: 20 kWh x (0.2 + 0.05) + 2 h x 1 + a start of 3 and a stop of 2 are 12, against 20 for the grid."""
    unit = generator(
        max_output_kw=10,
        min_output_kw=10,
        fuel_cost_per_kwh=0.2,
        variable_om_cost_per_kwh=0.05,
        maintenance_cost_per_h=1,
        startup_cost=3,
        shutdown_cost=2,
    )
    asked = ask([unit, grid(), load()], {"load.demand_kw": [10, 10, 0], **prices([1, 1, 0.1], [0] * 3)})

    result = solve(asked)

    assert result.total_cost == pytest.approx(12)
    assert settle(result.flows, asked.series, asked.portfolio).total_cost == pytest.approx(12)


def test_solve__generator_tank_is_a_budget():
    """6 l at 0.3 l/kWh are 20 kWh; they go where the grid is dearest, the rest is bought."""
    unit = generator(fuel_tank_capacity_l=6, fuel_consumption_l_per_kwh=0.3, fuel_cost_per_kwh=0.1)
    asked = ask([unit, grid(), load()], {"load.demand_kw": [20, 20], **prices([0.5, 0.9], [0, 0])})

    result = solve(asked)

    assert result.flows.output_kw.sel(asset="generator").values == pytest.approx([0, 20])
    assert result.total_cost == pytest.approx(20 * 0.5 + 20 * 0.1)


def test_solve__generator_ramps():
    """0.1 kW/min are 6 kW from hour to hour: after nothing in hour 0 at most 6, then 12."""
    unit = generator(ramp_up_rate_kw_per_min=0.1, fuel_cost_per_kwh=0.1)
    asked = ask(
        [unit, grid(export_enabled=False), load()], {"load.demand_kw": [0, 40, 40], **prices([1, 1, 1], [0] * 3)}
    )

    result = solve(asked)

    assert result.flows.output_kw.sel(asset="generator").values == pytest.approx([0, 6, 12])
    assert violations_of(result.flows, asked.series, asked.portfolio) == []


def test_solve__battery_as_it_is_today():
    """80 kWh usable at a health of 0.5 are 40 kWh; of 20 in it 15 are sold at 1 and 5 at 0.5, less 2 kW each hour."""
    unit = battery(
        usable_capacity_kwh=80,
        state_of_health=0.5,
        continuous_discharge_kw=15,
        auxiliary_load_kw=2,
        final_soc_rule="free",
    )
    asked = ask([unit, grid()], prices([0.1, 0.1], [1, 0.5]))

    result = solve(asked)

    assert float(result.flows.discharge_kw.max()) == pytest.approx(15)
    assert result.total_cost == pytest.approx(-(15 - 2) * 1 - (5 - 2) * 0.5)
    assert violations_of(result.flows, asked.series, asked.portfolio) == []


def test_solve__transformer_bounds_and_loses():
    """30 kVA at a power factor of 0.9 carry 27 kW; 2 kW are lost in it at all times."""
    connection = grid(transformer_capacity_kva=30, min_power_factor=0.9, transformer_losses_kw=2)
    unit = load(is_sheddable=True, interruption_cost_per_kwh=10)
    asked = ask([connection, unit], {"load.demand_kw": [40], **prices([0.1], [0])})

    result = solve(asked)

    assert float(result.flows.import_kw.max()) == pytest.approx(27)
    assert float(result.flows.served_kw.max()) == pytest.approx(25)
    assert violations_of(result.flows, asked.series, asked.portfolio) == []


def test_solve__curtailment_has_a_limit():
    """At most half of 40 kW may be shed, though the grid costs more than shedding."""
    unit = load(is_sheddable=True, interruption_cost_per_kwh=0.2, max_curtailment=0.5)
    asked = ask([grid(), unit], {"load.demand_kw": [40], **prices([1], [0])})

    assert solve(asked).total_cost == pytest.approx(20 * 0.2 + 20 * 1)


def test_solve__charger_that_cannot_wait_charges_at_once():
    """9 kWh in the battery are 10 from the bus: all in the first, dear hour; drivers pay 0.4 a kWh."""
    unit = charger(
        smart_charging_capable=False, charge_efficiency=0.9, usage_fee_per_kwh=0.4, sessions=[session(0, 3, 9)]
    )
    asked = ask([unit, grid()], prices([1, 0.1, 0.1], [0] * 3))

    result = solve(asked)

    assert result.flows.charge_kw.sel(asset="charger").values == pytest.approx([10, 0, 0])
    assert result.total_cost == pytest.approx(10 * 1 - 10 * 0.4)
    assert settle(result.flows, asked.series, asked.portfolio).total_cost == pytest.approx(6)


def test_solve__ports_that_share_one_power():
    """Two vehicles want 10 kWh each within 2 h at 10 kW shared: full power in both hours."""
    stays = [session(0, 2, 10), session(0, 2, 10)]
    unit = charger(number_of_ports=2, simultaneous_charging=False, charge_efficiency=1, sessions=stays)
    asked = ask([unit, grid()], prices([1, 0.1], [0, 0]))

    assert solve(asked).flows.charge_kw.sel(asset="charger").values == pytest.approx([10, 10])
