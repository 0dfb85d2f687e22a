"""The page of forecasts: the newest of each signal, how it does since, and whether its model should be looked at."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from ems.database.forecast_queries import read_forecast
from ems.database.latest import latest_forecast_jobs
from ems.database.measurements import list_series
from ems.database.point_reading import read_points
from ems.display import shown_number
from ems.errors import InvalidInput
from ems.report.index import first_lines
from ems.report.site_parts import (
    Cell,
    Column,
    Empty,
    Listing,
    Part,
    Section,
    moment_cell,
    status_cell,
    text_cell,
)
from ems.report.small_fan import small_fan

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ems.database.forecast_records import ForecastJob

MOST_DRAWN = 40
"""Signals that have a drawing and a comparison with what was measured; further ones are named only."""
FEWEST_STEPS = 12
MUCH_WORSE = 1.5
"""An error since issue of so many times that of the model's backtest asks for a look."""


@dataclass(frozen=True)
class Since:
    """How a forecast did in the steps that have been measured.

    Parameters
    ----------
    steps : int
    error : float
        Mean absolute error of the middle quantile.
    inside : float
        Share of values between the lowest and the highest quantile.
    """

    steps: int
    error: float
    inside: float


@dataclass(frozen=True)
class SignalLine:
    """The newest forecast of a signal.

    Parameters
    ----------
    job : ForecastJob
        The newest that has values.
    failure : ForecastJob or None
        A newer one that failed.
    backtest_error : float or None
        Mean absolute error of the newest backtest of the same signal and model.
    since : Since or None
    drawing : Cell
    """

    job: ForecastJob
    failure: ForecastJob | None
    backtest_error: float | None
    since: Since | None
    drawing: Cell

    @property
    def is_worse(self) -> bool:
        """Whether the error since issue is far above that of the backtest."""
        if self.since is None or self.backtest_error is None or self.since.steps < FEWEST_STEPS:
            return False
        return self.since.error > MUCH_WORSE * self.backtest_error

    @property
    def name(self) -> str:
        """Of what it is."""
        return self.job.asset_id or self.job.series_id or self.job.variable


def forecast_lines(
    engine: Engine, asset_ids: Collection[str] | None, series_ids: Collection[str] = ()
) -> list[SignalLine]:
    """Return the newest forecast of each signal that has one.

    Parameters
    ----------
    engine : Engine
    asset_ids : collection of str or None
        Only signals of these assets, or of these series; all where nothing is given.
    series_ids : collection of str
    """

    def is_wanted(job: ForecastJob) -> bool:
        return asset_ids is None or job.asset_id in asset_ids or job.series_id in series_ids

    good = [job for job in latest_forecast_jobs(engine, status="completed") if is_wanted(job)]
    newest = {_signal(job): job for job in latest_forecast_jobs(engine) if is_wanted(job)}
    tests = {
        (*_signal(job), job.model): job for job in latest_forecast_jobs(engine, form="backtest", status="completed")
    }
    lines = []
    for at, job in enumerate(good):
        last = newest.get(_signal(job))
        test = tests.get((*_signal(job), job.model))
        error = test.metrics.get("mae") if test is not None else None
        since, drawing = _compared(engine, job) if at < MOST_DRAWN else (None, text_cell(None))
        failure = last if last is not None and last.status == "failed" else None
        lines.append(SignalLine(job, failure, error if isinstance(error, int | float) else None, since, drawing))
    return lines


def forecast_parts(engine: Engine, lines: list[SignalLine], zone: ZoneInfo) -> list[Part]:
    """Return what stands on the page of forecasts."""
    if not lines:
        return [Empty("No forecast is in the database yet. Make one with", "ems run forecast demo")]
    columns = (
        Column("of"),
        Column("forecast and truth"),
        Column("variable", is_choice=True),
        Column("model", is_choice=True),
        Column("state", is_choice=True),
        Column("issued"),
        Column("error since", is_number=True),
        Column("inside", is_number=True),
    )
    rows = [_row(line, zone) for line in lines]
    parts: list[Part] = [Listing(columns, rows, ("signal", "signals"), is_main=True)]
    failed = [
        job for job in latest_forecast_jobs(engine, status="failed") if job.id not in {line.job.id for line in lines}
    ]
    never = [job for job in failed if _signal(job) not in {_signal(line.job) for line in lines}]
    if never and len(lines) < MOST_DRAWN:
        cells = [
            (Cell(job.asset_id or job.series_id or job.variable, reason=first_lines(job.error)), text_cell(job.model))
            for job in never
        ]
        parts += [Section("Never succeeded", "never"), Listing((Column("of"), Column("model")), cells)]
    parts.append(
        Section(
            "How to read this",
            "reading",
            "Error since: mean absolute error of the middle quantile over the steps that have been measured since. "
            "Inside: share of them between the lowest and the highest quantile. Look at the model where the error "
            f"since is more than {MUCH_WORSE:g} times that of its backtest: ems run backtest compares models, and "
            "ems run forecast with save_model trains and keeps a new one.",
        )
    )
    return parts


# ---------------------------------------------------------------------------------------------- inside
def _signal(job: ForecastJob) -> tuple[str | None, str | None, str]:
    return job.asset_id, job.series_id, job.variable


def _row(line: SignalLine, zone: ZoneInfo) -> tuple[Cell, ...]:
    job, since = line.job, line.since
    unit = job.units or ""
    if line.failure is not None:
        state = status_cell("failed", reason=f"the newest: {first_lines(line.failure.error, lines=1)}")
    elif line.is_worse and since is not None and line.backtest_error:
        times = since.error / line.backtest_error
        state = Cell(
            "look", tone="look", sort="look", reason=f"error is {times:.1f} times that of its backtest; train it anew"
        )
    else:
        state = Cell("in order", tone="good")
    horizon = "" if job.horizon_h is None else f"for {job.horizon_h:g} h"
    tested = "" if line.backtest_error is None else f"in backtest {_four_digits(line.backtest_error, unit)}"
    error, inside = text_cell(None), text_cell(None)
    if since is not None:
        error = Cell(_four_digits(since.error, unit), sort=since.error, small=tested)
        inside = Cell(f"{since.inside:.0%}", sort=since.inside, small=f"of {since.steps} steps")
    elif tested:
        error = Cell("not known", small=tested)
    return (
        Cell(line.name, small=job.id),
        line.drawing,
        text_cell(job.variable),
        text_cell(job.model),
        state,
        Cell(*moment_cell(job.issued_at, zone)[:1], small=horizon, moment=job.issued_at),
        error,
        inside,
    )


def _four_digits(value: float, unit: str) -> str:
    return f"{shown_number(float(f'{value:.4g}'))} {unit}".rstrip()


def _compared(engine: Engine, job: ForecastJob) -> tuple[Since | None, Cell]:
    """Return how a forecast did so far, and its drawing."""
    forecast = read_forecast(engine, job.id)
    values = forecast[job.variable].transpose("time", "quantile").to_numpy()
    times = forecast["time"].to_numpy()
    truth = _measured(engine, job, times)
    since = None
    if truth is not None:
        middle = values[:, int(abs(forecast["quantile"].to_numpy() - 0.5).argmin())]
        is_known = np.isfinite(truth) & np.isfinite(middle)
        if is_known.any():
            inside = (truth >= values[:, 0]) & (truth <= values[:, -1])
            error = float(np.abs(truth - middle)[is_known].mean())
            since = Since(int(is_known.sum()), error, float(inside[is_known].mean()))
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    alt = f"{job.variable} from {shown_number(low, 1)} to {shown_number(high, 1)} {job.units or ''}".rstrip()
    return since, Cell(alt, picture=small_fan(values, truth, alt))


def _measured(engine: Engine, job: ForecastJob, times: np.ndarray) -> np.ndarray | None:
    """Return what was measured in the steps of a forecast; None where no series of these steps tells."""
    found = (
        list_series(engine, ids=[job.series_id])
        if job.series_id
        else (list_series(engine, asset=job.asset_id, variable=job.variable) if job.asset_id else [])
    )
    fitting = [one for one in found if one.series.variable == job.variable and one.series.step_h == job.step_h]
    if len(fitting) != 1 or not len(times):
        return None
    step = np.timedelta64(round((job.step_h or 1) * 3600), "s")
    try:
        points = read_points(engine, fitting[0].series.id, times[0], times[-1] + step)
    except InvalidInput:  # nothing was measured in these steps
        return None
    series = points[job.variable].isel(series=0)
    truth = series.reindex(time=times).to_numpy()
    return truth if np.isfinite(truth).any() else None
