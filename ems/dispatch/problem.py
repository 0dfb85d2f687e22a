"""DispatchProblem: what a dispatch is asked."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from ems.assets.asset import AssetInputs
from ems.assets.portfolio import AnyAsset, Portfolio
from ems.errors import InvalidInput, MissingValues
from ems.horizon import Horizon


@dataclass(frozen=True)
class DispatchProblem:
    """Assets, time and series of one dispatch; its arguments stay as they were.

    Parameters
    ----------
    portfolio : Portfolio
        Only its active assets take part.
    horizon : Horizon
    series : Dataset (time, asset)
        The series that the assets need, on the horizon's steps: demand, available power, prices.

    Raises
    ------
    InvalidInput
        If a series is absent, has gaps, or lies on other steps, or if an asset cannot do what it should within
        the horizon.
    """

    portfolio: Portfolio
    horizon: Horizon
    series: xr.Dataset

    def __post_init__(self) -> None:
        findings = [
            f"{asset.kind} '{asset.id}': {finding}"
            for asset in self.assets
            for finding in asset.check_horizon(self.horizon)
        ]
        if not self.assets:
            findings.append("no asset is active")
        if findings:
            raise InvalidInput("this dispatch", findings)
        if "time" in self.series.dims and not np.array_equal(
            self.series.time.to_numpy().astype("datetime64[ns]"), self.horizon.times.to_numpy()
        ):
            raise InvalidInput(
                "the series", "its times are not the horizon's; cut it with ems.series.cutting.cut_series"
            )
        for asset in self.assets:
            self.inputs_of(asset)

    @property
    def assets(self) -> tuple[AnyAsset, ...]:
        """The assets that take part."""
        return self.portfolio.active()

    def inputs_of(self, asset: AnyAsset) -> AssetInputs:
        """Return what an asset's part of the dispatch is made of."""
        values = {}
        for name in asset.series_needed:
            if name not in self.series or asset.id not in self.series.asset.values:
                raise MissingValues(f"{name} of '{asset.id}'", "is not in the series")
            array: np.ndarray = self.series[name].sel(asset=asset.id).to_numpy().astype(float)
            bad = np.flatnonzero(~np.isfinite(array))
            if bad.size:
                raise MissingValues(
                    f"{name} of '{asset.id}'",
                    f"has {bad.size} gaps, the first at {self.horizon.times[bad[0]]:%Y-%m-%d %H:%M} UTC; "
                    "fill them first",
                )
            values[name] = array
        return AssetInputs(self.horizon, values)

    def without(self, kind: str) -> DispatchProblem:
        """Return the same problem for a portfolio without the assets of a kind: the baseline of a what-if."""
        return replace(self, portfolio=self.portfolio.without(kind))
