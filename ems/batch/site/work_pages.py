"""The pages of work: optimizations by site, workflows with their executions, and batches."""

from __future__ import annotations

import base64
from collections.abc import Collection
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ems.batch.site.places import TO_REPORTS
from ems.batch.site.run_index import report_of
from ems.database.batches import count_cases, list_batches
from ems.database.latest import RecentOptimization, recent_optimizations
from ems.database.workflows import get_definition, list_executions, tasks_of
from ems.display import NOTHING
from ems.errors import EmsError
from ems.report.index import first_lines
from ems.report.site_parts import (
    Cell,
    Column,
    Empty,
    Listing,
    Part,
    Picture,
    Said,
    Section,
    as_link,
    moment_cell,
    money_cell,
    status_cell,
    text_cell,
)
from ems.report.tables import shown_duration
from ems.studies.objective_words import measure_of, measured, objective_words

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ems.database.records import OptimizationJob


MOST_OPTIMIZATIONS = 500
MOST_BATCHES = 100
MOST_EXECUTIONS = 10
"""Executions of a workflow that are listed."""
MOST_TASKS = 60
"""Tasks of its last execution that are listed."""
SEVERAL = "several sites"


# ---------------------------------------------------------------------------------------------- optimizations
def optimization_parts(engine: Engine, sites: Collection[str], zone: ZoneInfo) -> list[Part]:
    """Return what stands on the page of optimizations."""
    found = recent_optimizations(engine, sites=sites, limit=MOST_OPTIMIZATIONS)
    if not found:
        return [Empty("No optimization is in the database yet. Make one with", "ems run dispatch demo")]
    columns = (
        Column("optimization"), Column("site", is_choice=True), Column("goal", is_choice=True),
        Column("status", is_choice=True), Column("objective", is_number=True), Column("bill", is_number=True),
        Column("saving", is_number=True), Column("proof"), Column("made"),
    )  # fmt: skip
    parts: list[Part] = []
    if len(found) == MOST_OPTIMIZATIONS:
        parts.append(Said(f"The newest {MOST_OPTIMIZATIONS} are shown; the list of runs has all."))
    rows = [_optimization_cells(one, zone) for one in found]
    parts.append(Listing(columns, rows, ("optimization", "optimizations"), "newest first", is_main=True))
    parts.append(
        Section(
            "How to read this",
            "reading",
            "The objective is what the optimization counts, the bill what the settlement recomputes without it; what "
            "the plan took it for stands below where it is another. Saving is the cost of the case that it is "
            "compared with less the bill. The gap is how far a better solution could be at the most; the bound is "
            "what no solution undercuts.",
        )
    )
    return parts


def saving_of(one: RecentOptimization) -> float | None:
    """Return what a schedule saves against the case that it is compared with; None where there is none."""
    paid = one.job.settled_cost if one.job.settled_cost is not None else one.job.total_cost
    return None if one.job.baseline_cost is None or paid is None else one.job.baseline_cost - paid


def _optimization_cells(one: RecentOptimization, zone: ZoneInfo) -> tuple[Cell, ...]:
    job, currency = one.job, one.job.currency or ""
    measure = measure_of(job.optimization_type, job.objective)
    report = report_of(one.report_path)
    objective = Cell(NOTHING)
    if job.objective_value is not None:
        objective = Cell(measured(job.objective_value, measure, currency, 2), sort=job.objective_value)
    proof = f"{job.solver} {job.solver_version or ''}".rstrip()
    gap = "" if job.gap is None else f"gap {job.gap:.2%}"
    bound = "" if job.bound is None else f"bound {measured(job.bound, measure, currency, 2)}"
    seconds = "" if job.solve_time_s is None else f"{job.solve_time_s:.2f} s"
    site = one.sites[0] if len(one.sites) == 1 else SEVERAL if one.sites else "none recorded"
    return (
        Cell(
            one.title,
            href=as_link(report, TO_REPORTS) if report else None,
            small=f"{one.study} / {one.case_name}",
            reason=first_lines(job.error, lines=1),
        ),
        Cell(site, small=", ".join(one.sites) if site == SEVERAL else "", sort=site),
        text_cell(objective_words(measure)),
        status_cell(job.status),
        objective,
        _bill_cell(job),
        money_cell(saving_of(one), currency),
        Cell(gap or NOTHING, small=", ".join(part for part in (bound, proof, seconds) if part)),
        moment_cell(job.created_at, zone),
    )


def _bill_cell(job: OptimizationJob) -> Cell:
    """Return what is paid by the settlement, with the plan's cost where that is another; without one, the plan's."""
    currency = job.currency or ""
    if job.settled_cost is None:
        cell = money_cell(job.total_cost, currency)
        return cell if job.total_cost is None else cell._replace(small="as planned, not settled")
    cell = money_cell(job.settled_cost, currency)
    planned = money_cell(job.total_cost, currency)
    return (
        cell if job.total_cost is None or planned.text == cell.text else cell._replace(small=f"planned {planned.text}")
    )


# ---------------------------------------------------------------------------------------------- workflows
def workflow_parts(engine: Engine, zone: ZoneInfo) -> list[Part]:
    """Return what stands on the page of workflows: those of the project, and those that were ever executed."""
    from ems.batch.workflows.reading import workflow_names
    from ems.database.latest import latest_executions

    last = {one.workflow: one for one in latest_executions(engine)}
    names = sorted({*workflow_names(), *last})
    if not names:
        return [Empty("No workflow is in parameters/workflows yet; docs/how-to/workflows.md tells how to write one.")]
    overview = [
        (
            Cell(name, href=f"#{name}"),
            status_cell(last[name].status) if name in last else Cell("never run", tone="quiet"),
            moment_cell(last[name].started_at or last[name].created_at, zone) if name in last else Cell(NOTHING),
            _took(last.get(name)),
        )
        for name in names
    ]
    columns = (Column("workflow"), Column("last execution", is_choice=True), Column("started"), Column("took"))
    parts: list[Part] = [Listing(columns, overview, ("workflow", "workflows"), is_main=True)]
    for name in names:
        parts += _workflow(engine, name, last.get(name), zone)
    return parts


def _workflow(engine: Engine, name: str, last: Any, zone: ZoneInfo) -> list[Part]:
    from ems.batch.workflows.diagram_svg import svg_of

    spec, problem = _spec_of(engine, name, last)
    starts = "" if spec is None else _starts(spec)
    parts: list[Part] = [Section(name if spec is None else spec.title, name, starts)]
    if spec is None:
        parts.append(Said(f"It cannot be drawn: {problem}"))
    else:
        svg = base64.b64encode(svg_of(spec).encode()).decode("ascii")
        tasks = "; ".join(f"{one.id} after {' and '.join(one.depends_on) or 'nothing'}" for one in spec.tasks)
        parts.append(Picture(f"data:image/svg+xml;base64,{svg}", f"Tasks of {name}: {tasks}", is_drawn_for_dark=True))
    if last is None:
        return [*parts, Empty("It was never run. Start it with", f"ems workflow run {name}")]
    parts.append(Said(f"Tasks of the last execution, {last.id}:"))
    attempts = tasks_of(engine, last.id)
    rows = [
        (
            Cell(one.task_id, small=f"for {one.item}" if one.item else ""),
            text_cell(one.kind),
            status_cell(one.status, reason=first_lines(one.error or one.reason)),
            text_cell(one.attempt if one.attempt else None),
            moment_cell(one.started_at, zone),
            _took(one),
            _run_cell(engine, one.run_id),
        )
        for one in attempts[:MOST_TASKS]
    ]
    columns = [Column(title) for title in ("task", "kind", "status", "attempt", "started", "took", "run")]
    parts.append(Listing(columns, rows))
    if len(attempts) > MOST_TASKS:
        parts.append(Said(f"And {len(attempts) - MOST_TASKS} more: ems executions show {last.id}"))
    executions = list_executions(engine, workflow=name, limit=MOST_EXECUTIONS + 1)
    if len(executions) > 1:
        parts.append(Said("Executions before:"))
        before = [
            (
                Cell(one.id),
                status_cell(one.status, reason=first_lines(one.error, lines=1)),
                moment_cell(one.started_at or one.created_at, zone),
                _took(one),
                text_cell(one.trigger),
            )
            for one in executions[1:]
        ]
        parts.append(Listing([Column(t) for t in ("execution", "status", "started", "took", "started by")], before))
    return parts


def _spec_of(engine: Engine, name: str, last: Any) -> tuple[Any, str]:
    """Return a workflow as its file states it, or as it last ran, and what is wrong with the file."""
    from ems.batch.workflows.reading import WorkflowText, read_text, read_workflow

    try:
        read = read_workflow(read_text(name))
        if read.spec is not None:
            return read.spec, ""
        problem = "; ".join(read.findings)
    except EmsError as error:
        problem = str(error)
    if last is None:
        return None, problem
    kept = get_definition(engine, name, last.version)
    return read_workflow(WorkflowText(name, "the database", kept.definition, kept.version)).spec, problem


def _starts(spec: Any) -> str:
    parts = [spec.description.rstrip(".")] if spec.description else []
    if spec.schedule is not None:
        when = spec.schedule.cron or f"every {spec.schedule.every_s:g} s"
        parts.append(f"Starts by schedule: {when}, {spec.schedule.timezone}")
    if spec.trigger is not None:
        parts.append("Starts by files" if spec.trigger.files else "Starts by HTTP")
    return ". ".join([*parts, ""]).strip() if parts else "Started by hand."


def _run_cell(engine: Engine, run_id: str | None) -> Cell:
    if run_id is None:
        return Cell(NOTHING)
    from ems.database.runs import get_run

    try:
        report = report_of(get_run(engine, run_id).report_path)
    except EmsError:
        report = None
    return Cell(run_id, href=as_link(report, TO_REPORTS) if report else None)


def _took(one: Any) -> Cell:
    if one is None or one.started_at is None or one.finished_at is None:
        return Cell(NOTHING)
    seconds = (one.finished_at - one.started_at).total_seconds()
    return Cell(shown_duration(one.started_at, one.finished_at), sort=round(seconds, 3))


# ---------------------------------------------------------------------------------------------- batches
def batch_parts(engine: Engine, zone: ZoneInfo) -> list[Part]:
    """Return what stands on the page of batches."""
    found = list_batches(engine, limit=MOST_BATCHES)
    if not found:
        return [Empty("No batch yet. Make one with", "ems batch dispatch battery-horizon")]
    rows = []
    for one in found:
        counts = count_cases(engine, one.id)
        left = counts["waiting"] + counts["running"]
        hint = f"ems batches show {one.id} --status failed" if counts["failed"] else ""
        rows.append(
            (
                Cell(one.name, small=one.id),
                text_cell(one.study),
                status_cell(one.status, reason=hint),
                Cell(f"{one.cases:,}", sort=one.cases),
                Cell(f"{counts['completed']:,}", sort=counts["completed"]),
                Cell(f"{counts['failed']:,}", sort=counts["failed"]),
                Cell(f"{left:,}", sort=left),
                moment_cell(one.created_at, zone),
                _took_batch(one),
            )
        )
    columns = (
        Column("sweep"), Column("study", is_choice=True), Column("status", is_choice=True),
        Column("cases", is_number=True), Column("completed", is_number=True), Column("failed", is_number=True),
        Column("left", is_number=True), Column("begun"), Column("took", is_number=True),
    )  # fmt: skip
    return [Listing(columns, rows, ("batch", "batches"), "newest first", is_main=True)]


def _took_batch(one: Any) -> Cell:
    if one.finished_at is None:
        return Cell(NOTHING)
    seconds = (one.finished_at - one.created_at).total_seconds()
    return Cell(shown_duration(one.created_at, one.finished_at), sort=round(seconds, 3))
