"""``ems workflow``: workflows of the project, checked, run, drawn and started in the background."""

from __future__ import annotations

import click

from ems.cli.lazy import LazyGroup

PLACES = {
    "diagram": "ems.cli.workflow_show:diagram",
    "list": "ems.cli.workflow_show:list_",
    "run": "ems.cli.workflow_run:run",
    "show": "ems.cli.workflow_show:show",
    "trigger": "ems.cli.workflow_run:trigger",
    "validate": "ems.cli.workflow_run:validate",
}
"""Where each command is found."""


@click.group(
    cls=LazyGroup,
    places=PLACES,
    epilog="""\b
Examples:
  ems workflow list
  ems workflow validate battery-optimization-demo
  ems workflow run battery-optimization-demo -p horizon_h=24
  ems workflow diagram battery-optimization-demo -o demo.svg

\b
Workflows are files in parameters/workflows; docs/how-to/workflows.md tells how they are written.""",
)
def workflow() -> None:
    """Check, run and draw workflows: tasks that depend on each other."""
