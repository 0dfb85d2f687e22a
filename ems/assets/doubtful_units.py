"""Power above what an asset is built for, and prices above what a kWh costs: signs of a wrong unit or column."""

from __future__ import annotations

import warnings

import xarray as xr

from ems.assets.grid_connection import GridConnection
from ems.assets.load import Load
from ems.assets.portfolio import Portfolio
from ems.assets.prices import PRICES
from ems.assets.variable_renewable import VariableRenewable
from ems.errors import EmsWarning
from ems.series.plausibility import DOUBTFUL_PRICE_PER_KWH

OVERSHOOT = 1.05
"""Generation may be this much above its rating: on a cold clear day, in a gust, by the error of a meter."""
DEAR_CURRENCIES = frozenset({"AUD", "CAD", "CHF", "EUR", "GBP", "NZD", "SGD", "USD"})
"""Currencies of which a kWh costs less than one unit; of others it may cost a hundred."""


def warn_of_overload(portfolio: Portfolio, series: xr.Dataset) -> None:
    """Warn, and note in the series, where a load or a solar or wind plant is above its rated power."""
    for asset in portfolio.active():
        if isinstance(asset, Load):
            variable, field, most_kw = "demand_kw", "rated_load_kw", asset.rated_load_kw
        elif isinstance(asset, VariableRenewable):
            variable, field, most_kw = "available_kw", "rated_capacity_kw", asset.rated_capacity_kw * OVERSHOOT
        else:
            continue
        if variable not in series or asset.id not in series.asset:
            continue
        highest_kw = float(series[variable].sel(asset=asset.id).max())
        if highest_kw > most_kw:
            words = (
                f"{variable} of '{asset.id}' reaches {highest_kw:g} kW, above "
                f"{field} = {getattr(asset, field):g} kW; check the unit of its column"
            )
            _warn(words, series)


def warn_of_prices(portfolio: Portfolio, priced: xr.Dataset) -> None:
    """Warn, and note in the series, where a tariff or a connection states a price as it is usual per MWh.

    Parameters
    ----------
    portfolio : Portfolio
    priced : Dataset (time, asset)
        From `with_prices`; prices of a file were looked at when it was read.
    """
    if portfolio.currency not in DEAR_CURRENCIES:
        return
    for asset in portfolio.active():
        if not isinstance(asset, GridConnection):
            continue
        for name in PRICES:
            if asset.tariff_id is None and getattr(asset, name) is None:
                continue
            highest = float(abs(priced[name].sel(asset=asset.id)).max())
            if highest > DOUBTFUL_PRICE_PER_KWH:
                source = f"tariff '{asset.tariff_id}'" if asset.tariff_id is not None else "site file"
                _warn(
                    f"{name} of '{asset.id}' in the {source} reaches {highest:g} {portfolio.currency}/kWh; this looks "
                    "like a price per MWh, of which a thousandth is that per kWh",
                    priced,
                )


def _warn(words: str, series: xr.Dataset) -> None:
    warnings.warn(words, EmsWarning, stacklevel=3)
    series.attrs.setdefault("notes", []).append(words)
