"""Wear of a schedule by its cycles and by age, beside what the plan paid for it."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
import xarray as xr
from builders import battery, horizon, portfolio

from ems.settlement.wear import wear_of

LIFE = {"cycle_life": 1000, "capital_cost": 20_000, "chemistry": "other"}


def worn(asset, charge_kw, discharge_kw):
    """The wear of a battery that follows powers, hour by hour."""
    steps = horizon(*[1.0] * len(charge_kw))
    flows = xr.Dataset(
        {
            "charge_kw": (("time", "asset"), np.array(charge_kw, float)[:, None]),
            "discharge_kw": (("time", "asset"), np.array(discharge_kw, float)[:, None]),
        },
        {"time": steps.times.to_numpy(), "asset": ["battery"], "step_h": ("time", steps.step_h)},
    )
    return wear_of(flows, xr.Dataset(coords={"asset": []}), portfolio(asset)).iloc[0]


def test_wear_of__one_full_cycle():
    """From empty to full and back is one of 1,000 cycles: 20 EUR of 20,000; the plan paid 100 kWh at 0.05: 5 EUR."""
    found = worn(battery(initial_soc=0, degradation_cost_per_kwh=0.05, **LIFE), [100, 0], [0, 100])
    assert found.full_cycles == pytest.approx(1)
    assert found.cycle_loss == pytest.approx(0.2 / 1000)
    assert found.cycle_cost == pytest.approx(20)
    assert found.planned_cost == pytest.approx(5)
    assert found.difference == pytest.approx(15)


def test_wear_of__shallow_cycles_wear_less_than_a_deep_one():
    """Two cycles of half the depth move the same energy; lithium cells bear more than twice as many of them."""
    lithium = {**LIFE, "chemistry": "lithium_ion"}
    deep = worn(battery(initial_soc=0, **lithium), [50, 50, 0, 0], [0, 0, 50, 50])
    shallow = worn(battery(initial_soc=0, **lithium), [50, 0, 50, 0], [0, 50, 0, 50])
    assert deep.full_cycles == pytest.approx(shallow.full_cycles)
    assert shallow.cycle_cost < deep.cycle_cost


def test_wear_of__age():
    """A life of ten years that goes evenly: an hour of it is 0.2 / 87,660 of the capacity."""
    asset = battery(calendar_life_a=10, commissioning_date=dt.date(2020, 1, 1), **LIFE)
    found = worn(asset, [0], [0])
    assert found.age_loss == pytest.approx(0.2 / 87_660)
    assert found.age_cost == pytest.approx(20_000 / 87_660)
    assert found.cycle_cost == pytest.approx(0)


def test_wear_of__what_is_not_known_says_so():
    found = worn(battery(), [10], [0])
    assert math.isnan(found.cycle_cost)
    assert found.reason == (
        "without cycle_life or degradation_rate_per_cycle, "
        "without calendar_life_a and a date of installation or commissioning, without capital_cost"
    )
