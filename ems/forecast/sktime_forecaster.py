"""EmsForecaster: the recipes of this package as a forecaster of sktime, for its pipelines, tuners and metrics.

Importing this file imports sktime, which takes seconds; nothing else here does.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sktime.forecasting.base import BaseForecaster

from ems.forecast.calibration import LEVELS
from ems.forecast.forecaster import FittedForecaster, fit_forecaster
from ems.forecast.history import History
from ems.forecast.recipe import recipe_of


class EmsForecaster(BaseForecaster):  # type: ignore[misc]
    """A recipe of this package behind sktime's conventions: ``fit(y, X, fh)``, ``predict``, ``predict_quantiles``.

    Parameters
    ----------
    model : str
        A model's name, ``ensemble`` or ``auto``.
    model_options : dict, optional
    timezone : str
        Whose local days and hours count.
    kind : str
        What is forecast: load, solar, wind or price.
    country : str, optional
        Whose holidays count.
    lower, upper : float, optional
        Bounds of what can be.
    warm_up_days : int
    seed : int
    """

    _tags: ClassVar[dict[str, Any]] = {
        "y_inner_mtype": "pd.Series",
        "X_inner_mtype": "pd.DataFrame",
        "scitype:y": "univariate",
        "capability:exogenous": True,
        "capability:missing_values": True,
        "capability:pred_int": True,
        "capability:pred_int:insample": False,
        "capability:insample": False,
        "requires-fh-in-fit": True,
        "enforce_index_type": pd.DatetimeIndex,
    }

    def __init__(  # noqa: PLR0917 - sktime gives them by name, and forbids a bare star
        self,
        model: str = "auto",
        model_options: dict[str, Any] | None = None,
        timezone: str = "UTC",
        kind: str = "load",
        country: str | None = None,
        lower: float | None = None,
        upper: float | None = None,
        warm_up_days: int = 28,
        seed: int = 0,
    ) -> None:
        self.model = model
        self.model_options = model_options
        self.timezone = timezone
        self.kind = kind
        self.country = country
        self.lower = lower
        self.upper = upper
        self.warm_up_days = warm_up_days
        self.seed = seed
        super().__init__()

    def _fit(self, y: pd.Series[float], X: pd.DataFrame | None, fh: Any) -> EmsForecaster:  # noqa: N803 - sktime's word
        self._measured, self._signals = y, X
        steps = int(max(fh.to_relative(self.cutoff)))
        history = self._history(None)
        self._steps = steps
        if X is not None:
            # Signals ahead come with predict; until then the last ones stand in for a forecast that nobody sees.
            last = X.reindex(self._times(y, steps)).ffill()
            history = self._history(last.iloc[len(y) :])
        recipe = recipe_of(self.model, self.model_options, self.seed)
        self._forecaster: FittedForecaster = fit_forecaster(
            history,
            recipe,
            history.times[len(y)],
            horizon_h=steps * history.step_h,
            in_local_days=False,
            levels=LEVELS,
            warm_up_days=self.warm_up_days,
        )
        return self

    def _times(self, y: pd.Series[float], steps: int) -> pd.DatetimeIndex:
        step = y.index[1] - y.index[0]
        return pd.date_range(y.index[0], periods=len(y) + steps, freq=step)

    def _history(self, ahead: pd.DataFrame | None) -> History:
        y, past = self._measured, self._signals
        known = {}
        if past is not None and ahead is not None:
            known = {"known_ahead": pd.concat([past, ahead]).reindex(self._times(y, len(ahead)))}
        values = y.reindex(self._times(y, len(ahead))) if ahead is not None else y
        history = History.of(
            values,
            name=str(y.name or "value"),
            timezone=self.timezone,
            kind=self.kind,
            country=self.country,
            lower=self.lower,
            upper=self.upper,
            **known,
        )
        return history.reaching(len(y) + int(getattr(self, "_steps", 1)))

    def _quantiles(self, fh: Any, X: pd.DataFrame | None, alpha: list[float]) -> tuple[np.ndarray, Any]:  # noqa: N803
        history = self._history(None if self._signals is None else X)
        forecast = self._forecaster.predict(history)
        (name,) = forecast.data_vars
        table = forecast[name].to_numpy()
        levels = forecast["quantile"].to_numpy()
        chosen = np.asarray(fh.to_relative(self.cutoff), dtype=int) - 1
        found = np.column_stack([[np.interp(level, levels, row) for row in table[chosen]] for level in alpha])
        return found, fh.to_absolute_index(self.cutoff)

    def _predict(self, fh: Any, X: pd.DataFrame | None) -> pd.Series[float]:  # noqa: N803
        values, index = self._quantiles(fh, X, [0.5])
        return pd.Series(values[:, 0], index=index, name=self._measured.name)

    def _predict_quantiles(self, fh: Any, X: pd.DataFrame | None, alpha: list[float]) -> pd.DataFrame:  # noqa: N803
        values, index = self._quantiles(fh, X, alpha)
        names = self._get_varnames()
        columns = pd.MultiIndex.from_product([names, alpha])
        return pd.DataFrame(values, index=index, columns=columns)
