"""``ems assets list``, ``sites`` and ``groups``: what there is."""

from __future__ import annotations

import dataclasses

import click

from ems.cli.as_json import echo_json, json_option

KINDS = ("battery", "ev_charger", "generator", "grid_connection", "load", "solar_pv", "wind_turbine")
"""The kinds of assets, said here so that help needs no record; a test holds them against the records."""
STATUSES = ("active", "inactive", "maintenance", "decommissioned")


@click.command(
    "list",
    epilog="""\b
Examples:
  ems assets list --kind battery --site harbour
  ems assets list --where chemistry=lithium_iron_phosphate --sort -capacity
  ems assets list --text "tesla" --json""",
)
@click.option("--kind", type=click.Choice(KINDS), help="Only assets of this kind.")
@click.option("--status", type=click.Choice(STATUSES), help="Only assets with this status.")
@click.option("--site", help="Only assets at this site.")
@click.option("--group", help="Only assets of this group and the groups in it.")
@click.option("--text", help="Only assets with this text in one of their texts; capitals do not matter.")
@click.option("--where", multiple=True, metavar="FIELD=VALUE", help="Only assets with this value; repeatable.")
@click.option(
    "--sort", default="name", show_default=True, help="Field, or capacity; with - before it, greatest first."
)
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="Most assets shown.")
@click.option("--after", help="The next page: what the page before ended with.")
@json_option
def list_(
    *,
    kind: str | None,
    status: str | None,
    site: str | None,
    group: str | None,
    text: str | None,
    where: tuple[str, ...],
    sort: str,
    limit: int,
    after: str | None,
    as_json: bool,
) -> None:
    """List assets."""
    from ems.cli.wording import echo_table, settings_of
    from ems.database.engine import connect
    from ems.database.register_queries import list_assets

    page = list_assets(
        connect(),
        kind=kind,
        status=status,
        site=site,
        group=group,
        text=text,
        where={name: value or None for name, value in settings_of(where, "chemistry=lead_acid").items()},
        sort=sort.removeprefix("-"),
        descending=sort.startswith("-"),
        limit=limit,
        after=after,
    )
    if as_json:
        echo_json({"rows": [dataclasses.asdict(row) for row in page.rows], "next": page.next_cursor})
        return
    if not page.rows:
        is_filtered = any((kind, status, site, group, text, where, after))
        click.echo("no assets" if is_filtered else "no assets; add some with: ems assets import FILE")
        return
    rows = [
        (row.id, row.kind, row.name, row.site_id, f"{row.capacity:g} {row.capacity_unit}", row.status,
         row.operational_status or "unknown")
        for row in page.rows
    ]  # fmt: skip
    echo_table(("id", "kind", "name", "site", "capacity", "status", "operation"), rows, right=("capacity",))
    if page.next_cursor is not None:
        click.echo(f"more with: --after {page.next_cursor}")


@click.command(
    epilog="""\b
Examples:
  ems assets sites
  ems assets sites --json"""
)
@json_option
def sites(as_json: bool) -> None:
    """List sites."""
    from ems.cli.wording import echo_table
    from ems.database.engine import connect
    from ems.database.register_queries import list_sites

    found = list_sites(connect())
    if as_json:
        echo_json([site.as_json() for site in found])
    elif not found:
        click.echo("no sites; add some with: ems assets import FILE")
    else:
        rows = [(one.id, one.name, one.city, one.country, one.timezone, one.status) for one in found]
        echo_table(("id", "name", "city", "country", "timezone", "status"), rows)


@click.command(
    epilog="""\b
Examples:
  ems assets groups
  ems assets groups --json"""
)
@json_option
def groups(as_json: bool) -> None:
    """List groups, each below the one it is part of, with their members."""
    from ems.cli.wording import printable
    from ems.database.engine import connect
    from ems.database.register_queries import list_groups, list_members

    engine = connect()
    found, members = list_groups(engine), list_members(engine)
    if as_json:
        echo_json({"groups": [one.as_json() for one in found], "members": [one.as_json() for one in members]})
        return
    if not found:
        click.echo("no groups; add some with: ems assets import FILE")

    def echo_below(parent: str | None, depth: int) -> None:
        for group in found:
            if group.parent_group_id == parent:
                indent = "  " * depth
                at_site = f" at {group.site_id}" if group.site_id else ""
                click.echo(f"{indent}{group.id}  {printable(group.name)} ({group.group_type}{at_site})")
                for member in members:
                    if member.group_id == group.id:
                        role = f"  {printable(member.role)}" if member.role else ""
                        click.echo(f"{indent}  - {member.asset_id}{role}")
                echo_below(group.id, depth + 1)

    echo_below(None, 0)
