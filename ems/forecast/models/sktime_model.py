"""Any forecaster of sktime as a model: by its name in sktime's registry, or as an object in code."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
import pandas as pd
from pydantic import Field, JsonValue

from ems.errors import InvalidInput, UnknownName, did_you_mean, show
from ems.forecast.gaps import gapless
from ems.forecast.models.model import FittedModel, Model, State
from ems.record import Name

if TYPE_CHECKING:
    from ems.forecast.history import Known

LONGEST_LINE_H = 3.0


class SktimeModel(Model):
    """A forecaster of sktime, fitted at each issue time to the last values and to the signals known ahead.

    Gaps are filled as `ems.forecast.gaps.gapless` says where the forecaster cannot use them, which few can. What is
    kept of it is its name and its parameters: it is fitted again where it is used.
    """

    name: ClassVar[str] = "sktime"
    meaning: ClassVar[str] = "any forecaster of sktime, by its name"

    forecaster: Name
    """Name in sktime's registry of forecasters: ThetaForecaster, AutoETS, NaiveForecaster."""
    forecaster_options: dict[str, JsonValue] = Field(default={})
    """Its parameters by name; those that are objects can only be given in code, by `of`."""
    training_days: Annotated[float, Field(ge=7, le=3660)] = 56.0
    """Days of history that it learns from."""

    @classmethod
    def of(cls, forecaster: Any, **options: Any) -> SktimeModel:
        """Return the model of a forecaster object, whose parameters are plain values.

        Raises
        ------
        InvalidInput
            If a parameter is an object, which cannot be kept.
        """
        given = forecaster.get_params(deep=False)
        changed = {name: value for name, value in given.items() if value != forecaster.get_param_defaults().get(name)}
        return cls(forecaster=type(forecaster).__name__, forecaster_options=changed, **options)

    def make(self) -> Any:
        """Return the forecaster.

        Raises
        ------
        UnknownName
            If sktime has none of that name.
        InvalidInput
            If it lacks a package, or refuses its parameters.
        """
        kind = forecaster_class(self.forecaster)
        what = f"forecaster {show(self.forecaster)} of sktime"
        known = kind.get_param_names()
        unknown = sorted(set(self.forecaster_options) - set(known))
        if unknown:
            raise InvalidInput(what, [f"{one}: no such parameter; {did_you_mean(one, known)}" for one in unknown])
        try:
            return kind(**self.forecaster_options)
        except ModuleNotFoundError as error:
            raise InvalidInput(what, f"needs a package that is not installed: {_first_line(error)}") from None
        except Exception as error:  # it is theirs, and says in its own way what is wrong
            raise InvalidInput(what, f"refuses its parameters: {_first_line(error)}") from None

    def fit(self, known: Known) -> FittedSktime:
        """Return the model; it is fitted where it predicts, but refuses here what it cannot do."""
        self.make()
        return FittedSktime(self)

    @classmethod
    def restore(cls, options: Mapping[str, Any], state: State) -> FittedSktime:
        """Return the model."""
        return FittedSktime(cls(**options))


@dataclass(frozen=True)
class FittedSktime(FittedModel):
    """A forecaster that is fitted to the last values where it predicts."""

    model: SktimeModel

    def predict(self, known: Known) -> np.ndarray:
        """Return the forecast of each step.

        Raises
        ------
        InvalidInput
            If the forecaster fails on this series, in its own words.
        """
        values = gapless(known.values, known.history.steps_per_day, round(LONGEST_LINE_H / known.history.step_h))
        first = known.past_steps - len(values)
        times = known.history.times[known.window][first:]
        index = pd.date_range(times[0], periods=len(times), freq=pd.Timedelta(hours=known.history.step_h))
        series = pd.Series(values, index[: len(values)], name=known.history.name)
        signals = None
        forecaster = self.model.make()
        if known.ahead and forecaster.get_tag("capability:exogenous", True, raise_error=False):
            table = {name: gapless_signal(one[first:]) for name, one in known.ahead.items()}
            signals = pd.DataFrame(table, index=index)
        horizon = np.arange(1, known.steps + 1)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                past = None if signals is None else signals.iloc[: len(values)]
                ahead = None if signals is None else signals.iloc[len(values) :]
                found = forecaster.fit(series, X=past, fh=horizon).predict(X=ahead)
        except Exception as error:  # whatever it raises, the series and the forecaster are what a person can change
            raise InvalidInput(
                f"forecaster {show(self.model.forecaster)} of sktime for {known.history.label}",
                f"fails: {_first_line(error)}; change its parameters, or choose another one",
            ) from None
        return np.asarray(found, dtype=float).ravel()

    def update(self, known: Known) -> Self:
        """Return the model as it is: it is fitted where it predicts."""
        return self

    def state(self) -> State:
        """Return nothing: name and parameters are all that is kept."""
        return {}


def gapless_signal(values: np.ndarray) -> np.ndarray:
    """Return a signal whose gaps in the past hold a straight line."""
    known = np.flatnonzero(np.isfinite(values))
    return np.asarray(np.interp(np.arange(len(values)), known, values[known]))


@cache
def _forecasters() -> Mapping[str, Any]:
    from sktime.registry import all_estimators

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dict(all_estimators("forecaster"))


def forecaster_class(name: str) -> Any:
    """Return the class of a forecaster from sktime's own registry; nothing else is ever imported by a name.

    Raises
    ------
    UnknownName
        If there is none of that name.
    """
    known = _forecasters()
    if name not in known:
        raise UnknownName(f"forecaster {show(name)} of sktime", did_you_mean(name, known))
    return known[name]


def _first_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return show(text).strip("'") if text else type(error).__name__
