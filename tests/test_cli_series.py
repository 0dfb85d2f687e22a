"""Series and forecasts from the command line, as a person meets them; each command on a database of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from click.testing import CliRunner, Result

from ems.cli import commands
from ems.cli.forecasts import FORMS, STATUSES
from ems.cli.series import PLACES
from ems.cli.series_files import KINDS, QUALITIES
from ems.database.engine import connect
from ems.database.forecast_records import ForecastForm, ForecastStatus
from ems.database.forecasts import fail_forecast, forecast_job, store_forecast
from ems.database.measurement_records import QUALITIES as ALL_QUALITIES
from ems.database.measurement_records import ValueKind

METER = ("--meter", "demo-main", "--column", "demand_kw")
HALF = "time,kw\n2024-06-01 00:00,1\n2024-06-01 00:30,2\n2024-06-01 01:00,\n2024-06-01 01:30,4\n"

Ems = Callable[..., Result]


@pytest.fixture
def ems(project: Path, monkeypatch: pytest.MonkeyPatch) -> Ems:
    """A function that calls `ems` in a project with an empty database."""
    monkeypatch.setenv("EMS_USER", "anna")

    def call(*arguments: str, code: int = 0, typed: str | None = None) -> Result:
        result = CliRunner().invoke(commands, arguments, input=typed)
        assert result.exit_code == code, result.output
        return result

    return call


# ---------------------------------------------------------------------------------------------- import
def test_import__shows_first_then_does_then_finds_nothing_to_do(ems):
    ems("assets", "import", "data/sites/demo.yaml")
    asked = ("series", "import", "data/series/demo.csv", *METER, "--variable", "demand_kw", "--asset", "workshop")

    dry = ems(*asked, "--dry-run")
    assert "series 'demo-main-demand_kw' is new: demand_kw, steps of 1 h" in dry.stdout
    assert dry.stdout.endswith("dry run, nothing was changed: 168 new, 0 changed, 0 unchanged\n")
    assert ems("series", "list").stdout == "no series; add one with: ems series import FILE\n"

    assert ems(*asked).stdout.endswith("168 new, 0 changed, 0 unchanged\n")
    assert ems(*asked).stdout.endswith("0 new, 0 changed, 168 unchanged\n")
    listed = ems("series", "list", "--asset", "workshop").stdout.splitlines()[1].split()
    assert listed[:7] == ["demo-main-demand_kw", "demand_kw", "kW", "1", "h", "demo-main", "workshop"]
    assert "Europe/Berlin" in ems("series", "show", "demo-main-demand_kw").stdout
    assert ems("series", "list", "--variable", "available_kw").stdout == "no series\n"


def test_import__a_correction_is_a_version_of_its_own(ems, project):
    ems("series", "import", "data/series/demo.csv", *METER, "--variable", "demand_kw")
    before = json.loads(ems("series", "show", "demo-main-demand_kw", "--json").stdout)
    text = (project / "data/series/demo.csv").read_text().replace("00:00+02:00,19.00", "00:00+02:00,20.00")
    (project / "new.csv").write_text(text)

    said = json.loads(
        ems("series", "import", "new.csv", "--series", "demo-main-demand_kw", "--column", "demand_kw", "--json").stdout
    )

    assert (said["new"], said["changed"], said["unchanged"], said["version"]) == (0, 7, 161, 2)
    shown = ems("series", "show", "demo-main-demand_kw").stdout
    assert "by anna from new.csv: 0 new, 7 changed" in shown
    then = before["versions"][0]["recorded_at"]
    assert ",19.0," in ems("series", "export", "demo-main-demand_kw", "--as-of", then).stdout.splitlines()[1]
    assert ",20.0," in ems("series", "export", "demo-main-demand_kw").stdout.splitlines()[1]


def test_import__form_of_the_file_and_gaps(ems, project):
    (project / "kw.csv").write_text(HALF.replace(",", ";").replace("4\n", "4,5\n"))

    done = ems(
        "series", "import", "kw.csv", "--meter", "m", "--column", "kw", "--variable", "demand_kw", "--separator", ";",
        "--decimal", ",", "--timezone", "Europe/Berlin", "--quality", "estimated",
    )  # fmt: skip

    assert "3 new, 0 changed, 0 unchanged, 1 without a value left out" in done.stdout
    assert "note: stamps without offset were read as Europe/Berlin (as stated)" in done.stderr
    assert ems("series", "export", "m-demand_kw").stdout.splitlines() == [
        "time,demand_kw,quality",
        "2024-06-01T00:00+02:00,1.0,estimated",
        "2024-06-01T00:30+02:00,2.0,estimated",
        "2024-06-01T01:00+02:00,,",
        "2024-06-01T01:30+02:00,4.5,estimated",
    ]
    shown = json.loads(ems("series", "show", "m-demand_kw", "--json").stdout)
    assert (shown["qualities"], shown["points"], shown["step_h"]) == ({"estimated": 3, "gaps": 1}, 3, 0.5)


def test_import__any_variable(ems, project):
    """A weather service gives what no asset needs; its unit is still that of its name."""
    (project / "w.csv").write_text(HALF)
    ems(
        "series",
        "import",
        "w.csv",
        "--meter",
        "w",
        "--column",
        "kw",
        "--variable",
        "wind_speed_m_per_s",
        "--timezone",
        "UTC",
    )
    assert "m/s" in ems("series", "list").stdout


def test_import__price_in_another_unit(ems, project):
    (project / "p.csv").write_text("time,spot_eur_mwh\n2024-06-01T00:00Z,50\n2024-06-01T01:00Z,60\n")
    asked = ("series", "import", "p.csv", "--meter", "spot", "--column", "spot_eur_mwh")
    asked += ("--variable", "import_price_per_kwh", "--unit", "EUR/kWh")

    refused = ems(*asked, code=2)
    done = ems(*asked, "--multiply-by", "0.001")

    assert (
        "states a price per MWh, import_price_per_kwh of 'spot' is in currency/kWh; say multiply_by: 0.001"
        in refused.stderr
    )
    assert "was multiplied by 0.001 to give import_price_per_kwh" in done.stderr
    assert "EUR/kWh" in ems("series", "list").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--column", "kw"), "say --variable with --meter or --asset, or --series for one that is there"),
        (("--column", "kw", "--series", "s"), "series 's': is not in the database; say --variable"),
        (("--column", "kW", "--meter", "m", "--variable", "demand_kw"), "no column 'kW'; known are kw, time"),
        (("--column", "kw", "--meter", "m", "--variable", "demand_kw"), "have no offset from UTC; say timezone"),
        (("--column", "kw", "--meter", "m", "--variable", "demand_kw", "--timezone", "Berlin"), "no such time zone"),
        (("--column", "kw", "--meter", "m", "--variable", "Demand", "--timezone", "UTC"), "must be small letters"),
        (("--column", "kw", "--meter", "m", "--variable", "demand_kw", "--timezone", "UTC", "--sheet", "A"),
         "sheet has no effect on a .csv file"),
        (("--column", "kw", "--asset", "hall", "--variable", "demand_kw", "--timezone", "UTC"),
         "asset_id = 'hall': no such asset in the register"),
        (("--column", "kw", "--meter", "m", "--site", "nowhere", "--variable", "demand_kw", "--timezone", "UTC"),
         "site_id = 'nowhere': no such site in the register"),
    ],
)  # fmt: skip
def test_import__what_cannot_be(ems, project, arguments, said: str):
    (project / "kw.csv").write_text(HALF)
    assert said in ems("series", "import", "kw.csv", *arguments, code=2).stderr
    assert ems("series", "list", "--json").stdout == "[]\n"


def test_import__another_step_or_variable_than_the_series(ems, project):
    (project / "kw.csv").write_text(HALF)
    ems("series", "import", "data/series/demo.csv", *METER, "--variable", "demand_kw")
    asked = ("series", "import", "kw.csv", "--series", "demo-main-demand_kw", "--column", "kw", "--timezone", "UTC")
    assert "step_h = 0.5: the series that is there has 1" in ems(*asked, code=2).stderr
    assert "holds demand_kw, not drain_kw" in ems(*asked, "--variable", "drain_kw", code=2).stderr


# ---------------------------------------------------------------------------------------------- export and delete
def test_export__is_read_equal(ems, project):
    ems("series", "import", "data/series/demo.csv", *METER, "--variable", "demand_kw")
    ems("series", "export", "demo-main-demand_kw", "out.csv", "--timezone", "America/New_York")
    assert (
        "is there already; add --overwrite" in ems("series", "export", "demo-main-demand_kw", "out.csv", code=2).stderr
    )
    done = ems("series", "import", "out.csv", *METER, "--variable", "demand_kw")
    assert done.stdout.endswith("0 new, 0 changed, 168 unchanged\n")


def test_export__spans_and_longer_steps(ems):
    ems("series", "import", "data/series/demo.csv", *METER, "--variable", "demand_kw", "--timezone", "Europe/Berlin")
    span = ("--begin", "2024-06-03T00:00+02:00", "--end", "2024-06-04T12:00+02:00")

    days = ems("series", "export", "demo-main-demand_kw", *span, "--step", "day").stdout.splitlines()
    halves = ems("series", "export", "demo-main-demand_kw", *span, "--step", "12").stdout.splitlines()

    assert days[0] == "time,demand_kw,missing"
    assert days[1].startswith("2024-06-03T00:00+02:00,36.33")
    assert days[2] == "2024-06-04T00:00+02:00,,12"
    assert [line.split(",")[0] for line in halves[1:]] == [
        f"2024-06-0{d}T{h}:00+02:00" for d, h in ((3, "00"), (3, 12), (4, "00"))
    ]
    assert (
        "must say its offset" in ems("series", "export", "demo-main-demand_kw", "--begin", "2024-06-03", code=2).stderr
    )
    assert (
        "must be a number of hours, or day"
        in ems("series", "export", "demo-main-demand_kw", "--step", "x", code=2).stderr
    )


def test_delete__asks_first(ems):
    ems("series", "import", "data/series/demo.csv", *METER, "--variable", "demand_kw")
    asked = ems("series", "delete", "demo-main-demand_kw", code=1, typed="n\n")
    assert "remove series 'demo-main-demand_kw' with 168 points for good?" in asked.output
    assert "with 168 points is gone" in ems("series", "delete", "demo-main-demand_kw", "--yes").stdout
    assert (
        "series 'demo-main-demand_kw': is not in the database"
        in ems("series", "show", "demo-main-demand_kw", code=2).stderr
    )


# ---------------------------------------------------------------------------------------------- forecasts
def test_forecasts__listed_and_shown(ems):
    assert ems("forecasts", "list").stdout == "no forecasts\n"
    times = pd.date_range("2024-06-01T22:00", periods=3, freq="h")
    dataset = xr.Dataset(
        {"demand_kw": (("time", "quantile"), [[1, 2, 3], [2, 3, 4], [3, np.nan, 5.25]], {"units": "kW"})},
        coords={"time": times, "quantile": [0.1, 0.5, 0.9], "issued_at": np.datetime64("2024-06-01T10:00")},
        attrs={"kind": "load", "model": "ridge", "timezone": "Europe/Berlin", "notes": ["a gap \x1b[31mstays"]},
    )
    engine = connect()
    store_forecast(engine, forecast_job(dataset, id="f1", metrics={"mae": 1.5}), dataset)
    fail_forecast(engine, forecast_job(dataset, id="f2"), "no weather\nand more")

    listed = ems("forecasts", "list", "--variable", "demand_kw").stdout
    assert [line.split()[0] for line in listed.splitlines()] == ["id", "f2", "f1"]
    assert "no weather" in listed and "and more" not in listed
    assert "f1" not in ems("forecasts", "list", "--status", "failed").stdout
    shown = ems("forecasts", "show", "f1", "--steps", "2").stdout
    assert "mae: 1.5" in shown
    assert "2024-06-02 00:00 CEST  1 kW  2 kW  3 kW" in shown
    assert "and 1 more steps" in shown
    assert "\x1b" not in shown
    values = json.loads(ems("forecasts", "show", "f1", "--json").stdout)["values"]
    assert values[2] == {"time": "2024-06-02T00:00:00Z", "quantiles": {"0.1": 3.0, "0.5": None, "0.9": 5.25}}
    assert json.loads(ems("forecasts", "list", "--json").stdout)[1]["metrics"] == {"mae": 1.5}
    assert "no weather" in ems("forecasts", "show", "f2").stdout
    assert (
        "forecast 'f3': is not in the database; see `ems forecasts list`"
        in ems("forecasts", "show", "f3", code=2).stderr
    )


def test_choices__are_those_of_the_records():
    assert get_args(ValueKind) == KINDS
    assert set(ALL_QUALITIES) - set(QUALITIES) == {"missing"}
    assert get_args(ForecastStatus) == STATUSES
    assert get_args(ForecastForm) == FORMS


@pytest.mark.parametrize("name", [("series",), *(("series", name) for name in PLACES), ("forecasts",)])
def test_help__says_what_it_is_for(ems, name):
    assert "Examples:" in ems(*name, "--help").stdout
