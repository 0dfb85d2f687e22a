"""RollingCase: what a closed loop runs on: assets, what truly comes, when decisions are made, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import xarray as xr

from ems.assets.battery import Battery
from ems.assets.grid_connection import GridConnection
from ems.assets.load import Load
from ems.assets.portfolio import Portfolio
from ems.assets.variable_renewable import VariableRenewable
from ems.display import Card, Shown, counted, shown_time
from ems.errors import InvalidInput
from ems.horizon import Horizon

Key = tuple[str, str]
"""Asset and name of a series."""
Kind = Literal["load", "solar", "price"]
TerminalValue = Literal["none", "keep", "mean_price", "quantiles", "duals"]
DemandValue = Literal["none", "increment", "rest_of_period"]
Control = Literal["follow", "setpoint"]
KIND_OF = {
    "demand_kw": "load",
    "available_kw": "solar",
    "import_price_per_kwh": "price",
    "export_price_per_kwh": "price",
}
"""Series that are forecast, by name; others are known."""


@dataclass(frozen=True)
class RollingSettings:
    """How windows are planned and carried out.

    Parameters
    ----------
    horizon_h, step_h, decide_every_h : float
        Length of a window, of its steps, and the time between two decisions.
    terminal_value : str
        What energy is worth at the end of a window: ``none``; ``keep``: as much as at its beginning is asked for;
        ``mean_price``; ``quantiles`` of past prices; ``duals`` of a longer coarse plan.
    demand_value : str
        What a kW of peak costs in a window: ``none``; ``increment``: the whole price above the peak so far;
        ``rest_of_period``: less, where the rest of the period is likely to have such a peak anyway.
    control : str
        ``follow``: batteries hold the sign of the planned exchange with the grid; ``setpoint``: their planned power.
    prices_known : str
        ``always``, as by contract; ``day_ahead``: until the end of the next local day, from the hour of publication.
    published_at_h : float
        Local hour at which the prices of the next day are published.
    careful_level : float, optional
        Probability level of the energy needed until any step that own forecasts are planned with; 0.5 is the middle,
        None takes the one that prices ask for, see `ems.studies.rolling_care`.
    scenarios : int
        Of the stochastic plan.
    cvar_weight, cvar_level : float
        Weight on the dearest scenarios, and the share of those that are not among them.
    calm_price_per_kwh : float
        Price of each kWh by which a battery leaves the plan before.
    seed : int
    """

    horizon_h: float = 36.0
    step_h: float = 1.0
    decide_every_h: float = 1.0
    terminal_value: TerminalValue = "quantiles"
    demand_value: DemandValue = "rest_of_period"
    control: Control = "follow"
    prices_known: Literal["always", "day_ahead"] = "always"
    published_at_h: float = 13.0
    careful_level: float | None = None
    scenarios: int = 10
    cvar_weight: float = 0.0
    cvar_level: float = 0.9
    calm_price_per_kwh: float = 0.0
    seed: int = 0

    def but(self, **changes: object) -> RollingSettings:
        """Return the settings with some changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Optimum:
    """What perfect foresight does, as far as a window can be told of it.

    Parameters
    ----------
    contents_kwh : mapping of str to ndarray (steps + 1,)
        By battery.
    peaks_kw : mapping of str to ndarray (periods,)
        By connection and charge.
    """

    contents_kwh: Mapping[str, np.ndarray]
    peaks_kw: Mapping[str, np.ndarray]


@dataclass(frozen=True, repr=False)
class RollingCase(Shown):
    """A site or several over a time in which decisions are made again and again.

    Parameters
    ----------
    portfolio : Portfolio
    times : DatetimeIndex
        Beginnings of the steps of all that was measured, UTC without zone; from before the loop to its end or beyond.
    truth : mapping of (asset, name) to ndarray (times,)
        What was measured, and all prices.
    begin, steps : int
        First step of the loop and number of its steps.
    settings : RollingSettings
    optimum : Optimum, optional
        What perfect foresight does, for plans that are told how to end.
    """

    portfolio: Portfolio
    times: pd.DatetimeIndex
    truth: Mapping[Key, np.ndarray]
    begin: int
    steps: int
    settings: RollingSettings = RollingSettings()
    optimum: Optimum | None = None

    def caption(self) -> str:
        """Return what it is about."""
        return f"Decisions over {self.steps * self.step_h:,.6g} h for {counted(len(self.portfolio.assets), 'asset')}"

    def card(self) -> Card:
        """Return when decisions are made, how often, and how far each plan looks."""
        zone = ZoneInfo(self.portfolio.sites[0].timezone)
        begin, end = (shown_time(one.astimezone(zone)) for one in (self.horizon.start, self.horizon.end))
        settings = self.settings
        return Card(
            self.caption(),
            [
                ("begins", begin),
                ("ends", end),
                ("decisions", f"{len(self.decisions):,}, one every {settings.decide_every_h:g} h"),
                ("each plan", f"{settings.horizon_h:g} h in steps of {settings.step_h:g} h"),
            ],
        )

    def __post_init__(self) -> None:
        findings = []
        if self.begin < 0 or self.steps < 1 or self.begin + self.steps > len(self.times):
            findings.append(
                f"{self.steps} steps from step {self.begin} on are not within the {len(self.times)} that are measured"
            )
        names = {"step_h": self.settings.step_h, "decide_every_h": self.settings.decide_every_h}
        for name, value in names.items():
            share = value / self.step_h
            if share < 1 - 1e-9 or abs(share - round(share)) > 1e-9:
                findings.append(f"{name} = {value:g} h: must be a whole number of measured steps of {self.step_h:g} h")
        share = self.settings.horizon_h / self.settings.step_h
        if abs(share - round(share)) > 1e-9 or share < 1:
            findings.append(f"horizon_h = {self.settings.horizon_h:g} h: must be a whole number of steps")
        if self.settings.decide_every_h > self.settings.horizon_h:
            findings.append(
                f"decide_every_h = {self.settings.decide_every_h:g} h: must be at most horizon_h, the plan's end"
            )
        if findings:
            raise InvalidInput("the rolling plan", findings)

    @classmethod
    def of(
        cls,
        portfolio: Portfolio,
        series: xr.Dataset,
        start: np.datetime64 | pd.Timestamp,
        length_h: float,
        settings: RollingSettings | None = None,
    ) -> RollingCase:
        """Return the case of a dataset (time, asset) with all prices, as `ems.assets.prices.with_prices` makes it."""
        times = pd.DatetimeIndex(series.time.to_numpy()).as_unit("ns")
        step_h = (times[1] - times[0]) / pd.Timedelta(hours=1)
        truth: dict[Key, np.ndarray] = {}
        for name, column in series.data_vars.items():
            table = column.transpose("asset", "time").to_numpy().astype(float)
            for place, asset_id in enumerate(series.asset.values):
                if np.isfinite(table[place]).any():
                    truth[str(asset_id), str(name)] = table[place]
        begin = int(np.searchsorted(times.to_numpy(), np.datetime64(pd.Timestamp(start), "ns")))
        return cls(portfolio, times, truth, begin, round(length_h / step_h), settings or RollingSettings())

    def earlier(self, days: int) -> RollingCase:
        """Return the case whose decisions begin as many days before as were measured, at most so many."""
        per_day = round(24 / self.step_h)
        moved = min(days, self.begin // per_day - 1) * per_day
        moved = max(moved - moved % self.per_decision, 0)
        return replace(self, begin=self.begin - moved, steps=self.steps + moved)

    def but(self, **changes: object) -> RollingCase:
        """Return the case with some settings changed."""
        return replace(self, settings=self.settings.but(**changes))

    def told(self, optimum: Optimum) -> RollingCase:
        """Return the case whose windows are told how perfect foresight ends."""
        return replace(self, optimum=optimum)

    @cached_property
    def step_h(self) -> float:
        """Length of a measured step in hours."""
        return float((self.times[1] - self.times[0]) / pd.Timedelta(hours=1))

    @cached_property
    def window_steps(self) -> int:
        """Measured steps of a window."""
        return round(self.settings.horizon_h / self.step_h)

    @cached_property
    def per_step(self) -> int:
        """Measured steps of a window's step."""
        return round(self.settings.step_h / self.step_h)

    @cached_property
    def per_decision(self) -> int:
        """Measured steps between two decisions."""
        return round(self.settings.decide_every_h / self.step_h)

    @cached_property
    def decisions(self) -> np.ndarray:
        """Positions in `times` at which decisions are made."""
        return np.arange(self.begin, self.begin + self.steps, self.per_decision)

    @cached_property
    def horizon(self) -> Horizon:
        """Horizon of the whole loop."""
        return self.horizon_at(self.begin, self.steps)

    @cached_property
    def timezone(self) -> str:
        """Time zone of the first site."""
        return self.portfolio.sites[0].timezone

    def horizon_at(self, begin: int, steps: int, per_step: int = 1) -> Horizon:
        """Return the horizon of so many steps from a position, each of several measured ones."""
        start = self.times[0].to_pydatetime().replace(tzinfo=None) + begin * pd.Timedelta(hours=self.step_h)
        aware = pd.Timestamp(start).tz_localize("UTC").to_pydatetime()
        return Horizon(aware, (self.step_h * per_step,) * steps)

    def window_horizon(self, begin: int) -> Horizon:
        """Return the horizon of the window that begins at a position."""
        return self.horizon_at(begin, self.window_steps // self.per_step, self.per_step)

    @cached_property
    def batteries(self) -> tuple[Battery, ...]:
        """The batteries that take part."""
        return tuple(one for one in self.portfolio.active() if isinstance(one, Battery))

    @cached_property
    def connections(self) -> tuple[GridConnection, ...]:
        """The grid connections that take part."""
        return tuple(one for one in self.portfolio.active() if isinstance(one, GridConnection))

    @cached_property
    def kinds(self) -> dict[Key, Kind]:
        """What kind each series is that must be forecast; prices that never change are none."""
        found: dict[Key, Kind] = {}
        known = {one.id for one in self.portfolio.active()}
        for key, values in self.truth.items():
            kind = KIND_OF.get(key[1])
            if key[0] not in known or kind is None or (kind == "price" and self._is_contract(key, values)):
                continue
            found[key] = kind  # type: ignore[assignment]
        return found

    def _is_contract(self, key: Key, values: np.ndarray) -> bool:
        """Return whether a price is known for all time: by contract, or because it never changes."""
        if self.settings.prices_known == "always" or np.ptp(values[np.isfinite(values)]) == 0:
            return True
        connection = next(one for one in self.connections if one.id == key[0])
        return connection.tariff_id is not None and not self.portfolio.tariff(connection.tariff_id).price_series

    def net_kw(self, site_id: str) -> np.ndarray:
        """Return demand less available generation of a site, shape (times,)."""
        total = np.zeros(len(self.times))
        for asset in self.portfolio.active():
            if asset.site_id == site_id and isinstance(asset, Load):
                total += self.truth[asset.id, "demand_kw"]
            elif asset.site_id == site_id and isinstance(asset, VariableRenewable):
                total -= self.truth[asset.id, "available_kw"]
        return total

    def local_days(self) -> np.ndarray:
        """Return the local day of each step as a number that rises by one a day, shape (times,)."""
        local = self.times.tz_localize("UTC").tz_convert(self.timezone).tz_localize(None).normalize()
        days: np.ndarray = local.to_numpy().astype("datetime64[D]").astype(int)
        return days

    def stored_energy_price(self) -> float:
        """Return what a kWh in a battery is worth at the end of the loop: the mean price of imports over the loop."""
        window = slice(self.begin, self.begin + self.steps)
        prices = [self.truth[one.id, "import_price_per_kwh"][window].mean() for one in self.connections]
        return float(np.mean(prices))

    @cached_property
    def settled(self) -> Portfolio:
        """The portfolio by which all policies are settled: what is left in a battery is worth the same for all."""
        price = self.stored_energy_price()

        def free(asset: object) -> object:
            if not isinstance(asset, Battery):
                return asset
            worth = max(price * asset.discharge_efficiency - asset.degradation_cost_per_kwh, 0.0)
            return asset.replace(final_soc_rule="free", soc_targets=(), final_energy_value_per_kwh=worth)

        return self.portfolio.replace(assets=tuple(map(free, self.portfolio.assets)))
