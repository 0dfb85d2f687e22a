"""``ems batches``: the batches that were begun, their cases and attempts."""

from __future__ import annotations

from typing import Any

import click

from ems.cli.as_json import echo_json, json_option
from ems.cli.lazy import LazyGroup


@click.group(
    cls=LazyGroup,
    epilog="""\b
Examples:
  ems batches list --study dispatch
  ems batches show 20240603-080000-a1b2c3 --status failed
  ems batches cancel 20240603-080000-a1b2c3""",
)
def batches() -> None:
    """List, show and stop batches; `ems batch` begins them."""


@batches.command(
    "list",
    epilog="""\b
Examples:
  ems batches list
  ems batches list --study dispatch --limit 5 --json""",
)
@click.option("--study", help="Only batches of this study.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="Most batches shown.")
@json_option
def list_(study: str | None, limit: int, *, as_json: bool) -> None:
    """List batches, newest first."""
    from ems.cli.wording import echo_table
    from ems.database.batches import count_cases, list_batches
    from ems.database.engine import connect

    engine = connect()
    found = [(one, count_cases(engine, one.id)) for one in list_batches(engine, study=study, limit=limit)]
    if as_json:
        echo_json([{**one.as_json(), "counts": counts} for one, counts in found])
        return
    if not found:
        click.echo("no batches; make one with: ems batch dispatch battery-horizon")
        return
    rows = [
        (
            one.id, one.status, one.study, one.name, f"{one.created_at.astimezone():%Y-%m-%d %H:%M %Z}",
            counts["completed"], counts["failed"], counts["waiting"] + counts["running"],
        )
        for one, counts in found
    ]  # fmt: skip
    names = ("batch", "status", "study", "sweep", "begun", "completed", "failed", "left")
    echo_table(names, rows, right=names[5:])


@batches.command(
    epilog="""\b
Examples:
  ems batches show 20240603-080000-a1b2c3
  ems batches show 20240603-080000-a1b2c3 --status failed
  ems batches show 20240603-080000-a1b2c3 --json      attempts included"""
)
@click.argument("batch_id")
@click.option("--status", help="Only cases with this status.")
@json_option
def show(batch_id: str, status: str | None, *, as_json: bool) -> None:
    """Show the cases of a batch."""
    from ems.cli.wording import echo_table
    from ems.database.batches import get_batch, list_attempts, list_cases
    from ems.database.engine import connect

    engine = connect()
    one = get_batch(engine, batch_id)
    cases = list_cases(engine, batch_id, status=status)
    if as_json:
        attempts = [attempt.as_json() for attempt in list_attempts(engine, batch_id)]
        echo_json({**one.as_json(), "cases": [case.as_json() for case in cases], "attempts": attempts})
        return
    click.echo(f"{one.id}  {one.status}  {one.study} {one.name}, {one.cases} cases")
    rows: list[tuple[Any, ...]] = [
        (case.number, case.status, case.attempts, case.run_id, case.label, (case.error or "").split("\n")[0])
        for case in cases
    ]
    echo_table(("case", "status", "attempts", "run", "what is special", "error"), rows, right=("case", "attempts"))


@batches.command(
    epilog="""\b
Examples:
  ems batches cancel 20240603-080000-a1b2c3
  ems batch dispatch battery-horizon --resume      goes on with it"""
)
@click.argument("batch_id")
def cancel(batch_id: str) -> None:
    """Stop a batch: what waits is cancelled, what runs is ended within seconds."""
    from ems.database.batches import cancel_batch, get_batch
    from ems.database.engine import connect

    engine = connect()
    get_batch(engine, batch_id)
    cancel_batch(engine, batch_id)
    click.echo(f"batch {batch_id} is cancelled; its workers end their kernels within seconds")
