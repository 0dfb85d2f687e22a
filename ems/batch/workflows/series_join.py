"""The operation ``series_of_forecasts``: forecasts of earlier tasks and columns of a file become one series file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ems.errors import InvalidInput, RunFailed, show

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import Engine

SERIES_ENDINGS = (".csv", ".parquet", ".xlsx")


def call_series_of_forecasts(fields: Mapping[str, Any], job: Mapping[str, Any]) -> tuple[dict[str, Any], None]:
    """Write a series file with a column for each forecast and column, and return its path and horizon.

    The file has the steps that all forecasts cover, stamped in UTC.

    Raises
    ------
    InvalidInput
        If forecasts have no step in common, are of other steps, or a column lacks values.
    """
    import pandas as pd

    from ems.database.engine import connect
    from ems.folders import shown_path, write_whole

    engine = connect()
    parts = [_forecast(engine, job_id, forecast) for forecast in job["forecasts"] for job_id in forecast["jobs"]]
    engine.dispose()
    _refuse_doubles([str(part.name) for part in parts] + list(fields["columns"]))
    steps = {_step_h(part) for part in parts}
    if len(steps) > 1:
        raise InvalidInput(
            "forecasts", f"have steps of {', '.join(f'{step:g} h' for step in sorted(steps))}; make them equal"
        )
    table = pd.concat(parts, axis="columns", join="inner").sort_index()
    if table.empty:
        spans = "; ".join(
            f"{part.name} from {part.index[0]:%Y-%m-%d %H:%M} to {part.index[-1]:%Y-%m-%d %H:%M} UTC" for part in parts
        )
        raise InvalidInput("forecasts", f"have no step in common: {spans}")
    if fields["columns"]:
        table = table.join(_columns(fields, table.index))
    missing = [str(name) for name in table if table[name].isna().any()]
    if missing:
        first = table.index[table[missing[0]].isna()][0]
        raise InvalidInput("series_of_forecasts", f"{', '.join(missing)}: no value at {first:%Y-%m-%d %H:%M} UTC")
    path = Path(job["folder"]) / f"{job['label']}.csv"
    stamps = pd.DatetimeIndex(table.index).strftime("%Y-%m-%dT%H:%M:%SZ")
    write_whole(path, table.set_axis(stamps).rename_axis(fields["time_column"]).to_csv())
    step_h = steps.pop()
    return {
        "path": shown_path(path),
        "start": f"{table.index[0]:%Y-%m-%dT%H:%M:%S}+00:00",
        "end": f"{table.index[-1] + pd.Timedelta(hours=step_h):%Y-%m-%dT%H:%M:%S}+00:00",
        "steps": len(table),
        "step_h": step_h,
        "horizon_h": len(table) * step_h,
        "columns": [str(name) for name in table],
    }, None


def _forecast(engine: Engine, job_id: str, asked: Mapping[str, Any]) -> pd.Series[float]:
    """Return one quantile of a forecast over time in UTC, under the name of its column."""
    from ems.database.forecast_queries import get_forecast_job, read_forecast

    job = get_forecast_job(engine, job_id)
    dataset = read_forecast(engine, job_id)
    values = dataset[job.variable]
    levels = [float(level) for level in dataset["quantile"].values]
    near = min(levels, key=lambda level: abs(level - asked["quantile"]))
    if abs(near - asked["quantile"]) > 1e-9:
        known = ", ".join(f"{level:g}" for level in levels)
        raise InvalidInput(f"forecast {job_id}", f"has no quantile {asked['quantile']:g}; it has {known}")
    chosen = values.sel(quantile=near)
    chosen = chosen.isel({name: 0 for name in chosen.dims if name != "time"})
    series = chosen.to_series() * asked["multiply_by"]
    name = asked["column"] or (f"{job.asset_id}.{job.variable}" if job.asset_id else job.variable)
    found: pd.Series[float] = series.tz_localize("UTC").rename(name)
    return found


def _step_h(series: pd.Series[float]) -> float:
    lengths = series.index.to_series().diff().dropna().dt.total_seconds().unique() / 3600
    if len(lengths) > 1:
        raise InvalidInput(f"forecast {series.name}", "has steps of several lengths")
    return float(lengths[0]) if len(lengths) else 1.0


def _columns(fields: Mapping[str, Any], times: pd.Index) -> pd.DataFrame:
    """Return columns of a series file at the steps of the forecasts."""
    import pandas as pd

    from ems.folders import find_file, project_folder

    name = fields["series"]
    path = find_file(name, project_folder() / "data" / "series", SERIES_ENDINGS, "series")
    columns = [fields["time_column"], *fields["columns"]]
    try:
        if path.suffix == ".parquet":
            table = pd.read_parquet(path, columns=columns)
        elif path.suffix == ".csv":
            table = pd.read_csv(path, usecols=columns)
        else:
            raise InvalidInput(f"series {show(name)}", "columns are taken from CSV and Parquet files")
        stamps = pd.to_datetime(table[fields["time_column"]], format=None if path.suffix == ".parquet" else "ISO8601")
    except (ValueError, KeyError, OSError) as error:
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput(f"series {show(name)}", f"cannot be read: {error}") from None
    if getattr(stamps.dt, "tz", None) is None:
        raise InvalidInput(f"series {show(name)}", f"column {fields['time_column']} must say its offset from UTC")
    found = table[list(fields["columns"])].set_axis(pd.DatetimeIndex(stamps).tz_convert("UTC"))
    if found.index.has_duplicates:
        raise InvalidInput(f"series {show(name)}", "a time stands there twice")
    for column in found:
        if not pd.api.types.is_numeric_dtype(found[column]):
            raise InvalidInput(f"series {show(name)}", f"column {column} is not of numbers")
    return found.reindex(times)


def _refuse_doubles(names: list[str]) -> None:
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise RunFailed(f"column {show(double)} comes twice; give one of the forecasts another column")
