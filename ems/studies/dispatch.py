"""The study `dispatch`: how a site's assets shall run, what that costs, and what one kind of them is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from ems.dispatch.goal import Goal, Objective, OptimizationType, Outage
from ems.errors import Infeasible, InvalidInput, NoSolution
from ems.folders import find_file, project_folder
from ems.record import Fraction, Name, NonNegative, Positive, Record, Slug
from ems.studies.study import FileName, StartText, Study, start_in

if TYPE_CHECKING:
    from ems.assets.portfolio import Portfolio
    from ems.dispatch.options import SolverOptions
    from ems.dispatch.problem import DispatchProblem
    from ems.dispatch.result import DispatchResult
    from ems.studies.dispatch_plan import DispatchPlan
    from ems.studies.study_run import StudyRun

SERIES_ENDINGS = (".csv", ".parquet", ".xlsx")
TYPES_OF_SCHEDULES = ("procurement", "resilience", "self_consumption", "peak_shaving")
"""Types that ask something of the schedule; the others change the portfolio once, when a problem is posed."""


class PlannedOutage(Record):
    """A time in which an asset is out of service, as people write it."""

    asset_id: Slug
    """Asset that is out."""
    begin: StartText
    """When it goes out; without offset it is local time of its site."""
    end: StartText
    """When it is back; without offset it is local time of its site."""

    def __repr__(self) -> str:
        return f"{self.asset_id} from {self.begin} to {self.end}"


class DispatchStudy(Study):
    """The parameters of the notebook `dispatch`."""

    name: ClassVar[str] = "dispatch"

    title: Name = "Dispatch"
    """Title of the report."""
    site: FileName = "demo"
    """Site file: a name in data/sites, or a path."""
    series: FileName | None = None
    """Series file: a name in data/series, or a path; None takes the one with the site's name."""
    start: StartText | None = None
    """Beginning of the horizon in local time; None takes the first step of the series."""
    horizon_h: Positive = 24
    """Length of the horizon."""
    step_h: Positive = 1.0
    """Length of a step."""
    optimization_type: OptimizationType = "battery_dispatch"
    """What is decided: battery_dispatch, procurement, vpp and others."""
    objective: Objective | None = None
    """What is least: cost, emissions, self_consumption, peak or weighted; None follows the type."""
    emissions_price_per_kg: NonNegative = 0.0
    """Weight of emissions where the objective is weighted."""
    import_price_per_kwh: NonNegative = 0.0
    """Weight of energy from the grid where the objective is weighted."""
    peak_price_per_kw: NonNegative = 0.0
    """Weight of the highest import where the objective is weighted."""
    market_period_h: Positive = 1.0
    """Length of the periods in which procurement buys a position ahead."""
    outages: list[PlannedOutage] = Field(default=[])
    """Times in which assets are out: a list of asset_id, begin and end, in local time."""
    baseline_without: Literal["battery", "solar_pv", "wind_turbine", "generator", "ev_charger"] | None = "battery"
    """Kind of asset that the baseline lacks; None makes no baseline."""
    choose_plan: bool = True
    """Whether of equal plans the one with the least cycling, then the earliest charge, is taken."""
    pareto_points: Annotated[int, Field(ge=0, le=100)] = 0
    """Schedules between least cost and least emissions to show; 0 shows none."""
    solver: Name = "highs"
    """Solver; the command ems solvers lists them."""
    time_limit_s: Positive = 60
    """Time after which the best schedule found so far is taken."""
    mip_gap: Fraction = 1e-3
    """Distance to the bound at which a schedule with on/off decisions is good."""

    @model_validator(mode="after")
    def _has_effect(self) -> DispatchStudy:
        if self.pareto_points == 1:
            raise ValueError("pareto_points = 1: must be 0, or at least 2, the ends of the front")
        if self.market_period_h != 1 and self.optimization_type != "procurement":
            raise ValueError(
                f"market_period_h = {self.market_period_h:g} h: has no effect unless optimization_type = 'procurement'"
            )
        return self

    def check(self) -> None:
        """Raise where site, series or solver are not there, the site file cannot be used, or wishes contradict.

        Raises
        ------
        InvalidInput
        """
        from ems.dispatch.solvers.registry import check_solver

        check_solver(self.solver)
        self.site_file()
        self.series_file()
        self.goal({})

    def site_file(self) -> Path:
        """Return the path of the site file."""
        return find_file(self.site, project_folder() / "data" / "sites", (".yaml", ".yml"), "site")

    def series_file(self) -> Path:
        """Return the path of the series file."""
        name = self.series or Path(self.site).stem
        return find_file(name, project_folder() / "data" / "series", SERIES_ENDINGS, "series")

    def report_timezone(self) -> str:
        """Return the time zone of the first site in the site file, or UTC where it cannot be read."""
        from ems.yaml_text import read_yaml

        try:
            given = read_yaml(self.site_file())
        except InvalidInput:
            return "UTC"
        sites = given.get("sites")
        site = sites[0] if isinstance(sites, list) and sites else given.get("site")
        return str(site.get("timezone", "UTC")) if isinstance(site, dict) else "UTC"

    def parameter_rows(self, currency: str = "currency") -> list[dict[str, str]]:
        """Return for each parameter its value, unit and meaning, as text."""
        said = "; ".join(map(repr, self.outages)) or "none"
        rows = super().parameter_rows(currency)
        return [{**row, "value": said} if row["field"] == "outages" else row for row in rows]

    def goal(self, timezones: Mapping[str, str]) -> Goal:
        """Return what the dispatch is for.

        Parameters
        ----------
        timezones : mapping of str to str
            Time zone of each asset's site, by the asset's id; of others it is that of the first site.

        Raises
        ------
        InvalidInput
            If type, objective and weights contradict each other, or an outage ends before it begins.
        """
        first = self.report_timezone() if self.outages else "UTC"
        outages = []
        for one in self.outages:
            zone = timezones.get(one.asset_id, first)
            begin, end = start_in(one.begin, zone), start_in(one.end, zone)
            outages.append(Outage(asset_id=one.asset_id, begin=begin, end=end))
        given = {} if self.objective is None else {"objective": self.objective}
        return Goal(
            optimization_type=self.optimization_type,
            emissions_price_per_kg=self.emissions_price_per_kg,
            import_price_per_kwh=self.import_price_per_kwh,
            peak_price_per_kw=self.peak_price_per_kw,
            market_period_h=self.market_period_h,
            outages=tuple(outages),
            **given,
        )

    def solver_options(self) -> SolverOptions:
        """Return how the dispatch is solved."""
        from ems.dispatch.options import SolverOptions

        return SolverOptions(
            solver=self.solver, time_limit_s=self.time_limit_s, mip_gap=self.mip_gap, choose_plan=self.choose_plan
        )

    def open_run(self) -> StudyRun:
        """Return the run's record in the database: the one that a command opened, or a new one."""
        from ems.studies.study_run import open_study_run

        return open_study_run(self)

    def load_portfolio(self) -> Portfolio:
        """Return the assets that the site file states."""
        from ems.assets.portfolio import read_portfolio

        return read_portfolio(self.site_file())

    def pose_problem(self, portfolio: Portfolio) -> DispatchProblem:
        """Return what the dispatch is asked: assets, horizon, goal, and the series cut to it with all prices.

        Raises
        ------
        InvalidInput
            If the series cannot be used or does not cover the horizon.
        """
        from ems.assets.doubtful_units import warn_of_overload, warn_of_prices
        from ems.assets.prices import series_needs, with_prices
        from ems.dispatch.problem import DispatchProblem
        from ems.horizon import Horizon
        from ems.series.cutting import cut_series, start_of
        from ems.series.reading import read_series

        timezone = portfolio.sites[0].timezone
        series = read_series(self.series_file(), series_needs(portfolio), portfolio.series, timezone)
        start = start_in(self.start, timezone) if self.start else start_of(series)
        horizon = Horizon.regular(start, self.horizon_h, self.step_h)
        warn_of_overload(portfolio, series)
        priced = with_prices(cut_series(series, horizon, portfolio.series), portfolio, horizon)
        warn_of_prices(portfolio, priced)
        goal = self.goal({asset.id: portfolio.site(asset.site_id).timezone for asset in portfolio.assets})
        return DispatchProblem(portfolio, horizon, priced, goal)

    def plan(self, problem: DispatchProblem, run: StudyRun) -> DispatchPlan:
        """Return the best schedule, the baseline and the front where they are asked for, all to be settled.

        A dispatch without a schedule leaves a job with its reason in the database.

        Raises
        ------
        Infeasible, NoSolution
        """
        from ems.dispatch.solve import solve
        from ems.studies.dispatch_plan import DispatchPlan

        options = self.solver_options()
        kind = self.baseline_without
        if kind is not None and not any(asset.kind == kind for asset in problem.assets):
            raise InvalidInput(
                f"baseline_without = '{kind}'",
                f"site {self.site!r} has no active asset of this kind; name another one, or None for no baseline",
            )
        try:
            result = solve(problem, options)
            front = self._front(problem, options)
        except (Infeasible, NoSolution) as error:
            run.store_failed_job(problem, options, error)
            raise
        baseline = None if kind is None else self._baseline(problem, options, run)
        return DispatchPlan(result, baseline, kind, front)

    def _front(self, problem: DispatchProblem, options: SolverOptions) -> tuple[DispatchResult, ...]:
        """Return the schedules between least cost and least emissions, none where none are asked for."""
        if not self.pareto_points:
            return ()
        from ems.dispatch.pareto import pareto_front

        return pareto_front(problem, options, self.pareto_points).results

    def _baseline(self, problem: DispatchProblem, options: SolverOptions, run: StudyRun) -> DispatchResult | None:
        """Return the best schedule without a kind of asset; where there is none, the run keeps the reason."""
        from ems.dispatch.solve import solve

        assert self.baseline_without is not None
        goal = problem.goal
        is_kept = goal.optimization_type in TYPES_OF_SCHEDULES
        # Outages and what a type changes in the portfolio are worked into the problem already.
        goal = goal.replace(optimization_type=goal.optimization_type if is_kept else "battery_dispatch", outages=())
        try:
            return solve(replace(problem, goal=goal).without(self.baseline_without), options)
        except (Infeasible, InvalidInput, NoSolution) as error:
            run.note(f"no baseline: the baseline without {self.baseline_without}: {error}")
            return None
