"""``ems series import`` and ``ems series export``: measured series in and out of files."""

from __future__ import annotations

import contextlib
import datetime as dt
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ems.cli.as_json import echo_json, json_option
from ems.errors import EmsWarning, InvalidInput

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ems.database.measurement_records import Meter, Series
    from ems.series.form import SeriesForm
    from ems.series.own_columns import FileColumn

KINDS = ("mean", "total", "state")
QUALITIES = ("measured", "estimated", "substituted", "suspect")
"""Said here so that help needs no record; a test holds them against the records."""


@click.command(
    "import",
    epilog="""\b
Examples:
  ems series import meter.csv --meter bakery-main --column consumption_kw --variable demand_kw --dry-run
  ems series import prices.xlsx --asset grid --column spot_eur_mwh --variable import_price_per_kwh \\
      --multiply-by 0.001 --unit EUR/kWh
  ems series import old.csv --series bakery-main-demand_kw --column kw --separator ";" --decimal , \\
      --timezone Europe/Berlin

\b
A meter or series that is not there yet is made. All or nothing: where anything cannot be used, nothing is changed.
A cell without a value is a gap, and changes nothing of what is there.""",
)
@click.argument("path", metavar="FILE")
@click.option("--column", required=True, help="Header of the column with the values.")
@click.option("--variable", help="What it holds, with its unit: demand_kw, available_kw, import_price_per_kwh.")
@click.option("--meter", help="Id of the meter that gives it.")
@click.option("--asset", help="Id of the asset of the register that it belongs to.")
@click.option("--site", help="Id of the site of the register at which a new meter is.")
@click.option("--series", "series_id", help="Id of the series; meter (or asset) and variable where nothing is said.")
@click.option("--unit", help="Unit of a price with its currency: EUR/kWh.")
@click.option("--multiply-by", default=1.0, help="Factor from the column's unit to the variable's.")
@click.option("--kind", type=click.Choice(KINDS), help="What a value says of its step; mean where nothing is said.")
@click.option("--quality", type=click.Choice(QUALITIES), default="measured", show_default=True, help="How sure it is.")
@click.option("--timezone", help="Time zone of stamps without offset, and of the series' days; else the site's.")
@click.option("--time-column", help="Header of the column with the beginnings of steps; time where nothing is said.")
@click.option("--time-format", help="Form of the stamps where it is not ISO 8601: %d.%m.%Y %H:%M.")
@click.option("--separator", help="Sign between the cells of a text file.")
@click.option("--decimal", help="Decimal sign of a text file.")
@click.option("--encoding", help="Encoding of a text file.")
@click.option("--sheet", help="Sheet of an Excel file.")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@json_option
def import_(
    *,
    path: str,
    column: str,
    variable: str | None,
    meter: str | None,
    asset: str | None,
    site: str | None,
    series_id: str | None,
    unit: str | None,
    multiply_by: float,
    kind: str | None,
    quality: str,
    timezone: str | None,
    dry_run: bool,
    as_json: bool,
    **form: str | None,
) -> None:
    """Take the values of one column of FILE into a series."""
    import dataclasses

    from ems.cli.wording import printable
    from ems.database.engine import connect
    from ems.database.points import import_series
    from ems.folders import shown_path
    from ems.series.own_columns import read_column

    engine = connect()
    file = Path(path).expanduser()
    asked = {"series_id": series_id, "variable": variable, "meter": meter, "asset": asset, "site": site}
    there, owner, zone = _known(engine, asked)
    target = there.variable if there else variable
    assert target is not None, "a series is named, or a variable"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EmsWarning)  # each of them stands in the notes, too
        read = read_column(file, column, target, owner, _form(form, timezone), timezone=zone, multiply_by=multiply_by)
    said = {"unit": unit, "kind": kind}
    series = _series(there, asked, read, {name: value for name, value in said.items() if value}, timezone or zone)
    with _progress(len(read.values)) as progress:
        outcome = import_series(
            engine,
            series,
            read.times,
            read.values,
            quality,
            meter=_new_meter(meter, asset, site) if meter and not there else None,
            source=shown_path(file),
            sha256=read.sha256,
            dry_run=dry_run,
            progress=progress,
        )
    if as_json:
        told = dataclasses.asdict(outcome)
        echo_json({"series": series.id, "is_new": there is None, "dry_run": dry_run, **told, "notes": read.notes})
        return
    for note in read.notes:
        click.echo(f"note: {printable(note)}", err=True)
    click.echo(f"series '{series.id}'{' is new' if there is None else ''}: {_described(series)}")
    click.echo(f"{'dry run, nothing was changed: ' if dry_run else ''}{outcome}")


def _form(given: dict[str, str | None], timezone: str | None) -> SeriesForm:
    from ems.series.form import SeriesForm

    stated: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if stated.get("separator") == "\\t":
        stated["separator"] = "\t"
    if timezone is not None:
        stated["timezone"] = timezone
    return SeriesForm(**stated)


def _known(engine: Engine, asked: dict[str, str | None]) -> tuple[Series | None, str, str | None]:
    """Return the series where it is there, whose it is for messages, and the site's time zone where one is known."""
    from ems.database.measurements import list_meters, list_series
    from ems.database.register_queries import list_sites

    meter, asset, variable = asked["meter"], asked["asset"], asked["variable"]
    if asked["series_id"] is None and (variable is None or (meter is None and asset is None)):
        raise InvalidInput("the series", "say --variable with --meter or --asset, or --series for one that is there")
    if asked["series_id"] is None:
        asked["series_id"] = f"{meter or asset}-{variable}"
    found = list_series(engine, ids=[str(asked["series_id"])])
    if not found and variable is None:
        raise InvalidInput(
            f"series '{asked['series_id']}'",
            "is not in the database; say --variable with --meter or --asset to make it",
        )
    if found and variable is not None and found[0].series.variable != variable:
        raise InvalidInput(
            f"series '{asked['series_id']}'",
            f"holds {found[0].series.variable}, not {variable}; choose another --series",
        )
    there = found[0].series if found else None
    meter = meter or (there.meter_id if there else None)
    asset = asset or (found[0].asset_id if found else None)
    sites = {one.site_id for one in list_meters(engine) if one.id == meter} if meter else set()
    sites |= {asked["site"]} if asked["site"] else set()
    if asset:
        sites |= _site_of(engine, asset)
    zones = {site.timezone for site in list_sites(engine) if site.id in sites}
    zone = zones.pop() if len(zones) == 1 else None
    return there, asset or meter or str(asked["series_id"]), zone or (there.timezone if there else None)


def _site_of(engine: Engine, asset: str) -> set[str | None]:
    from ems.database.register import get_asset
    from ems.errors import UnknownName

    with contextlib.suppress(UnknownName):  # said with all else when it is to be kept
        return {get_asset(engine, asset).site_id}
    return set()


def _series(
    there: Series | None, asked: dict[str, str | None], read: FileColumn, said: dict[str, str], zone: str | None
) -> Series:
    """Return the series that the file's values belong to."""
    from ems.database.audit import acting_user
    from ems.database.measurement_records import Series

    owners = {"meter_id": asked["meter"], "asset_id": asked["asset"]}
    owners = {name: value for name, value in owners.items() if value}
    if there is not None:
        return there.replace(step_h=read.step_h, **owners, **said)
    second = round(read.times[0].timestamp())
    phase = second % round(read.step_h * 3600)
    fields: dict[str, Any] = {"id": asked["series_id"], "variable": asked["variable"], **owners, **said}
    return Series(
        **fields,
        step_h=read.step_h,
        raster_start=dt.datetime.fromtimestamp(phase, dt.UTC),
        timezone=zone or "UTC",
        created_by=acting_user(),
    )


def _new_meter(meter: str, asset: str | None, site: str | None) -> Meter:
    from ems.database.audit import acting_user
    from ems.database.measurement_records import Meter

    return Meter(id=meter, name=meter, site_id=site, asset_id=asset, created_by=acting_user())


def _described(series: Series) -> str:
    from ems.series.wording import shown_step

    return f"{series.variable}, steps of {shown_step(series.step_h)}"


@contextlib.contextmanager
def _progress(length: int) -> Iterator[Callable[[int, int], None] | None]:
    """Return what moves a bar on the terminal; nothing where no person looks or it is done at once."""
    if length < 50_000 or not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=length, label="importing", file=sys.stderr) as bar:
        yield lambda done, total: bar.update(round(length * done / total) - bar.pos)


@click.command(
    epilog="""\b
Examples:
  ems series export bakery-main-demand_kw demand.csv
  ems series export bakery-main-demand_kw --step day > days.csv
  ems series export bakery-main-demand_kw --begin 2024-06-01T00:00+02:00 --as-of 2024-07-01T00:00+02:00"""
)
@click.argument("series_id", metavar="ID")
@click.argument("path", metavar="[FILE]", required=False)
@click.option("--begin", help="Only steps that begin at this moment or after, as in 2024-06-01T00:00+02:00.")
@click.option("--end", help="Only steps that begin before this moment.")
@click.option("--step", help="Sum up over so many hours, or over local days: day.")
@click.option("--at-least", default=1.0, show_default=True, help="Share of points that such a longer step must have.")
@click.option("--timezone", help="Time zone in which times are written; that of the series where nothing is said.")
@click.option("--as-of", help="As the database knew it at this moment.")
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
def export(
    *,
    series_id: str,
    path: str | None,
    begin: str | None,
    end: str | None,
    step: str | None,
    at_least: float,
    timezone: str | None,
    as_of: str | None,
    overwrite: bool,
) -> None:
    """Write a series as CSV to FILE, or to the screen; `ems series import` and studies read it."""
    from ems.database.aggregation import aggregate
    from ems.database.engine import connect
    from ems.database.point_reading import read_points
    from ems.folders import write_whole

    target = None if path is None else Path(path).expanduser().absolute()
    if target is not None and target.exists() and not overwrite:
        raise InvalidInput(f"'{path}'", "is there already; add --overwrite to replace it")
    begins, ends, known = (
        _moment(text, option) for text, option in ((begin, "--begin"), (end, "--end"), (as_of, "--as-of"))
    )
    points = read_points(connect(), series_id, begins, ends, as_of=known)
    if step is not None:
        points = aggregate(points, "day" if step == "day" else _hours(step), timezone=timezone, at_least=at_least)
    (variable,) = [str(name) for name in points.data_vars if name not in ("quality", "missing")]
    extra = "quality" if step is None else "missing"
    frame = points[[variable, extra]].isel(series=0, drop=True).to_dataframe()
    frame.index = _local_texts(frame.index, timezone or str(points.attrs["timezone"]))
    text = frame.to_csv(lineterminator="\n", index_label="time")
    if target is None:
        click.echo(text, nl=False)
        return
    write_whole(target, text)
    click.echo(f"{len(frame)} steps of {variable} written to {target}")


def _moment(text: str | None, option: str) -> dt.datetime | None:
    if text is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{option} {text}", "must be a date and time, as in 2024-06-01T00:00+02:00") from None
    if moment.tzinfo is None:
        raise InvalidInput(f"{option} {text}", "must say its offset from UTC, as in 2024-06-01T00:00+02:00")
    return moment


def _hours(step: str) -> float:
    try:
        return float(step)
    except ValueError:
        raise InvalidInput(f"--step {step}", "must be a number of hours, or day") from None


def _local_texts(times: Any, timezone: str) -> list[str]:
    """Return stamps as local time with their offset from UTC: ``2024-06-01T02:00+02:00``."""
    from zoneinfo import ZoneInfo

    try:
        zone = ZoneInfo(timezone)
    except (ValueError, OSError, LookupError):
        raise InvalidInput(f"--timezone {timezone}", "no such time zone; as in Europe/Berlin or UTC") from None
    local = times.tz_localize("UTC").tz_convert(zone)
    return [stamp.isoformat(timespec="seconds" if stamp.second else "minutes") for stamp in local]
