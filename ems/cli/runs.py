"""``ems runs``: the records of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ems.database.records import Run

STATUSES = ("pending", "running", "completed", "failed", "cancelled")


@click.group(epilog="\b\nExamples:\n  ems runs list --study dispatch\n  ems runs show 20240603-080000-a1b2c3")
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


def _line_of(one: Run) -> str:
    started = (one.started_at or one.created_at).astimezone()
    cost = next((value for label, value in one.headline if label == "Total cost"), "")
    line = f"{one.id}  {one.status:<10} {one.study} {one.case_name:<16} {started:%Y-%m-%d %H:%M %Z}  {cost:>16}"
    return f"{line}  {one.error.splitlines()[0]}" if one.error else line
