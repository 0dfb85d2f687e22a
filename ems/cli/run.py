"""``ems run``: a study with the parameters of a case."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ems.cli.as_json import echo_json, figures_of, json_option
from ems.cli.completed import cases, studies
from ems.cli.exit_codes import FAILED, INFEASIBLE, STOPPED

if TYPE_CHECKING:
    from ems.batch.run import RunOutcome
    from ems.database.records import Run


@click.command(
    epilog="""\b
Examples:
  ems run dispatch demo
  ems run dispatch demo -p solver=cbc -p horizon_h=48
  ems run dispatch my/site/case.yaml -p series=meter.csv
  ems run dispatch demo --json | jq '.headline[] | select(.label == "Saving") | .value'

\b
Parameters carry their unit at the end of their name: horizon_h=48 are 48 hours. The second cell of
notebooks/STUDY.ipynb lists them all with their meanings.

\b
Exit codes: 0 done, 1 the notebook failed, 2 the input cannot be used, 3 infeasible, 4 no database, 130 stopped."""
)
@click.argument("study", shell_complete=studies)
@click.argument("case", shell_complete=cases)
@click.option(
    "-p", "--parameter", "settings", multiple=True, metavar="NAME=VALUE", help="Set one parameter; repeatable."
)
@click.option("--quiet", is_flag=True, help="No progress bar.")
@json_option
def run(study: str, case: str, settings: tuple[str, ...], quiet: bool, as_json: bool) -> None:
    """Run a STUDY's notebook with the parameters of a CASE.

    STUDY is a notebook in notebooks/, CASE a file in parameters/STUDY without its ending, or a path to a YAML file.
    All parameters are checked before the notebook starts.
    """
    from ems.batch.parameters import load_case

    loaded = load_case(study, case, settings)
    from ems.batch.run import run_case

    try:
        outcome = run_case(loaded, progress=not quiet)
    except KeyboardInterrupt:
        click.echo("stopped; the run is marked as cancelled", err=True)
        sys.exit(STOPPED)
    done = outcome.run
    for note in done.notes:
        click.echo(f"note: {note}", err=True)
    if as_json:
        echo_json(told_of(outcome))
    else:
        rows = [*(done.headline if done.status == "completed" else ())]
        rows += [("Run", done.id), ("Report", str(outcome.report))]
        rows += [("All reports", str(outcome.index)), ("Database", outcome.database)]
        click.echo("\n".join(in_columns(rows)))
    if done.status != "completed":
        click.secho(f"error: run {done.id} {done.status}: {done.error}", fg="red", err=True)
        sys.exit(INFEASIBLE if outcome.error_kind == "Infeasible" else FAILED)


def told_of(outcome: RunOutcome) -> dict[str, Any]:
    """Return what a run has left, for programs."""
    places = {"report": outcome.report, "index": outcome.index, "database": outcome.database}
    return {**run_as_json(outcome.run), **places}


def run_as_json(one: Run) -> dict[str, Any]:
    """Return the record of a run for programs: the figures of its headline as numbers with units."""
    return {**one.as_json(), "headline": figures_of(one.headline), "duration_s": one.duration_s}


def in_columns(rows: Sequence[tuple[str, str]]) -> list[str]:
    """Return labels and values as lines whose values stand below each other.

    >>> in_columns([("Cost", "5.00 EUR"), ("Cost without battery", "15.00 EUR")])
    ['Cost                  5.00 EUR', 'Cost without battery  15.00 EUR']
    """
    width = max(len(label) for label, _ in rows)
    return [f"{label:<{width}}  {value}" for label, value in rows]
