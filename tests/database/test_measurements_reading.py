"""Points read on a raster, summed up over longer steps, and as the series that assets need."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
import xarray as xr
from example_counts import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from register_samples import sample_portfolio

from ems.database.aggregation import aggregate
from ems.database.measured_series import read_measured
from ems.database.measurement_records import Meter, Series
from ems.database.point_reading import read_points
from ems.database.points import import_points, import_series
from ems.database.register_portfolio import save_portfolio
from ems.errors import InvalidInput, UnknownName
from ems.horizon import Horizon
from ems.series.cutting import cut_series
from ems.series.form import Need, SeriesForm
from ems.series.reading import read_series

METER = Meter(id="main", created_by="ana")
HOURS = pd.date_range("2024-06-01", periods=6, freq="h")


def series(name: str = "main-demand", **fields: object) -> Series:
    plain = {"id": name, "meter_id": "main", "variable": "demand_kw", "step_h": 1.0, "created_by": "ana"}
    return Series(**{**plain, **fields})


def points(
    values: Sequence[float], start: str, step_h: float = 1.0, timezone: str = "UTC", kind: str = "mean"
) -> xr.Dataset:
    """Points as `read_points` gives them, of one series."""
    times = pd.date_range(start, periods=len(values), freq=pd.Timedelta(hours=step_h))
    column = np.array(values, dtype="float64")[:, None]
    return xr.Dataset(
        {"demand_kw": (("time", "series"), column, {"units": "kW", "series": ["a"]})},
        coords={"time": times, "series": ["a"]},
        attrs={"step_h": step_h, "timezone": timezone, "kinds": {"a": kind}},
    )


# ---------------------------------------------------------------------------------------------- on a raster
def test_read_points__gaps_spans_and_several_series(engine: sa.Engine):
    import_series(engine, series(), HOURS[[0, 1, 5]], [1, 2, 6], meter=METER)
    import_series(engine, series("main-roof", variable="available_kw"), HOURS[2:4], [30, 40], "suspect")

    one = read_points(engine, "main-demand")
    both = read_points(engine, ["main-demand", "main-roof"])
    inner = read_points(engine, "main-demand", dt.datetime(2024, 6, 1, 0, 30, tzinfo=dt.UTC), HOURS.to_numpy()[3])

    np.testing.assert_array_equal(one["demand_kw"].values[:, 0], [1, 2, np.nan, np.nan, np.nan, 6])
    assert one["time"].dtype == "datetime64[ns]"
    assert one["demand_kw"].attrs == {"units": "kW", "series": ["main-demand"]}
    assert one.attrs["missing"] == {"main-demand": 3}
    assert one.attrs["step_h"] == 1.0
    np.testing.assert_array_equal(both["available_kw"].sel(series="main-roof"), [np.nan] * 2 + [30, 40] + [np.nan] * 2)
    assert both["available_kw"].sel(series="main-demand").isnull().all()
    assert both["quality"].sel(series="main-roof").values.tolist() == ["", "", "suspect", "suspect", "", ""]
    np.testing.assert_array_equal(inner["time"], HOURS[1:3])
    np.testing.assert_array_equal(inner["demand_kw"].values[:, 0], [2, np.nan])


def test_read_points__what_cannot_be_read(engine: sa.Engine):
    import_series(engine, series(), HOURS, [1] * 6, meter=METER)
    import_series(engine, series("quarter", step_h=0.25), HOURS, [1] * 6)
    import_series(engine, series("empty"), [], [])
    with pytest.raises(InvalidInput, match="share no raster: steps of 1 h and 15 min"):
        read_points(engine, ["main-demand", "quarter"])
    with pytest.raises(InvalidInput, match="series 'empty': has no points there; give begin and end"):
        read_points(engine, "empty")
    with pytest.raises(InvalidInput, match="begin = 2024-06-01T00:00:00: must say its offset"):
        read_points(engine, "main-demand", dt.datetime(2024, 6, 1))
    with pytest.raises(InvalidInput, match="as_of = 2024-06-01T00:00:00: must say its offset"):
        read_points(engine, "main-demand", as_of=dt.datetime(2024, 6, 1))
    with pytest.raises(InvalidInput, match="must lie after begin"):
        read_points(engine, "main-demand", HOURS.to_numpy()[2], HOURS.to_numpy()[2])
    with pytest.raises(InvalidInput, match="choose a shorter span"):
        read_points(engine, "quarter", np.datetime64("1970-01-01"), np.datetime64("2100-01-01"))
    with pytest.raises(UnknownName, match="series 'mian-demand': is not in the database; did you mean main-demand"):
        read_points(engine, "mian-demand")
    before = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    assert read_points(engine, "empty", *HOURS.to_numpy()[[0, 2]], as_of=before)["demand_kw"].isnull().all()


# ---------------------------------------------------------------------------------------------- longer steps
@pytest.mark.parametrize(("kind", "expected"), [("mean", [2.5, 6.5]), ("total", [10, 26]), ("state", [1, 5])])
def test_aggregate__four_quarter_hours_an_hour(kind: str, expected: list[float]):
    longer = aggregate(points([1, 2, 3, 4, 5, 6, 7, 8], "2024-06-01", 0.25, kind=kind), 1)
    np.testing.assert_allclose(longer["demand_kw"].values[:, 0], expected)
    np.testing.assert_array_equal(longer["time"], HOURS[:2])
    assert longer.attrs["step_h"] == 1.0


def test_aggregate__missing_points_are_counted():
    """Of the second hour two of four points are missing: no mean, unless half of them are enough."""
    quarters = points([1, 2, 3, 4, np.nan, 6, np.nan, 8], "2024-06-01", 0.25)
    strict, lenient = aggregate(quarters, 1), aggregate(quarters, 1, at_least=0.5)
    np.testing.assert_array_equal(strict["missing"].values[:, 0], [0, 2])
    np.testing.assert_array_equal(strict["demand_kw"].values[:, 0], [2.5, np.nan])
    np.testing.assert_array_equal(lenient["demand_kw"].values[:, 0], [2.5, 7])
    total = aggregate(points([1, 2, 3, 4, np.nan, 6, np.nan, 8], "2024-06-01", 0.25, kind="total"), 1, at_least=0.5)
    np.testing.assert_array_equal(total["demand_kw"].values[:, 0], [10, 28])


@pytest.mark.parametrize(
    ("start", "hours", "lengths"),
    [("2024-03-29T23:00", 71, [24, 23, 24]), ("2024-10-25T22:00", 73, [24, 25, 24])],
)
def test_aggregate__local_days_of_23_and_25_hours(start: str, hours: int, lengths: list[int]):
    """In Berlin the days around a change of clocks begin at 23:00 or 22:00 UTC, and each has all of its own hours."""
    days = aggregate(points([1.0] * hours, start, timezone="Europe/Berlin", kind="total"), "day")
    assert days["demand_kw"].values[:, 0].tolist() == lengths
    assert days.attrs["step_h"] == lengths
    assert days["missing"].values.sum() == 0
    assert [f"{t:%H:%M}" for t in days["time"].to_index().tz_localize("UTC").tz_convert("Europe/Berlin")] == [
        "00:00"
    ] * 3


def test_aggregate__edges_of_the_span_count_as_missing():
    """From 22:00 UTC on two hours belong to the first day in UTC, of which 22 are not there."""
    days = aggregate(points([1.0] * 26, "2024-06-01T22:00"), "day")
    np.testing.assert_array_equal(days["missing"].values[:, 0], [22, 0])
    np.testing.assert_array_equal(days["demand_kw"].values[:, 0], [np.nan, 1])


def test_aggregate__what_cannot_be():
    with pytest.raises(InvalidInput, match=r"step = 0.4 h: must be a whole multiple of 15 min"):
        aggregate(points([1.0] * 8, "2024-06-01", 0.25), 0.4)
    with pytest.raises(InvalidInput, match=r"step = 'week': must be a whole multiple"):
        aggregate(points([1.0] * 8, "2024-06-01"), "week")
    with pytest.raises(InvalidInput, match=r"local days of Asia/Kolkata begin at 2024-05-31 18:30 UTC, within a step"):
        aggregate(points([1.0] * 8, "2024-06-01"), "day", timezone="Asia/Kolkata")
    with pytest.raises(InvalidInput, match="at_least = 0"):
        aggregate(points([1.0] * 8, "2024-06-01"), 2, at_least=0)


@settings(max_examples=examples(25), deadline=None)
@given(
    values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60),
    multiple=st.integers(1, 8),
    first=st.integers(0, 40),
    timezone=st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"]),
)
def test_aggregate__totals_keep_their_sum(values: list[float], multiple: int, first: int, timezone: str):
    """Each point falls into one longer step: counts of those there and those missing fill all steps, sums stay."""
    start = pd.Timestamp("2024-03-30T20:00") + first * pd.Timedelta("15min")
    quarters = points(values, start, 0.25, timezone, kind="mean")
    longer = aggregate(quarters, multiple * 0.25, at_least=1e-9)
    there = multiple - longer["missing"].values[:, 0]
    assert there.sum() == len(values)
    assert np.nansum(longer["demand_kw"].values[:, 0] * there) == pytest.approx(sum(values), abs=1e-5)
    days = aggregate(quarters, "day", at_least=1e-9)
    sizes = np.atleast_1d(days.attrs["step_h"]) * np.ones(days.sizes["time"]) * 4
    assert (sizes - days["missing"].values[:, 0]).sum() == len(values)


# ---------------------------------------------------------------------------------------------- for assets


@pytest.fixture
def measured(engine: sa.Engine) -> sa.Engine:
    """A database with the demand of a load by its meter, and the available power of a roof of its own."""
    save_portfolio(engine, sample_portfolio(), "ana")
    return engine


def test_read_measured__same_form_as_from_a_file(measured: sa.Engine, tmp_path: Path):
    """What a file gives and what its columns give after import are equal, but for where they come from."""
    file = tmp_path / "series.csv"
    rows = [f"{t:%Y-%m-%dT%H:%M}Z,{at + 1},{max(0, at - 1)}" for at, t in enumerate(HOURS) if at != 3]
    file.write_text("time,bat.demand_kw,cars.available_kw\n" + "\n".join(rows) + "\n")
    needs = [Need("demand_kw", "bat"), Need("available_kw", "cars"), Need("demand_kw", "cars", is_required=False)]
    wanted = read_series(file, needs, SeriesForm(), "UTC")
    known = wanted["time"].values[[0, 1, 2, 4, 5]]
    import_series(measured, series(), known, [1, 2, 3, 5, 6], meter=METER.replace(asset_id="bat"))
    import_series(
        measured, series("roof", meter_id=None, asset_id="cars", variable="available_kw"), known, [0, 0, 1, 3, 4]
    )

    found = read_measured(measured, needs)

    xr.testing.assert_equal(found, wanted)
    assert found["demand_kw"].attrs == {"units": "kW", "columns": {"bat": "main-demand"}}
    assert set(found.attrs) == set(wanted.attrs)
    assert found.attrs["source"] == "in the database (main-demand version 1, roof version 1)"
    assert found.attrs["notes"] == [
        "1 value of demand_kw of 'bat' (series 'main-demand') is missing in the database, the first at 2024-06-01 "
        "03:00 UTC",
        "1 value of available_kw of 'cars' (series 'roof') is missing in the database, the first at 2024-06-01 03:00 "
        "UTC",
    ]
    filled = cut_series(
        found, Horizon.regular(dt.datetime(2024, 6, 1, tzinfo=dt.UTC), 6), SeriesForm(fill_gaps="previous")
    )
    assert filled["demand_kw"].values[:, 0].tolist() == [1, 2, 3, 3, 5, 6]


def test_read_measured__steps_of_several_lengths_qualities_and_versions(measured: sa.Engine):
    """An hour's value is held over its quarter hours; a suspect value is a gap unless it is trusted."""
    asset = {"meter_id": None, "asset_id": "bat"}
    import_series(measured, series("slow", **asset), HOURS[:2], [4, 8], ["measured", "suspect"])
    quarters = pd.date_range("2024-06-01", periods=8, freq="15min")
    roof = series("roof", meter_id=None, asset_id="cars", variable="available_kw", step_h=0.25)
    import_series(measured, roof, quarters, [0, -0.001, 2, 3, 4, 5, 6, 7])
    needs = [Need("demand_kw", "bat"), Need("available_kw", "cars")]

    found = read_measured(measured, needs)
    trusting = read_measured(measured, needs, trusted=("measured", "suspect"))

    assert found.attrs["step_h"] == 0.25
    np.testing.assert_array_equal(found["demand_kw"].sel(asset="bat"), [4] * 4 + [np.nan] * 4)
    assert trusting["demand_kw"].sel(asset="bat").values.tolist() == [4] * 4 + [8] * 4
    assert found["available_kw"].sel(asset="cars").values.tolist() == [0, 0, 2, 3, 4, 5, 6, 7]
    notes = " | ".join(found.attrs["notes"])
    assert (
        "4 values of demand_kw of 'bat' (series 'slow') are suspect and not used, the first at 2024-06-01 01:00 UTC"
        in notes
    )
    assert "over 1 h were held over steps of 15 min" in notes
    assert "1 value of available_kw of 'cars' (series 'roof') slightly below zero, lowest -0.001 kW" in notes
    assert found.attrs["sha256"] != trusting.attrs["sha256"]
    before = dt.datetime.now(dt.UTC)
    import_points(measured, "slow", HOURS[:1], [5])
    assert read_measured(measured, needs, as_of=before).attrs["sha256"] == found.attrs["sha256"]
    assert read_measured(measured, needs).attrs["sha256"] != found.attrs["sha256"]
    np.testing.assert_array_equal(
        read_measured(measured, needs, quarters.to_numpy()[3], quarters.to_numpy()[5])["demand_kw"][:, 0], [5, np.nan]
    )


def test_read_measured__what_is_not_there_or_not_clear(measured: sa.Engine):
    asset = {"meter_id": None, "asset_id": "bat"}
    import_series(measured, series("one", **asset), HOURS, range(6))
    import_series(measured, series("two", **asset), HOURS, range(6))
    import_series(measured, series("energy", **asset, variable="drain_kw", kind="total"), HOURS, range(6))
    import_series(measured, series("low", **asset, variable="available_kw"), HOURS, [-3, 0, 1, 2, 3, 4])
    with pytest.raises(InvalidInput) as caught:
        read_measured(measured, [Need("demand_kw", "bat"), Need("drain_kw", "bat"), Need("demand_kw", "cars")])
    said = str(caught.value)
    assert "demand_kw of 'bat' has 2 series, 'one' and 'two'; say which in series_ids" in said
    assert "drain_kw of 'bat': series 'energy' holds totals of steps" in said
    assert "no series for demand_kw of 'cars'; import one with `ems series import FILE --asset cars" in said
    with pytest.raises(InvalidInput, match="series 'energy' feeds nothing that is needed"):
        read_measured(measured, [Need("demand_kw", "bat")], series_ids=["one", "energy"])
    with pytest.raises(InvalidInput, match="below zero, lowest -3 kW at 2024-06-01 00:00 UTC"):
        read_measured(measured, [Need("available_kw", "bat")])
    chosen = read_measured(measured, [Need("demand_kw", "bat")], series_ids=["two"])
    assert chosen["demand_kw"].attrs["columns"] == {"bat": "two"}
