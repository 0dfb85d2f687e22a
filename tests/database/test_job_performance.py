"""Performance from the stored flows of the demo."""

from __future__ import annotations

from pathlib import Path

import pytest
from project_fixtures import DemoRun

from ems.assets.performance import summarise
from ems.assets.portfolio import read_portfolio
from ems.database.engine import connect
from ems.database.job_performance import performance_of_job
from ems.database.operation import create_performance, list_performance
from ems.database.optimizations import jobs_of
from ems.database.register_portfolio import save_portfolio
from ems.database.runs import list_runs
from ems.errors import UnknownName


def test_performance_of_job__agrees_with_bill_and_balance(
    demo_run: DemoRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The site's cost is the optimization's, what comes in goes out, and the battery gives 95 % of what it takes."""
    monkeypatch.setenv("EMS_PROJECT", str(demo_run.copy(tmp_path / "project")))
    monkeypatch.delenv("EMS_DATABASE_URL", raising=False)
    engine = connect()
    (job,) = jobs_of(engine, list_runs(engine)[-1].id)

    found = {one.asset_id: one for one in performance_of_job(engine, job.id)}
    whole = summarise(list(found.values()), dict.fromkeys(found, "demo"))["demo"]

    battery, grid, workshop = found["battery"], found["grid"], found["workshop"]
    assert whole.sums["total_cost"] - whole.sums["total_revenue"] == pytest.approx(job.total_cost, abs=1e-6)
    came_in = grid.total_energy_generated_kwh + battery.total_energy_discharged_kwh
    went_out = workshop.total_energy_consumed_kwh + battery.total_energy_charged_kwh + grid.total_energy_consumed_kwh
    assert came_in == pytest.approx(went_out, abs=1e-5)
    assert battery.average_efficiency == pytest.approx(0.95, abs=1e-6)

    save_portfolio(engine, read_portfolio(demo_run.folder / "data" / "sites" / "demo.yaml"))
    create_performance(engine, list(found.values()))
    assert {one.asset_id for one in list_performance(engine, site="demo")} == set(found)
    engine.dispose()


def test_performance_of_job__unknown_optimization(engine) -> None:
    with pytest.raises(UnknownName, match="none-plan"):
        performance_of_job(engine, "none-plan")
