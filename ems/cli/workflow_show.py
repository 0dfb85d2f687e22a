"""``ems workflow list``, ``show`` and ``diagram``: what workflows there are and what they do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ems.cli.as_json import echo_json, json_option
from ems.cli.completed import workflows

if TYPE_CHECKING:
    from ems.batch.workflows.spec import WorkflowSpec
    from ems.batch.workflows.task_spec import Task


@click.command("list", epilog="\b\nExamples:\n  ems workflow list\n  ems workflow list --tag daily --json")
@click.option("--tag", help="Only workflows with this tag.")
@json_option
def list_(tag: str | None, as_json: bool) -> None:
    """List the workflows of the project, those that cannot be run, too."""
    from ems.batch.workflows.reading import read_text, read_workflow, workflow_names
    from ems.cli.wording import echo_table
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


@click.command(
    epilog="""\b
Examples:
  ems workflow show battery-optimization-demo
  ems workflow show daily-home --json"""
)
@click.argument("name", shell_complete=workflows)
@json_option
def show(name: str, as_json: bool) -> None:
    """Show what the workflow NAME takes, its tasks in their order, and when it starts."""
    from ems.batch.workflows.checks import load_workflow
    from ems.batch.workflows.diagram import layers_of
    from ems.batch.workflows.outputs import outputs_seen
    from ems.cli.wording import echo_table, printable

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


@click.command(
    epilog="""\b
Examples:
  ems workflow diagram battery-optimization-demo
  ems workflow diagram battery-optimization-demo -o demo.svg"""
)
@click.argument("name", shell_complete=workflows)
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
