"""Prices of energy at each grid connection: from its series, its tariff, or its flat fields; never from two.

The price of a step is what one more kWh costs with levies and taxes; tiers, peaks and minimums of a tariff are no
prices of a step. A tariff with real-time prices takes the market's from the connection's series, which is kept as
``market_price_per_kwh``.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from ems.assets.grid_connection import GridConnection
from ems.assets.portfolio import Portfolio
from ems.errors import InvalidInput
from ems.horizon import Horizon
from ems.series.form import Need
from ems.tariffs.prices import energy_prices
from ems.tariffs.tariff import Tariff
from ems.units import unit_of

PRICES = ("import_price_per_kwh", "export_price_per_kwh")
MARKET_PRICE = "market_price_per_kwh"
"""Series of a connection: the market's price, of a tariff that follows it."""


def series_needs(portfolio: Portfolio) -> list[Need]:
    """Return the series that a portfolio needs from a file; a price only where nothing else states it.

    A tariff with real-time prices needs the series import_price_per_kwh as the market's price.
    """
    needs = []
    for asset in portfolio.active():
        for name in asset.series_needed:
            if isinstance(asset, GridConnection) and name in PRICES:
                if name == PRICES[0] and _follows_market(asset, portfolio):
                    needs.append(Need(name, asset.id))
                elif asset.tariff_id is None and getattr(asset, name) is None:
                    # Where nothing can be sold, a price of exports is welcome but not needed.
                    is_required = (asset.export_limit_kw if name.startswith("export") else asset.import_limit_kw) > 0
                    needs.append(Need(name, asset.id, is_required))
            else:
                needs.append(Need(name, asset.id))
        needs += [Need(name, asset.id, is_required=False) for name in asset.series_optional]
    needs += [
        Need("reserve_requirement_kw", reserve.id, is_required=reserve.requirement_kw is None)
        for reserve in portfolio.reserves
    ]
    return needs


def with_prices(series: xr.Dataset, portfolio: Portfolio, horizon: Horizon) -> xr.Dataset:
    """Return the series with the prices of every grid connection filled in.

    Raises
    ------
    InvalidInput
        If the price of energy that can be bought or sold is stated nowhere, or twice.
    """
    connections = [asset for asset in portfolio.active() if isinstance(asset, GridConnection)]
    assets = [str(one) for one in series.asset.values] if "asset" in series.coords else []
    assets += [one.id for one in connections if one.id not in assets]
    filled = series.reindex(asset=assets) if "asset" in series.dims else series.assign_coords(asset=assets)
    shape = (len(horizon), len(assets))
    columns = {
        name: filled[name].transpose("time", "asset").to_numpy().copy() if name in filled else np.full(shape, np.nan)
        for name in PRICES
    }
    market = np.full(shape, np.nan)
    findings = _currencies(connections, portfolio)
    for asset in connections:
        at = assets.index(asset.id)
        if _follows_market(asset, portfolio):
            market[:, at] = columns[PRICES[0]][:, at]
            if np.isnan(market[:, at]).any():
                findings.append(
                    f"import_price_per_kwh of '{asset.id}' is not in the series; its tariff follows the market, whose "
                    "price that is"
                )
                continue
            columns[PRICES[0]][:, at] = np.nan
        stated = _stated_prices(asset, portfolio, horizon, market[:, at])
        for name, limit_kw in zip(PRICES, (asset.import_limit_kw, asset.export_limit_kw), strict=True):
            values = stated.get(name)
            if values is not None:
                if not np.isnan(columns[name][:, at]).all():
                    source = "tariff" if asset.tariff_id is not None else "grid connection"
                    findings.append(f"{name} of '{asset.id}' is stated in the series and in the {source}; keep one")
                columns[name][:, at] = values
            if np.isnan(columns[name][:, at]).any():
                if limit_kw > 0:
                    way = name.split("_", maxsplit=1)[0]
                    findings.append(
                        f"{name} of '{asset.id}' is stated nowhere: give it in the tariff, the series or the grid "
                        f"connection, or set {way}_enabled: false"
                    )
                else:
                    columns[name][:, at] = 0.0  # multiplies a power that is always zero
    if findings:
        raise InvalidInput("the prices of energy", findings)
    prices = {
        name: (("time", "asset"), values, {"units": unit_of(name, portfolio.currency)})
        for name, values in {**columns, MARKET_PRICE: market}.items()
        if name in PRICES or not np.isnan(values).all()
    }
    return filled.assign(prices) if connections else filled


def _tariff_of(asset: GridConnection, portfolio: Portfolio) -> Tariff | None:
    return None if asset.tariff_id is None else portfolio.tariff(asset.tariff_id)


def _follows_market(asset: GridConnection, portfolio: Portfolio) -> bool:
    """Return whether the tariff of a connection has real-time prices."""
    tariff = _tariff_of(asset, portfolio)
    return tariff is not None and tariff.price_series


def _currencies(connections: list[GridConnection], portfolio: Portfolio) -> list[str]:
    """Return a finding for each tariff whose currency is not the portfolio's."""
    tariffs = {one.tariff_id: _tariff_of(one, portfolio) for one in connections}
    return [
        f"currency = '{tariff.currency}' of tariff '{tariff.id}' is not that of the portfolio, {portfolio.currency}; "
        "convert its prices"
        for tariff in tariffs.values()
        if tariff is not None and tariff.currency not in (None, portfolio.currency)
    ]


def _stated_prices(
    asset: GridConnection, portfolio: Portfolio, horizon: Horizon, market_price_per_kwh: np.ndarray
) -> dict[str, np.ndarray]:
    tariff = _tariff_of(asset, portfolio)
    if tariff is None:
        return {
            name: np.full(len(horizon), getattr(asset, name)) for name in PRICES if getattr(asset, name) is not None
        }
    # Prices of steps are those of the first tier: what further ones add is the energy's of the whole month.
    bought, sold = energy_prices(
        tariff,
        horizon,
        portfolio.site(asset.site_id).timezone,
        market_price_per_kwh=market_price_per_kwh if tariff.price_series else None,
        energy_of_month_kwh=0.0,
    )
    if tariff.metering == "net_metering":
        # An exported kWh saves an imported one of its period, but not the levies on that.
        levies = sum(levy.rate_per_kwh for levy in tariff.levies if levy.applies_to == "import")
        sold = bought - levies * (1 + sum(tax.share for tax in tariff.taxes))
    return dict(zip(PRICES, (bought, sold), strict=True))
