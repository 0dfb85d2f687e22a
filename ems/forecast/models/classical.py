"""Statistical models of one series: exponential smoothing, ARIMA, Theta, decomposition by several seasons.

They look at the series alone, not at signals or the calendar, and learn again at each issue time, which is what they
are: a few numbers of the last weeks. The work is done by statsmodels itself, without the wrappers of sktime around the
same models. Gaps, which they cannot use, are filled as `ems.forecast.gaps.gapless` says.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from ems.errors import InvalidInput
from ems.forecast.gaps import gapless
from ems.forecast.models.model import FittedModel, Model, State
from ems.record import Positive

if TYPE_CHECKING:
    from ems.forecast.history import Known

LONGEST_LINE_H = 3.0
FEWEST_WEEKS = 2
WANDERS = 0.05
"""Probability below which a test finds that a series has no steady level."""


class _OneSeries(Model):
    """Options of models that look at the last weeks of one series."""

    training_days: Annotated[float, Field(ge=14, le=3660)] = 56.0
    """Days of history that it learns from; older ones tell little of the next days and cost time."""

    def recent(self, known: Known) -> np.ndarray:
        """Return the last values without gaps.

        Raises
        ------
        InvalidInput
            If they are fewer than two weeks.
        """
        per_day = known.history.steps_per_day
        values = gapless(known.values, per_day, round(LONGEST_LINE_H / known.history.step_h))
        if len(values) < FEWEST_WEEKS * 7 * per_day:
            raise InvalidInput(
                f"model '{self.name}' for {known.history.label}",
                f"{len(values) / per_day:.3g} days are known: it needs at least {FEWEST_WEEKS * 7}; give a longer "
                "history",
            )
        return values

    def course(self, known: Known, learned: State) -> np.ndarray:
        """Return the forecast of each step from what was chosen when it was fitted."""
        raise NotImplementedError(self.name)

    def learn(self, known: Known) -> State:
        """Return what is chosen once and kept: nothing, but for orders."""
        self.recent(known)
        return {}

    def fit(self, known: Known) -> FittedOneSeries:
        """Return the model with what it chose."""
        return FittedOneSeries(self, self.learn(known))

    @classmethod
    def restore(cls, options: Mapping[str, Any], state: State) -> FittedOneSeries:
        """Return the fitted model that `FittedOneSeries.state` describes."""
        return FittedOneSeries(cls(**options), dict(state))


@dataclass(frozen=True)
class FittedOneSeries(FittedModel):
    """A model of one series and what it chose.

    Parameters
    ----------
    model : Model
    learned : mapping
    """

    model: _OneSeries
    learned: State

    def predict(self, known: Known) -> np.ndarray:
        """Return the forecast of each step."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of searches that stop early; the scores show what they are worth
            return np.asarray(self.model.course(known, self.learned), dtype=float)

    def update(self, known: Known) -> Self:
        """Return the model as it is: each forecast learns from the last values anyway."""
        return self

    def state(self) -> State:
        """Return what was chosen."""
        return dict(self.learned)


class Ets(_OneSeries):
    """Exponential smoothing with a daily season [1]_.

    References
    ----------
    .. [1] R. J. Hyndman, A. B. Koehler, R. D. Snyder and S. Grose, "A state space framework for automatic forecasting
       using exponential smoothing methods," International Journal of Forecasting, vol. 18, no. 3, 2002,
       doi:10.1016/S0169-2070(01)00110-8.
    """

    name: ClassVar[str] = "ets"
    meaning: ClassVar[str] = "exponential smoothing with a daily season"

    trend: Literal["none", "additive"] = "none"
    """Whether the level has a trend, which fades."""
    training_days: Annotated[float, Field(ge=14, le=3660)] = 28.0
    """Days of history that it learns from."""

    def course(self, known: Known, learned: State) -> np.ndarray:
        """Return the forecast of each step."""
        from statsmodels.tsa.holtwinters import ExponentialSmoothing

        values, per_day = self.recent(known), known.history.steps_per_day
        has_trend = self.trend == "additive"
        model = ExponentialSmoothing(
            values,
            trend="add" if has_trend else None,
            damped_trend=has_trend,
            seasonal="add",
            seasonal_periods=per_day,
            initialization_method="estimated",
        )
        return np.asarray(model.fit().forecast(known.steps))


class Theta(_OneSeries):
    """The Theta method on what a daily season leaves [1]_.

    References
    ----------
    .. [1] V. Assimakopoulos and K. Nikolopoulos, "The theta model: a decomposition approach to forecasting,"
       International Journal of Forecasting, vol. 16, no. 4, 2000, doi:10.1016/S0169-2070(00)00066-2.
    """

    name: ClassVar[str] = "theta"
    meaning: ClassVar[str] = "the Theta method with a daily season"

    def course(self, known: Known, learned: State) -> np.ndarray:
        """Return the forecast of each step."""
        from statsmodels.tsa.forecasting.theta import ThetaModel

        model = ThetaModel(self.recent(known), period=known.history.steps_per_day, method="additive", use_test=False)
        return np.asarray(model.fit().forecast(known.steps))


class Mstl(_OneSeries):
    """Decomposition by day and week, with exponential smoothing of the rest [1]_.

    References
    ----------
    .. [1] K. Bandara, R. J. Hyndman and C. Bergmeir, "MSTL: A seasonal-trend decomposition algorithm for time series
       with multiple seasonal patterns," International Journal of Operational Research, 2022, arXiv:2107.13462.
    """

    name: ClassVar[str] = "mstl"
    meaning: ClassVar[str] = "decomposition by day and week, exponential smoothing of the rest"

    training_days: Annotated[float, Field(ge=14, le=3660)] = 84.0
    """Days of history that it learns from."""

    def course(self, known: Known, learned: State) -> np.ndarray:
        """Return the forecast of each step."""
        from statsmodels.tsa.holtwinters import ExponentialSmoothing

        rest, seasonal = _decomposed(self.recent(known), known)
        model = ExponentialSmoothing(rest, trend="add", damped_trend=True, initialization_method="heuristic")
        found: np.ndarray = np.asarray(model.fit().forecast(known.steps)) + seasonal
        return found


class Arima(_OneSeries):
    """ARIMA with automatic orders on what daily and weekly seasons leave [1]_.

    Orders are chosen when the model is fitted and kept; each forecast estimates their coefficients again.

    References
    ----------
    .. [1] R. J. Hyndman and Y. Khandakar, "Automatic time series forecasting: the forecast package for R," Journal of
       Statistical Software, vol. 27, no. 3, 2008, doi:10.18637/jss.v027.i03.
    """

    name: ClassVar[str] = "arima"
    meaning: ClassVar[str] = "ARIMA with automatic orders on what day and week leave"

    refit_days: Positive = 28.0
    """Days after which orders are chosen again while issue times go on."""
    most_terms: Annotated[int, Field(ge=0, le=5)] = 2
    """Most autoregressive terms, and most terms of a moving average."""
    training_days: Annotated[float, Field(ge=14, le=3660)] = 84.0
    """Days of history that it learns from; of six weeks the weekly season would hold the weather, too."""

    def learn(self, known: Known) -> State:
        """Return the orders of the rest: autoregressive, differences, moving average.

        The rest is differenced where a KPSS test finds that it wanders; then the terms with the least information
        criterion are taken.
        """
        from statsmodels.tsa.stattools import kpss

        rest, _ = _decomposed(self.recent(known), known)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanders = kpss(rest, regression="c", nlags="auto")[1] < WANDERS
            orders = itertools.product(range(self.most_terms + 1), [int(wanders)], range(self.most_terms + 1))
            best = min(orders, key=lambda order: _criterion(rest, order))
        return {"orders": list(best)}

    def course(self, known: Known, learned: State) -> np.ndarray:
        """Return the forecast of each step."""
        rest, seasonal = _decomposed(self.recent(known), known)
        fitted = _arima(rest, tuple(learned["orders"]))
        found: np.ndarray = np.asarray(fitted.forecast(known.steps)) + seasonal
        return found


def _arima(values: np.ndarray, orders: tuple[int, ...]) -> Any:
    """Return an ARIMA fitted to values without a season; quickly, by the innovations algorithm."""
    from statsmodels.tsa.arima.model import ARIMA

    p, d, q = orders
    model = ARIMA(values, order=(p, d, q), trend="n" if d else "c")
    return model.fit(method="innovations_mle") if p + q else model.fit()


def _criterion(values: np.ndarray, orders: tuple[int, ...]) -> float:
    """Return Akaike's criterion of an ARIMA, infinite where it cannot be fitted."""
    try:
        return float(_arima(values, orders).aicc)
    except (ValueError, np.linalg.LinAlgError):  # a process on the edge of what is stationary
        return float("inf")


def _decomposed(values: np.ndarray, known: Known) -> tuple[np.ndarray, np.ndarray]:
    """Return what day and week leave of values, and their course over the steps that are forecast."""
    from statsmodels.tsa.seasonal import MSTL

    per_day = known.history.steps_per_day
    seasons = (per_day, 7 * per_day)
    found = MSTL(values, periods=seasons).fit()
    seasonal = found.seasonal.reshape(len(values), -1)
    ahead = np.arange(known.steps)
    course = sum(seasonal[-season:, number][ahead % season] for number, season in enumerate(seasons))
    return np.asarray(found.trend + found.resid), np.asarray(course)
