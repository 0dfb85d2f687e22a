"""``ems runs replay``: repeating a run from its record."""

from __future__ import annotations

import sys

import click

from ems.cli.as_json import echo_json, json_option
from ems.cli.exit_codes import FAILED, STOPPED
from ems.cli.run import told_of


@click.command(
    epilog="""\b
Examples:
  ems runs replay 20240603-080000-a1b2c3
  ems runs replay 20240603-080000-a1b2c3 --anyway    with files that have changed

\b
Exit codes: 0 the result is the same, 1 it differs, 2 the run cannot be repeated."""
)
@click.argument("run_id")
@click.option("--anyway", is_flag=True, help="Repeat it with inputs that have changed.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
@json_option
def replay(run_id: str, anyway: bool, quiet: bool, as_json: bool) -> None:
    """Repeat a run with the same study and parameters, and say whether its result is the same.

    Inputs must be the files that the run read, by their SHA-256; other versions of packages and other code in the
    notebook are noted.
    """
    from ems.batch.run import run_case
    from ems.batch.watch.replay import differing_results, replay_of
    from ems.cli.runs_list import swept_engine
    from ems.database.runs import get_run

    engine = swept_engine()
    plan = replay_of(get_run(engine, run_id))
    if not anyway:
        plan.require_same_inputs()
    for note in (*plan.changed_inputs, *plan.notes):
        click.echo(f"note: {note}", err=True)
    try:
        outcome = run_case(plan.case, progress=not quiet)
    except KeyboardInterrupt:
        click.echo("stopped; the run is marked as cancelled", err=True)
        sys.exit(STOPPED)
    repeated = outcome.run
    found = differing_results(engine, plan.run, repeated)
    if as_json:
        echo_json({"repeats": run_id, "is_same": not found, "differences": found, "run": told_of(outcome)})
    elif not found:
        same = "fails for the same reason" if repeated.status == "failed" else "has the same result"
        click.echo(f"run {repeated.id} repeats run {run_id} and {same}")
    else:
        click.echo(f"run {repeated.id} repeats run {run_id} and differs from it:")
        for one in found:
            click.echo(f"  {one}")
    if found:
        sys.exit(FAILED)
