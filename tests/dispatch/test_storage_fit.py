from __future__ import annotations

from typing import Any

import pytest
from builders import battery, charger, generator, grid, load, prices, problem, session

from ems.assets.asset import Asset
from ems.assets.group import Group, GroupMember
from ems.assets.portfolio import KINDS
from ems.assets.reserve import ReserveRequirement
from ems.dispatch.goal import Goal
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.storage.storage_fit import REFUSED, TAKEN
from ems.dispatch.storage.storage_programme import explain_unfit, storage_programme
from ems.errors import InvalidInput
from ems.tariffs.demand_charge import DemandCharge
from ems.tariffs.tariff import Tariff

UNDERSTOOD = {
    "asset": {"kind", "id", "site_id", "status"},
    "battery": {
        "capacity_kwh", "usable_capacity_kwh", "state_of_health", "max_charge_kw", "max_discharge_kw",
        "continuous_charge_kw", "continuous_discharge_kw", "round_trip_efficiency",
        "charge_efficiency", "discharge_efficiency", "standing_loss_per_h", "drain_kw", "min_soc", "max_soc",
        "initial_soc", "final_soc_rule", "target_soc", "soc_targets", "final_energy_value_per_kwh",
        "degradation_cost_per_kwh", "charge_cost_per_kwh", "holding_cost_per_kwh_h", "auxiliary_load_kw",
        "ramp_up_rate_kw_per_s", "ramp_down_rate_kw_per_s",
        # What the depth segments are made of, which are refused.
        "chemistry", "cycle_life", "degradation_rate_per_cycle", "capital_cost",
    },
    "grid_connection": {
        "max_import_kw", "max_export_kw", "import_enabled", "export_enabled", "tariff_id", "import_price_per_kwh",
        "export_price_per_kwh", "transformer_capacity_kva", "transformer_losses_kw", "min_power_factor",
        "may_import_while_exporting", "ramp_up_rate_kw_per_s", "ramp_down_rate_kw_per_s",
        # Emissions are an objective of their own, which is refused.
        "co2_intensity_kg_per_kwh",
        # What tariffs count that bill more than prices, which are refused.
        "month_import_kwh_so_far", "month_export_kwh_so_far", "year_import_kwh_so_far",
    },
    "load": {
        "rated_load_kw", "is_critical", "is_sheddable", "priority_level", "max_curtailment",
        "interruption_cost_per_kwh", "recovery_h",
    },
    "solar_pv": {"is_curtailable", "variable_om_cost_per_kwh", "curtailment_cost_per_kwh"},
    "wind_turbine": {"is_curtailable", "variable_om_cost_per_kwh", "curtailment_cost_per_kwh"},
}  # fmt: skip
"""Fields that act in a dispatch and that the programme takes into account."""


ONE_STAY = session(0, 1, 5)
MISFITS: dict[str, tuple[list[Asset], dict[str, Any], dict[str, Any]]] = {
    "2 assets of kind battery take part": ([battery(), battery(id="second"), grid()], prices(0.2), {}),
    "0 assets of kind battery take part": ([grid()], prices(0.2), {}),
    "0 assets of kind grid_connection": ([battery()], {}, {}),
    "generator 'generator' takes part": ([battery(), grid(), generator()], prices(0.2), {}),
    "ev_charger 'charger' takes part": ([battery(), grid(), charger(sessions=[ONE_STAY])], prices(0.2), {}),
    "assets at several sites": ([battery(), grid(site_id="other")], prices(0.2), {}),
    "export price 0.3 is above the import price 0.2 at 2024-06-03 01:00": (
        [battery(), grid()], prices([0.2, 0.2], [0.1, 0.3]), {}
    ),
    "negative price at 2024-06-03 01:00": (
        [battery(charge_efficiency=0.9, discharge_efficiency=0.9), grid()], prices([0.2, -0.1]), {}
    ),
    "final_soc_rule = 'cyclic'": ([battery(final_soc_rule="cyclic"), grid()], prices(0.2), {}),
    "max_cycles_per_d brings in a budget": ([battery(max_cycles_per_d=1), grid()], prices(0.2), {}),
    "its ramps": ([battery(ramp_up_rate_kw_per_s=0.01), grid()], prices([0.2, 0.3]), {}),
    "demand_charges brings in a price of peaks": (
        [battery(), grid(demand_charges=[DemandCharge(name="peak", rate_per_kw=5)])], prices(0.2), {}
    ),
    "bills more than a price of each step's energy": (
        [battery(), grid(tariff_id="contract")],
        {},
        {
            "tariffs": (
                Tariff(
                    id="contract",
                    name="Contract",
                    periods=[{"name": "all", "import_price_per_kwh": 0.2, "export_price_per_kwh": 0.1}],
                    fixed_cost_per_month=5.0,
                ),
            )
        },
    ),
    "max_curtailment_duration_min brings in on/off": (
        [
            battery(),
            grid(),
            load(is_sheddable=True, interruption_cost_per_kwh=1, max_curtailment_duration_min=60),
        ],
        {**prices(0.2), "load.demand_kw": 1},
        {},
    ),
    "group 'feeder' limits": (
        [battery(), grid()],
        prices(0.2),
        {
            "groups": (Group(id="feeder", max_import_kw=10),),
            "members": (GroupMember(asset_id="grid", group_id="feeder"),),
        },
    ),
    "reserve 'spinning' is asked for": (
        [battery(), grid()], prices(0.2), {"reserves": (ReserveRequirement(id="spinning", requirement_kw=1),)}
    ),
}  # fmt: skip


@pytest.mark.parametrize("reason", MISFITS)
def test_explain_unfit__says_what_and_the_remedy(reason: str):
    assets, values, fields = MISFITS[reason]
    steps = max((len(one) for one in values.values() if isinstance(one, list)), default=1)
    asked = problem(assets, values, steps_h=(1.0,) * steps, **fields)
    found = explain_unfit(asked)
    assert found is not None
    assert reason in found
    assert found.endswith("use solver = 'highs'")
    with pytest.raises(InvalidInput, match="solver = 'dp'"):
        storage_programme(asked)


def test_explain_unfit__other_objective():
    asked = problem([battery(), grid()], prices(0.2))
    found = explain_unfit(DispatchProblem(asked.portfolio, asked.horizon, asked.series, Goal(objective="emissions")))
    assert found is not None
    assert "objective = 'emissions'" in found


def test_explain_unfit__ramps_that_bind_nothing():
    """1 kW/s is 3600 kW in an hour, more than from full charge to full discharge."""
    assert explain_unfit(problem([battery(ramp_up_rate_kw_per_s=1), grid()], prices([0.2, 0.3]), (1.0, 1.0))) is None


def test_explain_unfit__negative_price_without_losses():
    """Without losses nothing is gained by charging while discharging, and the programme earns 100 kWh at 0.10."""
    asked = problem([battery(initial_soc=0), grid()], prices([-0.10, 0.0]), (1.0, 1.0))
    assert explain_unfit(asked) is None
    schedule = storage_programme(asked)
    assert schedule is not None
    assert schedule.objective == pytest.approx(-10)


@pytest.mark.parametrize("kind", TAKEN)
def test_storage_fit__no_field_is_overlooked(kind: str):
    """Whatever acts in a dispatch is either understood or refused, so that a new field cannot be passed over."""
    acting = {
        name
        for name, field in KINDS[kind].model_fields.items()
        if "dispatch" in (field.description or "").split("Acts")[-1]
    }
    refused = set(REFUSED.get(kind, {}))
    assert acting <= UNDERSTOOD["asset"] | UNDERSTOOD[kind] | refused
    assert UNDERSTOOD[kind] | refused <= set(KINDS[kind].model_fields)
    assert not UNDERSTOOD[kind] & refused
