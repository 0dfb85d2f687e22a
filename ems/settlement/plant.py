"""Plant: a site run step by step on what truly comes, with its losses and limits, by orders of a plan or a rule.

An order is a power for each battery and a band for the exchange with the grid. The battery keeps its power as long as
the exchange stays in the band, and leaves it as far as needed where not, as an inverter does that watches the meter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ems.assets.battery import Battery
from ems.assets.grid_connection import GridConnection
from ems.assets.load import Load
from ems.assets.portfolio import Portfolio
from ems.assets.variable_renewable import VariableRenewable
from ems.settlement.battery import content_of
from ems.settlement.self_consumption import tapered

Truth = Mapping[tuple[str, str], np.ndarray]
"""What truly comes, by asset and name, shape (steps,)."""


@dataclass(frozen=True)
class Order:
    """What a plan or a rule asks of a site in a step.

    Parameters
    ----------
    powers_kw : mapping of str to float
        Of each battery at the bus, discharging above zero.
    least_kw, most_kw : float
        Band of the exchange with the grid, import above zero, that batteries shall hold.
    most_export_kw : float
        Export above which renewables are curtailed, where they may be.
    """

    powers_kw: Mapping[str, float] = field(default_factory=dict)
    least_kw: float = -math.inf
    most_kw: float = math.inf
    most_export_kw: float = math.inf


@dataclass(frozen=True)
class _Store:
    """A battery with its limits in each step as plain numbers."""

    battery: Battery
    content_kwh: float
    most_charge_kw: list[float]
    most_discharge_kw: list[float]
    lowest_kwh: list[float]
    highest_kwh: list[float]
    drain_kw: list[float]
    kept: float

    def range_kw(self, t: int, energy_kwh: float, step_h: float) -> tuple[float, float, float]:
        """Return the least and the most power into the bus, and the content after losses without any power."""
        battery = self.battery
        left = energy_kwh * self.kept - self.drain_kw[t] * step_h
        stored, taken = battery.charge_efficiency * step_h, step_h / battery.discharge_efficiency
        charge = min(self.most_charge_kw[t], max(self.highest_kwh[t] - left, 0.0) / stored)
        if battery.charge_taper and charge > 0:
            limits = (energy_kwh, left, stored)
            charge = tapered(battery.charge_taper, self.most_charge_kw[t], charge, limits, self.content_kwh)
        missing = max(self.lowest_kwh[t] - left, 0.0) / stored
        if missing > 0:  # its own losses must be made up
            return -charge, -min(missing, charge), left
        discharge = min(self.most_discharge_kw[t], max(left - self.lowest_kwh[t], 0.0) / taken)
        if battery.discharge_taper and discharge > 0:
            limits = (energy_kwh, left, -taken)
            discharge = tapered(
                battery.discharge_taper, self.most_discharge_kw[t], discharge, limits, self.content_kwh
            )
        return -charge, discharge, left

    def after_kwh(self, left_kwh: float, power_kw: float, step_h: float) -> float:
        """Return the content after a step."""
        if power_kw >= 0:
            return left_kwh - power_kw / self.battery.discharge_efficiency * step_h
        return left_kwh - power_kw * self.battery.charge_efficiency * step_h


class Plant:
    """One site with its true series.

    Parameters
    ----------
    portfolio : Portfolio
    site_id : str
    truth : mapping of (asset, name) to ndarray (steps,)
    steps : int
    step_h : float
    """

    def __init__(self, portfolio: Portfolio, site_id: str, truth: Truth, steps: int, step_h: float) -> None:
        self.site_id, self.step_h = site_id, step_h
        here = [asset for asset in portfolio.active() if asset.site_id == site_id]

        def over(asset: object, name: str) -> np.ndarray:
            given = truth.get((asset.id, name))  # type: ignore[attr-defined]
            return np.full(steps, float(getattr(asset, name))) if given is None else np.asarray(given, dtype=float)

        (self.connection,) = [asset for asset in here if isinstance(asset, GridConnection)]
        net_kw = np.full(steps, float(self.connection.transformer_losses_kw))
        self.renewables = [asset for asset in here if isinstance(asset, VariableRenewable)]
        self._available = {one.id: over(one, "available_kw").tolist() for one in self.renewables}
        for asset in here:
            if isinstance(asset, Load):
                net_kw = net_kw + over(asset, "demand_kw")
            elif isinstance(asset, VariableRenewable):
                net_kw = net_kw - over(asset, "available_kw")
            elif isinstance(asset, Battery):
                net_kw = net_kw + asset.auxiliary_load_kw
        self.net_kw: list[float] = net_kw.tolist()
        connection = self.connection
        factor = 1.0 if connection.min_power_factor is None else abs(connection.min_power_factor)
        carried = (
            math.inf if connection.transformer_capacity_kva is None else connection.transformer_capacity_kva * factor
        )
        self._most_import = np.minimum(over(connection, "max_import_kw"), carried) * connection.import_enabled
        self._most_export = (
            np.minimum(over(connection, "max_export_kw"), carried) * connection.export_enabled
        ).tolist()
        self._most_import = self._most_import.tolist()
        self.stores = [_store(asset, over, step_h) for asset in here if isinstance(asset, Battery)]

    def step(self, t: int, contents_kwh: dict[str, float], order: Order) -> dict[tuple[str, str], float]:
        """Return the flows of a step by asset and name, and move the contents on.

        Parameters
        ----------
        t : int
        contents_kwh : dict of str to float
            Energy in each battery at the beginning; at the end when it is done.
        order : Order
        """
        most_export = min(self._most_export[t], order.most_export_kw)
        least, most = max(order.least_kw, -self._most_export[t]), min(order.most_kw, self._most_import[t])
        ranges = [store.range_kw(t, contents_kwh[store.battery.id], self.step_h) for store in self.stores]
        powers = [
            min(max(order.powers_kw.get(store.battery.id, 0.0), low), high)
            for store, (low, high, _) in zip(self.stores, ranges, strict=True)
        ]
        exchange = self.net_kw[t] - sum(powers)
        for number, (low, high, _) in enumerate(ranges):
            if exchange > most:
                more = min(exchange - most, high - powers[number])
            elif exchange < least:
                more = max(exchange - least, low - powers[number])
            else:
                break
            powers[number] += more
            exchange -= more
        flows: dict[tuple[str, str], float] = {}
        for asset in self.renewables:
            available = self._available[asset.id][t]
            unused = 0.0
            if asset.is_curtailable and -exchange > most_export:
                unused = min(-exchange - most_export, max(available, 0.0))
                exchange += unused
            flows[asset.id, "used_kw"] = available - unused
            flows[asset.id, "curtailed_kw"] = unused
        for store, power, (_, _, left) in zip(self.stores, powers, ranges, strict=True):
            asset_id = store.battery.id
            contents_kwh[asset_id] = store.after_kwh(left, power, self.step_h)
            flows[asset_id, "charge_kw"] = max(-power, 0.0)
            flows[asset_id, "discharge_kw"] = max(power, 0.0)
            flows[asset_id, "energy_kwh"] = contents_kwh[asset_id]
        flows[self.connection.id, "import_kw"] = max(exchange, 0.0)
        flows[self.connection.id, "export_kw"] = max(-exchange, 0.0)
        return flows


def _store(battery: Battery, over: object, step_h: float) -> _Store:
    content = content_of(battery)

    def limit(name: str, kept_up_kw: float | None) -> list[float]:
        values: np.ndarray = over(battery, name)  # type: ignore[operator]
        return np.minimum(values, math.inf if kept_up_kw is None else kept_up_kw).tolist()  # type: ignore[no-any-return]

    return _Store(
        battery,
        content,
        limit("max_charge_kw", battery.continuous_charge_kw),
        limit("max_discharge_kw", battery.continuous_discharge_kw),
        (over(battery, "min_soc") * content).tolist(),  # type: ignore[operator]
        (over(battery, "max_soc") * content).tolist(),  # type: ignore[operator]
        over(battery, "drain_kw").tolist(),  # type: ignore[operator]
        (1 - battery.standing_loss_per_h) ** step_h,
    )
