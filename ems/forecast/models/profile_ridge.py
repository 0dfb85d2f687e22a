"""All steps of a horizon at once from whole daily profiles: a linear model with many inputs, strongly shrunk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np

from ems.errors import InvalidInput
from ems.forecast.gaps import short_gaps_filled
from ems.forecast.models.model import FittedModel, Model, State
from ems.forecast.models.ridge import RidgeFit, fit_ridge, kept_fit, restored_fit

if TYPE_CHECKING:
    from ems.forecast.features import Rows
    from ems.forecast.history import Known

PROFILE_DAYS = (1, 2, 3, 7)
SIGNAL_DAYS = (1, 7)
MOST_SIGNALS = 6
"""With more signals than this, only their values within the horizon are inputs, not those of days before."""
WEEKDAY_WEIGHT = 2.0
"""Weekdays are shrunk less than other inputs: each is one column beside hundreds of profiles."""
STRENGTHS = (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
FEWEST_DAYS = 14
LONGEST_FILLED_H = 3.0
LARGEST_ASINH = 6.0
"""About 200 times the median distance from the median."""


class ProfileRidge(Model):
    """Ridge regressions of each step of the horizon on the profiles of whole days [1]_.

    The inputs are all values of the last day, the days before and the same day last week, all values of the signals
    known ahead, and the weekday: those of the LEAR model, with shrinking instead of the choice of inputs, so that one
    decomposition serves all steps.

    References
    ----------
    .. [1] J. Lago, G. Marcjasz, B. De Schutter and R. Weron, "Forecasting day-ahead electricity prices: A review of
       state-of-the-art algorithms, best practices and an open-access benchmark," Applied Energy, vol. 293, 2021,
       doi:10.1016/j.apenergy.2021.116983.
    """

    name: ClassVar[str] = "profile_ridge"
    meaning: ClassVar[str] = "each step from the whole profiles of the last days and of the signals, linear and shrunk"

    transform: Literal["none", "asinh"] = "none"
    """Whether values are learned as they are, or as their inverse hyperbolic sine, in which spikes are small."""

    def fit(self, known: Known) -> FittedProfileRidge:
        """Return the regressions.

        Gaps of up to 3 hours hold a straight line between their neighbours; longer ones are taken as the mean among
        inputs, and a day with one is not learned from.
        """
        days = self._days(known)
        centre, spread = _middle(known.values) if self.transform == "asinh" else (0.0, 0.0)
        values = _compressed(known.values, centre, spread)
        outputs = _profiles(_without_short_gaps(values, known), days, known.steps)
        usable = np.isfinite(outputs).all(axis=1)
        if usable.sum() < FEWEST_DAYS:
            raise InvalidInput(
                f"model 'profile_ridge' for {known.history.label}",
                f"{int(usable.sum())} days without a gap are known: it needs at least {FEWEST_DAYS}; give a longer "
                "history or choose another model",
            )
        fit = fit_ridge(_inputs(known, values, days[usable]), outputs[usable], STRENGTHS)
        return FittedProfileRidge(self, fit, known.steps, days[usable], centre, spread)

    @staticmethod
    def _days(known: Known) -> np.ndarray:
        """Return the issue times to learn from, one a day, whose whole horizon is known."""
        features = known.features
        origins = features.origins
        if not features.is_daily:
            minute = known.calendar.minute
            origins = origins[minute[origins] == minute[known.past_steps]]
        return origins[origins + known.steps <= known.past_steps]

    @classmethod
    def restore(cls, options: Mapping[str, Any], state: State) -> FittedProfileRidge:
        """Return the fitted model that `FittedProfileRidge.state` describes."""
        fit, steps = restored_fit(state["fit"]), int(state["steps"])
        return FittedProfileRidge(cls(**options), fit, steps, np.empty(0, int), state["centre"], state["spread"])


@dataclass(frozen=True)
class FittedProfileRidge(FittedModel):
    """Regressions of all steps.

    Parameters
    ----------
    model : ProfileRidge
    fit : RidgeFit
    steps : int
        Steps of the horizon.
    days : ndarray of int (days,)
        Issue times that were learned from, in steps of the window.
    centre, spread : float
        Median of the values and their median distance from it, by which they are transformed; spread is 0 where they
        are not.
    """

    model: ProfileRidge
    fit: RidgeFit
    steps: int
    days: np.ndarray
    centre: float
    spread: float

    def predict(self, known: Known) -> np.ndarray:
        """Return the forecast of each step; a longer day, as in autumn, repeats the last one."""
        values = _compressed(known.values, self.centre, self.spread)
        inputs = _inputs(known, values, np.array([known.past_steps]), self.steps)
        found = _expanded(self.fit.predict(inputs)[0], self.centre, self.spread)
        if known.steps <= self.steps:
            return found[: known.steps]
        return np.concatenate([found, np.full(known.steps - self.steps, found[-1])])

    def update(self, known: Known) -> Self:
        """Return the model fitted again."""
        fitted: Self = self.model.fit_once(known)
        return fitted

    def left_out(self, rows: Rows) -> np.ndarray:
        """Return for each row the prediction without its day, NaN where its day was not learned from."""
        place = np.searchsorted(self.days, rows.origin)
        inside = np.minimum(place, len(self.days) - 1)
        lead = np.minimum(rows.position - rows.origin, self.steps - 1)
        values = _expanded(self.fit.left_out[inside, lead], self.centre, self.spread)
        return np.where(self.days[inside] == rows.origin, values, np.nan)

    def state(self) -> State:
        """Return the coefficients."""
        return {"fit": kept_fit(self.fit), "steps": self.steps, "centre": self.centre, "spread": self.spread}


def _without_short_gaps(values: np.ndarray, known: Known) -> np.ndarray:
    return short_gaps_filled(values, round(LONGEST_FILLED_H / known.history.step_h))


def _middle(values: np.ndarray) -> tuple[float, float]:
    """Return the median of what is known and the median distance from it; of a constant, a distance of 1."""
    centre = float(np.nanmedian(values))
    spread = float(np.nanmedian(np.abs(values - centre)))
    return centre, spread / 0.6745 if spread > 0 else max(float(np.nanstd(values)), 1e-9)


def _compressed(values: np.ndarray, centre: float, spread: float) -> np.ndarray:
    return np.arcsinh((values - centre) / spread) if spread else values


def _expanded(values: np.ndarray, centre: float, spread: float) -> np.ndarray:
    # A line that leaves what was ever seen would explode in the hyperbolic sine.
    return centre + spread * np.sinh(np.clip(values, -LARGEST_ASINH, LARGEST_ASINH)) if spread else values


def _profiles(values: np.ndarray, days: np.ndarray, steps: int) -> np.ndarray:
    """Return the values of the steps from each day on, shape (days, steps)."""
    place = days[:, None] + np.arange(steps)
    found = values[np.clip(place, 0, len(values) - 1)]
    return np.where((place >= 0) & (place < len(values)), found, np.nan)


def _inputs(known: Known, values: np.ndarray, days: np.ndarray, steps: int | None = None) -> np.ndarray:
    """Return the inputs of each issue time, shape (days, columns)."""
    steps = steps or known.steps
    per_day = known.history.steps_per_day
    values = _without_short_gaps(values, known)
    parts = [_profiles(values, days - back * per_day, per_day) for back in PROFILE_DAYS]
    for observed in known.past.values():
        parts.append(_profiles(observed, days - per_day, per_day))
    signals = known.features.signals
    is_few = len(signals) <= MOST_SIGNALS
    for signal in signals.values():
        own = _profiles(signal, days, steps)
        # A horizon one hour shorter, as on a day in spring, knows no value for its last step.
        own[:, -1] = np.where(np.isfinite(own[:, -1]), own[:, -1], own[:, -2] if steps > 1 else 0.0)
        parts.append(own)
        if is_few:
            parts += [_profiles(signal, days - back * per_day, per_day) for back in SIGNAL_DAYS]
    calendar = known.calendar
    angle = calendar.year_angle[days]
    flags = [calendar.is_holiday, calendar.is_eve, calendar.is_after]
    parts.append(WEEKDAY_WEIGHT * (calendar.weekday[days][:, None] == np.arange(7)))
    parts.append(np.column_stack([one[days] for one in flags]))
    parts.append(np.column_stack([wave(number * angle) for number in (1, 2) for wave in (np.sin, np.cos)]))
    return np.column_stack([np.asarray(part, dtype=float) for part in parts])
