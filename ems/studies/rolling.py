"""The study `rolling`: plans made again and again on forecasts, carried out on what truly comes, and their cost."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from ems.errors import InvalidInput, did_you_mean
from ems.folders import find_file, project_folder, scratch_folder, sha256_of
from ems.record import Fraction, Name, NonNegative, Positive
from ems.studies.study import FileName, StartText, Study

if TYPE_CHECKING:
    from ems.assets.portfolio import Portfolio
    from ems.studies.rolling_case import RollingCase, RollingSettings
    from ems.studies.rolling_ledger import RegretLedger, ValueOfUncertainty
    from ems.studies.rolling_result import RollingResult
    from ems.studies.rolling_words import RollingAnswer
    from ems.studies.study_run import StudyRun

SERIES_ENDINGS = (".csv", ".parquet", ".xlsx")
POLICIES = (
    "no_control",
    "self_consumption",
    "time_of_use",
    "plan_naive",
    "plan_own",
    "stochastic",
    "hedged",
    "plan_perfect",
    "perfect_foresight",
)
"""Policies by name, from no control to knowing all."""
KINDS = ("load", "solar", "price")
MODEL = "profile_ridge"
"""Model of own forecasts: nearly as good as the best on homes, and a fold takes a hundredth of a second."""


class RollingStudy(Study):
    """The parameters of the notebook `rolling`."""

    name: ClassVar[str] = "rolling"

    title: Name = "Rolling"
    """Title of the report."""
    site: FileName = "campus-battery"
    """Site file: a name in data/sites, or a path."""
    series: FileName | None = "campus"
    """Series file: a name in data/series, or a path; None takes the one with the site's name."""
    start: StartText | None = None
    """Beginning of the first decision in local time; None takes the last days of the series."""
    length_h: Positive = 72
    """Time over which decisions are made."""
    horizon_h: Positive = 36
    """Length of each plan."""
    step_h: Positive = 1.0
    """Length of a plan's step."""
    decide_every_h: Positive = 1.0
    """Time between two decisions."""
    policies: list[Name] = Field(default=[])
    """Policies to compare, as plan_own; an empty list takes all."""
    forecasters: dict[str, Name] = Field(default={})
    """Models of own forecasts by kind: load, solar, price; profile_ridge where none is named."""
    prices_known: Literal["always", "day_ahead"] = "day_ahead"
    """Until when prices are known: always, or day_ahead, published at 13:00 local time."""
    terminal_value: Literal["none", "keep", "mean_price", "quantiles", "duals"] = "quantiles"
    """Worth of energy at a plan's end: none, keep, mean_price, quantiles or duals."""
    demand_value: Literal["none", "increment", "rest_of_period"] = "rest_of_period"
    """Price of a kW of peak: none, increment, or less where its period has one anyway."""
    control: Literal["follow", "setpoint"] = "follow"
    """What batteries hold between decisions: the sign of the exchange with the grid, or their power."""
    careful_level: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Probability of the energy needed that own forecasts are planned with; None: as prices ask."""
    scenarios: Annotated[int, Field(ge=2, le=100)] = 10
    """Futures that the stochastic plan prepares for."""
    cvar_weight: Fraction = 0.0
    """Weight on the dearest futures."""
    cvar_level: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Share of futures that are not among the dearest."""
    calm_price_per_kwh: NonNegative = 0.0
    """Price of each kWh by which a battery leaves the plan before."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Seed of what is random."""

    @model_validator(mode="after")
    def _has_effect(self) -> RollingStudy:
        findings = [
            f"policies: {one}: no such policy; {did_you_mean(one, POLICIES)}"
            for one in self.policies
            if one not in POLICIES
        ]
        findings += [
            f"policies: {one} is named twice; leave one"
            for one in dict.fromkeys(self.policies)
            if self.policies.count(one) > 1
        ]
        findings += [
            f"forecasters: {one}: no such kind; {did_you_mean(one, KINDS)}"
            for one in self.forecasters
            if one not in KINDS
        ]
        if self.cvar_weight and "stochastic" not in self.compared:
            findings.append(f"cvar_weight = {self.cvar_weight:g}: has no effect without the policy stochastic")
        if self.careful_level is not None and "plan_own" not in self.compared:
            findings.append(f"careful_level = {self.careful_level:g}: has no effect without the policy plan_own")
        if self.calm_price_per_kwh and not any(one.startswith("plan") or one == "stochastic" for one in self.compared):
            findings.append(
                f"calm_price_per_kwh = {self.calm_price_per_kwh:g}: has no effect without a policy that plans"
            )
        if findings:
            raise ValueError("; ".join(findings))
        return self

    @property
    def compared(self) -> tuple[str, ...]:
        """Policies that are compared."""
        return tuple(self.policies) or POLICIES

    @property
    def models(self) -> dict[str, str]:
        """Model of own forecasts by kind."""
        return {kind: self.forecasters.get(kind, MODEL) for kind in KINDS}

    def check(self) -> None:
        """Raise where site, series or models are not there, or lengths do not fit together.

        Raises
        ------
        InvalidInput
        """
        from ems.forecast.recipe import recipe_of

        self.site_file()
        self.series_file()
        for model in self.models.values():
            recipe_of(model, {}, self.seed)

    def site_file(self) -> Path:
        """Return the path of the site file."""
        return find_file(self.site, project_folder() / "data" / "sites", (".yaml", ".yml"), "site")

    def series_file(self) -> Path:
        """Return the path of the series file."""
        name = self.series or Path(self.site).stem
        return find_file(name, project_folder() / "data" / "series", SERIES_ENDINGS, "series")

    def report_timezone(self) -> str:
        """Return the time zone of the first site, or UTC where the site file cannot be read."""
        try:
            return self.load_portfolio().sites[0].timezone
        except InvalidInput:
            return "UTC"

    def report_currency(self) -> str:
        """Return the currency of the site file, or the word where it cannot be read."""
        try:
            return self.load_portfolio().currency
        except InvalidInput:
            return super().report_currency()

    def parameter_rows(self, currency: str = "currency") -> list[dict[str, str]]:
        """Return for each parameter its value, unit and meaning, as text; lists as people write them."""
        said = {
            "policies": ", ".join(self.compared),
            "forecasters": ", ".join(f"{kind}: {model}" for kind, model in self.models.items()),
        }
        return [{**row, "value": said.get(row["field"], row["value"])} for row in super().parameter_rows(currency)]

    def settings(self) -> RollingSettings:
        """Return how windows are planned and carried out."""
        from dataclasses import fields

        from ems.studies.rolling_case import RollingSettings

        names = [one.name for one in fields(RollingSettings) if one.name in type(self).model_fields]
        return RollingSettings(**{name: getattr(self, name) for name in names})

    def open_run(self) -> StudyRun:
        """Return the run's record in the database: the one that a command opened, or a new one."""
        from ems.studies.study_run import open_study_run

        return open_study_run(self)

    def load_portfolio(self) -> Portfolio:
        """Return the assets that the site file states.

        Raises
        ------
        InvalidInput
            If one is of a kind whose state is not carried from window to window.
        """
        from ems.assets.portfolio import read_portfolio
        from ems.dispatch.rolling_portfolio import check_rolling

        portfolio = read_portfolio(self.site_file())
        check_rolling(portfolio)
        return portfolio

    def pose_case(self, portfolio: Portfolio) -> RollingCase:
        """Return what the closed loop runs on: assets, what was measured before and during it, and all prices.

        Raises
        ------
        InvalidInput
            If the series cannot be used or does not cover the time.
        """
        from ems.studies.rolling_source import case_of

        return case_of(self, portfolio)

    def roll(self, case: RollingCase, progress: Callable[[str, int, int], None] | None = None) -> RollingResult:
        """Return what each policy did and cost; a loop that was broken off goes on where it stood.

        Parameters
        ----------
        case : RollingCase
        progress : callable, optional
            Told the policy, and how many decisions of how many are made.
        """
        from ems.studies.rolling_run import run_policies

        return run_policies(
            case,
            self.compared,
            self.models,  # type: ignore[arg-type]
            folder=self._checkpoint_folder(),
            progress=progress,
        )

    def ledger(self, result: RollingResult) -> RegretLedger | None:
        """Return the regret ledger of the plan with own forecasts; None where it or perfect foresight was not run."""
        from ems.studies.rolling_ledger import regret_ledger

        if result.own is None or not {"plan_own", "perfect_foresight"} <= set(result.runs):
            return None
        return regret_ledger(result.case, result.runs["plan_own"], result.runs["perfect_foresight"], result.own)

    def uncertainty(self, result: RollingResult) -> ValueOfUncertainty | None:
        """Return what planning for several futures is worth; None where a policy that tells it was not run."""
        from ems.studies.rolling_ledger import ValueOfUncertainty

        needed = {"plan_own", "stochastic", "plan_perfect"}
        return ValueOfUncertainty.of(result) if needed <= set(result.runs) else None

    def answer(self, result: RollingResult, ledger: RegretLedger | None) -> RollingAnswer:
        """Return what the policies came to, in figures and sentences."""
        from ems.studies.rolling_words import RollingAnswer

        return RollingAnswer(result, ledger, self.uncertainty(result))

    def _checkpoint_folder(self) -> Path | None:
        """Return the folder in which this study's loops keep their state: its own for each parameter and file."""
        try:
            scratch = scratch_folder()
        except InvalidInput:
            return None
        about = {**self.as_json(), "title": None, "site": sha256_of(self.site_file())}
        about["series"] = sha256_of(self.series_file())
        key = hashlib.sha256(json.dumps(about, sort_keys=True, default=str).encode()).hexdigest()[:16]
        return scratch / "rolling" / key
