"""DispatchProblem: what a dispatch is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import xarray as xr

from ems.assets.asset import Asset, AssetInputs
from ems.assets.generator import Generator
from ems.assets.grid_connection import GridConnection
from ems.assets.group import Group, GroupMember, members_of
from ems.assets.group_limits import group_findings
from ems.assets.portfolio import AnyAsset, Portfolio
from ems.assets.reserve import ReserveRequirement
from ems.dispatch.formulation.reserves import gives_reserve
from ems.dispatch.goal import Goal
from ems.dispatch.outages import with_outages
from ems.display import Card, Shown, counted, shown_range, shown_time
from ems.errors import InvalidInput, MissingValues
from ems.horizon import Horizon
from ems.units import unit_of

AS_ONE = "virtual-power-plant"
"""Id of the group that is added where all sites trade as one."""


@dataclass(frozen=True, repr=False)
class DispatchProblem(Shown):
    """Assets, time and series of one dispatch; its arguments stay as they were.

    Parameters
    ----------
    portfolio : Portfolio
        Only its active assets take part. Where the goal changes assets, as an economic dispatch takes every
        generator as running, these are the changed ones.
    horizon : Horizon
    series : Dataset (time, asset)
        The series that the assets need, on the horizon's steps: demand, available power, prices; outages of the
        goal are worked in.
    goal : Goal
        What the dispatch is for.

    Raises
    ------
    InvalidInput
        If a series is absent, has gaps, or lies on other steps, or if an asset cannot do what it should within
        the horizon.
    """

    portfolio: Portfolio
    horizon: Horizon
    series: xr.Dataset
    goal: Goal = field(default_factory=lambda: Goal.from_mapping({}))

    def __post_init__(self) -> None:
        object.__setattr__(self, "portfolio", _adapted(self.portfolio, self.goal))
        findings = [
            f"{asset.kind} '{asset.id}': {finding}"
            for asset in self.assets
            for finding in asset.check_horizon(self.horizon)
        ]
        if not self.assets:
            findings.append("no asset is active")
        kinds = {asset.id: type(asset) for asset in self.portfolio.assets}
        findings += group_findings(self.portfolio.groups, self.portfolio.members, kinds)
        known = {asset.id for asset in self.assets}
        findings += [
            f"outage of '{one.asset_id}': no such active asset"
            for one in self.goal.outages
            if one.asset_id not in known
        ]
        if findings:
            raise InvalidInput("this dispatch", findings)
        if "time" in self.series.dims and not np.array_equal(
            self.series.time.to_numpy().astype("datetime64[ns]"), self.horizon.times.to_numpy()
        ):
            raise InvalidInput(
                "the series", "its times are not the horizon's; cut it with ems.series.cutting.cut_series"
            )
        series = with_outages(self.series, self.assets, self.horizon, self.goal.outages)
        object.__setattr__(self, "series", series)
        for asset in self.assets:
            self._series_of(asset)

    def caption(self) -> str:
        """Return what is asked, of how many assets, for how long."""
        kind = self.goal.optimization_type.replace("_", " ")
        return f"{kind} of {counted(len(self.assets), 'asset')} over {self.horizon.length_h:,.6g} h"

    def card(self) -> Card:
        """Return goal, time by the first site's clocks, and each series with its least, mean and greatest value."""
        zone = ZoneInfo(self.portfolio.sites[0].timezone)
        rows = [
            ("least is", self.goal.objective.replace("_", " ")),
            ("begins", shown_time(self.horizon.start.astimezone(zone))),
            ("ends", shown_time(self.horizon.end.astimezone(zone))),
            ("steps", self.horizon.caption().split(" from ")[0]),
        ]
        for name, values in self._columns.items():
            unit, known = unit_of(name, self.portfolio.currency), values[np.isfinite(values)]
            if known.size:
                rows.append((name, shown_range(known.tolist(), "" if unit in (None, "1") else str(unit))))
        return Card(f"Dispatch: {self.caption()}", rows)

    @cached_property
    def assets(self) -> tuple[AnyAsset, ...]:
        """The assets that take part."""
        return self.portfolio.active()

    @cached_property
    def _columns(self) -> dict[str, np.ndarray]:
        """Each variable of the series as an array (asset, steps)."""
        return {
            str(name): np.ascontiguousarray(column.transpose("asset", "time").to_numpy().astype(float))
            for name, column in self.series.data_vars.items()
        }

    @cached_property
    def _places(self) -> dict[str, int]:
        names = self.series.asset.values if "asset" in self.series.coords else ()
        return {str(name): place for place, name in enumerate(names)}

    def _series_of(self, asset: Asset) -> dict[str, np.ndarray]:
        values = {}
        place = self._places.get(asset.id)
        for name in (*asset.series_needed, *asset.series_optional):
            is_needed = name in asset.series_needed
            if name not in self._columns or place is None:
                if is_needed:
                    raise MissingValues(f"{name} of '{asset.id}'", "is not in the series")
                continue
            array = self._columns[name][place]
            is_bad = ~np.isfinite(array)
            if not is_needed and is_bad.all():
                continue
            if is_bad.any() and name not in asset.series_with_gaps:
                bad = np.flatnonzero(is_bad)
                raise MissingValues(
                    f"{name} of '{asset.id}'",
                    f"has {bad.size} gaps, the first at {self.horizon.times[bad[0]]:%Y-%m-%d %H:%M} UTC; "
                    "fill them first",
                )
            values[name] = array
        return values

    def inputs_of(self, asset: AnyAsset) -> AssetInputs:
        """Return what an asset's part of the dispatch is made of."""
        asked = [one for one in self.portfolio.reserves if gives_reserve(asset, one)]
        hours = {
            way: max((one.duration_h for one in asked if one.direction == way), default=None) for way in ("up", "down")
        }
        fees = [
            group.sharing_fee_per_kwh
            for group, members in self.limited_groups()
            if group.sharing_fee_per_kwh is not None and asset in members
        ]
        shares = bool(fees) and isinstance(asset, GridConnection)
        tariff_id = asset.tariff_id if isinstance(asset, GridConnection) else None
        return AssetInputs(
            self.horizon,
            self._series_of(asset),
            timezone=self._timezones[asset.site_id],
            reserve_up_h=hours["up"],
            reserve_down_h=hours["down"],
            shares_energy=shares,
            sharing_fee_per_kwh=min(fees) if shares else 0.0,
            market_period_h=self.goal.market_period_h if self.goal.optimization_type == "procurement" else None,
            tariff=None if tariff_id is None else self.portfolio.tariff(tariff_id),
        )

    @cached_property
    def _timezones(self) -> dict[str, str]:
        return {site.id: site.timezone for site in self.portfolio.sites}

    @cached_property
    def _limited_groups(self) -> tuple[tuple[Group, list[AnyAsset]], ...]:
        found = []
        for group in self.portfolio.groups:
            if group.is_limited or group.sharing_fee_per_kwh is not None:
                inside = members_of(group.id, self.portfolio.groups, self.portfolio.members)
                found.append((group, [asset for asset in self.assets if asset.id in inside]))
        return tuple(found)

    def limited_groups(self) -> Iterator[tuple[Group, list[AnyAsset]]]:
        """Give each group that limits or shares the power of its members, with those of them that take part."""
        yield from self._limited_groups

    def reserve(self, reserve_id: str) -> ReserveRequirement:
        """Return a reserve by its id."""
        return next(one for one in self.portfolio.reserves if one.id == reserve_id)

    def providers_of(self, reserve: ReserveRequirement) -> list[AnyAsset]:
        """Return the assets that may offer a reserve."""
        return [asset for asset in self.assets if gives_reserve(asset, reserve)]

    def requirement_kw(self, reserve: ReserveRequirement) -> np.ndarray:
        """Return the reserve that is required in each step, shape (steps,)."""
        place = self._places.get(reserve.id)
        if "reserve_requirement_kw" in self._columns and place is not None:
            values: np.ndarray = self._columns["reserve_requirement_kw"][place]
            if np.isfinite(values).all():
                return values
        if reserve.requirement_kw is None:
            raise MissingValues(
                f"reserve '{reserve.id}'", "requirement_kw is given neither as a number nor as a series without gaps"
            )
        return np.full(len(self.horizon), reserve.requirement_kw)

    def without(self, kind: str) -> DispatchProblem:
        """Return the same problem for a portfolio without the assets of a kind: the baseline of a what-if."""
        portfolio = self.portfolio.without(kind)
        changes: dict[str, Any] = {"outages": ()}  # the series hold them already
        if self.goal.optimization_type == "unit_commitment" and kind == "generator":
            changes["optimization_type"] = "battery_dispatch"
        return replace(self, portfolio=portfolio, goal=self.goal.replace(**changes))


def _adapted(portfolio: Portfolio, goal: Goal) -> Portfolio:
    """Return the portfolio as the goal sees it."""
    if goal.optimization_type == "unit_commitment" and not any(
        isinstance(one, Generator) for one in portfolio.active()
    ):
        raise InvalidInput("optimization_type = 'unit_commitment'", "no generator is active; choose battery_dispatch")
    if goal.optimization_type == "economic_dispatch":
        return portfolio.replace(
            assets=tuple(
                asset.replace(is_committable=False) if isinstance(asset, Generator) else asset
                for asset in portfolio.assets
            )
        )
    if goal.optimization_type == "vpp":
        connections = [one for one in portfolio.active() if isinstance(one, GridConnection)]
        if len(connections) < 2:
            raise InvalidInput(
                "optimization_type = 'vpp'", "needs grid connections at two sites or more; choose battery_dispatch"
            )
        return _as_one(portfolio, connections)
    return portfolio


def _as_one(portfolio: Portfolio, connections: list[GridConnection]) -> Portfolio:
    """Return the portfolio with its connections in one group that shares energy for nothing: one account."""
    if any(one.id == AS_ONE for one in portfolio.groups):
        return portfolio  # a copy of a problem that trades as one already
    shared = [one.id for one in portfolio.groups if one.sharing_fee_per_kwh is not None]
    if shared:
        raise InvalidInput(
            "optimization_type = 'vpp'",
            f"trades all sites as one, but group '{shared[0]}' shares energy at a fee; drop its sharing_fee_per_kwh",
        )
    group = Group(id=AS_ONE, name="Virtual power plant", group_type="vpp", sharing_fee_per_kwh=0.0)
    members = tuple(GroupMember(asset_id=one.id, group_id=group.id) for one in connections)
    return portfolio.replace(groups=(*portfolio.groups, group), members=(*portfolio.members, *members))
