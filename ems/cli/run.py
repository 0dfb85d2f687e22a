"""``ems run``: a study with the parameters of a case."""

from __future__ import annotations

import sys

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
    for label, value in done.headline if done.status == "completed" else ():
        click.echo(f"{label:<22} {value}")
    click.echo(f"{'Run':<22} {done.id}")
    click.echo(f"{'Report':<22} {outcome.report}")
    click.echo(f"{'All reports':<22} {outcome.index}")
    click.echo(f"{'Database':<22} {outcome.database}")
    if done.status != "completed":
        click.secho(f"error: run {done.id} {done.status}: {done.error}", fg="red", err=True)
        sys.exit(1)
