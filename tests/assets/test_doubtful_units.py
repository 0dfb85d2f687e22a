"""Power beyond what an asset is built for is told: most often the column is in another unit."""

from __future__ import annotations

import warnings

import pytest
from builders import grid, load, prices, problem, solar

from ems.assets.doubtful_units import warn_of_overload, warn_of_prices
from ems.errors import EmsWarning
from ems.tariffs.tariff import EnergyPeriod, Tariff


@pytest.mark.parametrize(
    ("demand_kw", "available_kw", "said"),
    [
        (20, 30, []),
        (20, 52, []),  # a cold clear day
        (20, 40_000, ["available_kw of 'solar' reaches 40000 kW, above rated_capacity_kw = 50 kW; check the unit"]),
        (30_000, 0, ["demand_kw of 'load' reaches 30000 kW, above rated_load_kw = 1000 kW; check the unit"]),
    ],
)
def test_warn_of_overload__watts_in_a_column_of_kilowatts(demand_kw: float, available_kw: float, said: list[str]):
    asked = problem(
        [grid(), load(), solar()], {**prices(0.1), "load.demand_kw": demand_kw, "solar.available_kw": available_kw}
    )
    series = asked.series.copy()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", EmsWarning)
        warn_of_overload(asked.portfolio, series)
    told = [str(one.message) for one in caught]
    assert told == series.attrs.get("notes", [])
    assert len(told) == len(said)
    assert all(one.startswith(start) for one, start in zip(told, said, strict=True))


@pytest.mark.parametrize("source", ["tariff", "field"])
@pytest.mark.parametrize(("currency", "count"), [("EUR", 1), ("JPY", 0)])
def test_warn_of_prices__per_mwh_in_a_field_per_kwh(source: str, currency: str, count: int):
    """87.5 EUR/MWh written as 87.5 EUR/kWh makes a bill of thousands; 87.5 JPY/kWh is a price."""
    stated = {"import_price_per_kwh": 87.5, "export_price_per_kwh": 0.08}
    period = EnergyPeriod(name="all day", **stated)
    fields = {"tariff_id": "contract"} if source == "tariff" else stated
    given = (
        {"tariffs": [Tariff(id="contract", name="Contract", periods=(period,), currency=currency)]}
        if source == "tariff"
        else {}
    )
    asked = problem([grid(**fields), load()], {"load.demand_kw": 5}, currency=currency, **given)
    series = asked.series.copy()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", EmsWarning)
        warn_of_prices(asked.portfolio, series)
    assert len(caught) == len(series.attrs.get("notes", [])) == count
    assert all("reaches 87.5 EUR/kWh; this looks like a price per MWh" in str(one.message) for one in caught)
