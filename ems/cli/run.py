"""``ems run``: a study with the parameters of a case."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click


@click.command(
    epilog="""\b
Examples:
  ems run dispatch demo
  ems run dispatch demo -p solver=cbc -p horizon_h=48
  ems run dispatch my/site/case.yaml -p series=meter.csv"""
)
@click.argument("study")
@click.argument("case")
@click.option(
    "-p", "--parameter", "settings", multiple=True, metavar="NAME=VALUE", help="Set one parameter; repeatable."
)
@click.option("--quiet", is_flag=True, help="No progress bar.")
def run(study: str, case: str, settings: tuple[str, ...], quiet: bool) -> None:
    """Run a STUDY's notebook with the parameters of a CASE.

    CASE is a file in parameters/STUDY without its ending, or a path to a YAML file. All parameters are checked before
    the notebook starts.
    """
    from ems.batch.parameters import load_case

    loaded = load_case(study, case, settings)
    from ems.batch.run import run_case

    try:
        outcome = run_case(loaded, progress=not quiet)
    except KeyboardInterrupt:
        click.echo("stopped; the run is marked as cancelled", err=True)
        sys.exit(130)
    done = outcome.run
    for note in done.notes:
        click.echo(f"note: {note}", err=True)
    rows = [*(done.headline if done.status == "completed" else ())]
    rows += [("Run", done.id), ("Report", str(outcome.report))]
    rows += [("All reports", str(outcome.index)), ("Database", outcome.database)]
    click.echo("\n".join(in_columns(rows)))
    if done.status != "completed":
        click.secho(f"error: run {done.id} {done.status}: {done.error}", fg="red", err=True)
        sys.exit(1)


def in_columns(rows: Sequence[tuple[str, str]]) -> list[str]:
    """Return labels and values as lines whose values stand below each other.

    >>> in_columns([("Cost", "5.00 EUR"), ("Cost without battery", "15.00 EUR")])
    ['Cost                  5.00 EUR', 'Cost without battery  15.00 EUR']
    """
    width = max(len(label) for label, _ in rows)
    return [f"{label:<{width}}  {value}" for label, value in rows]
