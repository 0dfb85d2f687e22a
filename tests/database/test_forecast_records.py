"""Forecasts and backtests: what is read back is identical to what was stored, and a failed job leaves nothing."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
import xarray as xr
from example_counts import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ems.database.engine import reading
from ems.database.forecast_form import (
    OF_BACKTEST,
    OF_FORECAST,
    backtest_of,
    backtest_rows,
    beside,
    checked_backtest,
    forecast_of,
    forecast_rows,
)
from ems.database.forecast_queries import (
    get_forecast_job,
    latest_forecast,
    list_forecasts,
    read_backtest,
    read_forecast,
)
from ems.database.forecasts import (
    backtest_jobs,
    delete_forecast,
    fail_forecast,
    forecast_job,
    open_forecast,
    store_backtest,
    store_forecast,
)
from ems.database.records import Run
from ems.database.runs import complete_run, fail_run, open_run, start_run
from ems.errors import DatabaseProblem, InvalidInput, UnknownName

ISSUED = pd.Timestamp("2024-06-01T10:00")
QUANTILES = [0.05, 0.1, 0.5, 0.9, 0.95]


def forecast(issued: pd.Timestamp = ISSUED, steps: int = 4, scale: float = 1.0, **attrs: object) -> xr.Dataset:
    """A forecast of a load as models give it."""
    times = pd.date_range(issued.ceil("D"), periods=steps, freq="h")
    values = scale * (np.arange(steps)[:, None] + np.array(QUANTILES)) / 3
    values[-1, 0] = np.nan
    dataset = xr.Dataset(
        {"demand_kw": (("time", "quantile"), values, {"units": "kW"})},
        coords={"time": times, "quantile": QUANTILES, "issued_at": issued.to_numpy()},
        attrs={
            "timezone": "Europe/Berlin", "model": "ridge", "notes": ["2 gaps <b>stay</b>"], "kind": "load",
            "asset": "office", **attrs,
        },
    )  # fmt: skip
    return dataset.assign_coords(lead_h=("time", (times - issued) / pd.Timedelta("1h")), fold="last")


def backtest() -> xr.Dataset:
    """Two models over three folds, of which the middle one, on the day when clocks go forward, is a step shorter."""
    issues = pd.DatetimeIndex(["2024-03-30T10:00", "2024-03-31T10:00", "2024-04-01T10:00"])
    steps, lengths = 4, [4, 3, 4]
    times = np.full((3, steps), np.datetime64("NaT", "ns"))
    for at, (issued, length) in enumerate(zip(issues, lengths, strict=True)):
        times[at, :length] = pd.date_range(issued.ceil("D"), periods=length, freq="h")
    random = np.random.default_rng(7)
    predicted = np.sort(random.random((2, 3, steps, 5)), axis=-1)
    observed = random.random((3, steps))
    observed[0, 2] = np.nan
    predicted[:, np.isnat(times)], observed[np.isnat(times)] = np.nan, np.nan
    return xr.Dataset(
        {
            "predicted": (("model", "issued_at", "step", "quantile"), predicted),
            "observed": (("issued_at", "step"), observed, {"units": "kW"}),
        },
        coords={
            "model": ["ridge", "seasonal_naive"],
            "issued_at": issues,
            "quantile": QUANTILES,
            "step": np.arange(steps),
            "time": (("issued_at", "step"), times),
            "lead_h": ("step", np.arange(steps) + 14.0, {"units": "h"}),
            "seconds": ("model", [0.02, 0.001]),
        },
        attrs={
            "variable": "demand_kw", "units": "kW", "timezone": "Europe/Berlin", "kind": "load", "notes": [],
            "step_h": 1.0,
        },
    )  # fmt: skip


def running(engine: sa.Engine, run_id: str = "r1") -> str:
    open_run(engine, Run(id=run_id, study="forecast", case_name="demo", title="Forecast"))
    return start_run(engine, run_id).id


def rows_left(engine: sa.Engine) -> list[int]:
    with reading(engine) as connection:
        return [
            connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar()
            for table in ("forecast_results", "forecast_observations")
        ]


# ---------------------------------------------------------------------------------------------- forecasts
def test_store_forecast__read_back_identical(engine: sa.Engine):
    stored = forecast(ISSUED + pd.Timedelta("123456us"), peak={"kw": 3.5, "steps": [1, 2], "none": None})
    job = forecast_job(
        stored, id="f1", run_id=running(engine), parameters={"alpha": 0.1, "window_d": 365}, samples=8760, seed=7,
        metrics={"mae": 1 / 3}, versions={"sklearn": "1.5"}, series_id="office-demand",
    )  # fmt: skip

    kept = store_forecast(engine, job, stored)

    xr.testing.assert_identical(read_forecast(engine, "f1"), stored)
    assert read_forecast(engine, "f1")["demand_kw"].dims == ("time", "quantile")
    assert kept == get_forecast_job(engine, "f1")
    assert (kept.status, kept.form, kept.kind, kept.model) == ("completed", "forecast", "load", "ridge")
    assert (kept.asset_id, kept.variable, kept.units, kept.timezone) == ("office", "demand_kw", "kW", "Europe/Berlin")
    assert (kept.step_h, kept.horizon_h, kept.samples, kept.seed) == (1.0, 4.0, 8760, 7)
    assert kept.issued_at == dt.datetime(2024, 6, 1, 10, 0, 0, 123456, tzinfo=dt.UTC)
    assert kept.parameters == {"alpha": 0.1, "window_d": 365}
    assert kept.metrics == {"mae": 1 / 3}
    assert kept.finished_at is not None
    with pytest.raises(DatabaseProblem, match="forecast f1 is completed; make another one"):
        store_forecast(engine, job, stored)
    delete_forecast(engine, "f1")
    assert rows_left(engine) == [0, 0]
    with pytest.raises(UnknownName, match="forecast 'f1': is not in the database"):
        read_forecast(engine, "f1")


@settings(max_examples=examples(15), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(st.floats(-1e300, 1e300) | st.just(float("nan")), min_size=3, max_size=12),
    note=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20),
)
def test_forecast_rows__and_back(values: list[float], note: str):
    """Any numbers, to the last bit, and any note."""
    steps = len(values) // 3
    stored = xr.Dataset(
        {"available_kw": (("time", "quantile"), np.array(values[: 3 * steps]).reshape(steps, 3))},
        coords={
            "time": pd.date_range("2024-06-01", periods=steps, freq="15min"),
            "quantile": [0.1, 1 / 3, 0.9],
            "issued_at": ISSUED.to_numpy(),
        },
        attrs={"notes": [note]},
    )
    rows = [row[1:] for row in forecast_rows("f", stored, "available_kw")]
    xr.testing.assert_identical(
        forecast_of("available_kw", rows, beside(stored, ["available_kw", *OF_FORECAST])), stored
    )


def test_backtest_rows__and_back():
    stored = backtest().isel(model=[1])
    checked_backtest(stored)
    rows, truth = ([row[1:] for row in part] for part in backtest_rows("b", stored))
    document = {**beside(stored, OF_BACKTEST), "steps": 4}
    xr.testing.assert_identical(backtest_of(rows, truth, "seasonal_naive", document), stored)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f.rename(quantile="q"), r"must have one variable \(time, quantile\)"),
        (lambda f: f.drop_vars("issued_at"), "no coordinate issued_at"),
        (lambda f: f.isel(time=[1, 0]), "time must ascend; 2024-06-02 00:00 UTC stands behind a later one"),
        (lambda f: f.isel(quantile=[1, 0]), "quantile must ascend"),
        (lambda f: f.assign_coords(quantile=[0.05, 0.1, 0.5, 0.9, 1.0]), "quantile = 1: must lie between 0 and 1"),
        (lambda f: f.isel(time=[]), "time is empty"),
        (lambda f: f * np.inf, "demand_kw has 18 infinite values|infinite"),
        (lambda f: f.assign_coords(issued_at=np.datetime64("2024-06-01T10:00:00.0000001")), "parts of a microsecond"),
        (lambda f: f.rename(demand_kw="load_kw"), "variable = 'demand_kw': the forecast is of load_kw"),
        (lambda f: f.isel(time=[0]), "has one step only, which does not tell how long it is; say step_h"),
        (lambda f: f.assign_coords(x=("time", [object()] * 4)), "variable 'x': has values of type object"),
    ],
)
def test_store_forecast__no_forecast(change, said: str):
    """All of it is found before the database is asked."""
    job = forecast_job(forecast())
    with pytest.raises(InvalidInput, match=said):
        store_forecast(sa.create_engine("sqlite://"), job, change(forecast()))


def test_open_forecast__ends_completed_or_failed(engine: sa.Engine):
    job = forecast_job(forecast(), id="f1")
    opened = open_forecast(engine, job.replace(status="running"))
    assert (opened.status, opened.issued_at) == ("running", None)
    assert opened.started_at is not None
    with pytest.raises(InvalidInput, match="is running and has no result yet"):
        read_forecast(engine, "f1")
    kept = store_forecast(engine, job, forecast())
    assert (kept.created_at, kept.started_at) == (opened.created_at, opened.started_at)

    open_forecast(engine, job.replace(id="f2"))
    failed = fail_forecast(engine, job.replace(id="f2"), "no weather after 2024-06-01 12:00 UTC")
    again = fail_forecast(engine, job.replace(id="f2"), "another reason")

    assert (failed.status, failed.error) == ("failed", "no weather after 2024-06-01 12:00 UTC")
    assert again == failed == get_forecast_job(engine, "f2")
    assert fail_forecast(engine, job.replace(id="f3"), "").error == "no reason was given"
    assert rows_left(engine) == [20, 0]
    with pytest.raises(InvalidInput, match="failed and has no result: no weather after"):
        read_forecast(engine, "f2")
    with pytest.raises(DatabaseProblem, match="forecast f2 is failed"):
        store_forecast(engine, job.replace(id="f2"), forecast())
    with pytest.raises(DatabaseProblem, match="forecast f1 is completed"):
        fail_forecast(engine, job, "too late")
    with pytest.raises(InvalidInput, match="store_forecast and fail_forecast end a job"):
        open_forecast(engine, job.replace(id="f4", status="failed", error="x"))


def test_forecast__of_a_run_that_failed(engine: sa.Engine):
    """No half results remain of it, as of its schedules; what an ended run did before stays."""
    store_forecast(engine, forecast_job(forecast(), id="f1", run_id=running(engine, "r1")), forecast())
    store_forecast(engine, forecast_job(forecast(), id="f2", run_id=running(engine, "r2")), forecast())
    complete_run(engine, "r1")
    fail_run(engine, "r2", "the report broke")

    assert get_forecast_job(engine, "f1").status == "completed"
    job = get_forecast_job(engine, "f2")
    assert (job.status, job.error) == ("failed", "the report broke")
    assert rows_left(engine) == [20, 0]
    with pytest.raises(DatabaseProblem, match="needs a run that is running"):
        store_forecast(engine, forecast_job(forecast(), id="f3", run_id="r1"), forecast())


def test_latest_forecast__as_it_was_known(engine: sa.Engine):
    days = [ISSUED + pd.Timedelta(days=day) for day in range(3)]
    for at, day in enumerate(days):
        store_forecast(engine, forecast_job(forecast(day, scale=at), id=f"f{at}"), forecast(day, scale=at))
    better = forecast(days[2], model="lightgbm", scale=5.0)
    store_forecast(engine, forecast_job(better, id="f9", series_id="office-demand"), better)
    fail_forecast(engine, forecast_job(forecast(), id="f8"), "broken")
    asked = {"variable": "demand_kw", "asset": "office"}

    noon = (days[1] + pd.Timedelta("2h")).tz_localize("UTC").to_pydatetime()
    xr.testing.assert_identical(latest_forecast(engine, **asked, known_at=noon), forecast(days[1], scale=1))
    xr.testing.assert_identical(latest_forecast(engine, **asked), better)
    xr.testing.assert_identical(latest_forecast(engine, variable="demand_kw", series="office-demand"), better)
    xr.testing.assert_identical(latest_forecast(engine, **asked, model="ridge"), forecast(days[2], scale=2))
    assert [job.id for job in list_forecasts(engine, asset="office", status="completed")] == ["f9", "f2", "f1", "f0"]
    assert [job.id for job in list_forecasts(engine, known_at=noon)] == ["f1", "f0"]
    assert [job.id for job in list_forecasts(engine, limit=2)] == ["f8", "f9"]
    assert list_forecasts(engine, form="backtest") == []
    with pytest.raises(UnknownName, match=r"forecast of demand_kw, asset 'offfice': there is none issued until 2024"):
        latest_forecast(engine, variable="demand_kw", asset="offfice", known_at=noon)
    with pytest.raises(InvalidInput, match="known_at = 2024-06-01T00:00:00: must say its offset"):
        latest_forecast(engine, **asked, known_at=dt.datetime(2024, 6, 1))


# ---------------------------------------------------------------------------------------------- backtests
def test_store_backtest__read_back_identical(engine: sa.Engine):
    stored = backtest()
    jobs = backtest_jobs(stored, id="b", run_id=running(engine), asset_id="office")

    kept = store_backtest(engine, jobs, stored)

    xr.testing.assert_identical(read_backtest(engine, ["b-1", "b-2"]), stored)
    xr.testing.assert_identical(read_backtest(engine, "b-2"), stored.isel(model=[1]))
    assert [(job.id, job.model, job.seconds, job.form) for job in kept] == [
        ("b-1", "ridge", 0.02, "backtest"),
        ("b-2", "seasonal_naive", 0.001, "backtest"),
    ]
    assert {(job.horizon_h, job.issued_at) for job in kept} == {(4.0, dt.datetime(2024, 4, 1, 10, tzinfo=dt.UTC))}
    assert rows_left(engine) == [2 * 11 * 5, 2 * 11]
    with pytest.raises(InvalidInput, match="is a backtest; read it with read_backtest"):
        read_forecast(engine, "b-1")
    with pytest.raises(UnknownName):
        latest_forecast(engine, variable="demand_kw")
    other = stored.isel(issued_at=[0, 1])
    store_backtest(engine, backtest_jobs(other, id="c"), other)
    with pytest.raises(InvalidInput, match="'b-1', 'c-2': are not of the same folds"):
        read_backtest(engine, ["b-1", "c-2"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda b: b.drop_vars("observed"), "observed must be there with the dimensions issued_at, step"),
        (lambda b: b.assign_attrs(step_h=None), "attrs must state step_h"),
        (lambda b: b.isel(issued_at=[1, 0]), "issued_at must ascend"),
        (lambda b: b.isel(step=[1, 0, 2, 3]), "times of the fold issued at 2024-03-30 10:00 UTC must ascend"),
        (lambda b: b.assign(time=b["time"].where(False)), "the fold issued at 2024-03-30 10:00 UTC has no steps"),
        (lambda b: b.assign(observed=b["observed"].fillna(1.0)), "there are values in steps without a time"),
    ],
)
def test_store_backtest__no_backtest(change, said: str):
    with pytest.raises(InvalidInput, match=said):
        checked_backtest(change(backtest()))


def test_store_backtest__jobs_of_other_models():
    stored = backtest()
    with pytest.raises(InvalidInput, match="has the models ridge, seasonal_naive; give a job for each"):
        store_backtest(sa.create_engine("sqlite://"), backtest_jobs(stored)[::-1], stored)
