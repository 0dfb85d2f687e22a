"""Random batteries that may idle: whatever their fields, to charge and to discharge nothing keeps all their limits."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from typing import Any

from builders import START, battery
from hypothesis import strategies as st
from random_numbers import rounded

from ems.assets.battery import Battery

AUXILIARY_KW = 0.5
LONGEST_H = 48.0
"""Length of the longest random horizon: 24 steps of 2 h."""


@st.composite
def batteries(draw: Any, steps_h: Sequence[float] = (), **fields: Any) -> Battery:
    """A battery that keeps its limits, targets and final rule when it idles.

    Parameters
    ----------
    steps_h : sequence of float
        Steps after `START`, at whose ends it may have targets; none has where nothing is given.
    """
    length_h = sum(steps_h) or LONGEST_H
    min_soc, initial_soc, max_soc = sorted(draw(st.tuples(*[rounded(0, 1)] * 3)))
    if min_soc == max_soc:
        min_soc, max_soc = 0, 1
    capacity_kwh = draw(rounded(1, 200))
    health = draw(st.sampled_from([1, 0.8]))
    powers = {"max_charge_kw": draw(rounded(0, 100)), "max_discharge_kw": draw(rounded(0, 100))}
    if not any(powers.values()):
        powers["max_charge_kw"] = 10
    return battery(
        **{
            "capacity_kwh": capacity_kwh,
            "state_of_health": health,
            "round_trip_efficiency": draw(rounded(0.5, 1)),
            "min_soc": min_soc,
            "max_soc": max_soc,
            "initial_soc": initial_soc,
            "continuous_charge_kw": draw(st.sampled_from([None, 7])),
            "ramp_up_rate_kw_per_s": draw(st.sampled_from([None, 0.01])),
            "auxiliary_load_kw": draw(st.sampled_from([0, AUXILIARY_KW])),
            "may_charge_while_discharging": draw(st.sampled_from([False, False, True])),
            "max_cycles_per_d": draw(st.sampled_from([None, None, 0.5, 2])),
            "charge_taper": draw(_tapers()),
            "discharge_taper": draw(_tapers()),
            "charge_cost_per_kwh": draw(st.sampled_from([0, 0.01])),
            "holding_cost_per_kwh_h": draw(st.sampled_from([0, 0.001, -0.001])),
            **powers,
            **draw(_wear()),
            **draw(_contents(capacity_kwh * health, min_soc, initial_soc, length_h)),
            **(draw(_targets(steps_h, initial_soc)) if steps_h else {}),
            **fields,
        }
    )


@st.composite
def _contents(draw: Any, content_kwh: float, min_soc: float, initial_soc: float, length_h: float) -> dict[str, Any]:
    """Losses that leave an idle battery above its least content, and a rule for the end that it then meets."""
    loss = draw(st.sampled_from([0, 0, 0.001, 0.01]))
    left_kwh = content_kwh * (initial_soc * (1 - loss) ** length_h - min_soc)
    if left_kwh <= 0 and loss:
        loss, left_kwh = 0, content_kwh * (initial_soc - min_soc)
    drain_kw = draw(st.sampled_from([0, 0, 0.5])) * max(left_kwh, 0) / length_h
    if loss or drain_kw:
        rule, target = draw(st.sampled_from([("free", initial_soc), ("at_least", min_soc)]))
    else:
        rule, target = draw(st.sampled_from(["at_least", "exactly", "free", "cyclic"])), initial_soc
    value = draw(st.sampled_from([None, 0.1])) if rule in ("free", "at_least") else None
    return {
        "standing_loss_per_h": loss,
        "drain_kw": drain_kw,
        "final_soc_rule": rule,
        "target_soc": target,
        "final_energy_value_per_kwh": value,
    }


@st.composite
def _wear(draw: Any) -> dict[str, Any]:
    segments = draw(st.sampled_from([0, 0, 1, 3]))
    if not segments:
        return {"degradation_cost_per_kwh": draw(rounded(0, 0.05))}
    return {
        "cycle_depth_segments": segments,
        "degradation_cost_per_kwh": 0,
        "capital_cost": draw(rounded(0, 20000, 0)),
        "cycle_life": draw(st.integers(1000, 6000)),
        "chemistry": draw(st.sampled_from(["lithium_ion", "lithium_iron_phosphate"])),
    }


@st.composite
def _tapers(draw: Any) -> tuple[dict[str, float], ...]:
    """Nothing, a fall towards a full battery, a fall towards an empty one, or both."""
    rise = ({"soc": 0.0, "share": draw(rounded(0, 0.9))}, {"soc": 0.2, "share": 1.0})
    fall = ({"soc": 0.8, "share": 1.0}, {"soc": 1.0, "share": draw(rounded(0, 0.9))})
    return draw(st.sampled_from([(), (), rise, fall, (*rise, *fall)]))


@st.composite
def _targets(draw: Any, steps_h: Sequence[float], initial_soc: float) -> dict[str, Any]:
    """Targets that an idle battery meets: none where its content falls."""
    ends = [START + dt.timedelta(hours=hours) for hours in itertools.accumulate(steps_h)]
    moments = draw(st.lists(st.sampled_from(ends), max_size=2, unique=True))
    rules = st.sampled_from(["at_least", "exactly", "at_most"])
    targets = tuple({"time": moment, "soc": initial_soc, "rule": draw(rules)} for moment in moments)
    return {"soc_targets": targets, "standing_loss_per_h": 0, "drain_kw": 0}
