"""``ems runs log``: what happened in a run."""

from __future__ import annotations

import json

import click


@click.command(
    epilog="""\b
Examples:
  ems runs log 20240603-080000-a1b2c3
  ems runs log 20240603-080000-a1b2c3 --follow
  ems runs log 20240603-080000-a1b2c3 --json | jq 'select(.event == "cell_failed")'

\b
Logs are in .ems/logs of the project, a file for each run. That of a run to which nothing was added for 90 days is
removed when the next run begins; EMS_LOG_DAYS is another number of days, 0 keeps all."""
)
@click.argument("run_id")
@click.option("--follow", "-f", is_flag=True, help="Go on until the run ends.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line, for programs.")
def log(run_id: str, follow: bool, as_json: bool) -> None:
    """Show what happened in a run: its kernel, each cell with its seconds, failures, report and end."""
    from ems.batch.watch.log_reading import follow_log, read_log, wording_of
    from ems.cli.runs_list import line_of, swept_engine
    from ems.cli.wording import printable
    from ems.database.records import ACTIVE
    from ems.database.runs import get_run

    engine = swept_engine()
    run = get_run(engine, run_id)

    def is_over() -> bool:
        swept_engine()
        return get_run(engine, run_id).status not in ACTIVE

    last = None
    for line in follow_log(run, is_over) if follow else read_log(run):
        last = line
        click.echo(json.dumps(line, ensure_ascii=False) if as_json else printable(wording_of(line)))
    now = get_run(engine, run_id)
    if not as_json and (last is None or last["event"] != "run_closed"):
        click.echo(line_of(now))
