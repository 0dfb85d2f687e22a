"""``ems workflow validate``, ``run`` and ``trigger``: a workflow checked and begun, and how its end is said."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from ems.cli.as_json import echo_json, json_option
from ems.cli.completed import workflows
from ems.cli.exit_codes import FAILED, INVALID, STOPPED
from ems.cli.workflow_values import moment_of, parameters_from, parameters_of

if TYPE_CHECKING:
    from ems.database.workflow_records import WorkflowExecution

TRIGGERS = ("command", "schedule", "file", "http")
"""Said here so that help needs no record; a test holds them against the records."""
SETTINGS = click.option(
    "-p", "--parameter", "settings", multiple=True, metavar="NAME=VALUE", help="Set one parameter; repeatable."
)
JOBS = click.option(
    "--jobs", default=2, show_default=True, type=click.IntRange(1, 64), help="Most processes of tasks at once."
)


@click.command(
    epilog="""\b
Examples:
  ems workflow validate battery-optimization-demo
  ems workflow validate daily-home -p series=meter.csv --json"""
)
@click.argument("name", shell_complete=workflows)
@SETTINGS
@json_option
def validate(name: str, settings: tuple[str, ...], as_json: bool) -> None:
    """Check the workflow NAME in full and tell everything that is wrong with it; nothing runs."""
    from ems.batch.workflows.checks import load_workflow
    from ems.errors import InvalidInput

    try:
        checked = load_workflow(name, parameters_of(name, settings), is_start=False)
    except InvalidInput as error:
        if not as_json:
            raise
        echo_json({"workflow": name, "valid": False, "findings": list(error.findings)})
        sys.exit(INVALID)
    if as_json:
        echo_json({"workflow": checked.spec.name, "valid": True, "findings": []})
        return
    count = len(checked.spec.tasks)
    click.echo(f"workflow {checked.spec.name} can be run: {count} task{'s' if count != 1 else ''}")
    for one, spec in checked.spec.parameters.items():
        if spec.is_required:
            click.echo(f"  give {one} ({spec.type}) with -p {one}=VALUE")


@click.command(
    epilog="""\b
Examples:
  ems workflow run battery-optimization-demo
  ems workflow run daily-home -p series=meter.csv --jobs 1

\b
Exit codes: 0 done, 1 a task failed, 2 the input cannot be used, 130 stopped."""
)
@click.argument("name", shell_complete=workflows)
@SETTINGS
@click.option("--parameters-json", metavar="FILE", help="Parameters as JSON from a file; - reads the standard input.")
@JOBS
@click.option("--trigger", type=click.Choice(TRIGGERS), default="command", help="What starts it.", hidden=True)
@click.option("--scheduled-for", metavar="TIME", help="Moment of its schedule; there is one execution for each.")
@click.option("--execution-id", metavar="ID", help="Id that the execution gets.")
@click.option("--quiet", is_flag=True, help="No lines of progress.")
@json_option
def run(
    *,
    name: str,
    settings: tuple[str, ...],
    parameters_json: str | None,
    jobs: int,
    trigger: Any,
    scheduled_for: str | None,
    execution_id: str | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Run the workflow NAME to its end."""
    from ems.batch.workflows.execution import run_workflow

    parameters = {**parameters_from(parameters_json), **parameters_of(name, settings)}
    done = run_workflow(
        name,
        parameters,
        trigger=trigger,
        scheduled_for=moment_of(scheduled_for),
        new_id=execution_id,
        progress=not quiet,
        max_parallel=jobs,
    )
    end_with(done, as_json)


@click.command(
    epilog="""\b
Examples:
  ems workflow trigger battery-optimization-demo -p horizon_h=24
  ems workflow trigger daily-home -p series=meter.csv --json"""
)
@click.argument("name", shell_complete=workflows)
@SETTINGS
@JOBS
@json_option
def trigger(name: str, settings: tuple[str, ...], jobs: int, as_json: bool) -> None:
    """Start the workflow NAME in the background and print the id of its execution.

    It goes on when the terminal is closed; `ems executions show ID` tells how far it is.
    """
    from ems.batch.workflows.background import start_detached
    from ems.batch.workflows.execution import open_workflow

    opened = open_workflow(name, parameters_of(name, settings))
    pid = start_detached(opened.id, max_parallel=jobs)
    if as_json:
        echo_json({"execution": opened.id, "process_id": pid})
    else:
        click.echo(opened.id)


def end_with(done: WorkflowExecution, as_json: bool) -> None:
    """Say how an execution ended and end with its exit code: 0 done, 1 failed, 130 stopped."""
    if as_json:
        echo_json(done.as_json())
    else:
        click.echo(f"{done.workflow}  {done.id}  {done.status}")
    if done.status == "completed":
        return
    if done.status == "cancelled":
        click.echo(f"stopped; go on with: ems executions resume {done.id}", err=True)
        sys.exit(STOPPED)
    click.secho(f"error: {done.error}", fg="red", err=True)
    click.echo(f"mend it and go on with: ems executions resume {done.id}", err=True)
    sys.exit(FAILED)
