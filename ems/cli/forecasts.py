"""``ems forecasts``: the forecasts and backtests in the database."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any

import click

from ems.cli.as_json import echo_json, json_option
from ems.cli.lazy import LazyGroup

if TYPE_CHECKING:
    import xarray as xr

    from ems.database.forecast_records import ForecastJob

STATUSES = ("pending", "running", "completed", "failed")
FORMS = ("forecast", "backtest")
"""Said here so that help needs no record; a test holds them against the records."""


@click.group(
    cls=LazyGroup,
    epilog="""\b
Examples:
  ems forecasts list --variable demand_kw --status failed
  ems forecasts show 20240603-080000-a1b2c3""",
)
def forecasts() -> None:
    """List and show forecasts: what was foretold when, by which model, and how well it did."""


@forecasts.command(
    "list",
    epilog="""\b
Examples:
  ems forecasts list --variable demand_kw --limit 5
  ems forecasts list --asset buildings --status failed
  ems forecasts list --form backtest --json""",
)
@click.option("--asset", help="Only forecasts for this asset.")
@click.option("--series", help="Only forecasts learned from this series of the database.")
@click.option("--variable", help="Only forecasts of this variable: demand_kw.")
@click.option("--model", help="Only forecasts by this model.")
@click.option("--status", type=click.Choice(STATUSES), help="Only forecasts with this status.")
@click.option("--form", type=click.Choice(FORMS), help="Only single forecasts, or only backtests.")
@click.option("--run", "run_id", help="Only forecasts of this run.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000), help="Most forecasts shown.")
@json_option
def list_(
    *,
    asset: str | None,
    series: str | None,
    variable: str | None,
    model: str | None,
    status: str | None,
    form: Any,
    run_id: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List forecasts, the one issued last first."""
    from ems.cli.wording import echo_table
    from ems.database.engine import connect
    from ems.database.forecast_queries import list_forecasts

    found = list_forecasts(
        connect(),
        asset=asset,
        series=series,
        variable=variable,
        model=model,
        status=status,
        form=form,
        run_id=run_id,
        limit=limit,
    )
    if as_json:
        echo_json([_without_attributes(job) for job in found])
        return
    if not found:
        click.echo("no forecasts")
        return
    rows = [
        (job.id, job.form, job.status, job.kind, job.asset_id or job.series_id, job.variable, job.model,
         _at(job.issued_at), f"{job.horizon_h:g} h" if job.horizon_h else "", (job.error or "").split("\n", 1)[0])
        for job in found
    ]  # fmt: skip
    columns = ("id", "form", "status", "kind", "of", "variable", "model", "issued", "horizon", "error")
    echo_table(columns, rows, right=("horizon",))


@forecasts.command(
    epilog="""\b
Examples:
  ems forecasts show 20240603-080000-a1b2c3-forecast-1
  ems forecasts show 20240603-080000-a1b2c3-forecast-1 --steps 96
  ems forecasts show 20240603-080000-a1b2c3-forecast-1 --json      with all values"""
)
@click.argument("job_id", metavar="ID")
@click.option("--steps", default=24, show_default=True, type=click.IntRange(0, 100_000), help="Most steps shown.")
@json_option
def show(job_id: str, steps: int, as_json: bool) -> None:
    """Show a forecast: its job, its scores, and its lowest, middle and highest quantile in local time."""
    from ems.cli.wording import printable
    from ems.database.engine import connect
    from ems.database.forecast_queries import get_forecast_job, read_forecast

    engine = connect()
    job = get_forecast_job(engine, job_id)
    is_forecast = job.status == "completed" and job.form == "forecast"
    forecast = read_forecast(engine, job_id) if is_forecast else None
    if as_json:
        echo_json({**_without_attributes(job), **({"values": _values(forecast, job)} if forecast is not None else {})})
        return
    click.echo(f"{job.form} '{job.id}'")
    fields = {name: getattr(job, name) for name in type(job).model_fields if name not in ("id", "form", "attributes")}
    width = max(map(len, fields))
    for name, value in fields.items():
        if isinstance(value, dict):
            for key, item in value.items():
                click.echo(f"  {name:<{width}}  {printable(key)}: {printable(item)}")
        elif value is not None:
            click.echo(f"  {name:<{width}}  {_at(value) if isinstance(value, dt.datetime) else printable(value)}")
    for note in job.attributes.get("dataset", {}).get("notes", []):
        click.echo(f"note: {printable(note)}")
    if forecast is not None and steps:
        _echo_values(forecast, job, steps)


def _echo_values(forecast: xr.Dataset, job: ForecastJob, steps: int) -> None:
    from zoneinfo import ZoneInfo

    import pandas as pd

    from ems.cli.wording import echo_table

    quantiles = forecast["quantile"].values
    middle = int(abs(quantiles - 0.5).argmin())
    places = sorted({0, middle, len(quantiles) - 1})
    zone = ZoneInfo(job.timezone or "UTC")
    local = pd.DatetimeIndex(forecast["time"].values).tz_localize("UTC").tz_convert(zone)
    values = forecast[job.variable].transpose("time", "quantile").values
    unit = f" {job.units}" if job.units else ""
    rows = [
        (f"{local[at]:%Y-%m-%d %H:%M %Z}", *(f"{values[at, place]:.6g}{unit}" for place in places))
        for at in range(min(steps, len(local)))
    ]
    columns = ("time", *(f"{quantiles[place]:g}" for place in places))
    echo_table(columns, rows, right=columns[1:])
    if len(local) > steps:
        click.echo(f"and {len(local) - steps} more steps; --steps shows more of them")


def _values(forecast: xr.Dataset, job: ForecastJob) -> list[dict[str, Any]]:
    import numpy as np

    names = [f"{quantile:g}" for quantile in forecast["quantile"].values]
    values = forecast[job.variable].transpose("time", "quantile").values
    numbers = [[None if math.isnan(value) else value for value in row] for row in values.tolist()]
    times = np.datetime_as_string(forecast["time"].values, unit="s")
    return [
        {"time": f"{time}Z", "quantiles": dict(zip(names, row, strict=True))}
        for time, row in zip(times, numbers, strict=True)
    ]


def _without_attributes(job: ForecastJob) -> dict[str, Any]:
    plain = job.as_json()
    notes = plain.pop("attributes").get("dataset", {}).get("notes", [])
    return {**plain, "notes": notes}


def _at(moment: dt.datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"
