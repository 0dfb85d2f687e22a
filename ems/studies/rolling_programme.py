"""A dynamic programme over the content of a site's store and the peak so far, when the loads to come are uncertain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ems.assets.battery import Battery

POINTS = 17
"""Contents at which the programme knows what is to come; between them it is linear."""
HIGHEST = 3
"""Of sampled loads, how many stand for themselves, as they make the peaks; the others are joined in groups."""
GROUPS = 5
BEYOND = 20.0
"""What a connection cannot carry costs so many times the price."""


@dataclass(frozen=True)
class Store:
    """The batteries of a site as one.

    Parameters
    ----------
    lowest_kwh, highest_kwh : float
    charge_kw, discharge_kw : float
        Limits at the bus.
    charge_efficiency, discharge_efficiency : float
    charge_cost_per_kwh, wear_per_kwh : float
        What a kWh into it and out of it costs, at the bus.
    kept : float
        Share of the content that a step leaves.
    step_h : float
    """

    lowest_kwh: float
    highest_kwh: float
    charge_kw: float
    discharge_kw: float
    charge_efficiency: float
    discharge_efficiency: float
    charge_cost_per_kwh: float
    wear_per_kwh: float
    kept: float
    step_h: float

    @classmethod
    def of(cls, batteries: Sequence[Battery], step_h: float) -> Store:
        """Return the store that batteries are together: sums, and means by their content."""
        shares = np.array([one.content_kwh for one in batteries])
        shares /= shares.sum()

        def mean(name: str) -> float:
            return float(shares @ [getattr(one, name) for one in batteries])

        return cls(
            sum(one.min_soc * one.content_kwh for one in batteries),
            sum(one.max_soc * one.content_kwh for one in batteries),
            sum(one.charge_limit_kw for one in batteries),
            sum(one.discharge_limit_kw for one in batteries),
            mean("charge_efficiency"),
            mean("discharge_efficiency"),
            mean("charge_cost_per_kwh"),
            mean("degradation_cost_per_kwh"),
            (1 - mean("standing_loss_per_h")) ** step_h,
            step_h,
        )

    @cached_property
    def points_kwh(self) -> np.ndarray:
        """Contents at which the programme knows what is to come, shape (points,)."""
        return np.linspace(self.lowest_kwh, self.highest_kwh, POINTS)

    def range_kw(self, content_kwh: float) -> tuple[float, float]:
        """Return the least and the most power into the bus from a content."""
        left = content_kwh * self.kept
        charge = max(self.highest_kwh - left, 0.0) / (self.charge_efficiency * self.step_h)
        discharge = max(left - self.lowest_kwh, 0.0) * self.discharge_efficiency / self.step_h
        return -min(charge, self.charge_kw), min(discharge, self.discharge_kw)

    def power_kw(self, content_kwh: np.ndarray | float, to_kwh: np.ndarray) -> np.ndarray:
        """Return the power into the bus that brings one content to another within a step, whatever the limits."""
        stored = (to_kwh - np.asarray(content_kwh) * self.kept) / self.step_h
        power: np.ndarray = np.where(stored > 0, -stored / self.charge_efficiency, -stored * self.discharge_efficiency)
        return power

    def after_kwh(self, content_kwh: float, power_kw: np.ndarray) -> np.ndarray:
        """Return the content after a step with a power into the bus."""
        taken = np.where(power_kw > 0, power_kw / self.discharge_efficiency, power_kw * self.charge_efficiency)
        return np.clip(content_kwh * self.kept - taken * self.step_h, self.lowest_kwh, self.highest_kwh)

    def cost(self, power_kw: np.ndarray) -> np.ndarray:
        """Return what a power costs in a step, beside the energy."""
        out, into = np.maximum(power_kw, 0.0), np.maximum(-power_kw, 0.0)
        cost: np.ndarray = (self.wear_per_kwh * out + self.charge_cost_per_kwh * into) * self.step_h
        return cost

    @cached_property
    def moves_kw(self) -> np.ndarray:
        """Power to each point from each other, shape (to, from)."""
        return self.power_kw(self.points_kwh[None, :], self.points_kwh[:, None])

    @cached_property
    def moves_cost(self) -> np.ndarray:
        """What each move costs, without end where it is beyond the limits, shape (to, from)."""
        within = (self.moves_kw <= self.discharge_kw + 1e-9) & (self.moves_kw >= -self.charge_kw - 1e-9)
        return np.where(within, self.cost(self.moves_kw), np.inf)


@dataclass(frozen=True)
class Exchange:
    """What the exchange with the grid costs in a step, import above zero.

    Parameters
    ----------
    bought_per_kwh, sold_per_kwh : float
    most_import_kw, most_export_kw : float
        What the connection carries; export above it is curtailed.
    """

    bought_per_kwh: float
    sold_per_kwh: float
    most_import_kw: float
    most_export_kw: float

    def cost(self, exchange_kw: np.ndarray, step_h: float) -> np.ndarray:
        """Return the cost of powers."""
        bought = np.maximum(exchange_kw, 0.0)
        sold = np.minimum(np.maximum(-exchange_kw, 0.0), self.most_export_kw)
        beyond = np.maximum(bought - self.most_import_kw, 0.0)
        far = BEYOND * abs(self.bought_per_kwh)
        paid = self.bought_per_kwh * bought - self.sold_per_kwh * sold + far * beyond
        cost: np.ndarray = paid * step_h
        return cost


@dataclass(frozen=True)
class PeakCost:
    """What a peak costs at the end of its period, on levels.

    Parameters
    ----------
    levels_kw : ndarray (levels,)
        Rising; below the first a peak costs no more than that.
    costs : ndarray (levels,)
    per_kw : float
        Power that counts for each kW of import.
    """

    levels_kw: np.ndarray
    costs: np.ndarray
    per_kw: float = 1.0

    @cached_property
    def above_per_kw(self) -> float:
        """What a kW above the last level costs."""
        if len(self.levels_kw) < 2:
            return 0.0
        return float((self.costs[-1] - self.costs[-2]) / (self.levels_kw[-1] - self.levels_kw[-2]))

    def split(self, peaks_kw: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return for peaks the level below, how far they are to the next one, and what they cost beyond the last."""
        beyond = self.above_per_kw * np.maximum(peaks_kw - self.levels_kw[-1], 0.0)
        if len(self.levels_kw) < 2:
            return np.zeros(np.shape(peaks_kw), dtype=int), np.zeros(np.shape(peaks_kw)), beyond
        return *_between(peaks_kw, self.levels_kw), beyond

    @classmethod
    def none(cls) -> PeakCost:
        """Return that of a site without a charge."""
        return cls(np.zeros(1), np.zeros(1))


class Stage:
    """A step of the programme, whose net load is one of some values.

    Parameters
    ----------
    store : Store
    peak : PeakCost
    samples_kw : ndarray (samples,)
        Equally likely demands less generation.
    """

    def __init__(self, store: Store, peak: PeakCost, samples_kw: np.ndarray) -> None:
        self.store, self.peak = store, peak
        net_kw, self.weights = joined(samples_kw)
        # The content after the step comes first: the least over it is then taken over long rows of memory.
        self.exchange_kw = net_kw[:, None] - store.moves_kw[:, None, :]
        peaks = np.maximum(self.exchange_kw, 0.0) * peak.per_kw
        self._level, self._share, self._beyond = peak.split(peaks)

    def before(self, after: np.ndarray, exchange: Exchange, *, counts: bool) -> np.ndarray:
        """Return the cost to go before the step when, for each load, the best is done.

        Parameters
        ----------
        after : ndarray (points, levels)
            Cost to go after it, by content and peak so far.
        exchange : Exchange
        counts : bool
            Whether the import counts for the peak.

        Returns
        -------
        ndarray (points, levels)
        """
        cost = exchange.cost(self.exchange_kw, self.store.step_h) + self.store.moves_cost[:, None, :]
        to_go: np.ndarray = after[:, None, None, :]
        if counts:
            to = np.arange(POINTS)[:, None, None]
            low, high = after[to, self._level], after[to, np.minimum(self._level + 1, after.shape[1] - 1)]
            raised = low + (high - low) * self._share + self._beyond
            to_go = np.maximum(raised[..., None], to_go)  # a higher peak never costs less
        best: np.ndarray = (cost[..., None] + to_go).min(axis=0)
        mean: np.ndarray = np.tensordot(self.weights, best, axes=1)
        return mean


def joined(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a few values and their probabilities for samples: the highest as they are, means of groups of others."""
    ordered, count = np.sort(samples), len(samples)
    if count <= HIGHEST + GROUPS:
        return ordered, np.full(count, 1 / count)
    firsts = [(count - HIGHEST) * group // GROUPS for group in range(GROUPS)] + list(range(count - HIGHEST, count))
    counts = np.diff([*firsts, count])
    return np.add.reduceat(ordered, firsts) / counts, counts / count


def at(values: np.ndarray, store: Store, peak: PeakCost, contents_kwh: np.ndarray, peaks_kw: np.ndarray) -> np.ndarray:
    """Return the cost to go, given on points and levels, at contents and peaks of one shape."""
    point, x = _between(contents_kwh, store.points_kwh)
    level, y, beyond = peak.split(peaks_kw)
    above = np.minimum(level + 1, values.shape[1] - 1)
    low = values[point, level] * (1 - y) + values[point, above] * y
    high = values[point + 1, level] * (1 - y) + values[point + 1, above] * y
    found: np.ndarray = low * (1 - x) + high * x + beyond
    return found


def _between(values: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the point below values, and how far they are to the next one."""
    place = np.clip(np.searchsorted(points, values, side="right") - 1, 0, len(points) - 2)
    return place, np.clip((values - points[place]) / (points[place + 1] - points[place]), 0.0, 1.0)
