"""StudyRun: the record that a notebook keeps of itself in the database."""

from __future__ import annotations

import math
import os
import platform
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ems.database.engine import connect
from ems.database.masking import masked
from ems.database.optimizations import store_optimization
from ems.database.records import OptimizationAsset, OptimizationJob, OwnerKind, Run
from ems.database.run_id import new_run_id
from ems.database.runs import complete_run, fail_run, get_run, note_run, open_run, start_run
from ems.display import Card, Shown
from ems.errors import EmsWarning, Infeasible
from ems.folders import sha256_of, shown_path
from ems.studies.study import RUN_ID_VARIABLE, Study

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine
    from xarray import DataArray

    from ems.dispatch.options import SolverOptions
    from ems.dispatch.problem import DispatchProblem
    from ems.dispatch.result import DispatchResult
    from ems.report.data_files import ReportData
    from ems.studies.dispatch_plan import DispatchPlan

OWNER_KINDS: Mapping[str, OwnerKind] = {"spill_cost": "site", "unserved_cost": "site", "reserve_revenue": "reserve"}
"""What causes a type of cost, where it is no asset."""
PACKAGES = (
    "ems", "highspy", "holidays", "lightgbm", "numpy", "pandas", "papermill", "pulp", "pvlib", "pydantic", "pyomo",
    "scipy", "sktime", "sqlalchemy", "windpowerlib", "xarray",
)  # fmt: skip


@dataclass(frozen=True, repr=False)
class StudyRun(Shown):
    """A run in the database, as the notebook sees it.

    Parameters
    ----------
    engine : Engine
    id : str
    is_own : bool
        Whether the notebook opened the run itself, and so closes it; else the command that runs it does.
    """

    engine: Engine
    id: str
    is_own: bool

    def caption(self) -> str:
        """Return what it is about."""
        return f"run {self.id}"

    def card(self) -> Card:
        """Return the run's id, who closes it, and where it is kept."""
        closed = "this notebook" if self.is_own else "the command that runs this notebook"
        where = masked(self.engine.url.render_as_string(hide_password=False))
        return Card(f"Run {self.id}", [("closed by", closed), ("kept in", where)])

    def note(self, *notes: str) -> None:
        """Add what a reader should know: a substitution, a warning."""
        note_run(self.engine, self.id, notes=notes)

    def store(self, plan: DispatchPlan, *, with_prices: bool = False) -> str:
        """Keep a plan with its schedule and costs in one transaction and say so in a sentence.

        Parameters
        ----------
        plan : DispatchPlan
        with_prices : bool
            Whether to keep the price of energy at each site in each step, too.
        """
        result = plan.result
        note_run(
            self.engine,
            self.id,
            notes=[*result.problem.series.attrs.get("notes", ()), *plan.violations],
            headline=plan.headline(),
        )
        job = _job_of(result, self.id, plan)
        assets = [
            OptimizationAsset(
                job_id=job.id,
                asset_id=asset.id,
                kind=asset.kind,
                name=asset.name,
                site_id=asset.site_id,
                capacity_kwh=getattr(asset, "content_kwh", None),
                # Of records within only what was stated: some of their fields exclude others, even at a default.
                spec=asset.as_json() | asset.model_dump(mode="json", exclude_unset=True),
            )
            for asset in result.problem.assets
        ]
        costs = [
            {
                "owner_kind": OWNER_KINDS.get(str(row.cost_type), "asset"),
                "owner_id": row.asset,
                "cost_type": row.cost_type,
                "cost": row.cost,
            }
            for row in result.costs.itertuples(index=False)
        ]
        prices = {"price_per_kwh": result.price_per_kwh} if with_prices else {}
        buses = {name: result.flows[name] for name in ("spilled_kw", "missing_kw") if name in result.flows}
        buses = {name: variable.rename({"bus": "site"}) for name, variable in buses.items()} | prices
        offered = {name: result.flows[name] for name in ("offered_kw",) if name in result.flows}
        store_optimization(
            self.engine,
            job,
            assets,
            _rows_of(result),
            costs,
            site_results=_rows_over(result, "site", buses),
            reserve_results=_rows_over(result, "reserve", offered),
        )
        self._write(plan.data())
        if self.is_own:
            complete_run(self.engine, self.id)
        return f"run {self.id}: {len(result.problem.horizon)} steps of {len(assets)} assets are in the database"

    def complete(
        self, headline: Sequence[tuple[str, str]], notes: Sequence[str] = (), data: ReportData | None = None
    ) -> str:
        """Keep the answer of a study without a schedule and say so in a sentence.

        Parameters
        ----------
        headline : sequence of (label, value with unit)
        notes : sequence of str
            What a reader should know.
        data : ReportData, optional
            What stands beside the report, if there is to be one.
        """
        note_run(self.engine, self.id, notes=notes, headline=headline)
        if data is not None:
            self._write(data)
        if self.is_own:
            complete_run(self.engine, self.id)
        return f"run {self.id}: its answer is in the database"

    def _write(self, data: ReportData) -> None:
        """Write the data of the run's report; a notebook run by hand has no report, and all in its memory."""
        from ems.studies.study_data import write_data

        if not self.is_own:
            write_data(data, get_run(self.engine, self.id).study, self.id)

    def store_failed_job(self, problem: DispatchProblem, options: SolverOptions, error: Exception) -> None:
        """Keep that an optimization found no schedule, and why."""
        job = OptimizationJob(
            id=f"{self.id}-plan",
            run_id=self.id,
            **_asked(problem),
            solver=options.solver,
            status="infeasible" if isinstance(error, Infeasible) else "failed",
            currency=problem.portfolio.currency,
            steps=len(problem.horizon),
            error=str(error),
        )
        store_optimization(self.engine, job, (), (), ())

    def fail(self, error: str) -> None:
        """Close the run as failed, with its reason."""
        fail_run(self.engine, self.id, error)


def open_study_run(study: Study) -> StudyRun:
    """Return the run that a command opened for this kernel, or open one for a notebook run by hand."""
    engine = connect(keeps_connections=True)
    _word_warnings()
    given = os.environ.get(RUN_ID_VARIABLE)
    if given:
        return StudyRun(engine, get_run(engine, given).id, is_own=False)
    run = StudyRun(engine, open_record(engine, study, new_run_id(), case="notebook"), is_own=True)
    start_run(engine, run.id)
    _fail_with_the_cell(run)
    return run


def open_record(engine: Engine, study: Study, run_id: str, case: str) -> str:
    """Open a pending run of a study with its parameters, versions and input files, and return its id."""
    return open_run(engine, record_of_study(study, run_id, case)).id


def record_of_study(study: Study, run_id: str, case: str) -> Run:
    """Return the record of a run that is to be opened: parameters, versions and input files."""
    return Run(
        id=run_id,
        study=study.name,
        case_name=case,
        title=study.title,
        parameters=study.as_json(),
        versions=versions(),
        inputs=tuple({"path": shown_path(path), "sha256": sha256_of(path)} for path in input_files(study)),
    )


def input_files(study: Study) -> list[Path]:
    """Return the files that a study reads."""
    named = ("site_file", "series_file", "operation_file", "tariffs_file")
    found = [getattr(study, name)() for name in named if hasattr(study, name)]
    return [path for path in found if path is not None]


def versions() -> dict[str, str]:
    """Return the versions of all that can change a result."""
    return dict(_versions())


@cache
def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version(), "platform": f"{platform.system()} {platform.machine()}"}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _job_of(result: DispatchResult, run_id: str, plan: DispatchPlan) -> OptimizationJob:
    solution = result.solution
    solver, _, solver_version = solution.solver.partition(" ")
    return OptimizationJob(
        id=f"{run_id}-plan",
        run_id=run_id,
        **_asked(result.problem),
        solver=solver.lower(),
        solver_version=solver_version or None,
        status="optimal" if solution.status == "optimal" else "feasible",
        objective_value=solution.objective,
        total_cost=result.total_cost,
        baseline_cost=plan.baseline_cost,
        settled_cost=plan.total_cost,
        currency=plan.currency,
        bound=_known(solution.bound),
        gap=_known(solution.gap),
        emissions_kg=sum(result.emissions_kg.values()),
        kpis=_kpis_of(plan),
        solve_time_s=solution.seconds,
        variables=solution.variables,
        constraints=solution.constraints,
        steps=len(result.problem.horizon),
    )


def _asked(problem: DispatchProblem) -> dict[str, Any]:
    """Return what an optimization was for: the goal, its type and what it makes small."""
    goal = problem.goal
    return {
        "optimization_type": goal.optimization_type,
        "objective": goal.objective,
        "goal": goal.model_dump(mode="json", exclude_unset=True),
    }


def _kpis_of(plan: DispatchPlan) -> dict[str, float | None]:
    """Return the figures of a plan by name, those of an asset after its id and a slash."""
    from ems.dispatch.kpis import kpis_of

    found = kpis_of(plan.result, plan.baseline)
    names = [f"{asset}/{kpi}" if asset else str(kpi) for asset, kpi in zip(found["asset"], found["kpi"], strict=True)]
    return dict(zip(names, map(_known, found["value"].astype(float)), strict=True))


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _rows_of(result: DispatchResult) -> Iterator[Mapping[str, Any]]:
    """Return one row for each step and asset, with the energy content at the end of the step."""
    horizon = result.problem.horizon
    # Arrays by asset: choosing by label again and again takes longer than keeping the rows.
    flows = {
        name: (_by_asset(variable), "boundary" in variable.dims)
        for name, variable in result.flows.data_vars.items()
        if "asset" in variable.dims
    }
    costs = [_by_asset(variable.fillna(0.0)) for variable in result.cost.data_vars.values()]
    times = _times_of(result)
    for asset in result.problem.assets:
        columns: dict[str, list[Any]] = {}
        for name, (of_assets, has_boundaries) in flows.items():
            values = of_assets[asset.id]
            if math.isnan(values[0]) and all(map(math.isnan, values)):
                continue
            columns[str(name)] = (values[1:] if has_boundaries else values).tolist()
        if "is_on" in columns:
            columns["is_on"] = [value > 0.5 for value in columns["is_on"]]
        spent = np.zeros(len(times))
        for of_assets in costs:
            spent += of_assets[asset.id]
        columns["cost"] = spent.tolist()
        for t, time in enumerate(times):
            yield {
                "time": time,
                "asset_id": asset.id,
                "step_h": horizon.steps_h[t],
                **{name: values[t] for name, values in columns.items()},
            }


def _by_asset(variable: DataArray) -> dict[str, np.ndarray]:
    """Return the values of each asset along the other dimension."""
    names = [str(name) for name in variable["asset"].values]
    return dict(zip(names, variable.transpose("asset", ...).to_numpy(), strict=True))


def _rows_over(
    result: DispatchResult, dimension: str, variables: Mapping[str, DataArray]
) -> Iterator[Mapping[str, Any]]:
    """Return one row for each step and each site or reserve; no value where a variable does not know it."""
    names = list(dict.fromkeys(str(one) for variable in variables.values() for one in variable[dimension].values))
    times, steps_h = _times_of(result), result.problem.horizon.steps_h
    for name in names:
        columns = {
            key: variable.sel({dimension: name}).to_numpy().tolist()
            for key, variable in variables.items()
            if name in variable[dimension].values
        }
        for t, time in enumerate(times):
            of_step = {key: values[t] for key, values in columns.items()}
            yield {"time": time, f"{dimension}_id": name, "step_h": steps_h[t], **of_step}


def _times_of(result: DispatchResult) -> list[Any]:
    return [time.to_pydatetime() for time in result.problem.horizon.times.tz_localize("UTC")]


def _word_warnings() -> None:
    """Show the package's own warnings as the sentence they are, without a place in the code."""
    usual = warnings.formatwarning

    def worded(message: Any, category: Any, *place: Any, **more: Any) -> str:
        if isinstance(category, type) and issubclass(category, EmsWarning):
            return f"Please look: {message}\n"
        return usual(message, category, *place, **more)

    warnings.formatwarning = worded


def _fail_with_the_cell(run: StudyRun) -> None:
    """Let a cell that fails close the run of a notebook run by hand, with the reason."""
    if "IPython" not in sys.modules:
        return
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None:
        return

    def look(result: Any) -> None:
        error = result.error_before_exec or result.error_in_exec
        if error is not None and get_run(run.engine, run.id).status == "running":
            run.fail(f"{type(error).__name__}: {error}")

    shell.events.register("post_run_cell", look)
