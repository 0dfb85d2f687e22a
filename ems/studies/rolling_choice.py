"""What a site is ordered to do in a step whose load is uncertain: the order that costs least on average."""

from __future__ import annotations

import math

import numpy as np

from ems.studies.rolling_programme import Exchange, PeakCost, Store, at, joined

EQUAL = 1e-9
"""Expected costs that differ by less are the same."""


class Choice:
    """What a site can be ordered to do in a step, and what each order costs on average.

    Parameters
    ----------
    store : Store
    peak : PeakCost
    content_kwh, so_far_kw : float
    counts : bool
        Whether the import of the step counts for the peak.
    follows : bool
        Whether batteries leave their power to hold the exchange with the grid in a band.
    """

    def __init__(
        self, store: Store, peak: PeakCost, content_kwh: float, so_far_kw: float, *, counts: bool, follows: bool
    ) -> None:
        self.store, self.peak, self.content_kwh = store, peak, content_kwh
        self.so_far_kw, self.counts, self.follows = so_far_kw, counts, follows
        self.low_kw, self.high_kw = store.range_kw(content_kwh)

    def best(
        self, samples_kw: np.ndarray, exchange: Exchange, after: np.ndarray
    ) -> tuple[float, tuple[float, float], float]:
        """Return the power, the band of the exchange, and the content that is expected after the step."""
        store, (net_kw, weights) = self.store, joined(samples_kw)
        powers, bands = self._candidates()
        net = net_kw[:, None]
        least, most = bands[:, 0], bands[:, 1]
        wanted = np.where(net - powers > most, net - most, np.where(net - powers < least, net - least, powers))
        power = np.clip(wanted, self.low_kw, self.high_kw)
        contents = store.after_kwh(self.content_kwh, power)
        peaks = np.full(power.shape, self.so_far_kw)
        if self.counts:
            peaks = np.maximum(peaks, (net - power) * self.peak.per_kw)
        cost = exchange.cost(net - power, store.step_h) + store.cost(power)
        expected = weights @ (cost + at(after, store, self.peak, contents, peaks))
        chosen = int(np.flatnonzero(expected <= expected.min() + EQUAL)[0])
        band = float(least[chosen]), float(most[chosen])
        return float(powers[chosen]), band, float(weights @ contents[:, chosen])

    def _candidates(self) -> tuple[np.ndarray, np.ndarray]:
        """Return powers and bands of the exchange: rest and moves to points of the content, with each kind of band."""
        moves = np.clip(self.store.power_kw(self.content_kwh, self.store.points_kwh), self.low_kw, self.high_kw)
        powers = np.unique(np.concatenate([[0.0], moves]))
        bands = [(-math.inf, math.inf)]
        if self.follows:
            # Of equal orders the first is taken: where no sample is above what costs nothing more, a load that nobody
            # foresaw still finds the import held there.
            free_kw = max(self.so_far_kw, float(self.peak.levels_kw[0])) / self.peak.per_kw or math.inf
            levels_kw = self.peak.levels_kw[self.peak.levels_kw > 0] / self.peak.per_kw
            held = [(0.0, free_kw), (-math.inf, free_kw), (0.0, 0.0), (-math.inf, 0.0)]
            bands = [*held, *((0.0, float(level)) for level in levels_kw), (0.0, math.inf), *bands]
        powers = powers[np.argsort(np.abs(powers), kind="stable")]
        return np.repeat(powers, len(bands)), np.tile(np.array(bands), (len(powers), 1))
