"""Peaks of demand charges in a closed loop: the highest so far, and what one more kW costs in the rest of a period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ems.assets.battery import Battery
from ems.assets.grid_connection import GridConnection
from ems.dispatch.rolling import PeakState
from ems.dispatch.rolling_portfolio import PEAK_LEVELS, charges_of
from ems.studies.rolling_case import RollingCase
from ems.tariffs.demand_charge import DemandCharge, DemandTier

LEARNED_DAYS = 28
"""Days before, whose peaks say what peaks the rest of a period is likely to have."""
FEWEST_DAYS = 7
READY_SHARE = 0.5
"""Share of a battery's content that is there when a peak comes which nobody foresaw."""
HALVINGS = 30


@dataclass(frozen=True)
class ChargePeriods:
    """A demand charge over a whole loop.

    Parameters
    ----------
    connection : GridConnection
    charge : DemandCharge
    period : ndarray of int (steps,)
        Number of the period in which each measured step counts, -1 where it counts in none.
    labels : tuple of str
    tiers : tuple of tuple of DemandTier
        Prices of each period.
    floors_kw : ndarray (periods,)
        Peak below which nothing more is billed: what is free, or a minimum.
    prior_kw : ndarray (periods,)
        Peaks before the loop.
    ends : ndarray of int (periods,)
        Step after the last one that counts.
    """

    connection: GridConnection
    charge: DemandCharge
    period: np.ndarray
    labels: tuple[str, ...]
    tiers: tuple[tuple[DemandTier, ...], ...]
    floors_kw: np.ndarray
    prior_kw: np.ndarray
    ends: np.ndarray

    @property
    def key(self) -> str:
        """Name among the loop's peaks."""
        return f"{self.connection.id} {self.charge.name}"

    def rate_per_kw(self, number: int, peak_kw: float) -> float:
        """Return the price of one more kW of a peak."""
        for tier in self.tiers[number]:
            if tier.up_to_kw is None or peak_kw < tier.up_to_kw:
                return tier.rate_per_kw / self.charge.highest_days
        return 0.0


def charge_periods(case: RollingCase) -> list[ChargePeriods]:
    """Return the demand charges of a case over the loop and the windows that reach over its end."""
    from ems.tariffs.demand_periods import demand_periods

    found = []
    steps = case.steps + case.window_steps
    for connection in case.connections:
        tariff = None if connection.tariff_id is None else case.portfolio.tariff(connection.tariff_id)
        timezone = case.portfolio.site(connection.site_id).timezone
        # A last month that only windows see is whole, so that it is no short one of a few hours.
        horizon = case.horizon_at(case.begin, steps)
        for charge in charges_of(connection, case.portfolio):
            periods = demand_periods(charge, horizon, timezone, {}, None if tariff is None else tariff.calendar)
            period = np.full(steps, -1)
            for number, one in enumerate(periods):
                period[one.steps] = number
            ends = [int(one.steps[-1]) + 1 if len(one.steps) else 0 for one in periods]
            found.append(
                ChargePeriods(
                    connection,
                    charge,
                    period,
                    tuple(one.label for one in periods),
                    tuple(one.tiers for one in periods),
                    np.array([charge.free_kw + one.floor_kw for one in periods]),
                    np.array([one.prior_peak_kw for one in periods]),
                    np.minimum(np.array(ends), case.steps),
                )
            )
    return found


class Peaks:
    """The peaks of all demand charges while a loop goes on.

    Parameters
    ----------
    case : RollingCase
    """

    def __init__(self, case: RollingCase) -> None:
        self.case = case
        self.charges = charge_periods(case)
        self.so_far = {one.key: one.prior_kw.copy() for one in self.charges}
        local = case.horizon.local_times(case.timezone)
        months = (local.year * 12 + local.month).to_numpy()
        self._month = np.unique(months, return_inverse=True)[1]
        for connection in case.connections:
            bought = np.zeros(self._month[-1] + 1)
            bought[0] = connection.month_import_kwh_so_far
            self.so_far[_energy_key(connection.id)] = bought

    def note(self, connection_id: str, t: int, flows: Mapping[tuple[str, str], float]) -> None:
        """Keep the power of a connection in a step of the loop, and the energy of its month."""
        bought_kw = flows.get((connection_id, "import_kw"), 0.0)
        self.so_far[_energy_key(connection_id)][self._month[t]] += bought_kw * self.case.step_h
        for one in self.charges:
            number = one.period[t]
            if number >= 0 and one.connection.id == connection_id:
                power = flows[one.connection.id, f"{one.charge.basis}_kw"] * one.charge.per_kw
                self.so_far[one.key][number] = max(self.so_far[one.key][number], power)

    def month_kwh(self, connection_id: str, t: int) -> float:
        """Return the energy that the month of a step has bought so far."""
        return float(self.so_far[_energy_key(connection_id)][self._month[t]])

    def cost(self) -> float:
        """Return what the peaks cost, of charges that bill the highest power."""
        total = 0.0
        for one in self.charges:
            for number in np.unique(one.period[: self.case.steps]).tolist():
                if number >= 0:
                    billed = max(self.so_far[one.key][number], one.floors_kw[number]) - one.charge.free_kw
                    lower = 0.0
                    for tier in one.tiers[number]:
                        upper = np.inf if tier.up_to_kw is None else tier.up_to_kw
                        total += max(min(billed, upper) - lower, 0.0) * tier.rate_per_kw
                        lower = upper
        return total

    def states(self, t: int) -> dict[tuple[str, int], PeakState]:
        """Return what a window from a step of the loop knows of its peaks."""
        case, found = self.case, {}
        if case.settings.demand_value == "none":
            return {}
        for one in self.charges:
            inside = one.period[t : t + case.window_steps]
            for slot, number in enumerate(dict.fromkeys(inside[inside >= 0].tolist())):
                counted = (inside == number).reshape(-1, case.per_step).any(axis=1)
                so_far = float(self.so_far[one.key][number])
                rate = one.rate_per_kw(number, so_far)
                floor = float(one.floors_kw[number])
                rest_d = (one.ends[number] - t - case.window_steps) * case.step_h / 24
                levels = self._levels(one, number, t, rest_d)
                found[one.charge.name, slot] = PeakState(
                    counted, so_far, np.maximum(levels, floor), np.full(len(levels), rate / len(levels))
                )
        return found

    def free_kw(self, states: Mapping[tuple[str, int], PeakState], connection_id: str) -> float:
        """Return the import of a connection that costs nothing on its peaks, or next to nothing."""
        least = np.inf
        for one in self.charges:
            state = states.get((one.charge.name, 0))
            if one.connection.id == connection_id and state is not None and one.charge.basis == "import":
                least = min(least, max(state.so_far_kw, float(state.levels_kw[0])) / one.charge.per_kw)
        return least

    def _levels(self, one: ChargePeriods, number: int, t: int, rest_d: float) -> np.ndarray:
        """Return quantiles of the highest peak that the rest of a period has in any case, shape (levels,).

        A kW costs its price times the probability that no later peak exceeds it; with as many days as are left, each
        as one of the days before, that is (share of days below) ** days.
        """
        if self.case.optimum is not None:
            return np.full(PEAK_LEVELS, self.case.optimum.peaks_kw[one.key][number])
        if self.case.settings.demand_value == "increment" or rest_d <= 0 or one.charge.period == "day":
            return np.zeros(PEAK_LEVELS)
        daily = self._shaved[one.connection.id]
        today = self.case.local_days()[self.case.begin + t]
        days, peaks = daily
        past = peaks[(days < today) & (days >= today - LEARNED_DAYS)]
        if len(past) < FEWEST_DAYS:
            return np.zeros(PEAK_LEVELS)
        shares = ((np.arange(PEAK_LEVELS) + 0.5) / PEAK_LEVELS) ** (1 / rest_d)
        levels: np.ndarray = np.quantile(past, shares) * one.charge.per_kw
        return levels

    @cached_property
    def _shaved(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Number of each local day that was measured, and its peak when batteries shave it, by connection."""
        found = {}
        days = self.case.local_days()
        for connection in self.case.connections:
            batteries = [one for one in self.case.batteries if one.site_id == connection.site_id]
            net = self.case.net_kw(connection.site_id) + connection.transformer_losses_kw
            numbers = np.unique(days)
            peaks = [shaved_peak_kw(net[days == day], batteries, self.case.step_h) for day in numbers]
            found[connection.id] = (numbers, np.array(peaks))
        return found


def _energy_key(connection_id: str) -> str:
    return f"{connection_id} bought in each month"


def shaved_peak_kw(net_kw: np.ndarray, batteries: list[Battery], step_h: float) -> float:
    """Return the lowest peak of a day to which batteries bring it from a part of their content.

    sum(max(net - peak, 0)) * step <= ready content, and net - peak <= discharging power
    """
    if not len(net_kw):
        return 0.0
    highest = max(float(net_kw.max()), 0.0)
    power = sum(one.discharge_limit_kw for one in batteries)
    energy = READY_SHARE * sum(
        one.content_kwh * (one.max_soc - one.min_soc) * one.discharge_efficiency for one in batteries
    )
    low, high = max(highest - power, 0.0), highest
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if float(np.maximum(net_kw - middle, 0.0).sum()) * step_h <= energy:
            high = middle
        else:
            low = middle
    return high
