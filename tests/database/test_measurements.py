"""Meters, series and their points: kept once, corrected by versions, whole or not at all."""

from __future__ import annotations

import datetime as dt
import secrets
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from example_counts import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from register_samples import sample_portfolio

from ems.database.engine import open_engine, reading, writing
from ems.database.measurement_records import QUALITIES, Meter, Series
from ems.database.measurements import (
    add_meter,
    add_series,
    delete_meter,
    delete_series,
    get_meter,
    get_series,
    list_meters,
    list_series,
    list_versions,
    update_meter,
    update_series,
)
from ems.database.migrate import upgrade
from ems.database.point_checks import checked_rows
from ems.database.point_reading import read_points
from ems.database.points import ImportOutcome, import_points, import_series
from ems.database.register import delete_asset, delete_site
from ems.database.register_portfolio import save_portfolio
from ems.errors import DatabaseProblem, InvalidInput, UnknownName

METER = Meter(id="main", created_by="ana")
SERIES = Series(id="main-demand", meter_id="main", variable="demand_kw", step_h=0.25, created_by="ana")
TIMES = pd.date_range("2024-06-01", periods=4, freq="15min")
BEGIN = np.datetime64("2024-06-01")


def values_of(engine: sa.Engine, **options: object) -> list[float]:
    return read_points(engine, "main-demand", **options)["demand_kw"].values[:, 0].tolist()


# ---------------------------------------------------------------------------------------------- import
def test_import_points__twice_then_corrected(engine: sa.Engine):
    """Four points; the same again change nothing; one corrected and one more make the second version."""
    first = import_series(engine, SERIES, TIMES, [1, 2, 3, 4], meter=METER, source="a.csv", sha256="ab", by="ana")
    before = list_versions(engine, "main-demand")[0].recorded_at

    again = import_points(engine, "main-demand", TIMES[::-1], [4, 3, 2, 1])
    dry = import_points(engine, "main-demand", TIMES[:2], [1, 2.5], dry_run=True)
    unmoved = values_of(engine)
    second = import_points(engine, "main-demand", TIMES.shift(1)[[0, 3]], [2.5, 5], by="bo")

    assert first == ImportOutcome(new=4, changed=0, unchanged=0, left_out=0, version=1)
    assert again == ImportOutcome(new=0, changed=0, unchanged=4, left_out=0, version=1)
    assert str(again) == "0 new, 0 changed, 4 unchanged"
    assert dry == ImportOutcome(new=0, changed=1, unchanged=1, left_out=0, version=1)
    assert unmoved == [1, 2, 3, 4]
    assert second == ImportOutcome(new=1, changed=1, unchanged=0, left_out=0, version=2)
    assert values_of(engine) == [1, 2.5, 3, 4, 5]
    assert values_of(engine, as_of=before) == [1, 2, 3, 4]
    newest, oldest = list_versions(engine, "main-demand")
    assert (newest.new_points, newest.changed_points, newest.recorded_by) == (1, 1, "bo")
    assert (oldest.new_points, oldest.source, oldest.sha256, oldest.recorded_by) == (4, "a.csv", "ab", "ana")
    (summary,) = list_series(engine, variable="demand_kw")
    assert (summary.points, summary.version, summary.series) == (5, 2, SERIES)
    assert (summary.begin, summary.end) == (
        dt.datetime(2024, 6, 1, tzinfo=dt.UTC),
        dt.datetime(2024, 6, 1, 1, 15, tzinfo=dt.UTC),
    )


def test_import_points__quality_and_missing(engine: sa.Engine):
    """A NaN says nothing; one of quality missing replaces the value; another quality alone is a change."""
    import_series(engine, SERIES, TIMES, [1, 2, 3, 4], "estimated", meter=METER)

    silent = import_points(engine, "main-demand", TIMES, [np.nan, np.nan, np.nan, 4], "estimated")
    spoken = import_points(
        engine, "main-demand", TIMES, [1, np.nan, 3, 4], ["measured", "missing", "estimated", "estimated"]
    )

    assert silent == ImportOutcome(new=0, changed=0, unchanged=1, left_out=3, version=1)
    assert str(silent).endswith("1 unchanged, 3 without a value left out")
    assert spoken == ImportOutcome(new=0, changed=2, unchanged=2, left_out=0, version=2)
    points = read_points(engine, "main-demand")
    np.testing.assert_array_equal(points["demand_kw"].values[:, 0], [1, np.nan, 3, 4])
    assert points["quality"].values[:, 0].tolist() == ["measured", "missing", "estimated", "estimated"]
    assert points.attrs["missing"] == {"main-demand": 1}


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> sa.Engine:
    url = f"sqlite:///{tmp_path_factory.mktemp('measured')}/ems.sqlite"
    upgrade(url)
    return open_engine(url)


@pytest.fixture(scope="module")
def server(postgresql_server: str) -> sa.Engine:
    name = f"ems_test_{secrets.token_hex(6)}"  # the server may be that of other processes of tests, too
    address = sa.make_url(postgresql_server)
    root = sa.create_engine(address.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with root.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    url = address.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    upgrade(url)
    engine = open_engine(url)
    yield engine
    engine.dispose()
    with root.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    root.dispose()


NUMBERS = st.one_of(st.floats(-1e9, 1e9), st.sampled_from([0.1, -0.0, 1 / 3, 5e-324, 1e9]), st.just(float("nan")))
BATCHES = st.lists(
    st.dictionaries(st.integers(0, 12), st.tuples(NUMBERS, st.sampled_from(QUALITIES)), max_size=8),
    min_size=1,
    max_size=5,
)


@pytest.mark.parametrize("kind", ["embedded", "server"])
@settings(max_examples=examples(15), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=BATCHES)
def test_import_points__as_a_mapping_that_is_updated(kind: str, request: pytest.FixtureRequest, batches: list):
    """What holds after each import is a mapping of times to the last value and quality said, to the last bit."""
    engine: sa.Engine = request.getfixturevalue(kind)
    with writing(engine) as connection:
        connection.execute(sa.text("DELETE FROM series"))
        connection.execute(sa.text("DELETE FROM meters"))
    add_meter(engine, METER)
    add_series(engine, SERIES)
    holds: dict[int, tuple[float | None, str]] = {}
    states = {}
    for drawn in batches:
        batch = {step: (None if quality == "missing" else value, quality) for step, (value, quality) in drawn.items()}
        said = {step: point for step, point in batch.items() if point[0] == point[0]}  # not NaN
        outcome = import_points(
            engine,
            "main-demand",
            BEGIN + np.array(list(batch), dtype="int64") * np.timedelta64(15, "m"),
            [value for value, _ in batch.values()],
            [quality for _, quality in batch.values()],
        )
        new = sum(step not in holds for step in said)
        same = sum(holds.get(step) == point for step, point in said.items())
        assert (outcome.new, outcome.unchanged, outcome.left_out) == (new, same, len(batch) - len(said))
        holds.update(said)
        states[outcome.version] = dict(holds)
    moments = {one.version: one.recorded_at for one in list_versions(engine, "main-demand")}
    end = BEGIN + np.timedelta64(13 * 15, "m")
    for version, moment in moments.items():
        points = read_points(engine, "main-demand", BEGIN, end, as_of=moment)
        expected = [states[version].get(step, (None, "")) for step in range(13)]
        values = np.array([value for value, _ in expected], dtype="float64")
        np.testing.assert_array_equal(points["demand_kw"].values[:, 0], values)
        assert points["quality"].values[:, 0].tolist() == [quality for _, quality in expected]


KILLED = """
import os, signal, sys
import numpy as np
from ems.database.engine import open_engine
from ems.database.measurement_records import Meter, Series
from ems.database.points import import_series

count = 60_000
times = np.datetime64("2000-01-01") + np.arange(count) * np.timedelta64(15, "m")
series = Series(id="late", meter_id="main", variable="demand_kw", step_h=0.25, created_by="ana")

def kill(written, total):
    if 0 < written < total:
        os.kill(os.getpid(), signal.SIGKILL)

meter = Meter(id="main", created_by="ana")
import_series(open_engine(sys.argv[1]), series, times, np.ones(count), meter=meter, progress=kill)
"""


def test_import_series__killed_in_the_middle(database_url: str):
    """No series, no meter, no point is left behind, and the next import finds a clean table."""
    upgrade(database_url)
    done = subprocess.run([sys.executable, "-c", KILLED, database_url], capture_output=True, text=True, timeout=60)
    assert done.returncode == -9, done.stderr

    engine = open_engine(database_url)

    assert list_series(engine) == []
    assert list_meters(engine) == []
    with reading(engine) as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM series_points")).scalar() == 0
    assert import_series(engine, SERIES, TIMES, [1, 2, 3, 4], meter=METER).new == 4
    engine.dispose()


def test_import_series__all_or_nothing(engine: sa.Engine):
    """One bad value keeps the meter, the series and the good values out."""
    with pytest.raises(InvalidInput, match=r"demand_kw at 2024-06-01 00:45 UTC = inf kW: must be finite"):
        import_series(engine, SERIES, TIMES, [1, 2, 3, np.inf], meter=METER)
    assert (list_series(engine), list_meters(engine)) == ([], [])


def test_import_series__several_at_once(engine: sa.Engine):
    """Whoever comes later finds what the others did: each value is kept once, versions count on without a gap."""
    batches = [(TIMES, [1, 2, 3, 4]), (TIMES[:2], [1, 2]), (TIMES.shift(4), [5, 6, 7, 8]), (TIMES, [1, 2, 3, 4])]
    with ThreadPoolExecutor(len(batches)) as pool:
        jobs = [pool.submit(import_series, engine, SERIES, *batch, meter=METER) for batch in batches]
        outcomes = [job.result() for job in jobs]
    assert sum(one.new for one in outcomes) == 8
    assert sum(one.changed for one in outcomes) == 0
    assert values_of(engine) == [1, 2, 3, 4, 5, 6, 7, 8]
    versions = [one.version for one in list_versions(engine, "main-demand")]
    assert versions == list(range(len(versions), 0, -1))
    assert sum(one.new_points for one in list_versions(engine, "main-demand")) == 8


def test_import_series__another_series_of_that_id(engine: sa.Engine):
    import_series(engine, SERIES, TIMES, [1, 2, 3, 4], meter=METER)
    with pytest.raises(InvalidInput, match=r"step_h = 1: the series that is there has 0.25") as caught:
        import_series(engine, SERIES.replace(step_h=1.0, kind="state"), TIMES[:1], [1])
    assert "kind = 'state'" in str(caught.value)


# ---------------------------------------------------------------------------------------------- bad input
@pytest.mark.parametrize(
    ("times", "values", "quality", "said"),
    [
        (TIMES[[0, 0]], [1, 1], None, "2024-06-01 00:00 UTC stands there twice; leave one"),
        (TIMES[:1] + pd.Timedelta("7min"), [1], None, r"00:07 UTC is off the raster of steps of 15 min, of which one "
         r"begins at 2024-06-01 00:00 UTC"),
        (TIMES[:1] + pd.Timedelta("1ns"), [1], None, "off the raster"),
        ([dt.datetime(2024, 6, 1)], [1], None, r"time = '2024-06-01 00:00:00' \(point 1\): must say its offset"),
        (["2024-06-01T00:00"], [1], None, "must say its offset from UTC, as in"),
        ([1717200000], [1], None, "must be a date and time, not a number"),
        ([pd.NaT], [1], None, "point 1 has no time|must say its offset"),
        (pd.DatetimeIndex([pd.NaT]), [1], None, "point 1 has no time; leave it out"),
        (np.array(["9999-01-01"], dtype="M8[s]"), [1], None, "9999-01-01 00:00:00 UTC lies outside the years 1970"),
        (["2024-06-01T00:00Z"], ["five"], None, r"value = 'five' \(point 1\): must be a number"),
        (["2024-06-01T00:00Z"], [True], None, "value = true"),
        (TIMES[:1], [1e300], None, r"= 1e\+300 kW: must lie within ±1e\+09 kW"),
        (TIMES[:1], [1], "guessed", "quality = 'guessed' at 2024-06-01 00:00 UTC: must be one of measured, estimated"),
        (TIMES[:2], [1, 2], ["measured"], "has 2 values and 1 qualities"),
        (TIMES[:2], [1], None, "has 2 times and 1 value"),
        (TIMES[:1], [1], "missing", "its quality is missing; give no value"),
        (TIMES[:1], [[1]], None, "values have 2 dimensions"),
    ],
)  # fmt: skip
def test_checked_rows__what_cannot_be_a_point(times, values, quality, said: str):
    with pytest.raises(InvalidInput, match=said) as caught:
        checked_rows(SERIES, times, values, quality)
    assert "series 'main-demand'" in str(caught.value)


def test_checked_rows__all_findings_at_once_but_few_of_a_kind():
    with pytest.raises(InvalidInput) as caught:
        checked_rows(SERIES, TIMES.append(TIMES), [np.inf] * 8, None)
    said = str(caught.value)
    assert "stands there twice" in said
    assert "... and 5 more infinite values" in said


def test_checked_rows__moments_of_any_offset_and_none():
    """Stamps of numpy and pandas without a zone are in UTC; all others say their offset."""
    spoken = ["2024-06-01T02:00+02:00", "2024-05-31T20:15-04:00"]
    rows = [
        checked_rows(SERIES, times, [1, 2], None)[0].seconds.tolist()
        for times in (TIMES[:2], TIMES[:2].tz_localize("UTC").tz_convert("Asia/Tokyo"), spoken, TIMES[:2].to_numpy(),
                      [dt.datetime(2024, 6, 1, tzinfo=dt.UTC), dt.datetime(2024, 6, 1, 0, 15, tzinfo=dt.UTC)],
                      pd.Series(TIMES[:2]))
    ]  # fmt: skip
    assert rows == [[1717200000, 1717200900]] * 6
    assert len(checked_rows(SERIES, [], [], None)[0]) == 0


def test_checked_rows__raster_of_half_hours_past():
    """Local hours of a zone at 5:30 from UTC begin at half past."""
    series = SERIES.replace(step_h=1.0, raster_start=dt.datetime(1970, 1, 1, 0, 30, tzinfo=dt.UTC))
    assert len(checked_rows(series, [np.datetime64("2024-06-01T00:30")], [1], None)[0]) == 1
    with pytest.raises(InvalidInput, match="begins at 2024-05-31 23:30 UTC"):
        checked_rows(series, [np.datetime64("2024-06-01T00:00")], [1], None)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"meter_id": None}, "needs meter_id or asset_id"),
        ({"unit": "MW"}, "unit = MW: demand_kw is in kW"),
        ({"variable": "Demand kW"}, "must be small letters, digits and single underscores"),
        ({"step_h": 0.0001}, "must be whole seconds"),
        ({"timezone": "Europe/Berlinn"}, "no such time zone"),
        ({"raster_start": dt.datetime(1970, 1, 1, 0, 0, 0, 5, tzinfo=dt.UTC)}, "must be a whole second"),
    ],
)
def test_series__fields_that_cannot_be(fields: dict, said: str):
    with pytest.raises(InvalidInput, match=said):
        SERIES.replace(**fields)


def test_series__unit_of_a_price_states_its_currency():
    price = {"id": "p", "meter_id": "m", "variable": "import_price_per_kwh", "step_h": 1.0, "created_by": "ana"}
    assert Series(**price, unit="EUR/kWh").unit == "EUR/kWh"
    assert Series(**price).unit == "currency/kWh"
    with pytest.raises(InvalidInput, match="leave unit out"):
        Series(**price, unit="EUR/MWh")


# ---------------------------------------------------------------------------------------------- register
def test_meters_and_series__made_changed_and_removed(engine: sa.Engine):
    save_portfolio(engine, sample_portfolio(), "ana")
    with pytest.raises(InvalidInput, match=r"asset_id = 'batt': no such asset in the register; did you mean bat"):
        add_meter(engine, METER.replace(asset_id="batt"))
    add_meter(engine, METER.replace(site_id="depot", asset_id="bat"))
    import_series(engine, SERIES, TIMES, [1, 2, 3, 4])

    assert get_meter(engine, "main").name == "main"
    assert [one.series.id for one in list_series(engine, asset="bat")] == ["main-demand"]
    assert [one.series.id for one in list_series(engine, site="depot")] == ["main-demand"]
    assert list_series(engine, asset="cars") == list_series(engine, variable="available_kw") == []
    assert update_meter(engine, "main", {"name": "Main meter"}).name == "Main meter"
    assert update_series(engine, "main-demand", {"asset_id": "cars"}).asset_id == "cars"
    assert [one.asset_id for one in list_series(engine, asset="cars")] == ["cars"]
    with pytest.raises(InvalidInput, match="step_h cannot change; make another series"):
        update_series(engine, "main-demand", {"step_h": 1.0})
    with pytest.raises(InvalidInput, match="is in the database already"):
        add_series(engine, SERIES)
    with pytest.raises(UnknownName, match=r"series 'main-demnd': is not in the database; did you mean main-demand"):
        get_series(engine, "main-demnd")

    with pytest.raises(InvalidInput, match="it has series 'main-demand'; delete them first"):
        delete_meter(engine, "main")
    with pytest.raises(InvalidInput, match="there is meter 'main' measuring it; decommission it instead"):
        delete_asset(engine, "bat", permanent=True)
    with pytest.raises(InvalidInput, match="cannot be deleted"):
        delete_site(engine, "depot", permanent=True)
    assert delete_series(engine, "main-demand") == 4
    delete_meter(engine, "main")
    assert (list_series(engine), list_meters(engine)) == ([], [])
    with reading(engine) as connection:
        counts = [
            connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar()
            for table in ("series_points", "series_versions")
        ]
    assert counts == [0, 0]


def test_tables__laws_of_points_hold_for_plain_sql(engine: sa.Engine):
    import_series(engine, SERIES, TIMES, [1, 2, 3, 4], meter=METER)
    for change in (
        "UPDATE series_points SET quality = 'guessed'",
        "UPDATE series_points SET quality = 'missing'",
        "UPDATE series_points SET value = NULL",
        "UPDATE series_points SET value = 9e999",
        "UPDATE series_points SET version = 0",
        "UPDATE series_points SET version = 7",
        "UPDATE series_points SET series_id = 'nobody'",
        "UPDATE series SET meter_id = NULL",
        "UPDATE series SET step_h = 0.0001",
        "DELETE FROM meters",
    ):
        with pytest.raises(DatabaseProblem, match="refused"), writing(engine) as connection:
            connection.execute(sa.text(change))
    with writing(engine) as connection:
        connection.execute(sa.text("DELETE FROM series"))
    assert list_series(engine) == []
