"""A load's fields: shedding has a price, or there is none."""

from __future__ import annotations

import pytest
from builders import load

from ems.errors import InvalidInput


def test_load__sheddable_without_a_price():
    message = "load 'load': interruption_cost_per_kwh: is required where is_sheddable = true"
    with pytest.raises(InvalidInput, match=message):
        load(is_sheddable=True)


def test_load__price_without_effect():
    with pytest.raises(InvalidInput, match="interruption_cost_per_kwh: has no effect unless is_sheddable = true"):
        load(interruption_cost_per_kwh=5)


def test_load__nothing_may_be_worth_nothing():
    assert load(is_sheddable=True, interruption_cost_per_kwh=0).interruption_cost_per_kwh == 0


def test_load__negative_price():
    with pytest.raises(InvalidInput, match="interruption_cost_per_kwh = -1 currency/kWh: must be at least 0"):
        load(is_sheddable=True, interruption_cost_per_kwh=-1)
