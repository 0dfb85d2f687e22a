"""ForecastView: one forecast, what it rests on, how honest it was on the days before, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from ems.display import Answer
from ems.forecast import store
from ems.forecast.backtest import Backtest
from ems.forecast.backtest_scores import CENTRAL, calibration_table, reference_of, scores_of, share_inside
from ems.forecast.forecaster import FittedForecaster
from ems.forecast.importance import permutation_importance
from ems.forecast.scenario_reduction import reduce_scenarios
from ems.forecast.scenarios import draw_scenarios
from ems.forecast.scores import mae
from ems.forecast.stored_model import StoredModel
from ems.forecast.warm_up import warm_up_of
from ems.studies.forecast_source import MeasuredHistory, local
from ems.studies.forecast_words import amount, model_words, percent, rule_words, what_it_does

if TYPE_CHECKING:
    from ems.report.data_files import ReportData
    from ems.studies.forecast import ForecastStudy
    from ems.studies.study_run import StudyRun

DRAWN = 500
"""Courses that are drawn, of which few are kept."""
FEW_SHARE = 0.07
"""Distance of the coverage reached from the one meant, from which on the conclusion says so."""


@dataclass(frozen=True, repr=False)
class ForecastView(Answer):
    """A forecast and all that is told of it.

    Parameters
    ----------
    study : ForecastStudy
    measured : MeasuredHistory
    fitted : FittedForecaster
    forecast : Dataset (time, quantile)
    seconds : float
        CPU seconds of fitting and forecasting.
    """

    study: ForecastStudy
    measured: MeasuredHistory
    fitted: FittedForecaster
    forecast: xr.Dataset
    seconds: float

    @property
    def variable(self) -> str:
        """Name of what is forecast."""
        return self.measured.history.name

    @property
    def units(self) -> str:
        """Unit of the values."""
        return self.measured.history.units

    @property
    def timezone(self) -> str:
        """Time zone of local days."""
        return self.measured.timezone

    @property
    def hours(self) -> float:
        """Length of the horizon by the clock: 23 h or 25 h of a day on which it changes."""
        return self.forecast.sizes["time"] * self.measured.history.step_h

    @property
    def median(self) -> pd.Series[float]:
        """The point forecast by time in UTC."""
        return self._quantile(0.5)

    @property
    def _peak(self) -> pd.Timestamp:
        """When the point forecast is highest, UTC."""
        return pd.DatetimeIndex(self.median.index)[int(np.argmax(self.median.to_numpy()))]

    def _score(self, name: str) -> float:
        """Return a score of the model on the days before."""
        return float(self.scores[0][name].loc[self.study.model])

    def _quantile(self, level: float) -> pd.Series[float]:
        found = self.forecast[self.variable].sel(quantile=level, method="nearest")
        return pd.Series(found.to_numpy(), index=pd.DatetimeIndex(self.forecast["time"].to_numpy()))

    @cached_property
    def interval(self) -> tuple[float, float, float] | None:
        """Levels of the widest central interval of at most 80 %, and its probability; None where there is none."""
        levels = self.forecast["quantile"].to_numpy()
        pairs = [(low, high) for low in levels for high in levels if low < 0.5 and abs(low + high - 1) < 1e-9]
        usable = [(float(high - low), float(low), float(high)) for low, high in pairs if high - low <= CENTRAL + 1e-9]
        if not usable:
            return None
        share, low, high = max(usable)
        return low, high, share

    # ------------------------------------------------------------------------------------- the days before
    @cached_property
    def warm_up(self) -> Backtest:
        """The days before the issue time, forecast as if it were then."""
        return warm_up_of(self.fitted, self.measured.history)

    @cached_property
    def scores(self) -> tuple[pd.DataFrame, list[str]]:
        """Scores of the days before, one row a model, and a sentence for each that is undefined."""
        table, notes = scores_of(self.warm_up)
        return table.drop(columns="seconds"), notes

    def calibration(self) -> pd.DataFrame:
        """Return for each level the share of values that lay below it on the days before."""
        return calibration_table(self.warm_up, self.study.model)

    def candidates(self) -> pd.DataFrame:
        """Return what could have been chosen, by rising error on the days before.

        Index ``candidate``; columns ``mae`` over those days, ``weight`` in the ensemble and ``is_chosen``. Of a single
        model there is one row.
        """
        weights = dict(zip(self.fitted.members, self.fitted.weights, strict=True))
        names = list(self.fitted.errors) or list(self.fitted.members)
        table = pd.DataFrame(
            {
                "mae": [self.fitted.errors.get(name, np.nan) for name in names],
                "weight": [weights.get(name, np.nan) for name in names],
                "is_chosen": [name == self.fitted.choice for name in names],
            },
            index=pd.Index(names, name="candidate"),
        )
        return table.sort_values("mae", kind="stable")

    def importance(self) -> pd.DataFrame:
        """Return by which share the error grows when a signal, recent values or the calendar are mixed up."""
        return permutation_importance(self.fitted, self.measured.history, seed=self.study.seed)

    # ------------------------------------------------------------------------------------- what may come instead
    @cached_property
    def scenarios(self) -> xr.Dataset | None:
        """Few weighted courses that stand for many drawn ones; None where none are asked for."""
        if not self.study.scenarios:
            return None
        drawn = draw_scenarios(
            {self.variable: self.forecast},
            {self.variable: self.warm_up.dataset},
            count=max(DRAWN, self.study.scenarios),
            seed=self.study.seed,
            bounds={self.variable: (self.measured.history.lower, self.measured.history.upper)},
        )
        return reduce_scenarios(drawn, self.study.scenarios)

    @cached_property
    def saved_model(self) -> StoredModel | None:
        """The fitted model in the registry; None where none is to be kept."""
        if self.study.save_model is None:
            return None
        return store.save(self.fitted, self.study.save_model, self.metrics())

    def kept_models(self) -> list[StoredModel]:
        """Return all versions of the model that is kept under its name, this one among them."""
        return [] if self.saved_model is None else store.list_models(self.saved_model.name)

    # ------------------------------------------------------------------------------------- what came
    @cached_property
    def came(self) -> pd.Series[float]:
        """What was measured within the horizon, by time in UTC; empty where nothing was yet."""
        later = self.measured.later
        return later[later.index.isin(pd.DatetimeIndex(self.forecast["time"].to_numpy()))]

    def came_array(self) -> xr.DataArray | None:
        """Return what came along time, for figures; None where nothing did yet."""
        if self.came.empty:
            return None
        return xr.DataArray(self.came.to_numpy(), coords={"time": self.came.index.to_numpy()}, dims="time")

    def outcome(self) -> dict[str, float]:
        """Return the error of the point forecast against what came, and the share within the interval; or nothing."""
        if self.came.empty:
            return {}
        median = self.median[self.came.index].to_numpy()
        found = {"mae": mae(self.came.to_numpy(), median)}
        if self.interval is not None:
            low, high, _ = self.interval
            bounds = (self._quantile(level)[self.came.index].to_numpy() for level in (low, high))
            found["coverage"] = float(np.mean(share_inside(self.came.to_numpy(), *bounds)))
        return found

    def metrics(self) -> dict[str, float | None]:
        """Return the scores of the days before, and of what came, by name; None where one is undefined."""
        found = {str(name): _known(self._score(str(name))) for name in self.scores[0].columns}
        found["days"] = float(self.warm_up.dataset.sizes["issued_at"])
        return found | {f"outcome_{name}": _known(value) for name, value in self.outcome().items()}

    def keep(self, run: StudyRun) -> str:
        """Keep the forecast in the database, complete the run, and say so in a sentence."""
        from ems.studies.forecast_record import keep_forecast

        return keep_forecast(run, self)

    # ------------------------------------------------------------------------------------- what it says
    def caption(self) -> str:
        """Return what it is about."""
        return f"Forecast of {self.measured.history.label} for {self.hours:g} h"

    def data(self) -> ReportData:
        """Return the data that stand beside the report."""
        from ems.studies.study_data import data_of_forecast

        return data_of_forecast(self)

    def headline(self) -> list[tuple[str, str]]:
        """Return the answer in a few figures."""
        peak = self._peak
        found = [
            ("Forecast of", self.measured.target.label),
            ("From", f"{local(self.measured.issued_at, self.timezone):%Y-%m-%d %H:%M}, {self.hours:g} h"),
            ("Mean", amount(float(self.median.mean()), self.units)),
            ("Highest", f"{amount(float(self.median[peak]), self.units)} at {local(peak, self.timezone):%H:%M}"),
            ("Model", model_words(self.study.model, self.fitted.choice, self.candidates())),
            ("Error on days before", amount(self._score("mae"), self.units)),
        ]
        if np.isfinite(self._score("skill_mae")):
            found.append(("Against the best rule", _against(self._score("skill_mae"))))
        if np.isfinite(self._score("coverage_80")):
            found.append(("Within 80 % interval", percent(self._score("coverage_80"))))
        if "mae" in (outcome := self.outcome()):
            found.append(("Error against what came", amount(outcome["mae"], self.units)))
        return found

    def conclusion(self) -> str:
        """Return the answer in a few sentences."""
        return " ".join([*self._of_the_horizon(), *self._of_the_days_before(), *self._of_what_came()])

    def _of_the_horizon(self) -> Iterator[str]:
        zone, median = self.timezone, self.median
        begin, peak = local(self.measured.issued_at, zone), self._peak
        verb = what_it_does(self.measured.target.kind)
        yield (
            f"From {begin:%Y-%m-%d %H:%M} on, over {self.hours:g} h, "
            f"{self.measured.target.label} {verb} {amount(float(median.mean()), self.units)} on average, and most at "
            f"{local(peak, zone):%Y-%m-%d %H:%M}: {amount(float(median[peak]), self.units)}."
        )
        if self.interval is not None:
            low, high, share = self.interval
            yield (
                f"With a probability of {percent(share)} it then lies between "
                f"{amount(float(self._quantile(low)[peak]), self.units)} and "
                f"{amount(float(self._quantile(high)[peak]), self.units)}."
            )

    def _of_the_days_before(self) -> Iterator[str]:
        days = self.warm_up.dataset.sizes["issued_at"]
        yield f"It was made by {model_words(self.study.model, self.fitted.choice, self.candidates())}."
        error = f"On the {days} days before, it was wrong by {amount(self._score('mae'), self.units)} on average"
        if np.isfinite(self._score("skill_mae")):
            rule = rule_words(reference_of(self.warm_up))
            yield f"{error}, {_against(self._score('skill_mae'))} than the best simple rule, {rule}."
        else:
            yield f"{error}."
        coverage = self._score("coverage_80")
        if np.isfinite(coverage):
            honest = "as it should be"
            if abs(coverage - CENTRAL) > FEW_SHARE:
                few = coverage < CENTRAL
                honest = "too few: the interval was too narrow" if few else "too many: the interval was too wide"
            yield f"{percent(coverage)} of values lay within the interval of {percent(CENTRAL)}, {honest}."

    def _of_what_came(self) -> Iterator[str]:
        outcome = self.outcome()
        if not outcome:
            return
        yield (
            f"The series holds what came, which the forecast did not see: {len(self.came)} values, from which it was "
            f"{amount(outcome['mae'], self.units)} away on average"
            + (f", with {percent(outcome['coverage'])} of them within the interval." if "coverage" in outcome else ".")
        )

    def notes(self) -> list[str]:
        """Return what a reader should know: what was assumed, left out, or is undefined."""
        kept = [] if self.saved_model is None else [f"the fitted model is kept as {self.saved_model.id}"]
        drawn = [] if self.scenarios is None else [f"scenarios: {note}" for note in self.scenarios.attrs["notes"]]
        return list(dict.fromkeys([*self.forecast.attrs.get("notes", ()), *self.scores[1], *drawn, *kept]))

    def facts(self) -> dict[str, Any]:
        """Return what the forecast rests on, in words."""
        zone, fitted = self.timezone, self.fitted
        return {
            "Model": model_words(self.study.model, fitted.choice, self.candidates()),
            "Learned from": f"{fitted.samples:,} values from {local(fitted.trained_from, zone):%Y-%m-%d} "
            f"to {local(fitted.trained_until, zone):%Y-%m-%d %H:%M}",
            "Errors learned from": f"forecasts of {len(fitted.folds.at)} days before",
            "CPU time": f"{self.seconds:.1f} s",
        }


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _against(skill: float) -> str:
    return f"{percent(abs(skill))} {'less' if skill >= 0 else 'more'}"
