"""Random generators of all sorts, each of which has a schedule wherever its output can be sold."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from builders import generator
from hypothesis import strategies as st
from random_numbers import rounded

from ems.assets.generator import Generator


@st.composite
def generators(draw: Any, *, is_convex: bool = False, **fields: Any) -> Generator:
    """A generator with limits, costs and a state before the horizon; where asked, of convex cost."""
    highest = draw(st.integers(5, 50))
    lowest = draw(st.sampled_from([0.0, 0.3, 0.5, 1.0])) * highest
    drawn: dict[str, Any] = {
        "max_output_kw": highest,
        "min_output_kw": lowest,
        "is_committable": draw(st.sampled_from([True, True, True, False])),
        "must_run": draw(st.sampled_from([False, False, False, True])),
        "shutdown_cost": draw(st.sampled_from([0, 1])),
        "no_load_cost_per_h": draw(st.sampled_from([0, 0.7])),
        "maintenance_cost_per_h": draw(st.sampled_from([0, 0.5])),
        "variable_om_cost_per_kwh": draw(st.sampled_from([0, 0.02])),
        "quadratic_cost_per_kw2h": draw(st.sampled_from([0, 0, 0.003])),
        "min_uptime_h": draw(st.sampled_from([0, 0.7, 1, 2, 3.5])),
        "min_downtime_h": draw(st.sampled_from([0, 0.7, 1, 2, 3.5])),
        "max_startup_kw": draw(st.one_of(st.none(), rounded(lowest, highest, 0).filter(lambda kw: kw >= lowest > 0))),
        "max_shutdown_kw": draw(st.one_of(st.none(), rounded(lowest, highest, 0).filter(lambda kw: kw >= lowest > 0))),
    }
    for name in ("ramp_up_rate_kw_per_min", "ramp_down_rate_kw_per_min"):
        share_per_h = draw(st.sampled_from([None, 0.2, 0.4]))
        drawn[name] = None if share_per_h is None else share_per_h * highest / 60
    if draw(st.booleans()):
        drawn["startup_cost"] = draw(st.sampled_from([0, 2]))
    else:
        costs = sorted(draw(st.lists(rounded(0, 4, 1), min_size=1, max_size=3)))
        drawn["startup_costs"] = [{"offline_h": 1.5 * k, "cost": cost} for k, cost in enumerate(costs)]
    if draw(st.booleans()):
        drawn["fuel_cost_per_kwh"] = draw(rounded(0, 0.4))
    else:
        drawn["fuel_cost_per_kwh"] = 0
        drawn["cost_curve"] = draw(_curves(lowest, highest, is_convex))
    if draw(st.booleans()):
        drawn["initial_state_h"] = draw(st.sampled_from([0.25, 1, 2]))
        drawn["initial_is_on"] = draw(st.booleans())
        if drawn["initial_is_on"] and draw(st.booleans()):
            drawn["initial_output_kw"] = lowest + draw(rounded(0, 1)) * (highest - lowest)
        # Off for a time that still binds, it could not run at once.
        drawn["must_run"] = drawn["must_run"] and drawn["initial_is_on"]
    return generator(**{**drawn, **fields})


@st.composite
def _curves(draw: Any, lowest: float, highest: float, is_convex: bool) -> list[dict[str, float]]:
    """Points from the lowest to the highest output, with rising or any slopes."""
    if lowest == highest:
        return [{"output_kw": lowest, "cost_per_h": draw(rounded(0, 10))}]
    slopes = draw(st.lists(rounded(0, 0.5), min_size=1, max_size=3))
    if is_convex:
        slopes = sorted(slopes)
    length = (highest - lowest) / len(slopes)
    outputs = [lowest + k * length for k in range(len(slopes))] + [highest]
    costs = accumulate((slope * length for slope in slopes), initial=draw(st.sampled_from([0, 1.5])))
    return [{"output_kw": output, "cost_per_h": cost} for output, cost in zip(outputs, costs, strict=True)]


def must_give_kw(unit: Generator) -> float:
    """Return the output that a generator may have to give, whether it is wanted or not."""
    return unit.max_output_kw if unit.initial_is_on or unit.must_run or not unit.is_committable else 0.0
