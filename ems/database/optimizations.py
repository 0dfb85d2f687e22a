"""Results of optimizations: kept in one transaction, read back as frames."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ems.database.bulk import insert_many
from ems.database.engine import reading, writing
from ems.database.masking import storable
from ems.database.records import (
    ASSETS,
    COSTS,
    JOBS,
    RESERVE_RESULTS,
    RESULTS,
    SITE_RESULTS,
    TIMELINE,
    OptimizationAsset,
    OptimizationCost,
    OptimizationJob,
)
from ems.database.runs import require_running
from ems.database.tables import UtcDateTime, record_of, row_of
from ems.errors import DatabaseProblem, UnknownName, show

if TYPE_CHECKING:
    import pandas as pd

_KEYS = ("job_id", "time", "asset_id")
_COLUMNS = {column.name: column.type for column in RESULTS.columns}
_NUMBERS = frozenset(name for name, kind in _COLUMNS.items() if isinstance(kind, sa.Double))
_AT = {name: position for position, name in enumerate(_COLUMNS)}


def store_optimization(
    engine: sa.Engine,
    job: OptimizationJob,
    assets: Sequence[OptimizationAsset],
    results: Iterable[Mapping[str, Any]],
    costs: Iterable[Mapping[str, Any]],
    *,
    site_results: Iterable[Mapping[str, Any]] = (),
    reserve_results: Iterable[Mapping[str, Any]] = (),
) -> OptimizationJob:
    """Keep an optimization with all that belongs to it, or nothing; return the job as it was kept.

    Parameters
    ----------
    engine : Engine
    job : OptimizationJob
        Its run must be running.
    assets : sequence of OptimizationAsset
    results : iterable of mapping
        One for each step and asset: ``time`` (UTC where it has no zone), ``asset_id``, ``step_h``, ``injection_kw``,
        ``cost``, and whatever the asset's kind has. NaN is kept as no value; keys which are no column go to
        ``extra``. ``job_id`` may be left out.
    costs : iterable of mapping
        ``owner_id``, ``cost_type``, ``cost``, and ``owner_kind`` where the owner is no asset; ``job_id`` may be left
        out.
    site_results : iterable of mapping
        One for each step and site: ``time``, ``site_id``, ``step_h``, and of ``price_per_kwh``, ``spilled_kw`` and
        ``missing_kw`` what there is.
    reserve_results : iterable of mapping
        One for each step and reserve: ``time``, ``reserve_id``, ``step_h``, ``offered_kw``.

    Raises
    ------
    DatabaseProblem
        If the run is not running, a cost belongs to no asset of the optimization, or the database refuses a row;
        then nothing is kept.
    """
    cost_rows = [row_of(OptimizationCost.from_mapping({"job_id": job.id, **row}), COSTS) for row in costs]
    foreign = [asset.asset_id for asset in assets if asset.job_id != job.id]
    if foreign:
        raise DatabaseProblem(f"optimization {job.id}: asset {show(foreign[0])} names another optimization")
    known = {asset.asset_id for asset in assets}
    for row in cost_rows:
        if row["owner_kind"] == "asset" and row["owner_id"] not in known:
            raise DatabaseProblem(
                f"optimization {job.id}: {row['cost_type']} of {show(row['owner_id'])}: it has no such asset"
            )
    with writing(engine) as connection:
        require_running(connection, job.run_id)
        connection.execute(sa.insert(JOBS), row_of(job, JOBS))
        if assets:
            connection.execute(sa.insert(ASSETS), [row_of(asset, ASSETS) for asset in assets])
        insert_many(connection, RESULTS, (_result_row(job.id, row) for row in results))
        for table, rows in ((SITE_RESULTS, site_results), (RESERVE_RESULTS, reserve_results)):
            insert_many(connection, table, (_plain_row(table, job.id, row) for row in rows))
        if cost_rows:
            connection.execute(sa.insert(COSTS), cost_rows)
    return job


def total_costs(engine: sa.Engine, run_ids: Sequence[str]) -> dict[str, tuple[float | None, str | None]]:
    """Return total cost and currency of the first optimization of each of some runs, by the run's id."""
    query = sa.select(JOBS.c.run_id, JOBS.c.total_cost, JOBS.c.currency).order_by(JOBS.c.created_at.desc())
    with reading(engine) as connection:
        rows = connection.execute(query.where(JOBS.c.run_id.in_(run_ids))).all()
    return {run_id: (cost, currency) for run_id, cost, currency in rows}


def jobs_of(engine: sa.Engine, run_id: str) -> list[OptimizationJob]:
    """Return the optimizations of a run, the first one first; an empty list for a run without any."""
    of_run = sa.select(JOBS).where(JOBS.c.run_id == run_id).order_by(JOBS.c.created_at, JOBS.c.id)
    with reading(engine) as connection:
        return [record_of(OptimizationJob, row) for row in connection.execute(of_run).mappings()]


def assets_of(engine: sa.Engine, job_id: str) -> list[OptimizationAsset]:
    """Return the assets of an optimization, with the specs that were used, in the order of their ids."""
    of_job = sa.select(ASSETS).where(ASSETS.c.job_id == job_id).order_by(ASSETS.c.asset_id)
    with reading(engine) as connection:
        return [record_of(OptimizationAsset, row) for row in connection.execute(of_job).mappings()]


def read_results(engine: sa.Engine, job_id: str, *, asset_id: str | None = None) -> pd.DataFrame:
    """Return a schedule in its long form.

    Parameters
    ----------
    engine : Engine
    job_id : str
    asset_id : str, optional
        Only the asset of exactly that id.

    Returns
    -------
    DataFrame
        One row for each step and asset, in the order of time and id; ``time`` is aware, in UTC; variables which
        no row has are left out, those beyond the table's columns have a column of their own.

    Raises
    ------
    UnknownName
        If there is no such optimization.
    """
    query = sa.select(RESULTS).where(RESULTS.c.job_id == job_id).order_by(RESULTS.c.time, RESULTS.c.asset_id)
    if asset_id is not None:
        query = query.where(RESULTS.c.asset_id == asset_id)
    frame = _frame(engine, query, job_id)
    extra = [values or {} for values in frame.pop("extra")]
    for name in sorted({name for values in extra for name in values}):
        frame[name] = [values.get(name) for values in extra]
    empty = [name for name in frame.columns if name not in _KEYS and frame[name].isna().all()]
    return frame.drop(columns=empty)


def read_timeline(engine: sa.Engine, job_id: str) -> pd.DataFrame:
    """Return a schedule in its wide form: one row a step, summed over the assets.

    Returns
    -------
    DataFrame
        ``time`` (aware, UTC), ``step_h``, ``soc`` of all batteries together, powers in kW, number of generators
        that are on, and cost of the step; NaN where no asset has such a value.

    Raises
    ------
    UnknownName
        If there is no such optimization.
    """
    query = sa.select(TIMELINE).where(TIMELINE.c.job_id == job_id).order_by(TIMELINE.c.time)
    return _frame(engine, query, job_id)


def read_costs(engine: sa.Engine, job_id: str) -> pd.DataFrame:
    """Return the parts of a schedule's cost: one row for each owner and type of cost.

    An owner is an asset, the bus of a site or a reserve, as ``owner_kind`` says.

    Raises
    ------
    UnknownName
        If there is no such optimization.
    """
    order = (COSTS.c.owner_kind, COSTS.c.owner_id, COSTS.c.cost_type)
    return _frame(engine, sa.select(COSTS).where(COSTS.c.job_id == job_id).order_by(*order), job_id)


def read_site_results(engine: sa.Engine, job_id: str) -> pd.DataFrame:
    """Return what happens at the buses of sites: one row for each step and site, in this order.

    Returns
    -------
    DataFrame
        ``time`` (aware, UTC), ``site_id``, ``step_h``, ``price_per_kwh``, ``spilled_kw``, ``missing_kw``; NaN where a
        site has no such value.

    Raises
    ------
    UnknownName
        If there is no such optimization.
    """
    order = (SITE_RESULTS.c.time, SITE_RESULTS.c.site_id)
    return _frame(engine, sa.select(SITE_RESULTS).where(SITE_RESULTS.c.job_id == job_id).order_by(*order), job_id)


def read_reserve_results(engine: sa.Engine, job_id: str) -> pd.DataFrame:
    """Return what stands ready for reserves: one row for each step and reserve, in this order.

    Raises
    ------
    UnknownName
        If there is no such optimization.
    """
    table = RESERVE_RESULTS
    query = sa.select(table).where(table.c.job_id == job_id).order_by(table.c.time, table.c.reserve_id)
    return _frame(engine, query, job_id)


# ---------------------------------------------------------------------------------------------- inside
def _result_row(job_id: str, given: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return a row in the order of the table's columns; a missing required value stays None and is refused there."""
    row = [_number(given.get(name)) if name in _NUMBERS else given.get(name) for name in _COLUMNS]
    row[_AT["job_id"]] = given.get("job_id", job_id)
    row[_AT["time"]] = _moment(given.get("time"))
    is_on = _number(given.get("is_on"))
    row[_AT["is_on"]] = None if is_on is None else is_on > 0.5  # a solver's binary is 0.9999999 at times
    further = given.keys() - _COLUMNS.keys()
    if further or "extra" in given:
        extra = {name: given[name] for name in further} | dict(given.get("extra") or {})
        row[_AT["extra"]] = {name: _plain(extra[name]) for name in sorted(extra)} or None
    return tuple(row)


def _plain_row(table: sa.Table, job_id: str, given: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return a row in the order of a table's columns, all of them moments, ids and numbers."""
    values = {"job_id": job_id, **given, "time": _moment(given.get("time"))}
    return tuple(
        _number(values.get(column.name)) if isinstance(column.type, sa.Double) else values.get(column.name)
        for column in table.columns
    )


def _number(value: Any) -> float | None:
    if type(value) is not float:
        if value is None:
            return None
        value = float(value)
    return None if math.isnan(value) else value


def _plain(value: Any) -> Any:
    # Nearly all are numbers: looking for secrets in each would take most of the time of storing a year.
    return _number(value) if isinstance(value, float) else storable(value)


def _moment(value: Any) -> Any:
    is_numpy = hasattr(value, "astype")
    return value.astype("datetime64[us]").item() if is_numpy else value


def _frame(engine: sa.Engine, query: sa.Select[Any], job_id: str) -> pd.DataFrame:
    import pandas as pd

    with reading(engine) as connection:
        answer = connection.execute(query)
        rows = answer.all()
        if not rows and connection.execute(sa.select(JOBS.c.id).where(JOBS.c.id == job_id)).first() is None:
            raise UnknownName(f"optimization {show(job_id)}", "is not in the database; see `ems runs list`")
    columns = {column.name: column.type for column in query.selected_columns}
    frame = pd.DataFrame.from_records([tuple(row) for row in rows], columns=list(columns))
    for name, kind in columns.items():
        if isinstance(kind, UtcDateTime):
            frame[name] = pd.to_datetime(frame[name], utc=True)
        elif isinstance(kind, sa.Double):
            frame[name] = frame[name].astype("float64")
        elif isinstance(kind, sa.Boolean):
            frame[name] = frame[name].astype("boolean")
        elif isinstance(kind, sa.BigInteger):
            frame[name] = frame[name].astype("Int64")
    return frame
