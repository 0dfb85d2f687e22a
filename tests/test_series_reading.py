"""Files of people become series, or the message says what stands where."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from example_counts import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from ems.errors import EmsWarning, InvalidInput
from ems.series.cutting import start_of, step_of
from ems.series.form import Need, SeriesForm
from ems.series.reading import read_series

DEMAND = [Need("demand_kw", "house")]
PRICE = [Need("import_price_per_kwh", "grid")]
BERLIN = SeriesForm(timezone="Europe/Berlin")
NEW_YORK = SeriesForm(timezone="America/New_York")


def write(folder: Path, text: str | bytes, name: str = "series.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def demand(folder: Path, *rows: str, form: SeriesForm = BERLIN, header: str = "time,demand_kw") -> Any:
    return read_series(write(folder, "\n".join([header, *rows])), DEMAND, form, "Europe/Berlin")


def hours(series: Any) -> list[str]:
    return list(series.time.dt.strftime("%m-%d %H:%M").values)


# ------------------------------------------------------------------------------------------------------ stamps
def test_read_series__stamps_with_offset(tmp_path: Path) -> None:
    """08:00+02:00 is 06:00 UTC, and 07:00Z is the next hour."""
    series = demand(tmp_path, "2024-06-01T08:00+02:00,1.5", "2024-06-01T07:00Z,2.5")
    assert hours(series) == ["06-01 06:00", "06-01 07:00"]
    assert series.demand_kw.sel(asset="house").values.tolist() == [1.5, 2.5]
    assert series.demand_kw.attrs == {"units": "kW", "columns": {"house": "demand_kw"}}
    assert series.time.dtype == "datetime64[ns]" and step_of(series) == 1.0
    assert start_of(series).isoformat() == "2024-06-01T06:00:00+00:00"
    assert len(series.attrs["sha256"]) == 64 and series.attrs["timezone"].endswith("offset from UTC")


def test_read_series__no_offset_and_no_zone(tmp_path: Path) -> None:
    """The site's zone is taken, on the screen and in the notes: 00:00 in Berlin is 23:00 UTC in winter."""
    with pytest.warns(EmsWarning, match="'time' has no offset from UTC and is read as Europe/Berlin"):
        series = demand(tmp_path, "2024-03-04T00:00,1", "2024-03-04T01:00,2", form=SeriesForm())
    assert hours(series) == ["03-03 23:00", "03-04 00:00"]
    assert "read as Europe/Berlin (the site's time zone" in series.attrs["notes"][0]


@pytest.mark.parametrize(
    ("form", "day", "utc"),
    [(BERLIN, "2024-03-31", "03-31 01:00"), (NEW_YORK, "2024-03-10", "03-10 07:00")],
)
def test_read_series__spring_day_has_23_hours(tmp_path: Path, form: SeriesForm, day: str, utc: str) -> None:
    """Local 02:00 is not there and nothing is missing: 03:00 follows 01:00 by one hour."""
    rows = [f"{day} {hour:02}:00,{hour}" for hour in range(24) if hour != 2]
    series = demand(tmp_path, *rows, form=form)
    assert series.sizes["time"] == 23
    assert not series.demand_kw.isnull().any()
    assert series.demand_kw.sel(asset="house").values[2] == 3
    assert hours(series)[2] == utc


@pytest.mark.parametrize(("form", "day"), [(BERLIN, "2024-03-31"), (NEW_YORK, "2024-03-10")])
def test_read_series__spring_hour_that_does_not_exist(tmp_path: Path, form: SeriesForm, day: str) -> None:
    with pytest.raises(InvalidInput, match=rf"line 3: {day} 02:00 does not exist in {form.timezone}"):
        demand(tmp_path, f"{day} 01:00,1", f"{day} 02:00,2", f"{day} 03:00,3", form=form)


@pytest.mark.parametrize(
    ("form", "day", "hour", "utc"),
    [(BERLIN, "2024-10-27", 2, "10-26 22:00"), (NEW_YORK, "2024-11-03", 1, "11-03 04:00")],
)
def test_read_series__autumn_day_has_25_hours(tmp_path: Path, form: SeriesForm, day: str, hour: int, utc: str) -> None:
    """The hour that occurs twice stands twice, in order; midnight is 22:00 UTC in Berlin, 04:00 in New York."""
    clock = sorted([*range(24), hour])
    series = demand(tmp_path, *[f"{day} {h:02}:00,{value}" for value, h in enumerate(clock)], form=form)
    assert series.demand_kw.sel(asset="house").values.tolist() == list(range(25))
    assert hours(series)[0] == utc


def test_read_series__autumn_quarters_with_a_missing_row(tmp_path: Path) -> None:
    """02:00 .. 02:45 twice, without the first 02:30: it is a gap on the raster, at 00:30 UTC."""
    passes = [f"2024-10-27 02:{m:02}" for m in (0, 15, 30, 45)]
    rows = ["2024-10-27 01:45", *passes, *passes]
    rows.pop(3)
    series = demand(tmp_path, *[f"{row},1" for row in rows], form=BERLIN)
    missing = series.time[series.demand_kw.isnull().any("asset")]
    assert missing.dt.strftime("%H:%M").values.tolist() == ["00:30"]


@pytest.mark.parametrize(("form", "stamp"), [(BERLIN, "2024-10-27 02:00"), (NEW_YORK, "2024-11-03 01:00")])
def test_read_series__autumn_hour_stands_once(tmp_path: Path, form: SeriesForm, stamp: str) -> None:
    day = stamp[:10]
    with pytest.raises(InvalidInput, match=rf"{stamp} occurs twice in {form.timezone}"):
        demand(tmp_path, *[f"{day} {hour:02}:00,1" for hour in range(5)], form=form)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["2024-03-04T00:00Z,1", "2024-03-04T01:00,1"], "line 2: '2024-03-04T00:00Z'.* some do not .line 3"),
        (["2024-03-04T00:00Z,1", "4.3.2024,1"], "line 3, column 'time': '4.3.2024' is not a date and time"),
        (["2024-02-29T00:00Z,1", "2024-02-30T00:00Z,1"], "'2024-02-30T00:00Z' is not a date"),
        (["9999-12-31T23:00Z,1", "10000-01-01T00:00Z,1"], "(?s)line 3.*'10000-.*line 2: '9999.*1970 to 2200"),
        (["2024-03-04T00:00Z,1", ",1"], "line 3, column 'time': '' is not a date and time"),
        (["2024-03-04T00:00Z,1"], "has one row only"),
        (["2024-03-04T00:00:00Z,1", "2024-03-04T00:00:00.1Z,1"], "has steps of 0.1 s; the shortest"),
        ([], "has no rows below its header"),
        (["1970-01-01T00:00Z,1", "1970-01-01T00:00:01Z,1", "2100-01-01T00:00Z,1"], "cannot be a series"),
    ],
)
def test_read_series__stamps_that_cannot_be_used(tmp_path: Path, rows: list[str], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        demand(tmp_path, *rows)


def test_read_series__stamp_off_the_raster(tmp_path: Path) -> None:
    """Even as the first row the odd stamp is named, not the 22 good ones."""
    rows = ["2024-03-04T00:17Z,1", *[f"2024-03-04T{hour:02}:00Z,1" for hour in range(1, 24)]]
    with pytest.raises(InvalidInput, match=r"line 2: 2024-03-04 00:17 UTC .* is off the raster of steps of 1 h"):
        demand(tmp_path, *rows)


def test_read_series__duplicate_and_unsorted(tmp_path: Path) -> None:
    rows = [f"2024-03-04T{hour:02}:00Z,1" for hour in (0, 1, 2, 3, 2)]
    with pytest.raises(InvalidInput) as caught:
        demand(tmp_path, *rows)
    assert "line 4 and line 6 have the same time, 2024-03-04 02:00 UTC" in str(caught.value)
    assert "line 6: 2024-03-04 02:00 UTC lies before 2024-03-04 03:00 UTC" in str(caught.value)


def test_read_series__missing_row_is_a_gap(tmp_path: Path) -> None:
    series = demand(tmp_path, *[f"2024-03-04T{hour:02}:00Z,{hour}" for hour in (0, 1, 3, 4)])
    np.testing.assert_array_equal(series.demand_kw.sel(asset="house"), [0, 1, np.nan, 3, 4])
    assert "1 row is missing in the file, the first at 2024-03-04 02:00 UTC" in series.attrs["notes"]


def test_read_series__own_form_of_stamps_and_numbers(tmp_path: Path) -> None:
    form = BERLIN.replace(separator=";", decimal=",", time_format="%d.%m.%Y %H:%M", time_column="Zeit")
    rows = ["01.06.2024 00:00;1,5", "01.06.2024 01:00;-"]
    with pytest.raises(InvalidInput, match="line 3, column 'demand_kw': '-' is not a number"):
        demand(tmp_path, *rows, header="Zeit;demand_kw", form=form)
    series = demand(tmp_path, rows[0], "01.06.2024 01:00;2,25", header="Zeit;demand_kw", form=form)
    assert series.demand_kw.sel(asset="house").values.tolist() == [1.5, 2.25]
    assert hours(series)[0] == "05-31 22:00"


# ----------------------------------------------------------------------------------------------------- numbers
HOURS = ["2024-03-04T00:00Z", "2024-03-04T01:00Z", "2024-03-04T02:00Z"]


@pytest.mark.parametrize("empty", ["", "NaN", "null", "NULL", "n/a", " "])
def test_read_series__cell_without_value(tmp_path: Path, empty: str) -> None:
    series = demand(tmp_path, f"{HOURS[0]},1", f"{HOURS[1]},{empty}", f"{HOURS[2]},3")
    np.testing.assert_array_equal(series.demand_kw.sel(asset="house"), [1, np.nan, 3])


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("five", "line 4, column 'demand_kw': 'five' is not a number"),
        ('"1,5"', """'1,5' is not a number; perhaps say decimal: ",\""""),
        ('"1,234.5"', "'1,234.5' is not a number; write it without signs between thousands"),
        ("0x10", "'0x10' is not a number"),
        ("1_0", "'1_0' is not a number"),
        ("true", "'true' is not a number"),
        ("inf", "line 4, column 'demand_kw' at 2024-03-04 01:00 UTC: inf kW is not finite"),
        ("-1e400", "-inf kW is not finite"),
        ("1e300", r"1e\+300 kW is out of range; demand_kw of 'house' lies within ±1e\+09 kW"),
    ],
)
def test_read_series__cell_that_is_no_number(tmp_path: Path, cell: str, message: str) -> None:
    """The blank line counts: the cell stands in line 4 of the file."""
    with pytest.raises(InvalidInput, match=message):
        demand(tmp_path, f"{HOURS[0]},1", " ", f"{HOURS[1]},{cell}", f"{HOURS[2]},3")


def test_read_series__all_findings_at_once_and_not_too_many(tmp_path: Path) -> None:
    """Two of three columns hold text in 30 rows: three are shown of each, the other 27 counted."""
    rows = [f"{time.isoformat()},x,y" for time in pd.date_range("2024-03-04", periods=30, freq="h", tz="UTC")]
    needs = [Need("demand_kw", "house"), Need("available_kw", "roof")]
    with pytest.raises(InvalidInput) as caught:
        read_series(write(tmp_path, "\n".join(["time,demand_kw,available_kw", *rows])), needs, BERLIN, "UTC")
    assert len(caught.value.findings) == 8
    assert caught.value.findings[3] == "... and 27 more cells of column 'demand_kw' that are not numbers"


def test_read_series__price_per_mwh_in_a_column_per_kwh(tmp_path: Path) -> None:
    path = write(tmp_path, f"time,import_price_per_kwh\n{HOURS[0]},0.2\n{HOURS[1]},87.5\n")
    with pytest.warns(EmsWarning, match=r"reaches 87\.5 .* 01:00 UTC; this looks like a price per MWh"):
        series = read_series(path, PRICE, BERLIN, "UTC")
    assert series.import_price_per_kwh.max() == 87.5
    assert any("price per MWh" in note for note in series.attrs["notes"])


def test_read_series__price_out_of_range(tmp_path: Path) -> None:
    path = write(tmp_path, f"time,import_price_per_kwh\n{HOURS[0]},0.2\n{HOURS[1]},-1001\n")
    with pytest.raises(InvalidInput, match="-1001 currency/kWh is out of range"):
        read_series(path, PRICE, BERLIN, "UTC")


def test_read_series__negative_demand(tmp_path: Path) -> None:
    with pytest.warns(EmsWarning, match="is negative in 1 step, lowest -5 kW at 2024-03-04 01:00 UTC"):
        demand(tmp_path, f"{HOURS[0]},1", f"{HOURS[1]},-5")


def test_read_series__negative_available_power(tmp_path: Path) -> None:
    """-0.5 of 100 kW is a meter at rest and becomes 0; -5 of 100 kW is an error."""
    needs = [Need("available_kw", "roof")]
    text = f"time,available_kw\n{HOURS[0]},{{}}\n{HOURS[1]},100\n"
    series = read_series(write(tmp_path, text.format(-0.5)), needs, BERLIN, "UTC")
    assert series.available_kw.values.ravel().tolist() == [0, 100]
    assert "1 value of available_kw of 'roof'" in series.attrs["notes"][-1]
    with pytest.raises(InvalidInput, match=r"line 2, column 'available_kw' at .*: -5 kW is negative"):
        read_series(write(tmp_path, text.format(-5)), needs, BERLIN, "UTC")


# ------------------------------------------------------------------------------------------------------- files
ROWS = f"time,demand_kw,Küche\n{HOURS[0]},1,1\n{HOURS[1]},2,1\n"


def test_read_series__latin_1(tmp_path: Path) -> None:
    path = write(tmp_path, ROWS.encode("latin-1"))
    with pytest.raises(InvalidInput, match=r"line 1 is not utf-8 text \(byte 0xfc\); say encoding: latin-1"):
        read_series(path, DEMAND, BERLIN, "UTC")
    series = read_series(path, DEMAND, BERLIN.replace(encoding="latin-1"), "UTC")
    assert series.demand_kw.values.ravel().tolist() == [1, 2]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_read_series__byte_order_mark(tmp_path: Path, encoding: str) -> None:
    form = BERLIN if encoding == "utf-8-sig" else BERLIN.replace(encoding=encoding)
    assert read_series(write(tmp_path, ROWS.encode(encoding)), DEMAND, form, "UTC").sizes["time"] == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"time,demand_kw\n2024\0,1\n", "holds NUL bytes"),
        (ROWS.encode("utf-16"), "is UTF-16 text; say encoding: utf-16"),
        (b"time,demand_kw\n" + b"9" * (2 << 20), "has a line longer than 1048576 bytes"),
        (b"time,demand_kw\n" + b"9" * 200_000, r"line 2, .*9\.\.\.' \(200000 characters\) is not a date"),
        (b"time,demand_kw\n1,2\n1,2,3\n", "line 3 has 3 cells, the header has 2"),
        (b"time,demand_kw,demand_kw\n1,2,3\n", "2 columns are named 'demand_kw'"),
        (b'time,demand_kw\n1,"2\n3,4\n', "a quotation mark opens in row 1 below the header and never closes"),
    ],
)
def test_read_series__files_that_are_no_tables(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        read_series(write(tmp_path, content), DEMAND, BERLIN, "UTC")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.csv", "cannot be read: No such file"),
        ("junk.xlsx", "is no Excel file"),
        ("junk.parquet", "is no Parquet file"),
        ("junk.xls", "ends in '.xls'; can be read: .csv"),
    ],
)
def test_read_series__files_that_cannot_be_read(tmp_path: Path, name: str, message: str) -> None:
    if name != "none.csv":
        write(tmp_path, b"junk", name)
    with pytest.raises(InvalidInput, match=message):
        read_series(tmp_path / name, DEMAND, BERLIN, "UTC")


def test_read_series__option_without_effect(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"sheet has no effect on a \.csv file"):
        read_series(write(tmp_path, ROWS), DEMAND, BERLIN.replace(sheet="Load"), "UTC")


@pytest.mark.parametrize("kind", ["xlsx", "parquet", "parquet with zone in the index"])
def test_read_series__typed_files(tmp_path: Path, kind: str) -> None:
    """Local midnight in Berlin is 23:00 UTC in winter, whether the stamps carry their zone or not."""
    frame = pd.DataFrame(
        {"time": pd.date_range("2024-01-01", periods=4, freq="h"), "demand_kw": [0.1, 2, None, 1 / 3]}
    )
    path = tmp_path / f"series.{kind.split(maxsplit=1)[0]}"
    if kind == "xlsx":
        frame.to_excel(path, index=False)
    elif kind == "parquet":
        frame.to_parquet(path)
    else:
        frame.assign(time=frame.time.dt.tz_localize("Europe/Berlin")).set_index("time").to_parquet(path)
    series = read_series(path, DEMAND, BERLIN, "UTC")
    assert hours(series)[0] == "12-31 23:00"
    np.testing.assert_array_equal(series.demand_kw.sel(asset="house"), [0.1, 2, np.nan, 1 / 3])


@pytest.mark.parametrize(
    ("given_fields", "message"),
    [
        ({"timezone": "Mars/Olympus"}, "timezone = 'Mars/Olympus': no such time zone"),
        ({"timezone": "localtime"}, "no such time zone"),
        ({"encoding": "base64"}, "encoding = 'base64': no such encoding"),
        ({"separator": ",", "decimal": ","}, "are both a comma"),
        (
            {"columns": [{"column": "a", "variable": "demand"}]},
            "'demand': no such variable; did you mean demand_kw",
        ),
        ({"columns": [{"column": "a", "variable": "demand_kw", "multiply_by": 0}]}, "must not be 0"),
        ({"longest_fill_h": 0}, "must be greater than 0 h"),
    ],
)
def test_series_form__cannot_be(given_fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        SeriesForm.from_mapping(given_fields)


# -------------------------------------------------------------------------------------------------------- laws
@settings(deadline=None, max_examples=examples(25))
@given(
    values=st.lists(st.floats(0, 1e9, allow_subnormal=False) | st.just(float("nan")), min_size=2, max_size=40),
    step_min=st.sampled_from([1, 5, 15, 30, 60]),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "UTC"]),
    day=st.dates(pd.Timestamp("1990-01-01").date(), pd.Timestamp("2030-12-31").date()),
)
def test_read_series__returns_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, values: list[float], step_min: int, zone: str, day: Any
) -> None:
    """Times and numbers pass to the last digit, with offsets of any zone."""
    times = pd.date_range(day, periods=len(values), freq=f"{step_min}min", tz="UTC")
    rows = [f"{t.tz_convert(zone).isoformat()},{v!r}" for t, v in zip(times, values, strict=True)]
    series = demand(tmp_path_factory.mktemp("law"), *rows)
    np.testing.assert_array_equal(series.demand_kw.sel(asset="house"), values)
    np.testing.assert_array_equal(series.time, times.tz_localize(None))


@settings(deadline=None, max_examples=examples(50))
@given(
    content=st.binary(max_size=200)
    | st.text("time,demand_kw\n\r\"';\t2024-03:TZ+5.e ", max_size=200).map(lambda t: ("time,demand_kw\n" + t).encode())
)
def test_read_series__any_bytes_give_series_or_a_message(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = write(tmp_path_factory.mktemp("law"), content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EmsWarning)
        try:
            series = read_series(path, DEMAND, SeriesForm(), "Europe/Berlin")
        except InvalidInput as error:
            assert str(error)
        else:
            assert series.sizes["time"] >= 2
