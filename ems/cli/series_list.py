"""``ems series list``, ``show`` and ``delete``: what there is, how good it is, and who imported it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import click

from ems.cli.as_json import echo_json, json_option

if TYPE_CHECKING:
    import datetime as dt

    from ems.database.measurements import SeriesSummary


@click.command(
    "list",
    epilog="""\b
Examples:
  ems series list --variable demand_kw
  ems series list --asset ovens --json""",
)
@click.option("--variable", help="Only series of this variable.")
@click.option("--asset", help="Only series of this asset, of their own or by their meter.")
@click.option("--meter", help="Only series of this meter.")
@click.option("--site", help="Only series of meters or assets at this site.")
@json_option
def list_(*, variable: str | None, asset: str | None, meter: str | None, site: str | None, as_json: bool) -> None:
    """List series, with how many points there are of each and from when to when."""
    from ems.cli.wording import echo_table
    from ems.database.engine import connect
    from ems.database.measurements import list_series
    from ems.series.wording import shown_step

    found = list_series(connect(), variable=variable, asset=asset, meter=meter, site=site)
    if as_json:
        echo_json([_plain(one) for one in found])
        return
    if not found:
        is_filtered = any((variable, asset, meter, site))
        click.echo("no series" if is_filtered else "no series; add one with: ems series import FILE")
        return
    rows = [
        (one.series.id, one.series.variable, one.series.unit, shown_step(one.series.step_h), one.series.meter_id,
         one.asset_id, one.points, _at(one.begin), _at(one.end))
        for one in found
    ]  # fmt: skip
    columns = ("id", "variable", "unit", "step", "meter", "asset", "points", "begin", "end")
    echo_table(columns, rows, right=("step", "points"))


@click.command(
    epilog="\b\nExamples:\n  ems series show bakery-main-demand_kw\n  ems series show bakery-main-demand_kw --json"
)
@click.argument("series_id", metavar="ID")
@json_option
def show(series_id: str, as_json: bool) -> None:
    """Show a series: what it is, how many points are missing or doubtful, and its imports."""
    import numpy as np

    from ems.cli.wording import printable, quantity
    from ems.database.engine import connect
    from ems.database.measurement_records import QUALITIES
    from ems.database.measurements import get_series, list_series, list_versions
    from ems.database.point_reading import read_points

    engine = connect()
    get_series(engine, series_id)
    (one,) = list_series(engine, ids=[series_id])
    versions = list_versions(engine, series_id)
    qualities: dict[str, int] = {}
    if one.points:
        words = read_points(engine, series_id)["quality"].values[:, 0]
        qualities = {word: count for word in QUALITIES if (count := int(np.sum(words == word)))}
        qualities |= {"gaps": int(np.sum(words == ""))}
    if as_json:
        echo_json({**_plain(one), "qualities": qualities, "versions": [version.as_json() for version in versions]})
        return
    click.echo(f"series '{one.series.id}'")
    fields = {name: getattr(one.series, name) for name in type(one.series).model_fields if name != "id"}
    fields["raster_start"] = _at(one.series.raster_start)
    fields["created_at"] = _at(one.series.created_at)
    fields |= {"points": one.points, "begin": _at(one.begin), "end": _at(one.end), **qualities}
    width = max(map(len, fields))
    for name, value in fields.items():
        if value not in (None, ""):
            click.echo(f"  {name:<{width}}  {quantity(value, name)}")
    for version in versions:
        source = f" from {printable(version.source)}" if version.source else ""
        click.echo(
            f"  {'version':<{width}}  {version.version}, {_at(version.recorded_at)} by "
            f"{printable(version.recorded_by)}{source}: {version.new_points} new, {version.changed_points} changed"
        )


@click.command(
    epilog="\b\nExamples:\n  ems series delete bakery-main-demand_kw\n  ems series delete old-demand_kw --yes"
)
@click.argument("series_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask; for scripts.")
def delete(series_id: str, yes: bool) -> None:
    """Remove a series with all its points and versions, for good."""
    from ems.database.engine import connect
    from ems.database.measurements import delete_series, get_series, list_series

    engine = connect()
    get_series(engine, series_id)
    (one,) = list_series(engine, ids=[series_id])
    if not yes:
        click.confirm(f"remove series '{series_id}' with {one.points} points for good?", abort=True)
    delete_series(engine, series_id)
    click.echo(f"series '{series_id}' with {one.points} points is gone")


def _plain(one: SeriesSummary) -> dict[str, Any]:
    told = {field.name: getattr(one, field.name) for field in dataclasses.fields(one) if field.name != "series"}
    return {**one.series.as_json(), **told}


def _at(moment: dt.datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"
