"""``ems assets new``, ``update``, ``delete`` and ``templates``: assets made and changed one by one."""

from __future__ import annotations

from typing import Any

import click

from ems.cli.as_json import echo_json, json_option
from ems.cli.assets_list import KINDS


@click.command(
    epilog="""\b
Examples:
  ems assets templates
  ems assets templates battery --sources      with figures and their sources"""
)
@click.argument("kind", required=False)
@click.option("--sources", is_flag=True, help="With fields and where their figures come from.")
@json_option
def templates(kind: str | None, sources: bool, as_json: bool) -> None:
    """List templates of typical equipment."""
    from ems.assets.templates import list_templates
    from ems.cli.wording import echo_table, quantity

    found = list_templates(kind)
    if as_json:
        echo_json(found)
        return
    if not sources:
        echo_table(("kind", "template", "what it is"), [(one.kind, one.name, one.title) for one in found])
        return
    for one in found:
        click.echo(f"{one.kind} {one.name}: {one.title}")
        for name, value in one.fields.items():
            click.echo(f"  {name}: {quantity(value, name)}")
        for name, what in one.ask.items():
            click.echo(f"  {name}: to be given; {what}")
        for source in one.sources:
            click.echo(f"  source: {source}")


@click.command(
    epilog="""\b
Examples:
  ems assets new battery --template bess-lfp-100kw --id battery-2 --site harbour
  ems assets new load --id cranes -s rated_load_kw=250 -s is_critical=true"""
)
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--id", "asset_id", required=True, help="Id of the new asset: small letters, digits, hyphens.")
@click.option("--template", help="Typical equipment; `ems assets templates` lists it.")
@click.option("--site", help="Site at which it stands; the only one where nothing is said.")
@click.option("-s", "--set", "settings", multiple=True, metavar="FIELD=VALUE", help="Set one field; repeatable.")
@json_option
def new(
    *, kind: str, asset_id: str, template: str | None, site: str | None, settings: tuple[str, ...], as_json: bool
) -> None:
    """Put a new asset of a KIND into the register."""
    from ems.assets.portfolio import KINDS as RECORDS
    from ems.assets.templates import find_template, new_from_template
    from ems.cli.assets_values import only_site, values_of
    from ems.cli.wording import notes, settings_of
    from ems.database.engine import connect
    from ems.database.register import create_asset
    from ems.database.register_queries import list_sites
    from ems.errors import InvalidInput

    texts = settings_of(settings, "-s capacity_kwh=200")
    values = values_of(RECORDS[kind], texts, f"{kind} '{asset_id}'")
    values = {name: value for name, value in values.items() if value is not None}
    engine = connect()
    chosen = site or values.pop("site_id", None) or only_site(list_sites(engine))
    if chosen is None:
        raise InvalidInput(f"{kind} '{asset_id}'", "which site? say --site; `ems assets sites` lists them")
    values["site_id"] = chosen
    if template is None:
        asset: Any = RECORDS[kind](**{"id": asset_id, **values})
    else:
        asset = new_from_template(kind, template, asset_id, **values)
    with notes():
        _warn_of_megawatts(asset)
    entry = create_asset(engine, asset)
    if as_json:
        echo_json({**entry.record.as_json(), "version": entry.version})
        return
    click.echo(f"{kind} '{asset_id}' created at site '{chosen}', version {entry.version}")
    if template is not None:
        for source in find_template(kind, template).sources:
            click.echo(f"source: {source}")


@click.command(
    epilog="""\b
Examples:
  ems assets update battery-2 max_charge_kw=80 status=maintenance
  ems assets update battery-2 target_soc=     takes the value back
  ems assets update battery-2 capacity_kwh=190 --version 3"""
)
@click.argument("asset_id", metavar="ID")
@click.argument("settings", metavar="FIELD=VALUE...", nargs=-1, required=True)
@click.option("--version", type=int, help="Version that was read; fails if anybody changed the asset since.")
@json_option
def update(asset_id: str, settings: tuple[str, ...], version: int | None, as_json: bool) -> None:
    """Change fields of an asset."""
    from ems.assets.exchange_cells import plain
    from ems.cli.assets_values import values_of
    from ems.cli.wording import notes, quantity, settings_of
    from ems.database.engine import connect
    from ems.database.register import get_entry, update_asset

    engine = connect()
    texts = settings_of(settings, "max_charge_kw=80")
    before = get_entry(engine, asset_id).record
    changes = values_of(type(before), texts, f"{before.kind} '{asset_id}'")
    entry = update_asset(engine, asset_id, changes, version=version)
    after = entry.record
    with notes():
        _warn_of_megawatts(after)
    if as_json:
        echo_json({**after.as_json(), "version": entry.version})
        return
    for name in type(after).model_fields:
        old, new_value = plain(getattr(before, name)), plain(getattr(after, name))
        if old != new_value:
            said = [quantity(value, name) or "nothing" for value in (old, new_value)]
            click.echo(f"{name}: {said[0]} -> {said[1]}")
    click.echo(f"{after.kind} '{asset_id}' is at version {entry.version}")


@click.command(
    epilog="""\b
Examples:
  ems assets delete battery-2
  ems assets delete battery-2 --permanent      with its status and maintenance"""
)
@click.argument("asset_id", metavar="ID")
@click.option("--permanent", is_flag=True, help="Remove it with its status, maintenance and performance, for good.")
def delete(asset_id: str, permanent: bool) -> None:
    """Decommission an asset; its records stay unless it is removed for good."""
    from ems.database.engine import connect
    from ems.database.register import delete_asset, get_asset

    engine = connect()
    asset = get_asset(engine, asset_id)
    delete_asset(engine, asset_id, permanent=permanent)
    click.echo(f"{asset.kind} '{asset_id}' is {'gone; its history stays' if permanent else 'decommissioned'}")


def _warn_of_megawatts(asset: Any) -> None:
    import warnings

    from ems.errors import EmsWarning
    from ems.unit_traps import megawatt_hints

    for hint in megawatt_hints(asset.kind, asset.given()):
        warnings.warn(f"{asset.kind} '{asset.id}': {hint}", EmsWarning, stacklevel=2)
