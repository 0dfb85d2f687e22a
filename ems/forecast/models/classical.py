"""Statistical models of one series: exponential smoothing, ARIMA, Theta, decomposition by several seasons.

They look at the series alone, not at signals or the calendar, and learn again at each issue time, which is what they
are: a few numbers of the last weeks. The work is done by statsforecast, which is many times quicker than the wrappers
of sktime around the same models. Gaps, which they cannot use, are filled as `ems.forecast.gaps.gapless` says.
"""

from __future__ import annotations

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

    def seasons(self, known: Known) -> list[int]:
        """Return a day and a week in steps."""
        per_day = known.history.steps_per_day
        return [per_day, 7 * per_day]

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

    trend: Literal["none", "additive", "auto"] = "none"
    """Whether the level has a trend; auto decides by the information criterion."""
    training_days: Annotated[float, Field(ge=14, le=3660)] = 28.0
    """Days of history that it learns from."""

    def course(self, known: Known, learned: State) -> np.ndarray:
        """Return the forecast of each step."""
        from statsforecast.models import AutoETS

        letter = {"none": "N", "additive": "A", "auto": "Z"}[self.trend]
        model = AutoETS(season_length=known.history.steps_per_day, model=f"A{letter}A")
        return _ahead(model, self.recent(known), known.steps)


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
        from statsforecast.models import Theta as Method

        model = Method(season_length=known.history.steps_per_day, decomposition_type="additive")
        return _ahead(model, self.recent(known), known.steps)


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
        from statsforecast.models import MSTL, AutoETS

        model = MSTL(self.seasons(known), trend_forecaster=AutoETS(model="AAN", damped=True))
        return _ahead(model, self.recent(known), known.steps)


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
    most_terms: Annotated[int, Field(ge=0, le=5)] = 3
    """Most autoregressive terms, and most terms of a moving average."""
    training_days: Annotated[float, Field(ge=14, le=3660)] = 42.0
    """Days of history that it learns from."""

    def learn(self, known: Known) -> State:
        """Return the orders of the rest: autoregressive, differences, moving average."""
        from statsforecast.models import MSTL, AutoARIMA

        chooser = AutoARIMA(
            max_p=self.most_terms, max_q=self.most_terms, max_d=1, seasonal=False, approximation=True, nmodels=20
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = MSTL(self.seasons(known), trend_forecaster=chooser).fit(self.recent(known))
        p, q, *_, d, _ = model.trend_forecaster.model_["arma"]
        return {"orders": [int(p), int(d), int(q)]}

    def course(self, known: Known, learned: State) -> np.ndarray:
        """Return the forecast of each step."""
        from statsforecast.models import ARIMA, MSTL

        rest = ARIMA(order=tuple(learned["orders"]))
        return _ahead(MSTL(self.seasons(known), trend_forecaster=rest), self.recent(known), known.steps)


def _ahead(model: Any, values: np.ndarray, steps: int) -> np.ndarray:
    found: np.ndarray = model.forecast(values, steps)["mean"]
    return found
