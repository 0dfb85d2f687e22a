"""Batches for tests whose results are written by hand: no kernel runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from ems.database.batch_records import Batch, BatchAttempt, BatchCase
from ems.database.batches import open_batch
from ems.database.engine import writing
from ems.database.forecast_records import FORECAST_JOBS, ForecastJob
from ems.database.optimizations import store_optimization
from ems.database.records import OptimizationJob, Run, utc_now
from ems.database.run_id import new_run_id
from ems.database.runs import complete_run, fail_run, open_run, start_run
from ems.database.tables import row_of

DIGEST = "0" * 64


def a_batch(engine: sa.Engine, cases: Sequence[Mapping[str, Any]], *, study: str = "dispatch", **fields: Any) -> str:
    """Keep a batch of hand-written cases and return its id.

    A case has ``swept`` and one of: ``job`` (fields of its optimization), ``scores`` (of its forecast, or a list of
    models with theirs), ``error``, ``status``; it may have ``held`` (parameters of its run), ``seconds``, ``run_id``
    (of an earlier run that it takes) and ``key``.
    """
    batch = Batch(
        **{"id": new_run_id(), "study": study, "name": "sweep", "code": DIGEST, "cases": len(cases), **fields}
    )
    rows, attempts = [], []
    for number, case in enumerate(cases, start=1):
        swept = dict(case["swept"])
        run_id = case.get("run_id") or _run_of(engine, study, {**swept, **case.get("held", {})}, case)
        status = case.get("status") or ("failed" if "error" in case else "completed")
        rows.append(
            BatchCase(
                batch_id=batch.id,
                number=number,
                label=", ".join(f"{name}={value}" for name, value in swept.items()) or "defaults",
                key=case.get("key") or hashlib.sha256(f"{batch.id} {number}".encode()).hexdigest(),
                parameters={**swept, **case.get("stated", {})},
                swept=swept,
                status=status,
                attempts=0 if "run_id" in case or status == "waiting" else 1,
                run_id=run_id,
                is_reused="run_id" in case,
                error=case.get("error"),
                finished_at=None if status == "waiting" else utc_now(),
            )
        )
        if run_id is not None and "run_id" not in case:
            attempts.append((number, run_id, case.get("seconds", 1.5)))
    open_batch(engine, batch, rows)
    _keep_attempts(engine, batch.id, attempts)
    return batch.id


def _run_of(engine: sa.Engine, study: str, held: Mapping[str, Any], case: Mapping[str, Any]) -> str | None:
    if "error" not in case and not case.keys() & {"job", "scores"}:
        return None
    run_id = new_run_id()
    open_run(engine, Run(id=run_id, study=study, case_name="case", title="Case", parameters=dict(held)))
    start_run(engine, run_id)
    if "error" in case:
        fail_run(engine, run_id, case["error"])
        return run_id
    if "job" in case:
        given = {"optimization_type": "battery_dispatch", "objective": "cost", "solver": "highs", "status": "optimal"}
        job = {
            "id": f"{run_id}-plan",
            "run_id": run_id,
            "objective_value": 1.0,
            "currency": "EUR",
            **given,
            **case["job"],
        }
        store_optimization(engine, OptimizationJob(**job), (), (), ())
    elif "scores" in case:
        _keep_scores(engine, run_id, case["scores"])
    complete_run(engine, run_id)
    return run_id


def _keep_scores(engine: sa.Engine, run_id: str, scores: Any) -> None:
    models = scores if isinstance(scores, list) else [("auto", scores)]
    with writing(engine) as connection:
        for number, (model, metrics) in enumerate(models, start=1):
            now = utc_now()
            job = ForecastJob(
                id=f"{run_id}-{number}", run_id=run_id, form="backtest", kind="load", variable="demand_kw", units="kW",
                model=model, metrics=metrics, status="completed", issued_at=now, finished_at=now, step_h=1.0,
            )  # fmt: skip
            connection.execute(sa.insert(FORECAST_JOBS), row_of(job, FORECAST_JOBS))


def _keep_attempts(engine: sa.Engine, batch_id: str, attempts: Sequence[tuple[int, str, float]]) -> None:
    from ems.database.batch_records import BATCH_ATTEMPTS

    with writing(engine) as connection:
        for number, run_id, seconds in attempts:
            attempt = BatchAttempt(
                batch_id=batch_id, number=number, fence=1, run_id=run_id, owner="test", status="completed",
                finished_at=utc_now(), seconds=seconds,
            )  # fmt: skip
            connection.execute(sa.insert(BATCH_ATTEMPTS), row_of(attempt, BATCH_ATTEMPTS))
