"""The ``ems`` command; ``python -m ems`` is the same.

Each command imports what it needs when it is called, so that ``ems --help`` answers at once.
"""

from __future__ import annotations

import click

from ems.cli.exit_codes import meanings_text
from ems.cli.lazy import LazyGroup

PLACES = {
    "assets": "ems.cli.assets:assets",
    "batch": "ems.cli.batch:batch",
    "batches": "ems.cli.batches:batches",
    "completion": "ems.cli.completion:completion",
    "db": "ems.cli.db:db",
    "doctor": "ems.cli.doctor:doctor",
    "executions": "ems.cli.executions:executions",
    "forecasts": "ems.cli.forecasts:forecasts",
    "init": "ems.cli.init:init",
    "metrics": "ems.cli.metrics:metrics",
    "models": "ems.cli.models:models",
    "report": "ems.cli.report:report",
    "run": "ems.cli.run:run",
    "runs": "ems.cli.runs:runs",
    "schedule": "ems.cli.schedule:schedule",
    "series": "ems.cli.series:series",
    "solvers": "ems.cli.solvers:solvers",
    "workflow": "ems.cli.workflow:workflow",
}
"""Where each command is found."""
SECTIONS = {
    "Begin": ("init", "doctor", "solvers", "completion"),
    "Run notebooks": ("run", "batch", "workflow", "schedule"),
    "See what came out": ("runs", "batches", "executions", "forecasts", "models", "report"),
    "Keep assets and measurements": ("assets", "series"),
    "Look after an installation": ("db", "metrics"),
}
"""Commands by what people want."""


@click.group(
    cls=LazyGroup,
    places=PLACES,
    sections=SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=f"""\b
Examples:
  ems init my-energy                       make a project of one's own
  ems run dispatch demo                    run a study with one of its cases
  ems run dispatch demo -p horizon_h=48    the same with another parameter
  ems runs list --status failed            what went wrong lately
  ems run --help                           what a command takes, with examples

{meanings_text()}""",
)
@click.version_option(package_name="ems", message="ems %(version)s")
def commands() -> None:
    """Energy management in notebooks: run studies, read their records and reports."""
    from ems.batch.watch.logs import set_up_logging

    set_up_logging()


def main() -> None:
    """Run the command line."""
    commands(prog_name="ems")
