"""Random loads, chargers and renewables that have a schedule by construction, and the proof of a schedule.

A load that must be served needs at most its rated power from the bus; a charger at most that of its ports.
"""

from __future__ import annotations

from typing import Any

import pytest
from builders import charger, load, session, solar, wind
from hypothesis import strategies as st
from random_numbers import rounded

from ems.assets.portfolio import AnyAsset
from ems.dispatch.model import build_model
from ems.dispatch.options import SolverOptions
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.result import DispatchResult
from ems.dispatch.solve import solve
from ems.settlement.bill import settle
from ems.settlement.replay import violations_of

EXACT = SolverOptions(mip_gap=0)
MOST_LOAD_KW = 60.0
"""Power that any of the random loads needs at most."""


def proved(asked: DispatchProblem) -> DispatchResult:
    """The schedule of a dispatch, after its laws, its bill, and the same dispatch by way of Pyomo were checked."""
    result = solve(asked, EXACT)
    assert violations_of(result.flows, asked.series, asked.portfolio) == []
    # Relative to the cost, and to a cent of money that is moved back and forth.
    same = pytest.approx(result.total_cost, rel=1e-6, abs=1e-5)
    assert result.solution.objective == same
    assert settle(result.flows, asked.series, asked.portfolio).total_cost == same
    assert solve(asked, EXACT, build_model(asked)).total_cost == same
    return result


@st.composite
def chargers(draw: Any, length_h: float, **fields: Any) -> AnyAsset:
    """A charger of one or two ports with up to three stays after each other at each, each with time enough.

    Parameters
    ----------
    length_h : float
        Length of the horizon in hours.
    fields : dict
        Fields of the charger that are given.
    """
    power_kw, efficiency = draw(rounded(1, 22)), draw(rounded(0.8, 1))
    is_smart = draw(st.booleans())
    gives_back = is_smart and draw(st.booleans())
    least = draw(st.sampled_from([0, 0, 0.3])) if is_smart and not gives_back else 0
    ports = draw(st.integers(1, 2))
    stays = []
    for _ in range(ports):
        times = sorted(draw(st.lists(rounded(0, length_h, 1), min_size=0, max_size=6, unique=True)))
        for arrival, departure in zip(times[0::2], times[1::2], strict=False):
            if departure > length_h:
                continue
            most_kwh = power_kw * (departure - arrival) * efficiency
            # Power at its lowest or more in a part of the steps may not add up to any energy: there, what lacks is
            # paid for.
            stay = session(arrival, departure, most_kwh * draw(rounded(0.1, 1)))
            stay["arrival_energy_kwh"] = draw(st.sampled_from([0, 5]))
            if draw(st.booleans()):
                stay["battery_capacity_kwh"] = 5 + most_kwh * 1.5
            if least or draw(st.booleans()):
                stay["unmet_cost_per_kwh"] = draw(st.sampled_from([0.05, 2]))
            stays.append(stay)
    return charger(
        **{
            "max_power_kw": power_kw,
            "min_charge_kw": least * power_kw,
            "charge_efficiency": efficiency,
            "number_of_ports": ports,
            "sessions": stays,
            "smart_charging_capable": is_smart,
            "v2g_capable": gives_back,
            "discharge_efficiency": draw(rounded(0.8, 1)),
            "discharge_cost_per_kwh": draw(st.sampled_from([0, 0.05])),
            "usage_fee_per_kwh": draw(st.sampled_from([None, 0.3])),
            **fields,
        }
    )


@st.composite
def loads(draw: Any, steps_h: list[float], **fields: Any) -> tuple[AnyAsset, dict[str, list[float]]]:
    """A load of any sort with its series by name; it draws at most 60 kW.

    Parameters
    ----------
    steps_h : list of float
        Lengths of the steps in hours.
    fields : dict
        Fields of the load that are given.
    """

    def profile(low: float, high: float) -> list[float]:
        return draw(st.lists(rounded(low, high, 1), min_size=len(steps_h), max_size=len(steps_h)))

    sort = draw(st.sampled_from(["firm", "sheddable", "curtailable", "shiftable", "thermal"]))
    easy: dict[str, Any] = {"rated_load_kw": MOST_LOAD_KW}
    if sort in ("shiftable", "thermal"):
        values: dict[str, list[float]] = {}
        if sort == "shiftable":
            first = draw(st.integers(0, len(steps_h) - 1))
            last = draw(st.integers(first + 1, len(steps_h)))
            easy["shiftable"] = {
                "power_kw": draw(rounded(0.5, MOST_LOAD_KW)),
                "duration_h": sum(steps_h[first:last]),
                "is_interruptible": draw(st.booleans()),
            }
        else:
            mode, is_hard = draw(st.sampled_from(["heating", "cooling"])), draw(st.booleans())
            # Where the outside is as comfortable as the beginning is, nothing needs to be done.
            values["outdoor_temperature_degc"] = profile(19, 23) if is_hard else profile(-15, 35)
            easy["thermal"] = {
                "capacitance_kwh_per_k": draw(rounded(0.2, 20)),
                "resistance_k_per_kw": draw(rounded(0.2, 10)),
                "mode": mode,
                "max_power_kw": draw(rounded(0.5, 20)),
                "cop": draw(rounded(1, 5)),
                "comfort_min_degc": 19.0,
                "comfort_max_degc": 23.0,
                "initial_temperature_degc": draw(rounded(19, 23)),
                "discomfort_cost_per_kh": None if is_hard else draw(rounded(0, 1)),
                "internal_gain_kw": 0.0 if is_hard else draw(st.sampled_from([0, 0.5])),
            }
        return load(**easy, **fields), values
    values = {"demand_kw": profile(0, MOST_LOAD_KW)}
    if sort != "firm":
        easy |= {
            "is_sheddable": True,
            "interruption_cost_per_kwh": draw(rounded(0, 2)),
            "max_curtailment": draw(st.sampled_from([None, 1, 0.5])),
            "priority_level": draw(st.sampled_from([None, 1, 5])),
        }
        if draw(st.booleans()):
            values["interruption_cost_per_kwh"] = profile(0, 2)
    if sort == "curtailable":
        easy |= {
            "max_curtailment_duration_min": draw(st.sampled_from([None, 60 * max(steps_h), 180 + 60 * max(steps_h)])),
            "min_recovery_time_min": draw(st.sampled_from([None, 0, 60, 150])),
            "recovered_share": draw(st.sampled_from([0, 0.5, 1])),
        }
        if easy["recovered_share"]:
            easy["recovery_h"] = draw(st.sampled_from([None, 1.0, 2.5]))
    return load(**easy, **fields), values


@st.composite
def renewables(draw: Any, steps_h: list[float], **fields: Any) -> tuple[AnyAsset, dict[str, list[float]]]:
    """A solar plant or a wind turbine of at most 50 kW with its series by name."""
    make = draw(st.sampled_from([solar, wind]))
    numbers = {"min_size": len(steps_h), "max_size": len(steps_h)}
    values = {"available_kw": draw(st.lists(rounded(0, 50, 1), **numbers))}
    if draw(st.booleans()):
        values["variable_om_cost_per_kwh"] = draw(st.lists(rounded(-0.05, 0.1), **numbers))
    plant = make(
        **{
            "is_curtailable": draw(st.booleans()),
            "variable_om_cost_per_kwh": draw(st.sampled_from([0, 0.02, -0.01])),
            "curtailment_cost_per_kwh": draw(st.sampled_from([0, 0.05])),
            **fields,
        }
    )
    return plant, values


def named(asset: AnyAsset, values: dict[str, list[float]]) -> dict[str, list[float]]:
    """Series of an asset as `builders.problem` wants them."""
    return {f"{asset.id}.{name}": series for name, series in values.items()}
