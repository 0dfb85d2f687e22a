"""``ems workflow``: workflows of the project, checked, run, drawn and started in the background."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ems.batch.workflows.spec import WorkflowSpec
    from ems.batch.workflows.task_spec import Task
    from ems.database.workflow_records import WorkflowExecution

TRIGGERS = ("command", "schedule", "file", "http")
_SETTINGS = click.option(
    "-p", "--parameter", "settings", multiple=True, metavar="NAME=VALUE", help="Set one parameter; repeatable."
)
_JOBS = click.option(
    "--jobs", default=2, show_default=True, type=click.IntRange(1, 64), help="Most processes of tasks at once."
)


@click.group(
    epilog="""\b
Examples:
  ems workflow list
  ems workflow validate battery-optimization-demo
  ems workflow run battery-optimization-demo -p horizon_h=24
  ems workflow diagram battery-optimization-demo -o demo.svg

\b
Workflows are files in parameters/workflows; docs/how-to/workflows.md tells how they are written."""
)
def workflow() -> None:
    """Check, run and draw workflows: tasks that depend on each other."""


@workflow.command(
    epilog="""\b
Examples:
  ems workflow validate battery-optimization-demo
  ems workflow validate daily-home -p series=meter.csv --json"""
)
@click.argument("name")
@_SETTINGS
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def validate(name: str, settings: tuple[str, ...], as_json: bool) -> None:
    """Check the workflow NAME in full and tell everything that is wrong with it; nothing runs."""
    from ems.batch.workflows.checks import load_workflow
    from ems.cli.wording import echo_json
    from ems.errors import InvalidInput

    try:
        checked = load_workflow(name, _parameters_of(name, settings), is_start=False)
    except InvalidInput as error:
        if not as_json:
            raise
        echo_json({"workflow": name, "valid": False, "findings": list(error.findings)})
        sys.exit(2)
    if as_json:
        echo_json({"workflow": checked.spec.name, "valid": True, "findings": []})
        return
    count = len(checked.spec.tasks)
    click.echo(f"workflow {checked.spec.name} can be run: {count} task{'s' if count != 1 else ''}")
    for one, spec in checked.spec.parameters.items():
        if spec.is_required:
            click.echo(f"  give {one} ({spec.type}) with -p {one}=VALUE")


@workflow.command(
    epilog="""\b
Examples:
  ems workflow run battery-optimization-demo
  ems workflow run daily-home -p series=meter.csv --jobs 1

\b
Exit codes: 0 done, 1 a task failed, 2 the input cannot be used, 130 stopped."""
)
@click.argument("name")
@_SETTINGS
@click.option("--parameters-json", metavar="FILE", help="Parameters as JSON from a file; - reads the standard input.")
@_JOBS
@click.option("--trigger", type=click.Choice(TRIGGERS), default="command", help="What starts it.", hidden=True)
@click.option("--scheduled-for", metavar="TIME", help="Moment of its schedule; there is one execution for each.")
@click.option("--execution-id", metavar="ID", help="Id that the execution gets.")
@click.option("--quiet", is_flag=True, help="No lines of progress.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
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

    parameters = {**_from_json(parameters_json), **_parameters_of(name, settings)}
    done = run_workflow(
        name,
        parameters,
        trigger=trigger,
        scheduled_for=_moment(scheduled_for),
        new_id=execution_id,
        progress=not quiet,
        max_parallel=jobs,
    )
    end_with(done, as_json)


@workflow.command(epilog="\b\nExamples:\n  ems workflow trigger battery-optimization-demo -p horizon_h=24")
@click.argument("name")
@_SETTINGS
@_JOBS
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def trigger(name: str, settings: tuple[str, ...], jobs: int, as_json: bool) -> None:
    """Start the workflow NAME in the background and print the id of its execution.

    It goes on when the terminal is closed; `ems executions show ID` tells how far it is.
    """
    from ems.batch.workflows.background import start_detached
    from ems.batch.workflows.execution import open_workflow
    from ems.cli.wording import echo_json

    opened = open_workflow(name, _parameters_of(name, settings))
    pid = start_detached(opened.id, max_parallel=jobs)
    if as_json:
        echo_json({"execution": opened.id, "process_id": pid})
    else:
        click.echo(opened.id)


@workflow.command("list", epilog="\b\nExamples:\n  ems workflow list\n  ems workflow list --tag daily --json")
@click.option("--tag", help="Only workflows with this tag.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_(tag: str | None, as_json: bool) -> None:
    """List the workflows of the project, those that cannot be run, too."""
    from ems.batch.workflows.reading import read_text, read_workflow, workflow_names
    from ems.cli.wording import echo_json, echo_table
    from ems.errors import InvalidInput

    rows: list[dict[str, Any]] = []
    for name in workflow_names():
        row: dict[str, Any] = {"workflow": name, "title": "", "tasks": 0, "starts": "", "tags": [], "findings": []}
        try:
            read = read_workflow(read_text(name))
            row["findings"] = read.findings
            if read.spec is not None:
                spec = read.spec
                row |= {"title": spec.title, "tasks": len(spec.tasks), "starts": starts_of(spec)}
                row["tags"] = list(spec.tags)
        except InvalidInput as error:
            row["findings"] = list(error.findings)
        if tag is None or tag in row["tags"]:
            rows.append(row)
    if as_json:
        echo_json(rows)
        return
    if not rows:
        click.echo("no workflows; they are files in parameters/workflows")
        return
    table = [
        (row["workflow"], f"cannot be run; see `ems workflow validate {row['workflow']}`", "", "", "")
        if row["findings"]
        else (row["workflow"], row["title"], str(row["tasks"]), row["starts"], ", ".join(row["tags"]))
        for row in rows
    ]
    echo_table(("workflow", "title", "tasks", "starts", "tags"), table)


@workflow.command(epilog="\b\nExamples:\n  ems workflow show battery-optimization-demo")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(name: str, as_json: bool) -> None:
    """Show what the workflow NAME takes, its tasks in their order, and when it starts."""
    from ems.batch.workflows.checks import load_workflow
    from ems.batch.workflows.diagram import layers_of
    from ems.batch.workflows.outputs import outputs_seen
    from ems.cli.wording import echo_json, echo_table, printable

    spec = load_workflow(name, is_start=False).spec
    if as_json:
        echo_json({**spec.model_dump(mode="json"), "outputs": {task.id: outputs_seen(task) for task in spec.tasks}})
        return
    click.echo(printable(spec.title))
    if spec.description:
        click.echo(spec.description)
    click.echo(f"starts: {starts_of(spec) or 'by hand'}")
    for one, parameter in spec.parameters.items():
        value = "required" if parameter.is_required else f"default {printable(parameter.default) or 'none'}"
        click.echo(f"parameter {one} ({parameter.type}, {value}) {printable(parameter.meaning)}".rstrip())
    order = [task for layer in layers_of(spec) for task in layer]
    rows = [
        (task.id, task.kind, ", ".join(task.depends_on), _conditions_of(task), ", ".join(outputs_seen(task)))
        for task in order
    ]
    echo_table(("task", "kind", "after", "if", "outputs"), rows)


@workflow.command(
    epilog="""\b
Examples:
  ems workflow diagram battery-optimization-demo
  ems workflow diagram battery-optimization-demo -o demo.svg"""
)
@click.argument("name")
@click.option("-o", "--output", metavar="FILE", help="Write a picture: .svg, .html, or .mmd for Mermaid.")
def diagram(name: str, output: str | None) -> None:
    """Draw the tasks of the workflow NAME and what they wait for; without -o as Mermaid text."""
    from ems.batch.workflows.diagram import mermaid_of
    from ems.batch.workflows.diagram_svg import html_of, svg_of
    from ems.batch.workflows.reading import read_text, read_workflow
    from ems.errors import InvalidInput
    from ems.errors import show as shown

    read = read_workflow(read_text(name))
    if read.spec is None:
        raise InvalidInput(read.subject, read.findings)
    if output is None:
        click.echo(mermaid_of(read.spec), nl=False)
        return
    makers = {".svg": svg_of, ".html": html_of, ".mmd": mermaid_of}
    path = Path(output)
    if path.suffix.lower() not in makers:
        raise InvalidInput(f"-o {shown(output)}", "must end with .svg, .html or .mmd")
    try:
        path.write_text(makers[path.suffix.lower()](read.spec), encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"-o {shown(output)}", f"cannot be written: {error.strerror}") from None
    click.echo(f"written to {output}")


# ---------------------------------------------------------------------------------------------- inside
def end_with(done: WorkflowExecution, as_json: bool) -> None:
    """Say how an execution ended and end with its exit code: 0 done, 1 failed, 130 stopped."""
    from ems.cli.wording import echo_json

    if as_json:
        echo_json(done.as_json())
    else:
        click.echo(f"{done.workflow}  {done.id}  {done.status}")
    if done.status == "completed":
        return
    if done.status == "cancelled":
        click.echo(f"stopped; go on with: ems executions resume {done.id}", err=True)
        sys.exit(130)
    click.secho(f"error: {done.error}", fg="red", err=True)
    click.echo(f"mend it and go on with: ems executions resume {done.id}", err=True)
    sys.exit(1)


def starts_of(spec: WorkflowSpec) -> str:
    """Return when a workflow starts by itself, in words."""
    parts = []
    if spec.schedule is not None and spec.schedule.cron is not None:
        parts.append(f"{spec.schedule.cron} {spec.schedule.timezone}")
    elif spec.schedule is not None:
        parts.append(f"every {spec.schedule.every_s:g} s")
    if spec.trigger is not None and spec.trigger.files:
        parts.append(f"files {spec.trigger.files}")
    if spec.trigger is not None and spec.trigger.http:
        parts.append("http")
    said = ", ".join(parts)
    return said if spec.enabled or not said else f"{said} (not enabled)"


def _conditions_of(task: Task) -> str:
    parts = [] if task.when == "success" else [task.when]
    return "; ".join([*parts, *([task.condition] if task.condition else [])])


def _parameters_of(name: str, settings: tuple[str, ...]) -> dict[str, Any]:
    """Return the values that options state: text stays text where the parameter is one, else as YAML reads it."""
    if not settings:
        return {}
    from ems.batch.workflows.reading import read_text, read_workflow
    from ems.errors import InvalidInput
    from ems.errors import show as shown
    from ems.yaml_text import parse_yaml

    known = read_workflow(read_text(name)).parameters
    given: dict[str, Any] = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise InvalidInput(f"-p {shown(setting)}", "must be name=value, as in -p horizon_h=48")
        spec = known.get(key.strip())
        is_text = spec is not None and spec.type == "text"
        is_nothing = text.strip() in ("null", "~")
        given[key.strip()] = text.strip() if is_text and not is_nothing else parse_yaml(text, f"-p {key.strip()}")
    return given


def _from_json(source: str | None) -> dict[str, Any]:
    """Return the parameters that a file of JSON states."""
    if source is None:
        return {}
    import json

    from ems.errors import InvalidInput

    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
        found = json.loads(text or "{}")
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInput(f"--parameters-json {source}", f"cannot be read as JSON: {error}") from None
    if not isinstance(found, dict):
        raise InvalidInput(f"--parameters-json {source}", 'must be an object: {"name": value}')
    return found


def _moment(text: str | None) -> Any:
    """Return the moment that a text states."""
    if text is None:
        return None
    import datetime as dt

    from ems.errors import InvalidInput
    from ems.errors import show as shown

    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise InvalidInput(f"--scheduled-for {shown(text)}", "must be a time as in 2024-06-01T08:00+02:00")
    return found
