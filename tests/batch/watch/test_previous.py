"""What a run says of the one before: figures with their change, and what can have caused it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import sqlalchemy as sa

from ems.batch.report_parts import previous_of
from ems.batch.watch.previous import Figure, since_previous
from ems.database.optimizations import store_optimization
from ems.database.records import OptimizationJob, Run
from ems.database.runs import complete_run, fail_run, get_run, open_run, start_run

numbers = itertools.count(1)


def a_run(engine: sa.Engine, *, job: dict[str, Any] | None = None, ends: str = "completed", **fields: Any) -> Run:
    """Keep a run that has ended and return it."""
    given = {"study": "dispatch", "case_name": "shop", "title": "Shop"}
    run = open_run(engine, Run(id=f"20250601-08{next(numbers):04}-abcdef", **{**given, **fields}))
    start_run(engine, run.id)
    if job is not None:
        plan = {"optimization_type": "battery_dispatch", "objective": "cost", "solver": "highs", "status": "optimal"}
        kept = {"id": f"{run.id}-plan", "run_id": run.id, "objective_value": 1.0, "currency": "EUR"}
        store_optimization(engine, OptimizationJob(**{**kept, **plan, **job}), assets=[], results=[], costs=[])
    return complete_run(engine, run.id) if ends == "completed" else fail_run(engine, run.id, "no reason")


def test_previous_of__figures_of_two_schedules(engine: sa.Engine):
    """100 EUR after 80 EUR are 20 EUR or a quarter more; the saving falls from 20 to 10 EUR, by a half."""
    before = a_run(
        engine,
        job={"settled_cost": 80.0, "baseline_cost": 100.0, "kpis": {"peak_import_kw": 50.0}},
        parameters={"horizon_h": 24},
        inputs=[{"path": "data/series/shop.csv", "sha256": "0" * 64}],
    )
    now = a_run(
        engine,
        job={"settled_cost": 100.0, "baseline_cost": 110.0, "kpis": {"peak_import_kw": 50.0}},
        parameters={"horizon_h": 48},
        inputs=[{"path": "data/series/shop.csv", "sha256": "1" * 64}],
    )

    found = previous_of(engine, now)

    assert found is not None
    assert found.run_id == before.id
    assert found.report is None, "no file was written"
    assert found.figures == [
        ("Total cost", "100.00 EUR", "80.00 EUR", "+20.00 EUR (+25.0%)"),
        ("Cost of the baseline", "110.00 EUR", "100.00 EUR", "+10.00 EUR (+10.0%)"),
        ("Saving", "10.00 EUR", "20.00 EUR", "-10.00 EUR (-50.0%)"),
        ("Highest import", "50.0 kW", "50.0 kW", "none"),
    ]
    assert found.causes == [
        ("parameter", "horizon_h", "24 h", "48 h"),
        ("input", "data/series/shop.csv", "sha256 000000000000…", "sha256 111111111111…"),
    ]


def test_previous_of__headlines_where_there_is_no_schedule(engine: sa.Engine):
    a_run(engine, headline=[["Model", "ridge"], ["Mean error", "20.0 kW"], ["Within 80 %", "75 %"], ["Old", "1 kW"]])
    now = a_run(engine, headline=[["Model", "auto"], ["Mean error", "15.5 kW"], ["Within 80 %", "81 %"]])

    found = previous_of(engine, now)

    assert found is not None
    assert found.figures == [
        ("Model", "auto", "ridge", "another"),
        ("Mean error", "15.5 kW", "20.0 kW", "-4.5 kW"),
        ("Within 80 %", "81 %", "75 %", "+6 percentage points"),
        ("Old", "–", "1 kW", "another"),
    ]
    assert found.causes == []


def test_since_previous__only_completed_ones_of_the_same_study_and_case(engine: sa.Engine):
    first = a_run(engine)
    a_run(engine, ends="failed")
    a_run(engine, case_name="yard")
    a_run(engine, study="sizing")
    now = a_run(engine)
    a_run(engine)

    found = since_previous(engine, now)

    assert found is not None and found.run.id == first.id
    assert since_previous(engine, first) is None


def test_previous_of__a_failed_run_is_not_compared(engine: sa.Engine):
    a_run(engine)
    failed = a_run(engine, ends="failed")

    assert previous_of(engine, get_run(engine, failed.id)) is None


@pytest.mark.parametrize(
    ("now", "before", "change"),
    [
        ("1,234.50 EUR", "1,000.00 EUR", 234.5),
        ("-5.0 kW", "5.0 kW", -10.0),
        ("10 kW", "10 kWh", None),
        ("397 kW at 12:00", "390 kW at 11:00", None),
        (None, 3.0, None),
    ],
)
def test_change__of_numbers_of_one_unit_alone(now, before, change):
    assert Figure("any", now, before).change == change
