"""Ledger and Replay: what the settlement of each kind of asset writes its lines and findings into."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from ems.assets.asset import Asset
from ems.assets.portfolio import Portfolio

TOLERANCE = 1e-5
"""In kW and kWh: an order above the solvers' feasibility tolerance of 1e-6, as tolerances of several steps add up."""
RELATIVE_TOLERANCE = 1e-8
"""Of the largest number in a law, for plants so large that TOLERANCE is below the rounding of a float."""


@dataclass(frozen=True)
class Schedule:
    """A schedule as a dispatch or a meter gives it, and the series that it belongs to.

    Parameters
    ----------
    flows : Dataset (time, asset)
        The coordinate ``step_h`` gives the length of each step.
    series : Dataset (time, asset)
        Demand, available power, prices, and limits that change with time.
    portfolio : Portfolio
    """

    flows: xr.Dataset
    series: xr.Dataset
    portfolio: Portfolio

    @property
    def step_h(self) -> np.ndarray:
        """Length of each step in hours."""
        values: np.ndarray = self.flows.step_h.to_numpy()
        return values

    @property
    def times(self) -> np.ndarray:
        """Beginning of each step, UTC without zone."""
        values: np.ndarray = self.flows.time.to_numpy()
        return values

    def has(self, name: str, asset_id: str) -> bool:
        """Return whether an asset has a flow of that name."""
        return name in self.flows and not np.isnan(self.flows[name].sel(asset=asset_id).to_numpy()).all()

    def flow(self, name: str, asset_id: str) -> np.ndarray:
        """Return a flow of an asset, shape (steps,)."""
        values: np.ndarray = self.flows[name].sel(asset=asset_id).to_numpy()
        return values

    def given(self, name: str, asset_id: str) -> np.ndarray:
        """Return a series of an asset, shape (steps,)."""
        values: np.ndarray = self.series[name].sel(asset=asset_id).to_numpy()
        return values

    def over_steps(self, asset: Asset, name: str) -> np.ndarray:
        """Return a field of an asset in each step: its series where there is one, else the field's number."""
        if name in self.series and asset.id in self.series.asset.values:
            values = self.given(name, asset.id)
            if not np.isnan(values).all():
                return values
        return np.full(len(self.step_h), float(getattr(asset, name)))


@dataclass(frozen=True)
class Ledger(Schedule):
    """A schedule whose bill is being written."""

    lines: list[tuple[str, str, float, str, float]] = field(default_factory=list)

    def add(self, asset_id: str, cost_type: str, quantity: float, unit: str, cost: float) -> None:
        """Write a line: what it is, how much of it, in which unit, and its cost (an income is negative)."""
        self.lines.append((asset_id, cost_type, float(quantity), unit, float(cost)))

    def add_energy(self, asset_id: str, cost_type: str, power_kw: np.ndarray, price_per_kwh: np.ndarray) -> None:
        """Write a line for the energy of a power at a price, both of shape (steps,)."""
        energy_kwh = power_kw * self.step_h
        self.add(asset_id, cost_type, energy_kwh.sum(), "kWh", energy_kwh @ price_per_kwh)


@dataclass(frozen=True)
class Replay(Schedule):
    """A schedule under check, and the laws found broken so far."""

    found: list[str] = field(default_factory=list)

    def power(self, name: str, asset_id: str) -> np.ndarray:
        """Return a flow that may not be negative."""
        values = self.flow(name, asset_id)
        self.note(asset_id, f"{name} is negative", -values)
        return values

    def note(self, asset_id: str, law: str, excess: np.ndarray, unit: str = "kW", scale: float = 0.0) -> None:
        """Note a law that is broken where ``excess``, shape (steps,), is above the tolerance, with the worst step.

        ``scale`` is the largest number in the law, where that may be large.
        """
        if not len(excess):
            return
        worst = int(np.argmax(excess))
        # A NaN is a value that nobody can check, and counts as broken.
        if not np.all(excess <= TOLERANCE + RELATIVE_TOLERANCE * abs(scale)):
            when = np.datetime_as_string(self.times[min(worst, len(self.times) - 1)], unit="m").replace("T", " ")
            self.found.append(f"'{asset_id}': {law} by {excess[worst]:.6g} {unit} at {when} UTC")

    def note_ramps(
        self, asset_id: str, power_kw: np.ndarray, up_kw_per_s: float | None, down_kw_per_s: float | None
    ) -> None:
        """Note where a power changes faster, from the middle of a step to that of the next, than it may."""
        seconds = (self.step_h[1:] + self.step_h[:-1]) / 2 * 3600
        change = np.diff(power_kw)
        for word, rate, sign in (("rises", up_kw_per_s, 1), ("falls", down_kw_per_s, -1)):
            if rate is not None and len(change):
                excess = np.concatenate(([0.0], sign * change - rate * seconds))
                self.note(asset_id, f"{word} faster than {rate:g} kW/s", excess)
