"""``ems assets show``, ``history`` and ``outage``: one asset, what became of it, and what hangs on it."""

from __future__ import annotations

import click

from ems.cli.as_json import echo_json, json_option


@click.command(
    epilog="""\b
Examples:
  ems assets show battery-2
  ems assets show battery-2 --all      what is left to defaults, too
  ems assets show battery-2 --json"""
)
@click.argument("asset_id", metavar="ID")
@click.option("--all", "everything", is_flag=True, help="With fields that are empty or left to their defaults.")
@json_option
def show(asset_id: str, everything: bool, as_json: bool) -> None:
    """Show an asset with its version; what follows from other fields is marked as derived."""
    from ems.cli.assets_values import stated_lines
    from ems.cli.wording import printable
    from ems.database.engine import connect
    from ems.database.register import get_entry, get_settings
    from ems.database.register_queries import list_dependencies, list_members

    engine = connect()
    entry = get_entry(engine, asset_id)
    asset = entry.record
    audit = {
        name: getattr(entry, name) for name in ("version", "created_at", "created_by", "updated_at", "updated_by")
    }
    if as_json:
        echo_json({**asset.as_json(), **audit})
        return
    settings = get_settings(engine)
    lines = list(stated_lines(asset, settings.currency if settings else "currency", everything))
    width = max(len(name) for name, _, _ in lines)
    value_width = max((len(value) for _, value, source in lines if source), default=0)
    click.echo(f"{asset.kind} '{asset.id}'")
    for name, value, source in lines:
        click.echo(f"  {name:<{width}}  {value:<{value_width}}  {source}".rstrip())
    for member in list_members(engine, asset=asset_id):
        click.echo(f"  {'group':<{width}}  {member.group_id}{f', {printable(member.role)}' if member.role else ''}")
    for one in list_dependencies(engine, asset=asset_id):
        words = f"{one.asset_id} {one.dependency_type.replace('_', ' ')} {one.depends_on_asset_id}"
        click.echo(f"  {'dependency':<{width}}  {words}{', critical' if one.is_critical else ''}")
    click.echo(f"  {'version':<{width}}  {entry.version}")
    click.echo(f"  {'created':<{width}}  {entry.created_at:%Y-%m-%d %H:%M} UTC by {printable(entry.created_by)}")
    click.echo(f"  {'updated':<{width}}  {entry.updated_at:%Y-%m-%d %H:%M} UTC by {printable(entry.updated_by)}")


@click.command(
    epilog="""\b
Examples:
  ems assets history battery-2
  ems assets history battery-2 --field max_charge_kw
  ems assets history --limit 10 --json"""
)
@click.argument("asset_id", metavar="[ID]", required=False)
@click.option("--field", help="Only changes of this field.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="Most changes shown.")
@json_option
def history(asset_id: str | None, field: str | None, limit: int, as_json: bool) -> None:
    """Show who changed what from what to what, newest first; of an asset, site or group, or of all."""
    from ems.cli.wording import printable, quantity
    from ems.database.engine import connect
    from ems.database.history import history_of

    changes = history_of(connect(), asset_id, field=field, limit=limit)
    if as_json:
        echo_json([change.as_json() for change in changes])
        return
    if not changes:
        click.echo("no changes")
    for one in changes:
        place = f"{one.table_name} {printable(one.row_id)}"
        line = f"{one.changed_at:%Y-%m-%d %H:%M:%S} UTC  {printable(one.changed_by)}  {one.operation:<6}  {place}"
        if one.field is not None:
            old, new = (quantity(value, one.field) or "nothing" for value in (one.old, one.new))
            line += f"  {one.field}: {old} -> {new}"
        elif one.operation == "update":
            line += "  by a statement past this command; fields are not known"
        click.echo(line)


@click.command(
    epilog="""\b
Examples:
  ems assets outage transformer-1
  ems assets outage transformer-1 --json"""
)
@click.argument("asset_id", metavar="ID")
@json_option
def outage(asset_id: str, as_json: bool) -> None:
    """Show what an outage of an asset takes down with it, and why."""
    from ems.assets.outage import affected_by
    from ems.database.engine import connect
    from ems.database.register import get_asset
    from ems.database.register_queries import list_dependencies

    engine = connect()
    asset = get_asset(engine, asset_id)
    affected = affected_by(asset_id, list_dependencies(engine))
    if as_json:
        echo_json(
            [{"asset_id": one.asset_id, "reason": one.reason, "is_critical": one.is_critical} for one in affected]
        )
        return
    if not affected:
        click.echo(f"an outage of {asset.kind} '{asset.id}' takes nothing else down")
    for one in affected:
        click.echo(f"{one.asset_id}{' (critical)' if one.is_critical else ''}: {one.reason}")
