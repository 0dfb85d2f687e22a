"""``ems executions``: executions of workflows, listed, shown, cancelled and resumed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ems.cli.as_json import echo_json, json_option
from ems.cli.lazy import LazyGroup

if TYPE_CHECKING:
    import datetime as dt

    from ems.database.workflow_records import TaskExecution, WorkflowExecution

STATUSES = ("pending", "running", "completed", "failed", "cancelled")
"""Said here so that help needs no record; a test holds them against the records."""
LONGEST_WAIT_S = 20.0
SHOWN_OF_VALUE = 200


@click.group(
    cls=LazyGroup,
    epilog="""\b
Examples:
  ems executions list --status failed
  ems executions show 20240603-080000-a1b2c3
  ems executions resume 20240603-080000-a1b2c3""",
)
def executions() -> None:
    """List, show, cancel and resume executions of workflows."""


@executions.command(
    "list",
    epilog="""\b
Examples:
  ems executions list --workflow daily-home --limit 5
  ems executions list --status failed --json""",
)
@click.option("--workflow", help="Only executions of this workflow.")
@click.option("--status", type=click.Choice(STATUSES), help="Only executions with this status.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000), help="Most executions shown.")
@json_option
def list_(workflow: str | None, status: str | None, limit: int, as_json: bool) -> None:
    """List executions, newest first."""
    from ems.cli.wording import echo_table, printable
    from ems.database.engine import connect
    from ems.database.workflows import list_executions

    found = list_executions(connect(), workflow=workflow, status=status, limit=limit)
    if as_json:
        echo_json([one.as_json() for one in found])
        return
    if not found:
        click.echo("no executions; make one with: ems workflow run NAME")
        return
    rows = [
        (
            one.id,
            one.workflow,
            _status_of(one),
            one.trigger,
            _local(one.started_at or one.created_at),
            printable(_first_line(one.error)),
        )
        for one in found
    ]
    echo_table(("execution", "workflow", "status", "trigger", "started", "error"), rows)


@executions.command(
    epilog="""\b
Examples:
  ems executions show 20240603-080000-a1b2c3
  ems executions show 20240603-080000-a1b2c3 --json"""
)
@click.argument("execution_id")
@json_option
def show(execution_id: str, as_json: bool) -> None:
    """Show an execution with its tasks: what they were given, what they gave, why they failed or were skipped."""
    from ems.cli.wording import echo_table, printable
    from ems.database.engine import connect
    from ems.database.workflows import get_execution, tasks_of

    engine = connect()
    one, tasks = get_execution(engine, execution_id), tasks_of(engine, execution_id)
    if as_json:
        echo_json({**one.as_json(), "tasks": [task.as_json() for task in tasks]})
        return
    click.echo(f"{one.id}  {one.workflow}  {_status_of(one)}")
    click.echo(f"started by {one.trigger}" + (f" for {_local(one.scheduled_for)}" if one.scheduled_for else ""))
    click.echo(f"from {_local(one.started_at or one.created_at)} to {_local(one.finished_at) or 'now'}")
    for name, value in one.parameters.items():
        click.echo(f"parameter {name} = {printable(value)}")
    if one.error:
        click.echo(f"error: {one.error}")
    rows = [_row_of(task) for task in tasks]
    if rows:
        echo_table(("task", "item", "attempt", "status", "took", "what"), rows)


@executions.command(
    epilog="""\b
Examples:
  ems executions cancel 20240603-080000-a1b2c3
  ems executions cancel 20240603-080000-a1b2c3 --no-wait"""
)
@click.argument("execution_id")
@click.option("--no-wait", is_flag=True, help="Do not wait until it has ended.")
def cancel(execution_id: str, no_wait: bool) -> None:
    """End an execution: its tasks are asked to end, after 10 s by force, and marked as cancelled."""
    import time

    from ems.database.engine import connect
    from ems.database.workflows import OPEN, ask_to_cancel, get_execution

    engine = connect()
    found = ask_to_cancel(engine, execution_id)
    end = time.monotonic() + LONGEST_WAIT_S
    while not no_wait and found.status in OPEN and time.monotonic() < end:
        time.sleep(0.2)
        found = get_execution(engine, execution_id)
    if found.status in OPEN:
        click.echo(f"{execution_id} was asked to end; process {found.process_id} on host {found.host} hears it")
    else:
        click.echo(f"{execution_id} {found.status}")


@executions.command(
    epilog="""\b
Examples:
  ems executions resume 20240603-080000-a1b2c3
  ems executions resume 20240603-080000-a1b2c3 --jobs 4 --quiet

\b
Exit codes: 0 done, 1 a task failed, 2 the input cannot be used, 130 stopped."""
)
@click.argument("execution_id")
@click.option(
    "--jobs", default=2, show_default=True, type=click.IntRange(1, 64), help="Most processes of tasks at once."
)
@click.option("--begin", is_flag=True, hidden=True, help="Only where it has not begun.")
@click.option("--quiet", is_flag=True, help="No lines of progress.")
@json_option
def resume(*, execution_id: str, jobs: int, begin: bool, quiet: bool, as_json: bool) -> None:
    """Go on with an execution that was stopped or failed: completed tasks stay, all others run (again)."""
    from ems.batch.workflows.execution import begin_execution, resume_execution
    from ems.cli.workflow_run import end_with

    go_on = begin_execution if begin else resume_execution
    end_with(go_on(execution_id, progress=not quiet, max_parallel=jobs), as_json)


# ---------------------------------------------------------------------------------------------- inside
def _status_of(one: WorkflowExecution) -> str:
    from ems.database.workflows import is_orphan

    if one.status == "running" and is_orphan(one):
        return "stopped (resume it)"
    return "cancelling" if one.status == "running" and one.is_cancelling else one.status


def _row_of(task: TaskExecution) -> tuple[Any, ...]:
    from ems.batch.workflows.progress import seconds_in_words
    from ems.cli.wording import printable

    took = ""
    if task.started_at is not None and task.finished_at is not None:
        took = seconds_in_words((task.finished_at - task.started_at).total_seconds())
    outputs = ", ".join(f"{name} = {printable(value)}" for name, value in task.outputs.items() if value is not None)
    what = _first_line(task.error) or task.reason or outputs
    short = what if len(what) <= SHOWN_OF_VALUE else f"{what[:SHOWN_OF_VALUE]}..."
    return task.task_id, printable(task.item), str(task.attempt or ""), task.status, took, printable(short)


def _first_line(text: str | None) -> str:
    return text.splitlines()[0] if text else ""


def _local(moment: dt.datetime | None) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S %Z}" if moment else ""
