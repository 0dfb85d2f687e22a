"""``ems assets status``, ``alarms`` and ``maintenance``: how assets do, and what is to be done to them."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any

import click

from ems.cli.as_json import echo_json, json_option
from ems.cli.lazy import LazyGroup

if TYPE_CHECKING:
    from ems.database.operation import AssetState

LEVELS = ("info", "warning", "error", "critical")
"""Levels of an alarm, said here so that help needs no record; a test holds them against the records."""


@click.command(
    epilog="""\b
Examples:
  ems assets status
  ems assets status --site harbour
  ems assets status --stale-after 60 --json"""
)
@click.option("--site", help="Only assets of this site.")
@click.option(
    "--stale-after",
    "stale_after_min",
    default=15.0,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    metavar="MINUTES",
    help="Silence after which an asset counts as offline.",
)
@json_option
def status(site: str | None, stale_after_min: float, as_json: bool) -> None:
    """Show what assets do now, as far as their last messages tell."""
    from ems.cli.wording import echo_table
    from ems.database.engine import connect
    from ems.database.operation import statuses

    engine = connect()
    if site is not None:
        from ems.database.register import get_site

        get_site(engine, site)
    found = statuses(engine, stale_after_min=stale_after_min, site=site)
    if as_json:
        echo_json([_plain(one) for one in found])
    elif not found:
        click.echo("no assets; add some with: ems assets import FILE")
    else:
        echo_table(("id", "site", "operation", "power", "soc", "why"), [_line(one) for one in found], right=("power",))
        silent = sum(one.effective is None or one.effective.is_stale for one in found)
        click.echo(f"{len(found)} assets, {len(found) - silent} heard of within {stale_after_min:g} min")


def _line(one: AssetState) -> tuple[object, ...]:
    if one.status is None or one.effective is None:
        return (one.asset_id, one.site_id, "unknown", "", "", "nothing was ever reported")
    power_kw = one.status.current_power_kw
    power = "" if power_kw is None or one.effective.is_stale else f"{power_kw:g} kW"
    soc = "" if one.status.current_soc is None or one.effective.is_stale else f"{one.status.current_soc:g}"
    return (one.asset_id, one.site_id, one.effective.operational_status, power, soc, one.effective.reason)


def _plain(one: AssetState) -> dict[str, Any]:
    return {
        "asset_id": one.asset_id,
        "kind": one.kind,
        "name": one.name,
        "site_id": one.site_id,
        "status": None if one.status is None else one.status.as_json(),
        "effective": None if one.effective is None else dataclasses.asdict(one.effective),
    }


@click.command(
    epilog="""\b
Examples:
  ems assets alarms
  ems assets alarms --level critical
  ems assets alarms --level info --json"""
)
@click.option(
    "--level", default="warning", show_default=True, type=click.Choice(LEVELS), help="Only alarms of this level on."
)
@json_option
def alarms(level: str, as_json: bool) -> None:
    """Show alarms, the gravest first."""
    from ems.cli.wording import echo_table
    from ems.database.engine import connect
    from ems.database.operation import alarms as alarms_of

    found = alarms_of(connect(), level)
    if as_json:
        echo_json([_plain(one) for one in found])
    elif not found:
        click.echo(f"no alarm of level {level} or graver")
    else:
        rows = [
            (
                one.status.alarm_level,
                one.asset_id,
                one.site_id,
                f"{one.status.reported_at.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC",
                one.status.alarm_message or one.status.fault_code,
            )
            for one in found
            if one.status is not None
        ]
        echo_table(("level", "id", "site", "reported", "message"), rows)


@click.group(
    cls=LazyGroup,
    epilog="\b\nExamples:\n  ems assets maintenance list --asset crane-1\n  ems assets maintenance due --days 30",
)
def maintenance() -> None:
    """Show what is done to assets, and what falls due."""


@maintenance.command(
    "list",
    epilog="""\b
Examples:
  ems assets maintenance list --asset crane-1
  ems assets maintenance list --site harbour --json""",
)
@click.option("--asset", help="Only records of this asset.")
@click.option("--site", help="Only records of assets of this site.")
@json_option
def list_(asset: str | None, site: str | None, as_json: bool) -> None:
    """List maintenance records; what is planned for a day that is gone at its site is overdue."""
    from ems.assets.maintenance import status_on
    from ems.cli.wording import echo_table
    from ems.database.engine import connect
    from ems.database.fleet import days_of_assets
    from ems.database.operation import list_maintenance
    from ems.database.register import get_asset, get_site

    engine = connect()
    if asset is not None:
        get_asset(engine, asset)
    if site is not None:
        get_site(engine, site)
    found, today = list_maintenance(engine, asset=asset, site=site), days_of_assets(engine)
    if as_json:
        echo_json([{**one.as_json(), "status": status_on(one, today[one.asset_id])} for one in found])
    elif not found:
        click.echo("no maintenance records")
    else:
        rows = [
            (one.id, one.asset_id, one.maintenance_type, status_on(one, today[one.asset_id]), one.scheduled_date,
             one.completed_date, one.description)
            for one in found
        ]  # fmt: skip
        echo_table(("record", "asset", "type", "status", "planned", "done", "description"), rows)


@maintenance.command(
    epilog="""\b
Examples:
  ems assets maintenance due
  ems assets maintenance due --days 30 --site harbour --json"""
)
@click.option("--days", default=90, show_default=True, type=click.IntRange(0, 36_500), help="How far to look ahead.")
@click.option("--site", help="Only assets of this site.")
@json_option
def due(days: int, site: str | None, as_json: bool) -> None:
    """Show what is overdue or falls due, by plan, calendar, hours run or cycles."""
    from ems.assets.maintenance import schedule
    from ems.cli.wording import echo_table
    from ems.database.engine import connect
    from ems.database.fleet import days_of_assets
    from ems.database.operation import list_maintenance
    from ems.database.register_portfolio import load_portfolio

    engine = connect()
    portfolio = load_portfolio(engine, site=site)
    found = schedule(portfolio.assets, list_maintenance(engine, site=site), days_of_assets(engine), days)
    if as_json:
        echo_json([dataclasses.asdict(one) for one in found])
    elif not found:
        click.echo(f"nothing is overdue or falls due within {days} days")
    else:
        rows = [("overdue" if one.is_overdue else "due", one.due_date, one.asset_id, one.words) for one in found]
        echo_table(("state", "day", "asset", "what"), rows)
