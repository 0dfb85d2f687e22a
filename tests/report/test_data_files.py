"""The data of a report as files: what other programs read is what was there, with its units."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from ems.report.data_files import ReportData, csv_of, netcdf_of, wide_table


def two_steps() -> xr.Dataset:
    """Two quarter hours before and after the clock goes back in Berlin: 02:45 CEST, 02:00 CET."""
    times = np.array(["2025-10-26T00:45", "2025-10-26T01:00"], dtype="datetime64[ns]")
    return xr.Dataset(
        {
            "charge_kw": (("time", "asset"), [[10.0, np.nan], [0.1 + 0.2, np.nan]], {"units": "kW"}),
            "energy_kwh": (("boundary", "asset"), [[50.0, np.nan], [52.5, np.nan], [52.575, np.nan]]),
            "import_price_per_kwh": (("time",), [0.30, 0.31]),
            "capacity_kwh": (("asset",), [100.0, np.nan]),
        },
        {"time": times, "asset": ["battery", "grid"], "step_h": ("time", [0.25, 0.25])},
        {"currency": "CHF"},
    )


def test_wide_table__columns_of_values_at_the_beginning_and_at_the_end_of_steps():
    table = wide_table(two_steps(), "Europe/Berlin")

    assert table.columns.tolist() == [
        *("time_utc", "time_local", "step_h"),
        *("battery.charge_kw", "battery.end_energy_kwh", "import_price_per_kwh"),
    ]
    assert table["time_utc"].tolist() == ["2025-10-26T00:45:00Z", "2025-10-26T01:00:00Z"]
    assert table["time_local"].tolist() == ["2025-10-26T02:45:00+02:00", "2025-10-26T02:00:00+01:00"]
    assert table["battery.end_energy_kwh"].tolist() == [52.5, 52.575]


def test_csv_of__rounding_is_hidden_and_gaps_are_empty():
    table = pd.DataFrame({"power_kw": [0.1 + 0.2, np.nan], "is_over": [True, False]})

    assert csv_of(table) == b"power_kw,is_over\n0.3,True\n,False\n"


@pytest.mark.parametrize("word", ["=1+1", "+1", "-cmd", "@SUM(A1)", "\tx", "\rx"])
def test_csv_of__no_text_is_a_formula(word):
    """What a spreadsheet would run stands as a text, in cells and in headings; numbers below zero stay numbers."""
    table = pd.DataFrame({"name": [word, "plain"], word: [-1.5, 2.0]})

    read = pd.read_csv(io.BytesIO(csv_of(table)), lineterminator="\n")

    assert read["name"].tolist() == [f"'{word}", "plain"]
    assert read[f"'{word}"].tolist() == [-1.5, 2.0]


def test_netcdf_of__read_back_is_equal_and_says_its_units():
    dataset = two_steps()

    read = xr.load_dataset(io.BytesIO(netcdf_of(dataset)), engine="scipy")

    xr.testing.assert_equal(read, dataset)
    units = {name: read[name].attrs["units"] for name in read.data_vars}
    assert units == {
        "charge_kw": "kW",
        "energy_kwh": "kWh",
        "import_price_per_kwh": "CHF/kWh",
        "capacity_kwh": "kWh",
    }
    assert read["time"].encoding["units"].startswith("minutes since 1970-01-01")
    assert "units" not in dataset["energy_kwh"].attrs, "what was given stays as it was"


def test_netcdf_of__same_bytes_twice_and_moments_that_are_missing():
    dataset = xr.Dataset({"due": ("work", np.array(["2025-06-12T10:30:15", "NaT"], dtype="datetime64[ns]"))})

    packed = netcdf_of(dataset)

    assert packed == netcdf_of(dataset)
    xr.testing.assert_equal(xr.load_dataset(io.BytesIO(packed), engine="scipy"), dataset)


def test_files__one_csv_for_each_table_and_one_netcdf():
    data = ReportData(two_steps(), {"schedule": pd.DataFrame({"a": [1]})})

    files = dict(data.files({"study": "dispatch"}))

    assert list(files) == ["schedule.csv", "data.nc"]
    assert xr.load_dataset(io.BytesIO(files["data.nc"]), engine="scipy").attrs == {
        "currency": "CHF",
        "study": "dispatch",
    }
