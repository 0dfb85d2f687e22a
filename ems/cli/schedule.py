"""``ems schedule``: the service that starts workflows, and the times to come."""

from __future__ import annotations

import datetime as dt
import sys

import click

from ems.cli.as_json import echo_json, json_option
from ems.cli.lazy import LazyGroup


@click.group(
    cls=LazyGroup,
    epilog="""\b
Examples:
  ems schedule next                        when which workflow starts
  ems schedule run                         start them; Ctrl-C ends the service
  ems schedule run --once                  start what is due now, and end
  ems schedule run --http 8080             take requests, too; needs EMS_TRIGGER_TOKEN

\b
When, is said in parameters/workflows/NAME.yaml:
  schedule: {cron: "30 2 * * *", timezone: Europe/Berlin}
  trigger: {files: data/inbox/*.csv, http: true}""",
)
def schedule() -> None:
    """Start workflows by time, by file and by request."""


@schedule.command(
    epilog="""\b
Examples:
  ems schedule run
  ems schedule run --until 2026-12-31T18:00+01:00
  ems schedule run --once || echo "something failed"
  EMS_TRIGGER_TOKEN=... ems schedule run --http 127.0.0.1:8080
  curl -X POST -H "Authorization: Bearer $EMS_TRIGGER_TOKEN" -d '{"site": "harbour"}' \\
    http://127.0.0.1:8080/workflows/nightly

\b
SIGTERM and Ctrl-C: no new work is taken, running work is finished; a second one ends it.
Exit codes: 0 done, 1 something failed (with --once), 2 the input cannot be used, 4 no database, 130 running work
was ended."""
)
@click.option("--once", is_flag=True, help="Start what is due now, wait for it, and end.")
@click.option("--until", metavar="MOMENT", help="Take no new work from this moment on, and end; with its offset.")
@click.option("--http", metavar="HOST:PORT", help="Take requests at this address; 8080 alone is this machine only.")
@click.option("--at-once", type=click.IntRange(1, 1000), help="Most workflows at the same time. [default: processors]")
def run(once: bool, until: str | None, http: str | None, at_once: int | None) -> None:
    """Start workflows when they are due, as long as this runs.

    Each due time is started once, also after restarts and beside a second copy. Files of workflows may be added,
    changed and removed meanwhile.
    """
    from ems.batch.schedule.serve import serve

    end = _moment(until) if until is not None else None
    failures, was_ended = serve(_say, once=once, until=end, http=http, most_at_once=at_once)
    if was_ended:
        sys.exit(130)
    if once and failures:
        sys.exit(1)


@schedule.command("next", epilog="\b\nExamples:\n  ems schedule next\n  ems schedule next nightly --count 10")
@click.argument("workflow", required=False)
@click.option(
    "--count", default=3, show_default=True, type=click.IntRange(1, 1000), help="Most times of each workflow."
)
@json_option
def next_(workflow: str | None, count: int, as_json: bool) -> None:
    """Show the next times at which workflows start, in their local time and in UTC."""
    from ems.batch.schedule.times import shown_moment
    from ems.batch.schedule.upcoming import upcoming
    from ems.cli.wording import echo_table

    times, others, broken = upcoming(dt.datetime.now(dt.UTC), count, workflow)
    if as_json:
        rows = [
            {
                "workflow": one.workflow,
                "time": one.moment,
                "local": shown_moment(one.moment, one.timezone),
                "timezone": one.timezone,
            }
            for one in times
        ]
        echo_json({"times": rows, "others": others, "broken": broken})
        return
    if times:
        shown = [
            (one.workflow, shown_moment(one.moment, one.timezone), shown_moment(one.moment, "UTC"), one.timezone)
            for one in times
        ]
        echo_table(("workflow", "local time", "UTC", "time zone"), shown)
    elif not others and not broken:
        click.echo("no workflow has a schedule; say one in parameters/workflows/NAME.yaml: see `ems schedule -h`")
    for text in others:
        click.echo(text)
    for said in broken.values():
        click.echo(f"note: {said}", err=True)


def _say(text: str) -> None:
    """Print a line with its time, at once, also where the output goes to a file."""
    from ems.cli.wording import printable

    first, *rest = text.splitlines() or [""]
    lines = [f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M:%SZ} {printable(first)}", *map(printable, rest)]
    click.echo("\n".join(lines))
    sys.stdout.flush()


def _moment(text: str) -> dt.datetime:
    from ems.errors import InvalidInput, show

    try:
        moment = dt.datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError
    except ValueError:
        said = "must be a date and time with its offset from UTC, as in 2026-12-31T18:00+01:00"
        raise InvalidInput(f"--until {show(text)}", said) from None
    return moment
