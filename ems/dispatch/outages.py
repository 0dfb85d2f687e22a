"""Outages: what is left of the series of assets that are out of service for a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

import numpy as np
import xarray as xr

from ems.assets.asset import Asset
from ems.assets.load import Load
from ems.dispatch.goal import Outage
from ems.errors import InvalidInput
from ems.horizon import Horizon

POWERS: Mapping[str, Mapping[str, str]] = {
    "battery": {"max_charge_kw": "charge_limit_kw", "max_discharge_kw": "discharge_limit_kw"},
    "ev_charger": {"max_power_kw": "max_power_kw", "max_discharge_kw": "max_discharge_kw"},
    "generator": {"max_output_kw": "max_output_kw"},
    "grid_connection": {"max_import_kw": "import_limit_kw", "max_export_kw": "export_limit_kw"},
    "load": {"demand_kw": ""},
    "solar_pv": {"available_kw": ""},
    "wind_turbine": {"available_kw": ""},
}
"""What falls to nothing while an asset of a kind is out, and the limit in service where no series gives one."""


def in_service_share(outages: Iterable[Outage], asset_id: str, horizon: Horizon) -> np.ndarray:
    """Return the share of each step in which an asset is in service, shape (steps,)."""
    begin = horizon.boundaries.to_numpy()
    out_h = np.zeros(len(horizon))
    spans = sorted((_utc(one.begin), _utc(one.end)) for one in outages if one.asset_id == asset_id)
    covered_until = begin[0]
    for first, last in spans:
        from_here = max(first, covered_until)  # outages that overlap count once
        overlap = np.minimum(begin[1:], last) - np.maximum(begin[:-1], from_here)
        out_h += np.clip(overlap / np.timedelta64(3600, "s"), 0, None)
        covered_until = max(covered_until, last)
    share: np.ndarray = 1 - out_h / horizon.step_h
    return share


def with_outages(
    series: xr.Dataset, assets: Iterable[Asset], horizon: Horizon, outages: tuple[Outage, ...]
) -> xr.Dataset:
    """Return the series with the powers of assets that are out reduced to the share of a step in which they are in.

    Raises
    ------
    InvalidInput
        If an asset is out whose powers no series can reduce.
    """
    stated = "; ".join(f"{one.asset_id} {one.begin.isoformat()} to {one.end.isoformat()}" for one in outages)
    if series.attrs.get("outages", "") == stated:
        return series  # worked in already, when the problem was made that this one is a copy of
    for asset in assets:
        if not any(one.asset_id == asset.id for one in outages):
            continue
        share = in_service_share(outages, asset.id, horizon)
        if isinstance(asset, Load) and asset.shiftable is not None:
            is_allowed = _given(series, "shiftable_is_allowed", asset.id)
            if is_allowed is None:
                is_allowed = asset.shiftable.allowed_steps(horizon).astype(float)
            series = _with(series, horizon, "shiftable_is_allowed", asset.id, np.where(share < 1, 0.0, is_allowed))
            continue
        if isinstance(asset, Load) and asset.thermal is not None:
            raise InvalidInput(
                f"outage of '{asset.id}'", "a zone cannot be without heating or cooling; take its source out instead"
            )
        for name, limit in POWERS[asset.kind].items():
            power_kw = _given(series, name, asset.id)
            if power_kw is None and limit:
                power_kw = np.full(len(horizon), float(getattr(asset, limit)))
            if power_kw is not None:  # a needed series that is not there is missed by who needs it
                series = _with(series, horizon, name, asset.id, power_kw * share)
    return series.assign_attrs(outages=stated)


def _given(series: xr.Dataset, name: str, asset_id: str) -> np.ndarray | None:
    """Return a series of an asset, shape (steps,), or None where it has none."""
    if name not in series or asset_id not in [str(one) for one in series.asset.values]:
        return None
    values: np.ndarray = series[name].sel(asset=asset_id).to_numpy().astype(float)
    return None if np.isnan(values).all() else values


def _with(series: xr.Dataset, horizon: Horizon, name: str, asset_id: str, values: np.ndarray) -> xr.Dataset:
    """Return the series with one of an asset replaced."""
    names = [str(one) for one in series.asset.values] if "asset" in series.coords else []
    if asset_id not in names:
        names.append(asset_id)
        series = series.reindex(asset=names) if "asset" in series.dims else series.assign_coords(asset=names)
    column, attrs = np.full((len(horizon), len(names)), np.nan), {}
    if name in series:
        column, attrs = series[name].transpose("time", "asset").to_numpy().copy(), series[name].attrs
    column[:, names.index(asset_id)] = values
    return series.assign({name: (("time", "asset"), column, attrs)})


def _utc(moment: dt.datetime) -> np.datetime64:
    return np.datetime64(moment.astimezone(dt.UTC).replace(tzinfo=None), "ns")
