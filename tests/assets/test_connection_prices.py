"""Each price of a connection has one source: its series, its tariff, or its flat field."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from builders import grid, horizon, load, portfolio, prices, series, solar

from ems.assets.portfolio import Portfolio
from ems.assets.prices import series_needs, with_prices
from ems.errors import InvalidInput
from ems.tariffs.tariff import Tariff

STEPS = horizon(1, 1)


def contract(**fields: float) -> Tariff:
    return Tariff(id="contract", name="Contract", periods=[{"name": "all", "import_price_per_kwh": 0.2, **fields}])


def on_the_market(**fields: float) -> Portfolio:
    following = Tariff(id="contract", name="Contract", price_series=True, **fields)
    return portfolio(grid(tariff_id="contract"), tariffs=[following])


def priced(whole: Portfolio, values: dict | None = None) -> dict[str, list[float]]:
    filled = with_prices(series(STEPS, values or {}), whole, STEPS)
    return {name: filled[name].sel(asset="grid").values.tolist() for name in filled if name.endswith("per_kwh")}


def needed(*assets) -> dict[str, bool]:
    """What is needed, without what may change with time."""
    whole = portfolio(*assets, tariffs=[contract()])
    optional = {f"{asset.id}.{name}" for asset in assets for name in asset.series_optional}
    needs = {f"{need.asset}.{need.variable}": need.is_required for need in series_needs(whole)}
    return {name: is_required for name, is_required in needs.items() if name not in optional}


def test_series_needs__what_changes_with_time_is_welcome():
    whole = portfolio(grid(tariff_id="contract"), tariffs=[contract()])
    assert {need.variable: need.is_required for need in series_needs(whole)}["max_import_kw"] is False


def test_series_needs__a_price_only_where_nothing_else_states_it():
    assert needed(grid()) == {"grid.import_price_per_kwh": True, "grid.export_price_per_kwh": True}
    assert needed(grid(import_price_per_kwh=0.2)) == {"grid.export_price_per_kwh": True}
    assert needed(grid(import_price_per_kwh=0.2, export_price_per_kwh=0)) == {}
    assert needed(grid(tariff_id="contract")) == {}


def test_series_needs__the_price_of_a_closed_way_is_welcome_only():
    assert needed(grid(max_export_kw=0)) == {"grid.import_price_per_kwh": True, "grid.export_price_per_kwh": False}
    assert needed(grid(import_enabled=False))["grid.import_price_per_kwh"] is False


def test_series_needs__of_active_assets_only():
    assert needed(load(), solar(), grid(status="inactive")) == {"load.demand_kw": True, "solar.available_kw": True}


def test_with_prices__from_the_series():
    found = priced(portfolio(grid()), prices([0.1, 0.3], [0.05, -0.05]))
    assert found == {"import_price_per_kwh": [0.1, 0.3], "export_price_per_kwh": [0.05, -0.05]}


def test_with_prices__from_the_tariff():
    whole = portfolio(grid(tariff_id="contract"), tariffs=[contract(export_price_per_kwh=0.06)])
    assert priced(whole) == {"import_price_per_kwh": [0.2, 0.2], "export_price_per_kwh": [0.06, 0.06]}


def test_with_prices__flat():
    found = priced(portfolio(grid(import_price_per_kwh=0.3, export_price_per_kwh=0.0)))
    assert found == {"import_price_per_kwh": [0.3, 0.3], "export_price_per_kwh": [0, 0]}


def test_with_prices__one_way_flat_and_the_other_from_the_series():
    found = priced(portfolio(grid(export_price_per_kwh=0.06)), {"grid.import_price_per_kwh": [0.1, 0.3]})
    assert found == {"import_price_per_kwh": [0.1, 0.3], "export_price_per_kwh": [0.06, 0.06]}


def test_with_prices__of_the_market_with_what_comes_on_top():
    """0.10 times 1.1 and 0.02 with 20 % of tax are 0.156; the market's own price is kept."""
    tax = {"name": "VAT", "share": 0.2}
    whole = on_the_market(price_factor=1.1, surcharge_per_kwh=0.02, export_factor=0.5, taxes=[tax])
    found = priced(whole, {"grid.import_price_per_kwh": [0.1, -0.1]})
    assert found["import_price_per_kwh"] == pytest.approx([0.156, -0.108])
    assert found["export_price_per_kwh"] == pytest.approx([0.05, -0.05])
    assert found["market_price_per_kwh"] == [0.1, -0.1]


def test_with_prices__market_without_a_series():
    whole = on_the_market(export_factor=1)
    assert [need.is_required for need in series_needs(whole) if need.variable == "import_price_per_kwh"] == [True]
    with pytest.raises(InvalidInput, match="import_price_per_kwh of 'grid' is not in the series; its tariff follows"):
        priced(whole, {"grid.max_import_kw": 5})


def test_with_prices__of_the_first_tier():
    tiers = [{"up_to_kwh": 10, "import_price_per_kwh": 0.2}, {"import_price_per_kwh": 0.3}]
    tariff = Tariff(id="contract", name="Contract", periods=[{"name": "all", "tiers": tiers}])
    whole = portfolio(grid(tariff_id="contract", max_export_kw=0), tariffs=[tariff])
    assert priced(whole)["import_price_per_kwh"] == [0.2, 0.2]


def test_with_prices__net_metering_saves_the_price_without_levies():
    """0.20 and 0.05 of levy with 10 % of tax are 0.275; a kWh fed in saves 0.22 of it."""
    levy, tax = {"name": "levy", "rate_per_kwh": 0.05}, {"name": "VAT", "share": 0.1}
    tariff = contract().replace(metering="net_metering", levies=[levy], taxes=[tax])
    found = priced(portfolio(grid(tariff_id="contract"), tariffs=[tariff]))
    assert found["import_price_per_kwh"] == pytest.approx([0.275, 0.275])
    assert found["export_price_per_kwh"] == pytest.approx([0.22, 0.22])


def test_with_prices__other_currency():
    whole = portfolio(grid(tariff_id="contract", max_export_kw=0), tariffs=[contract().replace(currency="USD")])
    with pytest.raises(InvalidInput, match="currency = 'USD' of tariff 'contract' is not that of the portfolio, EUR"):
        priced(whole)


def test_with_prices__closed_way_needs_no_price():
    whole = portfolio(grid(tariff_id="contract", export_enabled=False), tariffs=[contract()])
    assert priced(whole)["export_price_per_kwh"] == [0, 0]


@pytest.mark.parametrize("source", ["tariff", "grid connection"])
def test_with_prices__two_sources(source):
    """A price from the file must not give way silently to another one."""
    if source == "tariff":
        whole = portfolio(grid(tariff_id="contract", max_export_kw=0), tariffs=[contract()])
    else:
        whole = portfolio(grid(import_price_per_kwh=0.2, max_export_kw=0))
    message = f"import_price_per_kwh of 'grid' is stated in the series and in the {source}; keep one"
    with pytest.raises(InvalidInput, match=message):
        priced(whole, {"grid.import_price_per_kwh": [0.1, 0.3]})


def test_with_prices__no_source():
    with pytest.raises(InvalidInput) as caught:
        priced(portfolio(grid()), {"load.demand_kw": 5})
    assert str(caught.value) == (
        "the prices of energy cannot be used:\n"
        "  import_price_per_kwh of 'grid' is stated nowhere: give it in the tariff, the series or the grid "
        "connection, or set import_enabled: false\n"
        "  export_price_per_kwh of 'grid' is stated nowhere: give it in the tariff, the series or the grid "
        "connection, or set export_enabled: false"
    )


def test_with_prices__tariff_without_export_price():
    whole = portfolio(grid(tariff_id="contract"), tariffs=[contract()])
    with pytest.raises(InvalidInput, match="export_price_per_kwh of 'grid' is stated nowhere"):
        priced(whole)


def test_with_prices__other_series_stay_and_carry_units():
    whole = portfolio(grid(import_price_per_kwh=0.2, export_price_per_kwh=0.1), load(), currency="CHF")
    given = series(STEPS, {"load.demand_kw": [5, 7]})
    filled = with_prices(given, whole, STEPS)
    assert filled.demand_kw.sel(asset="load").values.tolist() == [5, 7]
    assert np.isnan(filled.demand_kw.sel(asset="grid")).all()
    assert filled.import_price_per_kwh.attrs["units"] == "CHF/kWh"
    assert list(given.data_vars) == ["demand_kw"]


def test_with_prices__without_a_connection_nothing_is_added():
    given = series(STEPS, {"load.demand_kw": 5})
    xr.testing.assert_identical(with_prices(given, portfolio(load()), STEPS), given)
