"""A database with something on every page: filled by the package's own functions, without a notebook."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import sqlalchemy as sa
import xarray as xr
from batch_samples import a_batch

from ems.assets.operation import AssetStatus, MaintenanceRecord
from ems.assets.portfolio import read_portfolio
from ems.batch.workflows.reading import read_text
from ems.database.forecasts import fail_forecast, forecast_job, open_forecast, store_forecast
from ems.database.measurement_records import Series
from ems.database.measurements import add_series
from ems.database.operation import create_maintenance, report_statuses
from ems.database.optimizations import store_optimization
from ems.database.points import import_points
from ems.database.records import OptimizationAsset, OptimizationJob, Run
from ems.database.register_portfolio import save_portfolio
from ems.database.runs import complete_run, fail_run, open_run, start_run
from ems.database.workflow_records import TaskExecution, WorkflowDefinition, WorkflowExecution
from ems.database.workflows import close_execution, keep_definition, open_execution, take_lease, write_task
from ems.folders import project_folder

EVIL = "<img src=x onerror=alert(1)>"
REASON = "dispatch of 'harbour' is infeasible at 17:00 UTC: demand 620 kW, available at most 580 kW"
WORKFLOW = "battery-optimization-demo"


def fill(engine: sa.Engine, now: dt.datetime) -> None:
    """Fill a database as a team's looks after some weeks: some things are fine, some wrong, some say hostile text."""
    fill_register(engine, now)
    for number in range(6):
        a_plan(engine, f"plan-{number}", site="harbour" if number % 2 else "depot", saving=12.5 * number)
    a_failed_run(engine, "lost-run", f"interrupted: process 7 on host a ended before the run did {EVIL}", EVIL)
    a_failed_run(engine, "mended-run", "No prices.", "Mended", case="demo")
    a_plan(engine, "after-run", site="harbour", saving=3.0, case="demo")
    fill_forecasts(engine, now)
    fill_workflow(engine)
    a_batch(engine, [{"swept": {"horizon_h": 24}, "job": {}}, {"swept": {"horizon_h": 48}, "error": "Too long."}])


def fill_register(engine: sa.Engine, now: dt.datetime) -> None:
    """Keep the harbour with statuses and maintenance."""
    save_portfolio(engine, read_portfolio(project_folder() / "data" / "sites" / "harbour.yaml"))
    said = now - dt.timedelta(minutes=3)
    report_statuses(
        engine,
        [
            AssetStatus(asset_id="quay-grid", reported_at=said, online=True, operational_status="online"),
            AssetStatus(
                asset_id="quay-battery", reported_at=said, online=True, operational_status="online",
                current_power_kw=145.25, current_soc=0.63,
            ),
            AssetStatus(
                asset_id="carport", reported_at=said, online=True, operational_status="fault", fault_code="F-214",
                alarm_level="error", alarm_message=f"insulation too low {EVIL}",
            ),
            AssetStatus(
                asset_id="quay-turbine", reported_at=now - dt.timedelta(hours=5), online=True,
                operational_status="online",
            ),
        ],
    )  # fmt: skip
    today = now.astimezone(ZoneInfo("Europe/Berlin")).date()  # as the harbour's calendar has it
    for days, asset, about in ((-9, "depot-battery", "capacity test"), (12, "carport", EVIL)):
        day = today + dt.timedelta(days=days)
        create_maintenance(
            engine,
            MaintenanceRecord(id=f"m-{asset}", asset_id=asset, scheduled_date=day, description=about),
        )
    done = today - dt.timedelta(days=20)
    create_maintenance(
        engine,
        MaintenanceRecord(
            id="m-done", asset_id="quay-grid", status="completed", scheduled_date=done, completed_date=done,
            work_performed="switchgear cleaned", service_provider="Nordwerk",
        ),
    )  # fmt: skip


def a_plan(engine: sa.Engine, run_id: str, *, site: str, saving: float, case: str | None = None) -> None:
    """Keep a completed run with an optimization that costs 100 EUR and is compared with a case of 100 EUR and more."""
    open_run(engine, Run(id=run_id, study="dispatch", case_name=case or run_id, title=f"Plan of {run_id}"))
    start_run(engine, run_id)
    job = OptimizationJob(
        id=f"{run_id}-job", run_id=run_id, optimization_type="battery_dispatch", objective="cost", solver="highs",
        status="optimal", objective_value=100.25, total_cost=100.25, settled_cost=100.0, baseline_cost=100.0 + saving,
        currency="EUR", bound=100.2, gap=0.0005, solve_time_s=0.12,
    )  # fmt: skip
    asset = OptimizationAsset(job_id=job.id, asset_id="b", kind="battery", name="b", site_id=site, spec={})
    store_optimization(engine, job, [asset], [], [])
    complete_run(engine, run_id, report_path=f"reports/dispatch/{run_id}.html")


def a_failed_run(engine: sa.Engine, run_id: str, error: str, title: str, case: str = "evil") -> None:
    """Keep a run that failed."""
    open_run(engine, Run(id=run_id, study="dispatch", case_name=case, title=title))
    start_run(engine, run_id)
    fail_run(engine, run_id, error)


def fill_forecasts(engine: sa.Engine, now: dt.datetime) -> None:
    """Keep a forecast of a day with twelve hours measured since, and a newer one of it that failed."""
    issued = pd.Timestamp(now.replace(tzinfo=None)).floor("h") - pd.Timedelta("12h")
    times = pd.date_range(issued, periods=24, freq="h")
    quantiles = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
    middle = 100 + 40 * np.sin(np.arange(24) / 4)
    spread = np.array([-20.0, -8.0, 0.0, 8.0, 20.0])
    forecast = xr.Dataset(
        {"demand_kw": (("time", "quantile"), middle[:, None] + spread, {"units": "kW"})},
        coords={"time": times, "quantile": quantiles, "issued_at": issued.to_numpy()},
        attrs={"timezone": "Europe/Berlin", "model": "ridge", "kind": "load", "asset": "cold-store"},
    )
    add_series(
        engine, Series(id="cold-store-demand", asset_id="cold-store", variable="demand_kw", step_h=1, created_by="t")
    )
    # Five above the middle in each of twelve hours: a mean absolute error of 5 kW, all of them inside.
    import_points(engine, "cold-store-demand", times[:12].to_numpy(), middle[:12] + 5)
    store_forecast(engine, forecast_job(forecast, id="f-good"), forecast)
    job = open_forecast(engine, forecast_job(forecast, id="f-bad"))
    fail_forecast(engine, job, f"no weather {EVIL}")


def fill_workflow(engine: sa.Engine) -> None:
    """Keep an execution of a workflow of the project of which a task failed."""
    text = read_text(WORKFLOW)
    keep_definition(
        engine, WorkflowDefinition(name=WORKFLOW, version=text.version, title=WORKFLOW, definition=text.given)
    )
    now = dt.datetime.now(dt.UTC)
    execution = WorkflowExecution(id="20261128-080000-abcdef", workflow=WORKFLOW, version=text.version)
    open_execution(engine, execution)
    lease = take_lease(engine, execution.id)
    first = text.given["tasks"][0]["id"]
    for task, status, error in ((first, "completed", None), ("broken", "failed", f"no answer {EVIL}")):
        write_task(
            engine,
            lease,
            TaskExecution(
                execution_id=execution.id, task_id=task, kind="study", status=status, error=error,
                started_at=now, finished_at=now + dt.timedelta(seconds=3),
            ),
        )  # fmt: skip
    close_execution(engine, lease, "failed", f"task 'broken' failed: no answer {EVIL}")
