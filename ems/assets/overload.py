"""Demand above what a load is built for: a sign of a wrong unit or column."""

from __future__ import annotations

import warnings

import xarray as xr

from ems.assets.load import Load
from ems.assets.portfolio import Portfolio
from ems.errors import EmsWarning


def warn_of_overload(portfolio: Portfolio, series: xr.Dataset) -> None:
    """Warn, and note in the series, where the demand of a load is above its rated power."""
    for asset in portfolio.active():
        if not isinstance(asset, Load) or "demand_kw" not in series or asset.id not in series.asset:
            continue
        highest_kw = float(series.demand_kw.sel(asset=asset.id).max())
        if highest_kw > asset.rated_load_kw:
            words = (
                f"demand_kw of '{asset.id}' reaches {highest_kw:g} kW, above "
                f"rated_load_kw = {asset.rated_load_kw:g} kW; check the unit of its column"
            )
            warnings.warn(words, EmsWarning, stacklevel=2)
            series.attrs.setdefault("notes", []).append(words)
