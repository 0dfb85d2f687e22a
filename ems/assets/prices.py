"""Prices of energy at each grid connection: from its series, its tariff, or its flat fields; never from two."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ems.assets.grid_connection import GridConnection
from ems.assets.portfolio import Portfolio
from ems.errors import InvalidInput
from ems.horizon import Horizon
from ems.series.form import Need
from ems.tariffs.prices import energy_prices
from ems.units import unit_of

PRICES = ("import_price_per_kwh", "export_price_per_kwh")


def series_needs(portfolio: Portfolio) -> list[Need]:
    """Return the series that a portfolio needs from a file; a price only where nothing else states it."""
    needs = []
    for asset in portfolio.active():
        for name in asset.series_needed:
            if isinstance(asset, GridConnection) and name in PRICES:
                if asset.tariff_id is None and getattr(asset, name) is None:
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
    findings = []
    for asset in connections:
        at = assets.index(asset.id)
        stated = _stated_prices(asset, portfolio, horizon)
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
        for name, values in columns.items()
    }
    return filled.assign(prices) if connections else filled


def _stated_prices(asset: GridConnection, portfolio: Portfolio, horizon: Horizon) -> dict[str, np.ndarray]:
    if asset.tariff_id is not None:
        timezone = portfolio.site(asset.site_id).timezone
        return dict(zip(PRICES, energy_prices(portfolio.tariff(asset.tariff_id), horizon, timezone), strict=True))
    return {name: np.full(len(horizon), getattr(asset, name)) for name in PRICES if getattr(asset, name) is not None}
