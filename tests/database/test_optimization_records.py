from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from ems.database.engine import reading, writing
from ems.database.optimizations import (
    assets_of,
    jobs_of,
    read_costs,
    read_reserve_results,
    read_results,
    read_site_results,
    read_timeline,
    store_optimization,
)
from ems.database.records import RUNS, OptimizationAsset, OptimizationJob, Run
from ems.database.runs import cancel_run, complete_run, fail_run, get_run, open_run, start_run
from ems.errors import DatabaseProblem, UnknownName

T0, T1 = dt.datetime(2024, 6, 1, 8, tzinfo=dt.UTC), dt.datetime(2024, 6, 1, 9, tzinfo=dt.UTC)
TABLES = (
    "optimization_jobs",
    "optimization_assets",
    "optimization_results",
    "optimization_costs",
    "optimization_site_results",
    "optimization_reserve_results",
)


def a_job(job_id: str = "j1", **fields: Any) -> OptimizationJob:
    given = {
        "id": job_id,
        "run_id": "r1",
        "optimization_type": "dispatch",
        "objective": "cost",
        "solver": "highs",
        "status": "optimal",
        "objective_value": 12.5,
    }
    return OptimizationJob(**{**given, **fields})


def an_asset(asset_id: str, kind: str = "battery", job_id: str = "j1", **fields: Any) -> OptimizationAsset:
    given = {"job_id": job_id, "asset_id": asset_id, "kind": kind, "name": asset_id, "site_id": "s", "spec": {}}
    return OptimizationAsset(**{**given, **fields})


def a_row(asset_id: str, time: Any = T0, **values: Any) -> dict[str, Any]:
    return {"time": time, "asset_id": asset_id, "step_h": 1.0, "injection_kw": 0.0, "cost": 0.0, **values}


BESIDE = {
    "site_results": [{"time": T0, "site_id": "s", "step_h": 1.0, "price_per_kwh": 0.1}],
    "reserve_results": [{"time": T0, "reserve_id": "r", "step_h": 1.0, "offered_kw": 5.0}],
}
"""What a schedule has beside its assets."""


def counts(engine: sa.Engine) -> list[int]:
    with reading(engine) as connection:
        return [connection.execute(sa.text(f"SELECT count(*) FROM {name}")).scalar_one() for name in TABLES]


@pytest.fixture
def running(engine: sa.Engine) -> sa.Engine:
    open_run(engine, Run(id="r1", study="dispatch", case_name="demo", title="Demo"))
    start_run(engine, "r1")
    return engine


def test_store_optimization__round_trip(running: sa.Engine):
    """Numbers of numpy, NaN for no value, moments with and without zone, and a variable that is no column."""
    job = a_job(solver_version="1.11", gap=0.0, bound=12.5, currency="EUR", steps=2, variables=10, created_at=T0)
    asset = an_asset("b1", capacity_kwh=100.0, spec={"capacity_kwh": 100.0, "note": "süd 🔋"})
    rows = [
        a_row("b1", injection_kw=np.float64(-10.0), charge_kw=10.0, discharge_kw=float("nan"), wear_cost=0.5),
        a_row("b1", np.datetime64("2024-06-01T09:00"), energy_kwh=np.float32(0.5), is_on=np.bool_(True), label="x"),
    ]
    costs = [{"owner_id": "b1", "cost_type": kind, "cost": cost} for kind, cost in (("wear", 0.5), ("energy", 12.0))]
    store_optimization(running, job, [asset], rows, costs)

    assert jobs_of(running, "r1") == [job]
    assert assets_of(running, "j1") == [asset]
    frame = read_results(running, "j1")
    assert list(frame.time) == [T0, T1]
    assert frame.injection_kw.tolist() == [-10.0, 0.0]
    assert frame.charge_kw.tolist()[0] == 10.0
    assert "discharge_kw" not in frame
    assert frame.charge_kw.isna().tolist() == [False, True]
    assert frame.energy_kwh.tolist()[1] == 0.5
    assert frame.is_on.tolist()[1] is True
    assert frame.wear_cost.tolist()[0] == 0.5
    assert frame.label.tolist()[1] == "x"
    parts = read_costs(running, "j1")
    assert list(zip(parts.cost_type, parts.cost, strict=True)) == [("energy", 12.0), ("wear", 0.5)]


def test_store_optimization__goal_and_figures(running: sa.Engine):
    """Weights of an objective and figures by name come back; a figure that is not defined is null."""
    job = a_job(
        optimization_type="battery_dispatch",
        objective="weighted",
        goal={"objective": "weighted", "emissions_price_per_kg": 0.1},
        emissions_kg=12.5,
        kpis={"peak_import_kw": 40.0, "b1/full_cycles": 0.5, "self_sufficiency_share": None},
        created_at=T0,
    )
    store_optimization(running, job, [], [], [])
    assert jobs_of(running, "r1") == [job]


def test_store_optimization__costs_of_sites_and_reserves(running: sa.Engine):
    """An asset, a site and a reserve may have the same id; each keeps its own costs."""
    costs = [
        {"owner_id": "b1", "cost_type": "wear_cost", "cost": 1.0},
        {"owner_kind": "site", "owner_id": "b1", "cost_type": "unserved_cost", "cost": 2.0},
        {"owner_kind": "reserve", "owner_id": "b1", "cost_type": "reserve_revenue", "cost": -3.0},
    ]
    store_optimization(running, a_job(), [an_asset("b1")], [a_row("b1")], costs)
    found = read_costs(running, "j1")
    assert dict(zip(found.owner_kind, found.cost, strict=True)) == {"asset": 1.0, "site": 2.0, "reserve": -3.0}


def test_store_optimization__cost_of_a_stranger(running: sa.Engine):
    stray = {"owner_id": "b2", "cost_type": "wear_cost", "cost": 1.0}
    with pytest.raises(DatabaseProblem, match="optimization j1: wear_cost of 'b2': it has no such asset"):
        store_optimization(running, a_job(), [an_asset("b1")], [a_row("b1")], [stray])
    assert counts(running) == [0] * 6


def test_read_site_results__by_hand(running: sa.Engine):
    """Two sites and two steps in the order of time and site; NaN is no value; a reserve beside them."""
    rows = [
        {"time": np.datetime64("2024-06-01T09:00"), "site_id": "s", "step_h": 1.0, "price_per_kwh": float("nan")},
        {"time": T0, "site_id": "t", "step_h": 1.0, "price_per_kwh": np.float64(-0.1), "spilled_kw": 3.0},
        {"time": T0, "site_id": "s", "step_h": 1.0, "price_per_kwh": 0.25, "missing_kw": 1.0},
    ]
    ready = [{"time": T1, "reserve_id": "r", "step_h": 1.0, "offered_kw": 5.0}]
    store_optimization(running, a_job(), [], [], [], site_results=rows, reserve_results=ready)
    found = read_site_results(running, "j1")
    assert list(zip(found.time, found.site_id, strict=True)) == [(T0, "s"), (T0, "t"), (T1, "s")]
    assert found.price_per_kwh.tolist()[:2] == [0.25, -0.1]
    assert found.price_per_kwh.isna().tolist() == [False, False, True]
    assert found.spilled_kw.fillna(0).tolist() == [0, 3, 0]
    assert found.missing_kw.fillna(0).tolist() == [1, 0, 0]
    offered = read_reserve_results(running, "j1")
    assert list(zip(offered.time, offered.reserve_id, offered.offered_kw, strict=True)) == [(T1, "r", 5.0)]


def test_read_timeline__by_hand(running: sa.Engine):
    """Two batteries of 100 and 300 kWh hold 50 and 250 kWh: 300 / 400 = 0.75. An electric car is no battery."""
    assets = [
        an_asset("b1", capacity_kwh=100.0),
        an_asset("b2", capacity_kwh=300.0),
        an_asset("car", "ev_charger", capacity_kwh=1000.0),
        an_asset("g1", "generator"),
        an_asset("g2", "generator"),
        an_asset("grid", "grid_connection"),
        an_asset("load", "load"),
        an_asset("pv", "solar_pv"),
    ]
    rows = [
        a_row("b1", charge_kw=10.0, discharge_kw=0.0, energy_kwh=50.0, cost=0.25),
        a_row("b2", charge_kw=0.0, discharge_kw=30.0, energy_kwh=250.0),
        a_row("car", charge_kw=7.0, energy_kwh=900.0),
        a_row("g1", output_kw=40.0, is_on=True, cost=8.0),
        a_row("g2", output_kw=0.0, is_on=False),
        a_row("grid", import_kw=5.0, export_kw=1.0, cost=-0.75),
        a_row("load", demand_kw=70.0, served_kw=67.0, unserved_kw=3.0),
        a_row("pv", available_kw=12.0, used_kw=10.0, curtailed_kw=2.0),
        a_row("load", T1, served_kw=1.0),
    ]
    store_optimization(running, a_job(), assets, rows, [])
    first, second = read_timeline(running, "j1").to_dict("records")
    assert first == {
        "job_id": "j1",
        "time": T0,
        "step_h": 1.0,
        "soc": 0.75,
        "charge_kw": 17.0,
        "discharge_kw": 30.0,
        "import_kw": 5.0,
        "export_kw": 1.0,
        "generator_output_kw": 40.0,
        "generators_on": 1,
        "served_kw": 67.0,
        "renewable_used_kw": 10.0,
        "renewable_curtailed_kw": 2.0,
        "interval_cost": 7.5,
    }
    assert (second["time"], second["served_kw"]) == (T1, 1.0)
    assert np.isnan(second["soc"])


def test_read_results__one_asset_by_equality(running: sa.Engine):
    """An asset named % finds itself alone, and o_e does not find one."""
    names = ["%", "one", "o_e"]
    store_optimization(running, a_job(), [an_asset(name) for name in names], [a_row(name) for name in names], [])
    for name in names:
        assert read_results(running, "j1", asset_id=name).asset_id.tolist() == [name]
    assert len(read_results(running, "j1", asset_id="O_E")) == 0


def test_read_results__unknown_and_empty(running: sa.Engine):
    with pytest.raises(UnknownName, match="optimization 'j9': is not in the database"):
        read_results(running, "j9")
    infeasible = a_job(status="infeasible", objective_value=None, error="demand 620 kW, available at most 580 kW")
    store_optimization(running, infeasible, [], [], [])
    assert len(read_results(running, "j1")) == len(read_timeline(running, "j1")) == len(read_costs(running, "j1")) == 0
    assert jobs_of(running, "nothing") == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (a_row("b1", soc=float("inf")), "soc_range"),
        (a_row("b1", injection_kw=float("nan")), "injection_kw"),
        (a_row("stranger"), "(?i)foreign key"),
        (a_row("b1"), "(?i)unique"),
        ({"asset_id": "b1", "step_h": 1.0, "injection_kw": 0.0, "cost": 0.0}, "time"),
    ],
)
def test_store_optimization__refused_row_keeps_nothing(running: sa.Engine, row: dict[str, Any], said: str):
    with pytest.raises(DatabaseProblem, match=f"refused a row: .*{said}" if "(?i)" not in said else said):
        store_optimization(running, a_job(), [an_asset("b1")], [a_row("b1"), a_row("b1", T1), row], [])
    assert counts(running) == [0] * 6


def test_store_optimization__asset_of_another_job(running: sa.Engine):
    with pytest.raises(DatabaseProblem, match="asset 'b1' names another optimization"):
        store_optimization(running, a_job(), [an_asset("b1", job_id="j2")], [], [])


@pytest.mark.parametrize("status", ["pending", "completed", "failed", "cancelled"])
def test_store_optimization__run_is_not_running(engine: sa.Engine, status: str):
    """A process that comes back after its run was ended leaves nothing behind."""
    open_run(engine, Run(id="r1", study="dispatch", case_name="demo", title="Demo"))
    if status != "pending":
        start_run(engine, "r1")
    {"completed": complete_run, "failed": lambda *a: fail_run(*a, "x"), "cancelled": cancel_run}.get(status, get_run)(
        engine, "r1"
    )
    with pytest.raises(DatabaseProblem, match=f"run r1 is {status}; this needs a run that is running"):
        store_optimization(engine, a_job(), [an_asset("b1")], [a_row("b1")], [])
    assert counts(engine) == [0] * 6


def test_store_optimization__run_is_failed_in_the_same_moment(running: sa.Engine):
    """Whoever comes first: afterwards the run is failed and no results are there."""
    go = threading.Barrier(2)

    def fail() -> None:
        go.wait()
        fail_run(running, "r1", "stopped by a watchdog")

    other = threading.Thread(target=fail)
    other.start()
    rows = [a_row("b1", T0 + dt.timedelta(hours=hour)) for hour in range(2000)]
    go.wait()
    try:
        store_optimization(running, a_job(), [an_asset("b1")], rows, [])
    except DatabaseProblem as error:
        assert "run r1 is failed" in str(error)
    other.join()
    assert get_run(running, "r1").status == "failed"
    assert counts(running)[1:] == [0] * 5
    assert [job.status for job in jobs_of(running, "r1")] in (["failed"], [])


@pytest.mark.parametrize("end", [lambda engine: fail_run(engine, "r1", "no"), lambda engine: cancel_run(engine, "r1")])
def test_ended_run__takes_its_own_results_with_it(running: sa.Engine, end: Any):
    """The results of one run go; those of another stay."""
    open_run(running, Run(id="r2", study="dispatch", case_name="demo", title="Demo"))
    start_run(running, "r2")
    for run, job in (("r1", "j1"), ("r2", "j2")):
        cost = {"owner_id": "b1", "cost_type": "energy", "cost": 1.0}
        assets = [an_asset("b1", job_id=job)]
        store_optimization(running, a_job(job, run_id=run), assets, [a_row("b1")], [cost], **BESIDE)
    assert counts(running) == [2] * 6
    end(running)
    assert counts(running) == [2, 1, 1, 1, 1, 1]
    (ended,) = jobs_of(running, "r1")
    assert ended.status == "failed"
    assert ended.error
    assert [job.status for job in jobs_of(running, "r2")] == ["optimal"]


def test_deleted_run__takes_everything_with_it(running: sa.Engine):
    cost = {"owner_id": "b1", "cost_type": "energy", "cost": 1.0}
    store_optimization(running, a_job(), [an_asset("b1")], [a_row("b1")], [cost], **BESIDE)
    with writing(running) as connection:
        connection.execute(sa.delete(RUNS))
    assert counts(running) == [0] * 6
