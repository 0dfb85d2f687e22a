"""``ems runs list`` and ``show``: the records of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ems.cli.as_json import echo_json, json_option
from ems.cli.run import run_as_json

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ems.database.records import Run

STATUSES = ("pending", "running", "completed", "failed", "cancelled")


@click.command(
    "list",
    epilog="""\b
Examples:
  ems runs list --study dispatch --case harbour
  ems runs list --status failed --limit 5
  ems runs list --json""",
)
@click.option("--study", help="Only runs of this study.")
@click.option("--case", help="Only runs of this case.")
@click.option("--status", type=click.Choice(STATUSES), help="Only runs with this status.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000), help="Most runs shown.")
@json_option
def list_(*, study: str | None, case: str | None, status: str | None, limit: int, as_json: bool) -> None:
    """List runs, newest first; a run whose process is gone is marked as failed on the way."""
    from ems.database.runs import list_runs

    engine = swept_engine()
    found = list_runs(engine, study=study, case=case, status=status, limit=limit)
    if as_json:
        echo_json([run_as_json(one) for one in found])
        return
    if not found:
        is_filtered = any((study, case, status))
        click.echo("no such runs" if is_filtered else "no runs; make one with: ems run dispatch demo")
    for one in found:
        click.echo(line_of(one))


@click.command(
    epilog="""\b
Examples:
  ems runs show 20240603-080000-a1b2c3
  ems runs show 20240603-080000-a1b2c3 --json      with the optimizations of the run"""
)
@click.argument("run_id")
@json_option
def show(run_id: str, as_json: bool) -> None:
    """Show the record of a run."""
    from ems.cli.wording import printable
    from ems.database.optimizations import jobs_of
    from ems.database.runs import get_run

    engine = swept_engine()
    one = get_run(engine, run_id)
    if as_json:
        echo_json({**run_as_json(one), "optimizations": [job.as_json() for job in jobs_of(engine, run_id)]})
        return
    click.echo(line_of(one))
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
        click.echo(f"note: {printable(note)}")


def swept_engine() -> Engine:
    """Return the database, after runs whose process is gone were closed."""
    from ems.batch.run import sweep_interrupted
    from ems.database.engine import connect

    engine = connect()
    if sweep_interrupted(engine):
        from ems.batch.site.run_index import write_index

        write_index(engine)
    return engine


def line_of(one: Run) -> str:
    """Return a run as one line: name, how far it is, what it is of, when, how long, what came out."""
    from ems.cli.wording import printable

    started = (one.started_at or one.created_at).astimezone()
    cost = next((value for label, value in one.headline if label == "Total cost"), "")
    took = "" if one.duration_s is None else duration_words(one.duration_s)
    line = (
        f"{one.id}  {one.status:<10} {one.study} {printable(one.case_name):<16} {started:%Y-%m-%d %H:%M %Z}  "
        f"{took:>9}  {printable(cost):>16}"
    ).rstrip()
    return f"{line}  {printable(one.error.splitlines()[0])}" if one.error else line


def duration_words(seconds: float) -> str:
    """Return a length of time as people say it.

    >>> duration_words(7.06), duration_words(125), duration_words(7384)
    ('7.1 s', '2 min 5 s', '2 h 3 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
