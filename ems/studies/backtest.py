"""The study `backtest`: what models would have forecast from day to day, and how good and honest that was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator, Field, JsonValue, model_validator

from ems.errors import InvalidInput, did_you_mean
from ems.record import Name
from ems.studies.history_study import HistoryStudy
from ems.studies.study import StartText

if TYPE_CHECKING:
    from ems.forecast.recipe import Recipe
    from ems.studies.backtest_view import BacktestView
    from ems.studies.forecast_source import MeasuredHistory
    from ems.studies.forecast_target import Target
    from ems.studies.study_run import StudyRun


def _clock(text: str) -> str:
    import datetime as dt

    try:
        dt.time.fromisoformat(text)
    except ValueError:
        raise ValueError("must be a time of day, as in 06:00") from None
    return text


class BacktestStudy(HistoryStudy):
    """The parameters of the notebook `backtest`."""

    name: ClassVar[str] = "backtest"

    title: Name = "Backtest"
    """Title of the report."""
    models: list[Name] = Field(default=["auto", "ridge", "lightgbm", "seasonal_naive"], min_length=1)
    """Models that are compared with the simple rules."""
    model_options: dict[str, dict[str, JsonValue]] = Field(default={})
    """Options by model, each by name."""
    warm_up_days: Annotated[int, Field(ge=5, le=366)] = 14
    """Days before, from whose forecasts weights and probabilities are learned."""
    days: Annotated[int, Field(ge=1, le=366)] = 14
    """Forecasts that are scored, the last ones whose values are measured."""
    issue_time: Annotated[Name, AfterValidator(_clock)] = "00:00"
    """Local time of the day at which each forecast is issued."""
    every_days: Annotated[int, Field(ge=1, le=28)] = 1
    """Days between two forecasts that are scored."""
    until: StartText | None = None
    """End of the time that is scored, in local time; None takes the end of the measured values."""

    @model_validator(mode="after")
    def _named_once(self) -> BacktestStudy:
        twice = sorted({name for name in self.models if self.models.count(name) > 1})
        findings = [f"models: {name} is named twice; leave one" for name in twice]
        findings += [
            f"model_options: {name} is not among the models; {did_you_mean(name, self.models)}"
            for name in self.model_options
            if name not in self.models
        ]
        if findings:
            raise ValueError("; ".join(findings))
        return self

    def recipes(self, target: Target | None) -> list[Recipe]:
        """Return the models' recipes.

        Raises
        ------
        UnknownName, InvalidInput
            If there is no such model, or an option is unknown or out of its bounds.
        """
        return [self.recipe_with(name, self.model_options.get(name, {}), target) for name in self.models]

    def known_until(self) -> StartText | None:
        """Return the end of the time that is scored, where it is stated."""
        return self.until

    def backtest(self, measured: MeasuredHistory, run: StudyRun) -> BacktestView:
        """Return the forecasts of all models over the same days; where none can be made, a job keeps the reason.

        Raises
        ------
        InvalidInput
            If the history is too short, or a model cannot be fitted.
        """
        from ems.forecast.backtest import backtest
        from ems.studies.backtest_view import BacktestView
        from ems.studies.forecast_record import keep_failure

        try:
            test = backtest(
                measured.history,
                self.recipes(measured.target),
                days=self.days,
                horizon_h=self.horizon_h,
                issue_time=self.issue_time,
                every_days=self.every_days,
                until=measured.issued_at,
                levels=self.quantiles,
                warm_up_days=self.warm_up_days,
                training_days=self.training_days,
            )
        except InvalidInput as error:
            told = measured.with_later(error)
            keep_failure(run, self, measured, told)
            raise told from None
        return BacktestView(self, measured, test)
