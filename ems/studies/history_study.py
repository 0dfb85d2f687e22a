"""HistoryStudy: the parameters that the studies of forecasts share: which series, from where, and what helps."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, JsonValue, field_validator, model_validator

from ems.assets.portfolio import Timezone
from ems.errors import InvalidInput, show
from ems.folders import find_file, project_folder
from ems.record import Name, Positive, Slug
from ems.series.form import SeriesForm
from ems.studies.study import FileName, StartText, Study

if TYPE_CHECKING:
    from ems.forecast.recipe import Recipe
    from ems.studies.forecast_source import MeasuredHistory
    from ems.studies.forecast_target import Target
    from ems.studies.study_run import StudyRun

SERIES_ENDINGS = (".csv", ".parquet", ".xlsx")
SITE_ENDINGS = (".yaml", ".yml")
Kind = Literal["load", "solar", "wind", "price"]
RESERVED = ("time", "quantile", "issued_at", "scenario")
"""Names that coordinates of a forecast have."""
IDLE_FORM = {
    "columns": "it names columns of assets; say column, known_ahead and known_past",
    "fill_gaps": "gaps stay gaps in a forecast",
    "longest_fill_h": "gaps stay gaps in a forecast",
}
"""Parts of a form that cannot act here, each with the reason."""


def _named_column(text: str) -> str:
    name, column = signal_of(text)
    if not name or not column:
        raise ValueError("must be column, or name=column, as in outdoor_temperature_degc=temp")
    if name in RESERVED:
        raise ValueError(f"{name} is a name that forecasts use themselves; say name=column")
    return text


def signal_of(text: str) -> tuple[str, str]:
    """Return the name of a signal and the column it is read from.

    >>> signal_of("outdoor_temperature_degc=temp"), signal_of("temp_c")
    (('outdoor_temperature_degc', 'temp'), ('temp_c', 'temp_c'))
    """
    name, equals, column = text.partition("=")
    return (name.strip(), column.strip()) if equals else (text.strip(), text.strip())


SignalText = Annotated[Name, AfterValidator(_named_column)]
"""A column, or ``name=column``."""


class HistoryStudy(Study):
    """What the studies `forecast` and `backtest` have in common: a measured series and how it is learned from."""

    site: FileName | None = "campus"
    """Site file: a name in data/sites, or a path; None takes the register, or with a column no site."""
    asset: Slug | None = None
    """Id of the asset that is forecast; None takes the only load."""
    column: Name | None = None
    """Column of the series file, or series in the database, that is forecast in place of an asset."""
    source: Literal["file", "database"] = "file"
    """Where measured values are read: file or database."""
    series: FileName | None = None
    """Series file: a name in data/series, or a path; None takes the one with the site's name."""
    form: dict[str, JsonValue] = Field(default={})
    """How the file is written, as under series in a site file: time_column, separator, decimal and others."""
    timezone: Timezone | None = None
    """Time zone of local days; None takes the site's, or that of the series in the database."""
    country: Name | None = None
    """Whose holidays count, as in DE or DE-BY; None takes the site's country, or none."""
    kind: Kind | None = None
    """What is forecast: load, solar, wind or price; None follows the asset."""
    unit: Name | None = None
    """Unit of the values; None reads it from their name."""
    capacity: float | None = None
    """Highest value that can be, in the unit of the values; None takes the asset's."""
    known_ahead: list[SignalText] = Field(default=[])
    """Columns known before their time, as forecasts of the weather. Each is a column, or name=column; models that know
    physics go by the name: outdoor_temperature_degc=temp."""
    known_past: list[SignalText] = Field(default=[])
    """Columns known once they are measured, as another meter. Written alike."""
    leave_out_anomalies: bool = False
    """Whether values that a meter cannot have measured are left out of what is learned from."""
    horizon_h: Positive = 24
    """Length of a forecast; whole days end at the same local time."""
    quantiles: list[float] = Field(default=[0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95])
    """Probabilities told, ascending, with 0.5."""
    training_days: Annotated[float, Field(ge=7, le=3660)] = 365
    """Days of history that models learn from, at most."""
    warm_up_days: Annotated[int, Field(ge=5, le=366)] = 28
    """Days before, from whose forecasts weights and probabilities are learned."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Seed of what is random."""

    @field_validator("form")
    @classmethod
    def _readable(cls, form: dict[str, JsonValue]) -> dict[str, JsonValue]:
        idle = [f"{name}: {reason}" for name, reason in IDLE_FORM.items() if name in form]
        try:
            SeriesForm(**{name: value for name, value in form.items() if name not in IDLE_FORM})  # type: ignore[arg-type]
        except InvalidInput as error:
            idle += error.findings
        if idle:
            raise ValueError("form: " + "; ".join(idle))
        return form

    @model_validator(mode="after")
    def _has_effect(self) -> HistoryStudy:
        findings = [*self._source_findings(), *self._signal_findings()]
        if findings:
            raise ValueError("; ".join(findings))
        return self

    def _source_findings(self) -> list[str]:
        """Return a sentence for each parameter that would have no effect, or that is missing."""
        findings = []
        if self.column is not None:
            if self.asset is not None:
                findings.append(f"asset = {show(self.asset)}: has no effect beside column; keep one")
            if self.kind is None:
                findings.append("kind: is required with a column, which does not tell it: load, solar, wind or price")
            if self.column in RESERVED:
                findings.append(f"column = {show(self.column)}: forecasts use this name themselves; rename the column")
        if self.source == "database":
            findings += [
                f"{name}: has no effect where source = 'database'; leave it out"
                for name in ("series", "form")
                if getattr(self, name)
            ]
        elif self.site is None:
            needed = [name for name in ("column", "series", "timezone") if getattr(self, name) is None]
            if needed:
                findings.append(f"{', '.join(needed)}: required for a file without a site")
        return findings

    def _signal_findings(self) -> list[str]:
        names = [signal_of(text)[0] for text in (*self.known_ahead, *self.known_past)]
        findings = [
            f"{name}: two signals have this name; say another one, as name=column"
            for name in dict.fromkeys(names)
            if names.count(name) > 1
        ]
        if self.column is not None and self.column in names:
            findings.append(f"{self.column}: is what is forecast, and no signal beside it")
        return findings

    # ------------------------------------------------------------------------------------- checks before a kernel
    def check(self) -> None:
        """Raise where a file or model is not there, or an option, level or country cannot be used.

        Raises
        ------
        InvalidInput
        """
        from ems.forecast.forecaster import checked_levels

        self.site_file()
        self.series_file()
        checked_levels(self.quantiles)
        if self.country is not None:
            from ems.forecast.calendar import holidays_of

            holidays_of(self.country, 2024, 2024)
        self.recipes(self._target_in_file())

    def is_repeatable(self) -> bool:
        """Return whether equal parameters and equal files give an equal result; False where a database is read."""
        return self.source == "file"

    def site_file(self) -> Path | None:
        """Return the path of the site file; None where there is no site, or the register is read."""
        if self.site is None:
            return None
        return find_file(self.site, project_folder() / "data" / "sites", SITE_ENDINGS, "site")

    def series_file(self) -> Path | None:
        """Return the path of the series file; None where the database is read."""
        if self.source == "database":
            return None
        name = self.series or Path(self.site or "").stem
        return find_file(name, project_folder() / "data" / "series", SERIES_ENDINGS, "series")

    def report_timezone(self) -> str:
        """Return the time zone of local days, or UTC where it is not known yet."""
        if self.timezone is not None:
            return self.timezone
        try:
            target = self._target_in_file()
        except InvalidInput:
            return "UTC"
        return "UTC" if target is None or target.timezone is None else target.timezone

    def _target_in_file(self) -> Target | None:
        """Return what is forecast, as the site file and the parameters tell it; None where it takes the register."""
        from ems.assets.portfolio import read_portfolio
        from ems.studies.forecast_target import target_of

        path = self.site_file()
        if path is None and self.column is None:
            return None
        return target_of(self, None if path is None else read_portfolio(path))

    def parameter_rows(self, currency: str = "currency") -> list[dict[str, str]]:
        """Return for each parameter its value, unit and meaning, as text; lists as people write them."""
        rows = []
        for row in super().parameter_rows(currency):
            value = getattr(self, row["field"])
            rows.append({**row, "value": _listed(value)} if isinstance(value, list | dict) else row)
        return rows

    # ------------------------------------------------------------------------------------- what is learned from
    @abstractmethod
    def recipes(self, target: Target | None) -> list[Recipe]:
        """Return what is run, each model with its options, and those that know physics with the target's plant.

        Raises
        ------
        UnknownName, InvalidInput
            If there is no such model, or an option is unknown or out of its bounds.
        """

    def recipe_with(self, name: str, options: Mapping[str, Any], target: Target | None) -> Recipe:
        """Return a model's recipe that looks back at most `training_days`; a member that looks back less stays so.

        Parameters
        ----------
        name : str
        options : mapping
        target : Target, optional
            What is forecast; None where only the database knows it.

        Raises
        ------
        UnknownName, InvalidInput
            If there is no such model, an option is unknown, out of its bounds, or a parameter of the study, or physics
            lacks what it needs.
        """
        from dataclasses import replace

        from ems.forecast.models.physical import Plant, missing_of
        from ems.forecast.recipe import for_plant, recipe_of

        given = [one for one in ("training_days", "seed") if one in options]
        if given:
            findings = [f"{one}: is a parameter of the study; say it there" for one in given]
            raise InvalidInput(f"the options of model {show(name)}", findings)
        recipe = recipe_of(name, options, self.seed)
        members = {
            member: model.replace(
                training_days=min(model.training_days, self.training_days)
                if "training_days" in model.model_fields_set
                else self.training_days
            )
            for member, model in recipe.members.items()
        }
        signals = [signal_of(text)[0] for text in self.known_ahead]
        recipe = replace(recipe, members=members)
        if target is not None:
            recipe = for_plant(recipe, target.asset, target.site, signals)
        for member, model in recipe.members.items():
            if isinstance(model, Plant):
                asset, site = model.plant()
                missing = missing_of(asset, site, signals)
                if missing:
                    raise InvalidInput(f"model {show(member)} of {asset.kind} {show(asset.id)}", missing)
        return recipe

    @abstractmethod
    def known_until(self) -> StartText | None:
        """Return the local time from which on nothing is known; None where all that is measured is."""

    def open_run(self) -> StudyRun:
        """Return the run's record in the database: the one that a command opened, or a new one."""
        from ems.studies.study_run import open_study_run

        return open_study_run(self)

    def load_history(self) -> MeasuredHistory:
        """Return the measured series up to the issue time, its anomalies, and the signals beside it.

        Raises
        ------
        InvalidInput
            If the series or the asset is not there or cannot be used.
        """
        from ems.studies.forecast_source import load_history

        return load_history(self)


def _listed(value: Sequence[Any] | Mapping[str, Any]) -> str:
    """Return a list or mapping as people write it: ``ridge, auto``; ``separator: ;``."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {one}" for name, one in value.items()) or "none"
    return ", ".join(f"{one:g}" if isinstance(one, float) else str(one) for one in value) or "none"
