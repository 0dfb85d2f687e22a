"""``ems doctor``: whether this machine and project are fit for work."""

from __future__ import annotations

import sys

import click

from ems.cli.as_json import echo_json, json_option

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command(
    epilog="""\b
Examples:
  ems doctor
  ems doctor --json

\b
ok: fit; warn: works, but a person should look; fail: something will not work.
Exit codes: 0 nothing failed, 1 something failed."""
)
@json_option
def doctor(as_json: bool) -> None:
    """Check database, disk, solvers, kernel, versions, time zones and clock; say what to do where one is not fit."""
    from ems.batch.watch.doctor import examine_all
    from ems.cli.wording import printable

    found = []
    for one in examine_all():
        found.append(one)
        if as_json:
            continue
        state = click.style(f"{one.state:<4}", fg=COLOURS[one.state])
        click.echo(f"{state}  {one.check:<10}  {printable(one.said)}")
        if one.remedy:
            click.echo(f"      {'':<10}  -> {printable(one.remedy)}")
    if as_json:
        rows = [{"check": one.check, "state": one.state, "said": one.said, "remedy": one.remedy} for one in found]
        echo_json({"fit": all(one.state != "fail" for one in found), "findings": rows})
    if any(one.state == "fail" for one in found):
        sys.exit(1)
