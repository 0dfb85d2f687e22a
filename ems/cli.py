"""The ``ems`` command; ``python -m ems`` is the same.

Each command imports what it needs when it is called, so that ``ems --help`` answers at once.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from ems.errors import EmsError

if TYPE_CHECKING:
    from ems.database.records import Run

STATUSES = ("pending", "running", "completed", "failed", "cancelled")


class _Commands(click.Group):
    """A group whose commands end with one readable line where a person's input or the surroundings are at fault."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        try:
            return super().main(*arguments, **options)
        except EmsError as error:
            click.secho(f"error: {error}", fg="red", err=True)
            sys.exit(2)


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  ems run dispatch demo                    run a study with one of its cases
  ems run dispatch demo -p horizon_h=48    the same with another parameter
  ems runs list --status failed            what went wrong lately
  ems solvers                              which solvers are here

\b
Exit codes: 0 done, 1 a notebook failed, 2 the input cannot be used, 130 stopped by Ctrl-C.""",
)
@click.version_option(package_name="ems", message="ems %(version)s")
def commands() -> None:
    """Energy management in notebooks: run studies, read their records and reports."""


@commands.command(
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


@commands.group(epilog="\b\nExamples:\n  ems runs list --study dispatch\n  ems runs show 20240603-080000-a1b2c3")
def runs() -> None:
    """List and show runs."""


@runs.command("list")
@click.option("--study", help="Only runs of this study.")
@click.option("--status", type=click.Choice(STATUSES), help="Only runs with this status.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000), help="Most runs shown.")
def list_(study: str | None, status: str | None, limit: int) -> None:
    """List runs, newest first; a run whose process is gone is marked as failed on the way."""
    from ems.batch.run import sweep_interrupted
    from ems.database.engine import connect
    from ems.database.runs import list_runs

    engine = connect()
    ended = sweep_interrupted(engine)
    found = list_runs(engine, study=study, status=status, limit=limit)
    if ended:
        from ems.batch.reporting import write_index

        write_index(engine)
    if not found:
        click.echo("no runs; make one with: ems run dispatch demo")
    for one in found:
        click.echo(_line_of(one))


@runs.command()
@click.argument("run_id")
def show(run_id: str) -> None:
    """Show the record of a run."""
    from ems.batch.run import sweep_interrupted
    from ems.database.engine import connect
    from ems.database.runs import get_run

    engine = connect()
    sweep_interrupted(engine)
    one = get_run(engine, run_id)
    click.echo(_line_of(one))
    for title, rows in (
        ("headline", dict(one.headline)),
        ("parameters", one.parameters),
        ("inputs", {item["path"]: item["sha256"] for item in one.inputs}),
        ("versions", one.versions),
        ("files", {"report": one.report_path, "notebook": one.notebook_path}),
    ):
        click.echo(f"{title}:")
        for name, value in rows.items():
            click.echo(f"  {name}: {value}")
    for note in one.notes:
        click.echo(f"note: {note}")


@commands.command()
def solvers() -> None:
    """List solvers: which are here, their versions, and how to get the others."""
    from ems.dispatch.solvers import list_solvers

    for one in list_solvers():
        state = f"available {one.version}".strip() if one.is_available else "not here"
        click.echo(f"{one.name:<8} {state:<20} {one.place}")


@commands.group()
def report() -> None:
    """Make pages from the database."""


@report.command()
def index() -> None:
    """Write reports/index.html, the list of all runs."""
    from ems.batch.reporting import write_index
    from ems.batch.run import sweep_interrupted
    from ems.database.engine import connect

    engine = connect()
    sweep_interrupted(engine)
    click.echo(str(write_index(engine)))


@commands.group(epilog="\b\nThe database is EMS_DATABASE_URL, or data/ems.sqlite in the project.")
def db() -> None:
    """Look after the database."""


@db.command()
def upgrade() -> None:
    """Bring the database's tables to this version of the package."""
    from ems.database.engine import database_url
    from ems.database.masking import masked
    from ems.database.migrate import current
    from ems.database.migrate import upgrade as migrate
    from ems.folders import project_folder

    url = database_url(project_folder())
    migrate(url)
    click.echo(f"{masked(url)} is at revision {current(url)}")


@db.command()
def status() -> None:
    """Say which database is used and its revision."""
    from ems.database.engine import HEAD, database_url
    from ems.database.masking import masked
    from ems.database.migrate import current
    from ems.folders import project_folder

    url = database_url(project_folder())
    click.echo(f"{masked(url)} is at revision {current(url) or 'none'}; this version of ems needs {HEAD}")


def _line_of(one: Run) -> str:
    started = (one.started_at or one.created_at).astimezone()
    cost = next((value for label, value in one.headline if label == "Total cost"), "")
    line = f"{one.id}  {one.status:<10} {one.study} {one.case_name:<16} {started:%Y-%m-%d %H:%M %Z}  {cost:>16}"
    return f"{line}  {one.error.splitlines()[0]}" if one.error else line


def main() -> None:
    """Run the command line."""
    commands(prog_name="ems")
