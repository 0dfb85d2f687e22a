"""The study `forecast`: what a load, a plant or a price will be over one horizon, with honest probabilities."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, JsonValue, model_validator

from ems.errors import InvalidInput
from ems.record import Name, Slug
from ems.studies.history_study import HistoryStudy
from ems.studies.study import StartText

if TYPE_CHECKING:
    from ems.forecast.recipe import Recipe
    from ems.studies.forecast_source import MeasuredHistory
    from ems.studies.forecast_target import Target
    from ems.studies.forecast_view import ForecastView
    from ems.studies.study_run import StudyRun


FEWEST_DAYS_OF_SCENARIOS = 15
"""Days before of which ten have quantiles, from whose errors scenarios learn."""


class ForecastStudy(HistoryStudy):
    """The parameters of the notebook `forecast`."""

    name: ClassVar[str] = "forecast"

    title: Name = "Forecast"
    """Title of the report."""
    start: StartText | None = None
    """Issue time in local time, from which on nothing is known; None takes the end of the measured values."""
    model: Name = "auto"
    """Model; auto takes an ensemble or its best member, whichever was better lately."""
    model_options: dict[str, JsonValue] = Field(default={})
    """Options of the model by name."""
    scenarios: Annotated[int, Field(ge=0, le=100)] = 0
    """Weighted courses to draw for a stochastic dispatch; 0 draws none."""
    save_model: Slug | None = None
    """Name under which the fitted model is kept; None keeps none."""

    @model_validator(mode="after")
    def _has_use(self) -> ForecastStudy:
        if self.scenarios == 1:
            raise ValueError("scenarios = 1: must be 0, or at least 2; a single course is the forecast itself")
        if self.scenarios and self.warm_up_days < FEWEST_DAYS_OF_SCENARIOS:
            raise ValueError(
                f"warm_up_days = {self.warm_up_days}: must be at least {FEWEST_DAYS_OF_SCENARIOS} for scenarios, as "
                "they learn from these days what goes with what"
            )
        return self

    def recipes(self, target: Target | None) -> list[Recipe]:
        """Return the one model's recipe.

        Raises
        ------
        UnknownName, InvalidInput
            If there is no such model, or an option is unknown or out of its bounds.
        """
        return [self.recipe_with(self.model, self.model_options, target)]

    def known_until(self) -> StartText | None:
        """Return the issue time, where it is stated."""
        return self.start

    def forecast(self, measured: MeasuredHistory, run: StudyRun) -> ForecastView:
        """Return the forecast from the end of what is known; one that cannot be made leaves a job with its reason.

        Raises
        ------
        InvalidInput
            If the history is too short, a signal is missing, or no model can be fitted.
        """
        from ems.forecast.forecaster import fit_forecaster
        from ems.studies.forecast_record import keep_failure
        from ems.studies.forecast_view import ForecastView

        begin = time.process_time()
        try:
            fitted = fit_forecaster(
                measured.history,
                self.recipes(measured.target)[0],
                measured.issued_at,
                horizon_h=self.horizon_h,
                levels=self.quantiles,
                warm_up_days=self.warm_up_days,
            )
            predicted = fitted.predict(measured.history)
        except InvalidInput as error:
            told = measured.with_later(error)
            keep_failure(run, self, measured, told)
            raise told from None
        return ForecastView(self, measured, fitted, predicted, time.process_time() - begin)
