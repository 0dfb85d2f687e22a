"""Reports of runs: the page of a run, made from its notebook and the database's records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ems.batch.report_parts import downloads_of, previous_of
from ems.database.forecast_queries import list_forecasts
from ems.database.forecast_records import ForecastJob
from ems.database.masking import masked, without_secrets
from ems.database.optimizations import jobs_of
from ems.database.records import OptimizationJob, Run
from ems.studies.objective_words import measure_of, measured, objective_words
from ems.studies.study import Study

if TYPE_CHECKING:
    from sqlalchemy import Engine

MOST_LISTED = 5000
"""Forecasts of a run that its report tells of."""


def make_page(engine: Engine, run: Run, study: Study, notebook: Any) -> str:
    """Return the HTML page of a run."""
    from ems.report.page import PageHead, render_page

    jobs = jobs_of(engine, run.id)
    currency = next((job.currency for job in jobs if job.currency), None) or study.report_currency()
    head = PageHead(
        title=run.title,
        study=run.study,
        case=run.case_name,
        run_id=run.id,
        status=run.status,
        error=run.error,
        started_at=run.started_at or run.created_at,
        finished_at=run.finished_at,
        timezone=study.report_timezone(),
        headline=run.headline,
        parameters=study.parameter_rows(currency),
        provenance=[
            *([("Inputs", [(one["path"], f"sha256 {one['sha256']}") for one in run.inputs])] if run.inputs else []),
            *[("Optimization", proof_of(job)) for job in jobs],
            *forecast_provenance(forecasts_of(engine, run.id), study.report_timezone()),
            ("Versions", list(run.versions.items())),
            ("Run", [("Id", run.id), ("Host", run.host or ""), ("Database", masked(str(engine.url)))]),
        ],
        notes=run.notes,
        previous=previous_of(engine, run),
        downloads=downloads_of(run),
    )
    return render_page(notebook, head)


def forecasts_of(engine: Engine, run_id: str) -> list[ForecastJob]:
    """Return the forecasts and backtests of a run in the order in which they were asked for."""
    found = list_forecasts(engine, run_id=run_id, limit=MOST_LISTED)
    return sorted(found, key=lambda job: (job.form, len(job.id), job.id))


def forecast_provenance(jobs: Sequence[ForecastJob], timezone: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what forecasts were of, by which model, and how they went: a part for each, and one for all backtests."""
    parts = [("Forecast", forecast_rows(job, timezone)) for job in jobs if job.form == "forecast"]
    tests = [job for job in jobs if job.form == "backtest"]
    return [*parts, ("Backtest", [(job.model, _in_short(job)) for job in tests])] if tests else parts


def forecast_rows(job: ForecastJob, timezone: str) -> list[tuple[str, str]]:
    """Return what a forecast was of, by what, and how it went, as labels and texts; when, in local time."""
    from ems.report.page import as_local_time

    owner = f" of '{job.asset_id}'" if job.asset_id else ""
    rows = [("Id", job.id), ("Of", f"{job.variable}{owner}"), ("Model", job.model), ("Status", _status(job))]
    if job.issued_at is not None:
        rows.append(("Issued", as_local_time(job.issued_at, timezone)))
    if job.samples is not None:
        rows.append(("Learned from", f"{job.samples:,} values"))
    if job.seconds is not None:
        rows.append(("CPU time", f"{job.seconds:.1f} s"))
    return rows


def _in_short(job: ForecastJob) -> str:
    """Return how the backtest of a model went, on one line."""
    mae = job.metrics.get("mae")
    error = f"mean absolute error {mae:.4g} {job.units or ''}".rstrip() if mae is not None else _status(job)
    cost = f", {job.seconds:.2f} s of CPU a forecast" if job.seconds is not None else ""
    return f"{error}{cost} ({job.id})"


def _status(job: ForecastJob) -> str:
    return job.status if job.error is None else f"{job.status}: {job.error}"


def safe_notebook(notebook: Any) -> str:
    """Return an executed notebook as text without the secrets of this machine's environment."""
    import nbformat

    return without_secrets(nbformat.writes(notebook))


def proof_of(job: OptimizationJob) -> list[tuple[str, str]]:
    """Return what was minimised and what the solver and the settlement say, as labels and texts.

    The objective is what the goal minimises first, and its value and bound have its unit; what is paid is told beside
    it where that is another.
    """
    currency = job.currency or ""
    measure = measure_of(job.optimization_type, job.objective)
    rows = [("Type", job.optimization_type.replace("_", " ")), ("Objective", objective_words(measure))]
    rows.append(("Solver", f"{job.solver} {job.solver_version or ''}".strip()))
    rows.append(("Status", job.status if job.error is None else f"{job.status}: {job.error}"))
    for label, value, of in (
        ("Objective value", job.objective_value, measure),
        ("Bound", job.bound, measure),
        ("Cost of the schedule", None if measure == "cost" else job.total_cost, "cost"),
        ("Settled bill", job.settled_cost, "cost"),
    ):
        if value is not None:
            rows.append((label, measured(value, of, currency, 6)))
    if job.gap is not None:
        rows.append(("Gap", f"{job.gap:.4%}"))
    if job.variables is not None and job.constraints is not None:
        rows.append(("Size", f"{job.variables:,} variables, {job.constraints:,} constraints, {job.steps:,} steps"))
    if job.solve_time_s is not None:
        rows.append(("Time in the solver", f"{job.solve_time_s:.3f} s"))
    return rows
