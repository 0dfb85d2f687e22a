"""The study `dispatch`: how a site's assets shall run, what that costs, and what the battery is worth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from ems.errors import Infeasible, InvalidInput, NoSolution
from ems.folders import find_file, project_folder
from ems.record import Fraction, Name, Positive
from ems.studies.study import FileName, StartText, Study, start_in

if TYPE_CHECKING:
    from ems.assets.portfolio import Portfolio
    from ems.dispatch.options import SolverOptions
    from ems.dispatch.problem import DispatchProblem
    from ems.studies.dispatch_plan import DispatchPlan
    from ems.studies.study_run import StudyRun

SERIES_ENDINGS = (".csv", ".parquet", ".xlsx")


class DispatchStudy(Study):
    """The parameters of the notebook `dispatch`."""

    name: ClassVar[str] = "dispatch"

    title: Name = "Battery dispatch"
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
    baseline_without: Literal["battery", "solar_pv", "wind_turbine", "generator", "ev_charger"] = "battery"
    """Kind of asset that the baseline lacks."""
    solver: Name = "highs"
    """Solver; the command ems solvers lists them."""
    time_limit_s: Positive = 60
    """Time after which the best schedule found so far is taken."""
    mip_gap: Fraction = 1e-4
    """Distance to the bound at which a schedule with on/off decisions is good."""

    def check(self) -> None:
        """Raise where site, series or solver are not there, or the site file cannot be used.

        Raises
        ------
        InvalidInput
        """
        from ems.dispatch.solvers import check_solver

        check_solver(self.solver)
        self.site_file()
        self.series_file()

    def site_file(self) -> Path:
        """Return the path of the site file."""
        return find_file(self.site, project_folder() / "data" / "sites", (".yaml", ".yml"), "site")

    def series_file(self) -> Path:
        """Return the path of the series file."""
        name = self.series or Path(self.site).stem
        return find_file(name, project_folder() / "data" / "series", SERIES_ENDINGS, "series")

    def timezone(self) -> str:
        """Return the time zone that the site file states, or UTC where it cannot be read."""
        from ems.yaml_text import read_yaml

        try:
            site = read_yaml(self.site_file()).get("site")
        except InvalidInput:
            return "UTC"
        return str(site.get("timezone", "UTC")) if isinstance(site, dict) else "UTC"

    def solver_options(self) -> SolverOptions:
        """Return how the dispatch is solved."""
        from ems.dispatch.options import SolverOptions

        return SolverOptions(solver=self.solver, time_limit_s=self.time_limit_s, mip_gap=self.mip_gap)

    def open_run(self) -> StudyRun:
        """Return the run's record in the database: the one that a command opened, or a new one."""
        from ems.studies.study_run import open_study_run

        return open_study_run(self)

    def load_portfolio(self) -> Portfolio:
        """Return the assets that the site file states."""
        from ems.assets.portfolio import read_portfolio

        return read_portfolio(self.site_file())

    def pose_problem(self, portfolio: Portfolio) -> DispatchProblem:
        """Return what the dispatch is asked: assets, horizon, and the series cut to it with all prices.

        Raises
        ------
        InvalidInput
            If the series cannot be used or does not cover the horizon.
        """
        from ems.assets.overload import warn_of_overload
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
        return DispatchProblem(portfolio, horizon, priced)

    def plan(self, problem: DispatchProblem, run: StudyRun) -> DispatchPlan:
        """Return the cheapest schedule, the baseline beside it, and both settled.

        A dispatch without a schedule leaves a job with its reason in the database.

        Raises
        ------
        Infeasible, NoSolution
        """
        from ems.dispatch.solve import solve
        from ems.studies.dispatch_plan import DispatchPlan

        options = self.solver_options()
        if not any(asset.kind == self.baseline_without for asset in problem.assets):
            raise InvalidInput(
                f"baseline_without = '{self.baseline_without}'", f"site {self.site!r} has no active asset of this kind"
            )
        try:
            result = solve(problem, options)
        except (Infeasible, NoSolution) as error:
            run.store_failed_job(problem, options, error)
            raise
        try:
            baseline = solve(problem.without(self.baseline_without), options)
        except (Infeasible, NoSolution) as error:
            reason = f"the baseline without {self.baseline_without}: {error}"
            run.note(f"no baseline: {reason}")
            baseline = None
        return DispatchPlan(result, baseline, self.baseline_without)
