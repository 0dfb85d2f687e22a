"""The data beside reports, as the command leaves them: what was planned, forecast, billed and sized, with units."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
import xarray as xr
from project_fixtures import make_project, run_ems
from report_fixtures import STUDIES, Reports

MOST_BYTES = 1_500_000

TABLES = {
    "register": {"assets", "health", "maintenance"},
    "forecast": {"forecast", "scores"},
    "backtest": {"errors_by_lead", "forecasts", "scores"},
    "dispatch": {"costs", "kpis", "schedule"},
    "tariffs": {"bills", "tariffs"},
    "rolling": {"flows", "ledger", "policies"},
    "sizing": {"assumptions", "sweep", "year"},
    "comparison": {"cases", "effects"},
}


def dataset_of(folder: Path) -> xr.Dataset:
    return xr.load_dataset(io.BytesIO((folder / "data.nc").read_bytes()), engine="scipy")


@pytest.mark.parametrize("study", STUDIES)
def test_report__has_its_data_beside_it(reports: Reports, study: str):
    folder = reports.data(study)
    tables = {path.stem: pd.read_csv(path) for path in folder.glob("*.csv")}
    dataset = dataset_of(folder)

    assert tables.keys() == TABLES[study]
    assert all(len(table) for table in tables.values())
    assert all(not name.startswith("Unnamed") for table in tables.values() for name in table.columns)
    assert dataset.attrs["run"] == folder.name
    assert dataset.attrs["study"] == study
    assert all(
        "units" in values.attrs
        for values in dataset.data_vars.values()
        if values.dtype.kind == "f" and "units" not in values.encoding
    )
    page = reports.pages[study].read_text(encoding="utf-8")
    for path in folder.iterdir():
        assert f'href="./{folder.name}/{path.name}" download' in page


def test_dispatch__table_and_dataset_tell_the_bill(reports: Reports):
    """Energy times price is what the grid costs; costs of the plan are what the run's record says."""
    folder = reports.data("dispatch")
    schedule, costs = (pd.read_csv(folder / f"{name}.csv") for name in ("schedule", "costs"))
    dataset = dataset_of(folder)
    with sa.create_engine(f"sqlite:///{reports.folder / 'data' / 'ems.sqlite'}").connect() as connection:
        kept = connection.execute(
            sa.text("SELECT settled_cost FROM optimization_jobs WHERE run_id = :run"), {"run": folder.name}
        ).scalar_one()

    of_grid = (schedule["grid.import_kw"] * schedule["grid.import_price_per_kwh"] * schedule["step_h"]).sum()
    is_import = (costs["case"] == "plan") & (costs["cost_type"] == "import_cost")
    assert len(schedule) == 12
    assert of_grid == pytest.approx(costs.loc[is_import, "cost"].sum(), rel=1e-9)
    assert costs.loc[costs["case"] == "plan", "cost"].sum() == pytest.approx(kept, rel=1e-8)
    grid = dataset["import_kw"].sel(asset="grid")
    assert np.allclose(grid, schedule["grid.import_kw"], rtol=1e-9, atol=1e-9)
    assert dataset["import_price_per_kwh"].attrs["units"] == "EUR/kWh"


def test_backtest__errors_of_the_table_are_the_scores(reports: Reports):
    folder = reports.data("backtest")
    forecasts, scores = (pd.read_csv(folder / f"{name}.csv") for name in ("forecasts", "scores"))
    ridge = forecasts[forecasts["model"] == "ridge"]

    error = (ridge["q0.5.demand_kw"] - ridge["observed.demand_kw"]).abs().mean()

    assert error == pytest.approx(scores.set_index("model").loc["ridge", "mae"], rel=1e-6)
    assert set(scores["unit"]) == {"kW"}


def test_tariffs__bills_sum_to_the_cost(reports: Reports):
    folder = reports.data("tariffs")
    bills, tariffs = (pd.read_csv(folder / f"{name}.csv") for name in ("bills", "tariffs"))
    billed = bills[bills["operation"] != "no_battery"].groupby("tariff")["cost"].sum()

    for row in tariffs.itertuples():
        assert billed[row.tariff] == pytest.approx(row.cost, rel=1e-8)


def test_failed_run__leaves_no_data(project: Path):
    """The cell after the one that keeps the schedule fails: what was written is taken back."""
    path = project / "notebooks" / "dispatch.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    fails = {
        "cell_type": "code",
        "id": "fails",
        "metadata": {},
        "source": ["1 / 0"],
        "outputs": [],
        "execution_count": None,
    }
    notebook["cells"].append(fails)
    path.write_text(json.dumps(notebook), encoding="utf-8")

    done = run_ems(project, "run", "dispatch", "demo")

    assert done.returncode == 1
    (report,) = (project / "reports" / "dispatch").glob("*.html")
    assert not report.with_suffix("").exists()
    assert "data.nc" not in report.read_text(encoding="utf-8")


def test_report__of_a_year_of_quarter_hours_is_small(tmp_path: Path):
    """35,040 steps of the demo site, whose load varies: figures as PNG, and no report above 1.5 MB."""
    project = make_project(tmp_path / "project")
    week = pd.read_csv(project / "data" / "series" / "demo.csv")["demand_kw"].to_numpy()
    times = pd.date_range("2025-01-01", periods=35_040, freq="15min", tz="Europe/Berlin")
    demand_kw = np.resize(np.repeat(week, 4), len(times)) * np.random.default_rng(0).uniform(0.8, 1.2, len(times))
    year = pd.DataFrame({"time": [moment.isoformat() for moment in times], "demand_kw": demand_kw.round(3)})
    year.to_csv(project / "data" / "series" / "year.csv", index=False)

    values = ("series=year", "horizon_h=8760", "step_h=0.25", "time_limit_s=240")
    done = run_ems(project, "run", "dispatch", "demo", *(part for value in values for part in ("-p", value)))

    assert done.returncode == 0, done.stderr
    (report,) = (project / "reports" / "dispatch").glob("*.html")
    assert report.read_text(encoding="utf-8").count("data:image/png") >= 2
    assert report.stat().st_size < MOST_BYTES
    assert dataset_of(report.with_suffix("")).sizes["time"] == 35_040


def test_reports__of_all_studies_are_small(reports: Reports):
    assert all(page.stat().st_size < MOST_BYTES for page in reports.pages.values())
