"""Worth of stored energy from a longer, coarse plan: the price of the content at the moment a window ends."""

from __future__ import annotations

import numpy as np

from ems.assets.battery import Battery
from ems.dispatch.rolling_portfolio import window_problem
from ems.studies.rolling_case import Key, RollingCase

COARSE_H = 3.0
"""Length of a step of the coarse plan."""
BEYOND_H = 96.0
"""Length of the coarse plan beyond the window."""
FROM_DAYS = 7
"""Days before, whose mean day stands for each day that is planned coarsely."""
SEGMENTS = 8


class CoarsePlans:
    """Coarse plans of days to come, one a day, each as the mean of the days before.

    The price of one more kWh at the moment is asked at three contents, so that it falls with the content.

    Parameters
    ----------
    case : RollingCase
    battery : Battery
    """

    def __init__(self, case: RollingCase, battery: Battery) -> None:
        self.case, self.battery = case, battery
        self._per_coarse = max(1, round(COARSE_H / case.step_h))
        self._of_day: dict[tuple[int, int], np.ndarray] = {}

    def values(self, t: int, content_kwh: float) -> np.ndarray:
        """Return the worth of each segment at the end of a window that begins at a step of the loop."""
        case, per_day = self.case, round(24 / self.case.step_h)
        at = case.begin + t
        end = at + case.window_steps
        key = (at // per_day, (end % per_day) // self._per_coarse)
        if key not in self._of_day:
            self._of_day = {one: found for one, found in self._of_day.items() if one[0] == key[0]}
            self._of_day[key] = self._planned(key[0] * per_day or at, end % per_day)
        return self._of_day[key]

    def _planned(self, known: int, phase: int) -> np.ndarray:
        """Return the worth of each segment from the days before a step, for a plan that begins at a time of day."""
        contents = self.battery.content_kwh * np.linspace(self.battery.min_soc, self.battery.max_soc, 4)
        costs = [self._cost(known, phase, content) for content in contents]
        marginal = np.maximum(-np.diff(costs) / np.diff(contents), 0.0)
        middles = (contents[1:] + contents[:-1]) / 2
        width = self.battery.content_kwh * self.battery.max_soc / SEGMENTS
        values = np.interp(width * (np.arange(SEGMENTS) + 0.5), middles, marginal)
        return np.minimum.accumulate(values)

    def _cost(self, known: int, phase: int, content_kwh: float) -> float:
        """Return the least cost of the coarse plan that begins with a content."""
        from ems.dispatch.solve import solve

        case, coarse = self.case, self._per_coarse
        count = round(BEYOND_H / (coarse * case.step_h))
        per_day = round(24 / case.step_h)
        lead = (phase + np.arange(count * coarse)) % per_day
        days = min(FROM_DAYS, max(known // per_day, 1))
        back = known - known % per_day - per_day * np.arange(1, days + 1)[:, None] + lead
        back = np.clip(back, 0, len(case.times) - 1)
        series: dict[Key, np.ndarray] = {
            key: values[back].mean(axis=0).reshape(count, coarse).mean(axis=1) for key, values in case.truth.items()
        }
        portfolio = case.portfolio.replace(
            assets=tuple(
                one.replace(initial_soc=float(np.clip(content_kwh / one.content_kwh, one.min_soc, one.max_soc)))
                if isinstance(one, Battery) and one.id == self.battery.id
                else one
                for one in case.portfolio.assets
            )
        )
        horizon = case.horizon_at(known, count, coarse)
        return float(solve(window_problem(portfolio, horizon, series)).solution.objective)
