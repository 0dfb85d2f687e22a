"""Results of a batch in one table: a row for each case, with its parameters, its figures and what it took."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ems.database.batch_records import BATCH_ATTEMPTS, BATCH_CASES, BATCHES, Batch
from ems.database.batches import get_batch
from ems.database.engine import reading
from ems.database.forecast_records import FORECAST_JOBS
from ems.database.records import JOBS, RUNS
from ems.database.tables import record_of

if TYPE_CHECKING:
    import pandas as pd

OF_JOB = ("settled_cost", "total_cost", "baseline_cost", "emissions_kg", "solve_time_s")
"""Figures that stand in fields of an optimization."""
ALWAYS = (
    "number", "label", "status", "is_reused", "length_h", "currency", "units", "model", "cpu_seconds", "attempts",
    "run_id", "error",
)  # fmt: skip
"""Columns that every table has."""


def newest_batch(engine: sa.Engine, *, besides: str) -> Batch | None:
    """Return the batch that was opened last, of any study but one; None where there is none."""
    query = (
        sa.select(BATCHES)
        .where(BATCHES.c.study != besides)
        .order_by(BATCHES.c.created_at.desc(), BATCHES.c.id.desc())
        .limit(1)
    )
    with reading(engine) as connection:
        row = connection.execute(query).mappings().one_or_none()
    return None if row is None else record_of(Batch, row)


def gather(engine: sa.Engine, batch_id: str) -> pd.DataFrame:
    """Return the cases of a batch with the figures of their results.

    A case that took the run of an earlier batch has the figures of that run. Of several optimizations of a run the
    first with a solution counts; of several models of a backtest ``auto``, or else the first.

    Parameters
    ----------
    engine : Engine
    batch_id : str

    Returns
    -------
    DataFrame
        One row a case, in the order of the sweep: ``number``, ``label``, ``status``, ``is_reused``; each parameter
        that the sweep states, by its name; each figure of a result (``settled_cost``, ``total_cost``,
        ``baseline_cost``, ``saving``, ``emissions_kg``, ``solve_time_s``, KPIs of all assets together, scores of
        forecasts), float, NaN where a case has none; ``length_h``, time that it covers; ``currency``, ``units`` and
        ``model`` of its result; ``cpu_seconds`` of the run that is its result; ``attempts``; ``run_id``; ``error``.
        Its ``attrs`` say the ``batch``, the ``study``, and which columns are ``parameters`` and ``measures``.

    Raises
    ------
    UnknownName
        If there is no such batch.
    """
    import pandas as pd

    batch = get_batch(engine, batch_id)
    with reading(engine) as connection:
        cases = _cases(connection, batch_id)
        optimized, forecast = _optimizations(connection, batch_id), _forecasts(connection, batch_id)
    stated = list(dict.fromkeys(name for case in cases for name in case["swept"]))
    found = [_figures(case, optimized.get(case["run_id"]), forecast.get(case["run_id"])) for case in cases]
    taken = {*stated, *ALWAYS}
    measures = {name: f"result_{name}" if name in taken else name for one in found for name in one}
    columns: dict[str, Any] = {
        "number": pd.Series([case["number"] for case in cases], dtype="int64"),
        "label": _texts(case["label"] for case in cases),
        "status": _texts(case["status"] for case in cases),
        "is_reused": pd.Series([case["is_reused"] for case in cases], dtype="bool"),
    }
    columns |= {name: _parameter([_value_of(name, case) for case in cases]) for name in stated}
    columns |= {shown: _numbers(one.get(name) for one in found) for name, shown in measures.items()}
    columns |= {
        "length_h": _numbers(_length_h(case) for case in cases),
        "currency": _texts(optimized.get(case["run_id"], {}).get("currency") for case in cases),
        "units": _texts(forecast.get(case["run_id"], {}).get("units") for case in cases),
        "model": _texts(forecast.get(case["run_id"], {}).get("model") for case in cases),
        "cpu_seconds": _numbers(case["seconds"] for case in cases),
        "attempts": pd.Series([case["attempts"] for case in cases], dtype="int64"),
        "run_id": _texts(case["run_id"] for case in cases),
        "error": _texts(case["error"] for case in cases),
    }
    frame = pd.DataFrame(columns)
    frame.attrs = {
        "batch": batch.id, "study": batch.study, "parameters": stated, "measures": list(measures.values())
    }  # fmt: skip
    return frame


# ---------------------------------------------------------------------------------------------- out of the database
def _cases(connection: sa.Connection, batch_id: str) -> list[dict[str, Any]]:
    """Return the cases with the parameters and the CPU seconds of their runs, wherever these were made."""
    case = BATCH_CASES.c
    query = (
        sa.select(
            case.number, case.label, case.status, case.is_reused, case.swept, case.parameters, case.attempts,
            case.run_id, case.error, RUNS.c.parameters.label("held"), BATCH_ATTEMPTS.c.seconds,
        )
        .select_from(
            BATCH_CASES.outerjoin(RUNS, RUNS.c.id == case.run_id).outerjoin(
                BATCH_ATTEMPTS, BATCH_ATTEMPTS.c.run_id == case.run_id
            )
        )
        .where(case.batch_id == batch_id)
        .order_by(case.number)
    )  # fmt: skip
    return [dict(row) for row in connection.execute(query).mappings()]


def _optimizations(connection: sa.Connection, batch_id: str) -> dict[str, dict[str, Any]]:
    """Return the first optimization with a solution of each completed case, by the id of its run."""
    job = JOBS.c
    query = (
        sa.select(job.run_id, job.currency, job.kpis, *(job[name] for name in OF_JOB))
        .where(job.run_id.in_(_completed(batch_id)), job.status.in_(("optimal", "feasible")))
        .order_by(job.created_at, job.id)
    )
    found: dict[str, dict[str, Any]] = {}
    for row in connection.execute(query).mappings():
        found.setdefault(row["run_id"], dict(row))
    return found


def _forecasts(connection: sa.Connection, batch_id: str) -> dict[str, dict[str, Any]]:
    """Return the first forecast of each completed case, one by the model ``auto`` before others."""
    job = FORECAST_JOBS.c
    query = (
        sa.select(job.run_id, job.units, job.model, job.metrics)
        .where(job.run_id.in_(_completed(batch_id)), job.status == "completed")
        .order_by(sa.case((job.model == "auto", 0), else_=1), job.created_at, job.id)
    )
    found: dict[str, dict[str, Any]] = {}
    for row in connection.execute(query).mappings():
        found.setdefault(row["run_id"], dict(row))
    return found


def _completed(batch_id: str) -> sa.Select[Any]:
    case = BATCH_CASES.c
    return sa.select(case.run_id).where(
        case.batch_id == batch_id, case.status == "completed", case.run_id.is_not(None)
    )


# ---------------------------------------------------------------------------------------------- into columns
def _figures(
    case: Mapping[str, Any], optimized: Mapping[str, Any] | None, forecast: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the figures of a case's result by name; what stands in a field comes before a KPI of the same name."""
    if optimized is None:
        scores = forecast["metrics"] if forecast else {}
        return {str(name): value for name, value in scores.items() if _is_number(value) or value is None}
    settled, baseline, length_h = optimized["settled_cost"], optimized["baseline_cost"], _length_h(case)
    found = {name: optimized[name] for name in OF_JOB}
    found["saving"] = None if settled is None or baseline is None else baseline - settled
    for name in ("settled_cost", "saving"):
        found[f"{name}_per_h"] = None if found[name] is None or not length_h else found[name] / length_h
    kpis = {name: value for name, value in (optimized["kpis"] or {}).items() if "/" not in name}
    return found | {name: value for name, value in kpis.items() if name not in found}


def _length_h(case: Mapping[str, Any]) -> float | None:
    """Return the time that a case covers: what its run held, or else what was stated."""
    length = (case["held"] or {}).get("horizon_h", case["parameters"].get("horizon_h"))
    return float(length) if _is_number(length) and length > 0 else None


def _value_of(name: str, case: Mapping[str, Any]) -> Any:
    """Return the value that a parameter had in a case; what it does not state itself, its run tells."""
    for given in (case["swept"], case["parameters"], case["held"] or {}):
        if name in given:
            return given[name]
    return None


def _parameter(values: Sequence[Any]) -> pd.Series[Any]:
    """Return a column of one type: whole numbers, numbers, truth values, or texts; lists and others as JSON."""
    import pandas as pd

    known = [value for value in values if value is not None]
    if known and all(isinstance(value, bool) for value in known):
        return pd.Series(values, dtype="boolean")
    if known and all(_is_number(value) for value in known):
        is_whole = all(isinstance(value, int) for value in known)
        return pd.Series(values, dtype="Int64" if is_whole else "Float64")
    return _texts(
        value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in values
    )


def _texts(values: Iterable[str | None]) -> pd.Series[Any]:
    import pandas as pd

    return pd.Series(list(values), dtype="string")


def _numbers(values: Iterable[float | None]) -> pd.Series[Any]:
    import pandas as pd

    return pd.Series([math.nan if value is None else float(value) for value in values], dtype="float64")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
