"""Forecasts of earlier tasks joined to one series file, which a dispatch can read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from ems.batch.workflows.series_join import call_series_of_forecasts
from ems.database.engine import connect
from ems.database.forecasts import forecast_job, store_forecast
from ems.errors import EmsError


@pytest.fixture
def jobs(project: Path) -> dict[str, str]:
    """Forecasts in the database: a load and a price over four hours, one an hour later, one by quarter-hours."""
    made = {
        "load": keep("load", "demand_kw", "buildings", "2026-03-27T00:00"),
        "price": keep("price", "import_price_per_kwh", "grid", "2026-03-27T01:00"),
        "late": keep("late", "available_kw", "roof", "2026-03-28T00:00"),
        "fine": keep("fine", "demand_kw", "rooms", "2026-03-27T00:00", freq="15min"),
    }
    (project / ".ems").mkdir(exist_ok=True)
    return made


def keep(name: str, variable: str, asset: str, begin: str, freq: str = "h") -> str:
    """Store a forecast whose median is 1, 2, 3, 4 and whose other quantiles are 10 % off; return its id."""
    values = np.arange(1.0, 5.0)[:, None] * np.array([0.9, 1.0, 1.1])
    dataset = xr.Dataset(
        {variable: (("time", "quantile"), values, {"units": "kW"})},
        coords={
            "time": pd.date_range(begin, periods=4, freq=freq),
            "quantile": [0.1, 0.5, 0.9],
            "issued_at": pd.Timestamp("2026-03-26T23:00").to_numpy(),
        },
        attrs={"timezone": "Europe/Berlin", "model": "ridge", "kind": "load", "asset": asset},
    )
    engine = connect()
    job = store_forecast(engine, forecast_job(dataset, id=f"job-{name}"), dataset)
    engine.dispose()
    return job.id


def join(project: Path, *forecasts: dict[str, Any], **fields: Any) -> dict[str, Any]:
    asked = [{"column": None, "quantile": 0.5, "multiply_by": 1.0, **one} for one in forecasts]
    job = {"forecasts": asked, "folder": str(project / ".ems"), "label": "joined"}
    outputs, _ = call_series_of_forecasts({"series": None, "columns": (), "time_column": "time", **fields}, job)
    return outputs


def test_join__takes_the_steps_that_all_cover(project: Path, jobs: dict[str, str]) -> None:
    """The load covers 00 to 04 h, the price 01 to 05 h; of both there are 01, 02 and 03 h."""
    found = join(
        project,
        {"jobs": [jobs["load"]], "quantile": 0.9, "column": "house.demand_kw"},
        {"jobs": [jobs["price"]], "multiply_by": 0.001},
    )

    table = pd.read_csv(project / found["path"])
    assert found["path"] == ".ems/joined.csv"
    assert list(table.columns) == ["time", *found["columns"]]
    assert found["columns"] == ["house.demand_kw", "grid.import_price_per_kwh"]
    assert list(table["time"]) == ["2026-03-27T01:00:00Z", "2026-03-27T02:00:00Z", "2026-03-27T03:00:00Z"]
    assert list(table["house.demand_kw"]) == pytest.approx([2.2, 3.3, 4.4])
    assert list(table["grid.import_price_per_kwh"]) == pytest.approx([0.001, 0.002, 0.003])
    assert (found["steps"], found["step_h"], found["horizon_h"]) == (3, 1, 3)
    assert (found["start"], found["end"]) == ("2026-03-27T01:00:00+00:00", "2026-03-27T04:00:00+00:00")


def test_join__adds_columns_of_a_file(project: Path, jobs: dict[str, str]) -> None:
    stamps = pd.date_range("2026-03-27T00:00", periods=6, freq="h", tz="Europe/Berlin")
    table = pd.DataFrame({"when": stamps.map(pd.Timestamp.isoformat), "temp": range(6)})
    table.to_csv(project / "data" / "series" / "weather.csv", index=False)

    found = join(project, {"jobs": [jobs["load"]]}, series="weather", columns=["temp"], time_column="when")

    read = pd.read_csv(project / found["path"])
    assert list(read.columns) == ["when", "buildings.demand_kw", "temp"]
    assert list(read["temp"]) == [1, 2, 3, 4]  # midnight in UTC is one o'clock in Berlin


@pytest.mark.parametrize(
    ("forecasts", "fields", "said"),
    [
        (["load", "late"], {}, "have no step in common: buildings.demand_kw from 2026-03-27 00:00 to"),
        (["load", "fine"], {}, "have steps of 0.25 h, 1 h; make them equal"),
        (["load", "load"], {}, "column 'buildings.demand_kw' comes twice"),
        (["load"], {"series": "short", "columns": ["a"]}, "a: no value at 2026-03-27 01:00 UTC"),
        (["load"], {"series": "local", "columns": ["a"]}, "column time must say its offset from UTC"),
        (["load"], {"series": "words", "columns": ["a"]}, "column a is not of numbers"),
        (["load"], {"series": "twice", "columns": ["a"]}, "a time stands there twice"),
        (["load"], {"series": "short", "columns": ["b"]}, "cannot be read"),
        (["load"], {"series": "nowhere", "columns": ["a"]}, "not in data/series/"),
    ],
)
def test_join__what_cannot_be_joined(
    project: Path, jobs: dict[str, str], forecasts: list[str], fields: dict[str, Any], said: str
) -> None:
    for name, text in {
        "short": "time,a\n2026-03-27T00:00Z,1\n",
        "local": "time,a\n2026-03-27T00:00,1\n",
        "words": "time,a\n2026-03-27T00:00Z,x\n",
        "twice": "time,a\n2026-03-27T00:00Z,1\n2026-03-27T00:00Z,2\n",
    }.items():
        (project / "data" / "series" / f"{name}.csv").write_text(text)

    with pytest.raises(EmsError, match=said):
        join(project, *({"jobs": [jobs[name]]} for name in forecasts), **fields)


def test_join__unknown_quantile(project: Path, jobs: dict[str, str]) -> None:
    with pytest.raises(EmsError, match=r"has no quantile 0\.3; it has 0\.1, 0\.5, 0\.9"):
        join(project, {"jobs": [jobs["load"]], "quantile": 0.3})
