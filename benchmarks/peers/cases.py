"""The cases that all packages state, as plain numbers: a site with a battery, solar PV, a load and a connection."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

STEP_H = 0.25
STEPS_OF_DAY = 96
CAPACITY_KWH = 400.0
POWER_KW = 100.0
EFFICIENCY = 0.95
"""One way; both ways are alike."""
MIN_SOC, MAX_SOC, INITIAL_SOC = 0.1, 0.9, 0.5
"""The content at the end is at least that at the beginning."""
WEAR_PER_KWH = 0.01
"""Cost of a kWh discharged. With prices above zero it keeps a battery from charging and discharging at once, so that
a plain linear programme is exact."""
CONNECTION_KW = 500.0


@dataclass(frozen=True)
class Case:
    """Numbers of a dispatch of one or more like sites.

    Parameters
    ----------
    import_price_per_kwh, export_price_per_kwh : ndarray (steps,)
        The same for all sites; never equal, so that the best schedule is the only one.
    demand_kw, available_kw : ndarray (steps, sites)
    feeder_kw : float, optional
        Limit of the power that all sites together take from the grid or feed into it.
    """

    import_price_per_kwh: np.ndarray
    export_price_per_kwh: np.ndarray
    demand_kw: np.ndarray
    available_kw: np.ndarray
    feeder_kw: float | None = None

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.import_price_per_kwh)

    @property
    def sites(self) -> int:
        """Number of sites."""
        return self.demand_kw.shape[1]

    def window(self, first: int, steps: int) -> Case:
        """Return some steps of the case."""
        part = slice(first, first + steps)
        return Case(
            self.import_price_per_kwh[part],
            self.export_price_per_kwh[part],
            self.demand_kw[part],
            self.available_kw[part],
            self.feeder_kw,
        )


def make_case(steps: int, sites: int = 1, feeder_kw: float | None = None, seed: int = 0) -> Case:
    """Return a case with the shape of days: two peaks of price and load, the sun at noon, and noise."""
    random = np.random.default_rng(seed)
    hour = np.arange(steps) * STEP_H % 24
    level = 0.20 + 0.08 * np.sin((hour - 4) * np.pi / 6) + 0.04 * random.random(steps)
    demand = 60 + 40 * np.sin((hour - 9) * np.pi / 12)[:, None] + 20 * random.random((steps, sites))
    clearness = 0.5 + 0.5 * random.random((steps, sites))
    sun = np.clip(np.sin((hour - 6) * np.pi / 12), 0, None)[:, None] * clearness
    return Case(level, 0.4 * level, demand, 150 * sun, feeder_kw)


def windows_of(case: Case, steps: int = 2 * STEPS_OF_DAY, shift: int = STEPS_OF_DAY) -> list[Case]:
    """Return the windows of a rolling plan: each day, the next 48 hours."""
    return [case.window(first, steps) for first in range(0, case.steps - steps + 1, shift)]
