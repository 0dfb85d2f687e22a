"""BacktestView: what a backtest says: which model was best, by how much, when, at what cost, and how honest it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ems.display import Answer, counted
from ems.forecast.backtest import Backtest
from ems.forecast.backtest_scores import (
    CENTRAL,
    calibration_table,
    reference_of,
    scores_by_day,
    scores_by_hour,
    scores_by_lead,
    scores_of,
)
from ems.forecast.drift import (
    FEWEST_RECENT_DAYS,
    FEWEST_REFERENCE_DAYS,
    RECENT_DAYS,
    Drift,
    find_drift,
)
from ems.studies.forecast_source import MeasuredHistory, local
from ems.studies.forecast_words import amount, percent, rule_words

if TYPE_CHECKING:
    from ems.report.data_files import ReportData
    from ems.studies.backtest import BacktestStudy
    from ems.studies.study_run import StudyRun

SHOWN_DAYS = 3
"""Best and worst days that are shown."""
SMALL_SKILL = 0.02
"""Difference in skill below which two models count as equally good."""
FEW_SHARE = 0.05


@dataclass(frozen=True, repr=False)
class BacktestView(Answer):
    """A backtest and all that is told of it.

    Parameters
    ----------
    study : BacktestStudy
    measured : MeasuredHistory
    test : Backtest
    """

    study: BacktestStudy
    measured: MeasuredHistory
    test: Backtest

    @property
    def units(self) -> str:
        """Unit of the values."""
        return self.measured.history.units

    @property
    def timezone(self) -> str:
        """Time zone of local days."""
        return self.measured.timezone

    @cached_property
    def _scored(self) -> tuple[pd.DataFrame, list[str]]:
        return scores_of(self.test)

    @property
    def scores(self) -> pd.DataFrame:
        """Scores of all models and simple rules, by rising error."""
        return self._scored[0].sort_values("mae", kind="stable")

    @property
    def models(self) -> list[str]:
        """Models that were asked for, by rising error; without the simple rules."""
        return [str(name) for name in self.scores.index if name not in self.test.rules]

    @property
    def best(self) -> str:
        """The model of the least error."""
        return self.models[0]

    @cached_property
    def reference(self) -> str:
        """The simple rule of the least error, by which skill is measured."""
        return reference_of(self.test)

    @property
    def _compared(self) -> list[str]:
        return list(dict.fromkeys([*self.models, self.reference]))

    def by_lead(self) -> pd.DataFrame:
        """Return the mean error by lead time in hours, one column a model, with the best simple rule."""
        return scores_by_lead(self.test, self._compared)

    def by_hour(self) -> pd.DataFrame:
        """Return the mean error by hour of the local day, one column a model, with the best simple rule."""
        return scores_by_hour(self.test, self._compared)

    def calibration(self) -> dict[str, pd.DataFrame]:
        """Return for each model and level the share of values that lay below it."""
        return {model: calibration_table(self.test, model) for model in self.models}

    def by_day(self) -> pd.DataFrame:
        """Return error, bias and coverage of each day's forecast by the best model, by issue time."""
        return scores_by_day(self.test, self.best)

    def _daily_errors(self) -> pd.Series[float]:
        """Return the mean error of each day's forecast by the best model, the least first, by issue time."""
        return self.by_day()["mae"].dropna().sort_values(kind="stable")

    def best_days(self) -> list[pd.Timestamp]:
        """Return the issue times of the days that the best model forecast best."""
        return list(pd.DatetimeIndex(self._daily_errors().index[:SHOWN_DAYS]))

    def worst_days(self) -> list[pd.Timestamp]:
        """Return the issue times of the days that the best model forecast worst, the worst first."""
        return list(pd.DatetimeIndex(self._daily_errors().index[::-1][:SHOWN_DAYS]))

    def drift(self) -> list[Drift]:
        """Return whether error and coverage of the best model are lately worse than before; nothing of few days."""
        errors = self._daily_errors()
        recent = min(RECENT_DAYS, len(errors) - FEWEST_REFERENCE_DAYS)
        if recent < FEWEST_RECENT_DAYS or self.study.every_days > 1:
            return []
        return find_drift(
            pd.DatetimeIndex(self.test.dataset["issued_at"].to_numpy()),
            self.test.observed,
            self.test.quantiles(self.best),
            self.test.dataset["quantile"].to_numpy(),
            recent_days=recent,
            unit=self.units,
        )

    def drift_words(self) -> str:
        """Return what can be said of drift, in sentences."""
        found = self.drift()
        if not found:
            least = FEWEST_REFERENCE_DAYS + FEWEST_RECENT_DAYS
            return f"Whether a model wears out can be told from {least} days on, one after the other."
        return " ".join(f"{one.sentence[0].upper()}{one.sentence[1:]}." for one in found)

    def drift_since(self) -> pd.Timestamp | None:
        """Return the day from which on errors are larger than before; None where they are not."""
        return next((one.since for one in self.drift() if one.has_drifted and one.subject == "MAE"), None)

    def weights(self) -> pd.DataFrame:
        """Return the weights of members by issue time, of the best model that has some; empty where none has."""
        several = [model for model in self.models if model in self.test.combined]
        return self.test.weights(several[0]) if several else pd.DataFrame()

    def metrics(self, model: str) -> dict[str, float | None]:
        """Return a model's scores by name; None where one is undefined."""
        found = {str(name): self._score(model, str(name)) for name in self._scored[0].columns}
        return {name: value if np.isfinite(value) else None for name, value in found.items()}

    def keep(self, run: StudyRun) -> str:
        """Keep the backtest in the database, complete the run, and say so in a sentence."""
        from ems.studies.forecast_record import keep_backtest

        return keep_backtest(run, self)

    # ------------------------------------------------------------------------------------- what it says
    def caption(self) -> str:
        """Return what it is about."""
        return f"Backtest of {self.measured.history.label}"

    def data(self) -> ReportData:
        """Return the data that stand beside the report."""
        from ems.studies.study_data import data_of_backtest

        return data_of_backtest(self)

    def headline(self) -> list[tuple[str, str]]:
        """Return the answer in a few figures."""
        found = [
            ("Best model", self.best),
            ("Mean error", amount(self._score(self.best, "mae"), self.units)),
            ("Best simple rule", f"{rule_words(self.reference)}: {self._error(self.reference)}"),
        ]
        if np.isfinite(self._score(self.best, "skill_mae")):
            found.append(("Skill against it", percent(self._score(self.best, "skill_mae"))))
        if np.isfinite(self._score(self.best, "skill_pinball")):
            found.append(("Skill, probabilities", percent(self._score(self.best, "skill_pinball"))))
        if np.isfinite(self._score(self.best, "coverage_80")):
            found.append(("Within 80 % interval", percent(self._score(self.best, "coverage_80"))))
        found.append(("Cost of a forecast", f"{self._score(self.best, 'seconds'):.2f} s of CPU"))
        found.append(("Forecasts scored", str(self.test.dataset.sizes["issued_at"])))
        return found

    def _score(self, model: str, name: str) -> float:
        return float(self._scored[0][name].loc[model])

    def _error(self, model: str) -> str:
        return amount(self._score(model, "mae"), self.units)

    def conclusion(self) -> str:
        """Return the answer in a few sentences."""
        return " ".join([*self._of_the_best(), *self._of_the_others(), *self._of_probabilities(), *self._of_days()])

    def _of_the_best(self) -> Iterator[str]:
        issued = pd.DatetimeIndex(self.test.dataset["issued_at"].to_numpy())
        first, last = (local(one, self.timezone) for one in (issued[0], issued[-1]))
        yield (
            f"Over {counted(len(issued), 'forecast')} issued from {first:%Y-%m-%d} to {last:%Y-%m-%d}, {self.best} "
            f"was best: wrong by {self._error(self.best)} on average."
        )
        skill, rule = self._score(self.best, "skill_mae"), rule_words(self.reference)
        if not np.isfinite(skill):
            yield f"The best simple rule, {rule}, made no error to compare with."
        elif skill > 0:
            yield f"That is {percent(skill)} less than the best simple rule, {rule}: {self._error(self.reference)}."
        else:
            yield (
                f"The best simple rule, {rule}, was better or as good, with {self._error(self.reference)}: no model "
                "that was tried earns its cost."
            )

    def _of_the_others(self) -> Iterator[str]:
        best_skill, best_s = self._score(self.best, "skill_mae"), self._score(self.best, "seconds")
        near = [
            name
            for name in self.models[1:]
            if best_skill - self._score(name, "skill_mae") < SMALL_SKILL and self._score(name, "seconds") < best_s / 2
        ]
        if near:
            cheap = min(near, key=lambda name: self._score(name, "seconds"))
            yield (
                f"{cheap} is nearly as good at a fraction of the cost: {self._error(cheap)}, for "
                f"{self._score(cheap, 'seconds'):.2f} s of CPU a forecast instead of {best_s:.2f} s."
            )
        elif len(self.models) > 1:
            second = self.models[1]
            yield f"Next is {second} with {self._error(second)}."

    def _of_probabilities(self) -> Iterator[str]:
        coverage = self._score(self.best, "coverage_80")
        if not np.isfinite(coverage):
            return
        said = f"{percent(coverage)} of values lay within the interval of {percent(CENTRAL)} that {self.best} told"
        if abs(coverage - CENTRAL) <= FEW_SHARE:
            yield f"{said}, so that its probabilities can be taken at their word."
        else:
            yield f"{said}: it was too {'narrow' if coverage < CENTRAL else 'wide'}."

    def _of_days(self) -> Iterator[str]:
        errors = self._daily_errors()
        if len(errors) > 1:
            best, worst = (local(pd.Timestamp(errors.index[at]), self.timezone) for at in (0, -1))
            yield (
                f"Its worst day was {worst:%Y-%m-%d} with {amount(float(errors.iloc[-1]), self.units)}, its best "
                f"{best:%Y-%m-%d} with {amount(float(errors.iloc[0]), self.units)}."
            )
        yield from (one.sentence[0].upper() + one.sentence[1:] + "." for one in self.drift() if one.has_drifted)

    def notes(self) -> list[str]:
        """Return what a reader should know: what was assumed, left out, or is undefined."""
        fewer = []
        scored = self.test.dataset.sizes["issued_at"]
        if scored < self.study.days:
            fewer.append(f"{scored} of {self.study.days} forecasts could be scored: the history is short")
        return list(dict.fromkeys([*self.test.dataset.attrs.get("notes", ()), *self._scored[1], *fewer]))
