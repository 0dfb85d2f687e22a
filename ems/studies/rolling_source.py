"""The case of a rolling study: what was measured, with all prices, before the loop and while it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ems.assets.prices import series_needs, with_prices
from ems.errors import InvalidInput
from ems.horizon import Horizon
from ems.series.cutting import cut_series
from ems.series.reading import read_series
from ems.studies.rolling_case import RollingCase
from ems.studies.study import start_in

if TYPE_CHECKING:
    import xarray as xr

    from ems.assets.portfolio import Portfolio
    from ems.studies.rolling import RollingStudy


def case_of(study: RollingStudy, portfolio: Portfolio) -> RollingCase:
    """Return the case of a study.

    Raises
    ------
    InvalidInput
        If the series cannot be used or does not cover the time.
    """
    timezone = portfolio.sites[0].timezone
    series = read_series(study.series_file(), series_needs(portfolio), portfolio.series, timezone)
    times = pd.DatetimeIndex(series.time.to_numpy())
    step_h = float((times[1] - times[0]) / pd.Timedelta(hours=1))
    is_known = _is_known(series, portfolio)
    end = int(np.flatnonzero(is_known)[-1]) + 1
    if study.start is None:
        at = max(0, end - round(study.length_h / step_h))
        start = times[at]
    else:
        start = pd.Timestamp(start_in(study.start, timezone)).tz_convert("UTC").tz_localize(None)
        at = int(times.searchsorted(start))
    last = start + pd.Timedelta(hours=study.length_h)
    if start < times[0] or last > times[end - 1] + pd.Timedelta(hours=step_h):
        raise InvalidInput(
            f"series {study.series_file().name}",
            f"is measured from {times[0]:%Y-%m-%d %H:%M} to {times[end - 1]:%Y-%m-%d %H:%M} UTC, decisions from "
            f"{start:%Y-%m-%d %H:%M} UTC over length_h = {study.length_h:g} h: must lie within; move start or shorten "
            "length_h",
        )
    # Forecasts learn from what was measured since the last gap; a gap within the loop is refused where it is cut.
    gaps = np.flatnonzero(~is_known[:at])
    first = int(gaps[-1]) + 1 if len(gaps) else 0
    horizon = Horizon.regular(times[first].tz_localize("UTC").to_pydatetime(), (end - first) * step_h, step_h)
    priced = with_prices(cut_series(series, horizon, portfolio.series), portfolio, horizon)
    return RollingCase.of(portfolio, priced, start, study.length_h, study.settings())


def _is_known(series: xr.Dataset, portfolio: Portfolio) -> np.ndarray:
    """Return whether everything that the assets need is measured, or filled by the site's rule, in each step."""
    known = np.ones(series.sizes["time"], dtype=bool)
    for need in series_needs(portfolio):
        if need.is_required and need.variable in series:
            known &= np.isfinite(series[need.variable].sel(asset=need.asset).to_numpy())
    return known
