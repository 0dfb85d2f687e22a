"""What the rest of a demand charge's period, or the next two days, cost by the loads of the days before."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ems.studies.rolling_case import Key
from ems.studies.rolling_programme import Exchange, PeakCost, Stage

if TYPE_CHECKING:
    from ems.studies.rolling_hedged import SiteProgramme

LEARNED_DAYS = 60
"""Days before, whose loads stand for those that come."""
LONGEST_H = 24.0 * 35
SHORTEST_H = 48.0
ROUNDS_D = 3
"""Days that are gone back from an end at which energy has its mean worth; more change little."""
LEVELS = 12
HEADROOM = 1.25
"""Levels of peaks end this much above the highest load of the days before."""


class Rest:
    """What the rest of a period costs from a decision on, by the loads of the days before.

    Parameters
    ----------
    programme : SiteProgramme
    k : int
        Number of the decision.
    """

    def __init__(self, programme: SiteProgramme, k: int) -> None:
        self.programme, case = programme, programme.case
        self.per_step, self.begin = programme.per_step, k * case.per_decision
        self.per_day = round(24 / programme.step_h)
        self._k, self._number = k, programme.number(k)
        self._past = self._past_places()
        self.peak = self._peak_cost()
        charge = programme.charge
        if charge is None or self._number < 0:
            length = SHORTEST_H
        else:
            steps = int(charge.ends[self._number]) - self.begin
            length = min(max(steps, self.per_step) * case.step_h, LONGEST_H)
        self._values = self._gone_back(math.ceil(length / programme.step_h - 1e-9))
        self.end = self.begin + (len(self._values) - 1) * self.per_step
        """Step of the loop at which the programme ends."""

    def value_at(self, t: int) -> np.ndarray:
        """Return the cost to go at a step of the loop, shape (points, levels)."""
        return self._values[min(-(-(t - self.begin) // self.per_step), len(self._values) - 1)]

    def samples_at(self, t: int) -> np.ndarray:
        """Return the net loads of the same hour of the days before."""
        return self._samples[(t - self.begin) // self.per_step % self.per_day]

    def _past_places(self) -> np.ndarray:
        """Return the positions of the same steps on the days before, shape (steps of a day, days)."""
        case = self.programme.case
        now, day = case.begin + self.begin, round(24 / case.step_h)
        days = np.arange(1, min(LEARNED_DAYS, now // day) + 1)
        return now - day * days[None, :] + self.per_step * np.arange(self.per_day)[:, None]

    @cached_property
    def _samples(self) -> list[np.ndarray]:
        """Net loads that each step of a day may have: those of the days before, where the meter was right."""
        programme = self.programme
        row = programme.forecast_kw[programme.own.before + self._k]
        found = []
        for step, places in enumerate(self._past):
            loads = programme.net_kw[places]
            sound = loads[programme.is_sound(loads)]
            found.append(sound if len(sound) else np.clip(row[[step % len(row)]], *programme.range_kw))
        return found

    def _peak_cost(self) -> PeakCost:
        """Return what peaks cost, on levels up to a little above the highest load of the days before."""
        charge = self.programme.charge
        if charge is None or self._number < 0:
            return PeakCost.none()
        floor = max(float(charge.floors_kw[self._number]), 0.0)
        highest = HEADROOM * charge.charge.per_kw * max(0.0, *(float(one.max()) for one in self._samples))
        levels = np.linspace(floor, max(highest, floor + 1.0), LEVELS)
        costs, lower = np.zeros(LEVELS), 0.0
        for tier in charge.tiers[self._number]:
            upper = math.inf if tier.up_to_kw is None else tier.up_to_kw
            costs += np.clip(levels - charge.charge.free_kw - lower, 0.0, upper - lower) * tier.rate_per_kw
            lower = upper
        return PeakCost(levels, costs / charge.charge.highest_days, charge.charge.per_kw)

    @cached_property
    def _typical_prices(self) -> np.ndarray:
        """Means of the prices of each step of a day on the days before, shape (steps of a day, 2)."""
        programme = self.programme
        found = []
        for name, table in programme.prices.items():
            if self._past.shape[1]:
                truth = mean_ahead(programme.case.truth[programme.connection.id, name], self.per_step)
                found.append(truth[self._past].mean(axis=1))
            else:
                found.append(np.resize(table[self._k], self.per_day))
        return np.stack(found, axis=1)

    def _exchanges(self, steps: int) -> list[Exchange]:
        """Return what the exchange costs: as known or forecast in the window, then by contract, then as typical."""
        programme, case = self.programme, self.programme.case
        columns = []
        for way, (name, table) in enumerate(programme.prices.items()):
            values = np.resize(self._typical_prices[:, way], steps)
            key: Key = (programme.connection.id, name)
            if key not in case.kinds:
                first = case.begin + self.begin
                known = mean_ahead(case.truth[key], self.per_step)[first :: self.per_step][:steps]
                values[: len(known)] = known
            inside = min(table.shape[1], steps)
            values[:inside] = table[self._k, :inside]
            columns.append(values.tolist())
        return [programme.exchange_at(bought, sold) for bought, sold in zip(*columns, strict=True)]

    def _gone_back(self, steps: int) -> list[np.ndarray]:
        """Return the cost to go before each step, and after the last one."""
        programme = self.programme
        stages = [Stage(programme.store, self.peak, values) for values in self._samples]
        value = self.peak.costs[None, :] + self._content_value(steps % self.per_day)[:, None]
        found = [value]
        for step, exchange in reversed(list(enumerate(self._exchanges(steps)))):
            counts = programme.counts(self.begin + step * self.per_step, self._number)
            value = stages[step % self.per_day].before(value, exchange, counts=counts)
            found.append(value)
        return found[::-1]

    def _content_value(self, step: int) -> np.ndarray:
        """Return the cost to go by content at a step of a day, when days like those before go on, shape (points,)."""
        programme = self.programme
        store, none = programme.store, PeakCost.none()
        exchanges = [programme.exchange_at(*map(float, row)) for row in self._typical_prices]
        worth = max(float(self._typical_prices[:, 0].mean()) * store.discharge_efficiency - store.wear_per_kwh, 0.0)
        value = -worth * store.points_kwh[:, None]
        stages = [Stage(store, none, values) for values in self._samples]
        for place in range(step + ROUNDS_D * self.per_day - 1, step - 1, -1):
            value = stages[place % self.per_day].before(value, exchanges[place % self.per_day], counts=False)
        costs: np.ndarray = value[:, 0]
        return costs


def mean_ahead(values: np.ndarray, count: int) -> np.ndarray:
    """Return the mean of each value and those after it, so many together; of fewer at the end."""
    if count == 1:
        return values
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.minimum(np.arange(len(values)) + count, len(values))
    means: np.ndarray = (sums[ends] - sums[: len(values)]) / (ends - np.arange(len(values)))
    return means
