"""``ems report``: pages made from the database."""

from __future__ import annotations

import contextlib

import click

from ems.cli.lazy import LazyGroup


@click.group(
    cls=LazyGroup,
    epilog="""\b
Examples:
  ems report index                         reports/index.html, the list of runs
  ems report site                          that list and all other pages, in reports/site
  ems report site --out /srv/www/ems       a copy for a web server, reports included""",
)
def report() -> None:
    """Make pages from the database."""


@report.command(epilog="\b\nExamples:\n  ems report index")
def index() -> None:
    """Write reports/index.html, the list of all runs."""
    from ems.batch.run import sweep_interrupted
    from ems.batch.site.run_index import write_index
    from ems.database.engine import connect

    engine = connect()
    sweep_interrupted(engine)
    click.echo(str(write_index(engine, anew=True)))


@report.command(
    epilog="""\b
Examples:
  ems report site
  ems report site --site harbour
  ems report site --out /srv/www/ems --site harbour --site campus

\b
The folder needs no server: open site/index.html, or put it on any static one. docs/how-to/site.md tells more.
Exit codes: 0 done, 2 the input cannot be used, 4 the database cannot be used."""
)
@click.option("--out", metavar="FOLDER", help="Write there in place of reports/, with the reports that pages lead to.")
@click.option(
    "--site", "sites", multiple=True, metavar="ID", help="Only assets, forecasts and plans of it; repeatable."
)
def site(out: str | None, sites: tuple[str, ...]) -> None:
    """Write pages of assets, alarms, maintenance, forecasts, optimizations, workflows and batches."""
    from pathlib import Path

    from ems.batch.run import sweep_interrupted
    from ems.batch.site.write import check_writable, write_site
    from ems.database.engine import connect

    folder = None if out is None else Path(out).expanduser()
    if folder is not None:
        check_writable(folder)
    engine = connect()
    sweep_interrupted(engine)
    click.echo(str(write_site(engine, folder, tuple(dict.fromkeys(sites)))))


@report.command(
    epilog="""\b
Examples:
  ems report zoom                           of the newest run that has lines over time
  ems report zoom 20240603-080000-a1b2c3

\b
Draw over a time to see it closer, a double click shows all; the address of the page holds what is seen.
Exit codes: 0 done, 2 there is no such run or it has nothing over time, 4 the database cannot be used."""
)
@click.argument("run_id", required=False)
def zoom(run_id: str | None) -> None:
    """Write a zoomable view of a run's data beside its report."""
    from ems.batch.run import sweep_interrupted
    from ems.batch.zoom import write_zoom
    from ems.database.engine import connect
    from ems.database.runs import get_run, list_runs
    from ems.errors import InvalidInput

    engine = connect()
    sweep_interrupted(engine)
    if run_id is not None:
        click.echo(str(write_zoom(get_run(engine, run_id))))
        return
    for run in list_runs(engine, status="completed"):
        with contextlib.suppress(InvalidInput):
            click.echo(str(write_zoom(run)))
            return
    raise InvalidInput(
        "ems report zoom", "no run with lines over time has completed; begin with: ems run dispatch demo"
    )
