"""A batch on a Dask cluster: each case is a task there, and the database says which ones are done.

Dask may run a task twice, where a worker is lost or believed lost; the lease of the case lets only one of them count.
The workers of the cluster need this package, the project's folder under the same path or their own ``EMS_PROJECT``,
and their own ``EMS_DATABASE_URL``: no password travels with a task.
"""

from __future__ import annotations

import contextlib
import os
import time
from functools import cache
from typing import TYPE_CHECKING, Any

from ems.batch.batches.attempt import Attempt, MachineAtFault
from ems.batch.batches.coordinator import LOOK_EVERY_S, BatchStopped, Report, clean_up, how_to_resume
from ems.batch.batches.options import BatchOptions
from ems.batch.batches.owners import is_gone, owner_of
from ems.errors import DatabaseProblem, InvalidInput
from ems.folders import project_folder

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ems.database.batch_records import Batch

LONGEST_CONNECT_S = 10
AHEAD = 4
"""Cases that wait on the cluster for each of its threads; more would only fill its memory."""


def run_on_worker(project: str, batch_id: str, number: int, code: str) -> str:
    """Run one case in a process of the cluster and return how it went.

    Parameters
    ----------
    project : str
        The project's folder, where the worker has none of its own.
    batch_id : str
    number : int
    code : str
        Digest of the code that the batch began with.
    """
    from ems.batch.batches.keys import code_of
    from ems.database.batch_leases import lease_this
    from ems.database.batches import get_batch

    os.environ.setdefault("EMS_PROJECT", project)
    try:
        engine = _engine_of_process()
        batch = get_batch(engine, batch_id)
        if code_of(batch.study) != code:
            return "another package"
        options, owner = BatchOptions(**batch.options), owner_of()
        leased = lease_this(engine, batch_id, number, owner, options.lease_s)
        if leased is None:
            return "not free"
        return Attempt.of(engine, leased, batch.study, options).run(owner)
    except (MachineAtFault, DatabaseProblem) as reason:
        return f"machine at fault: {reason}"


@cache
def _engine_of_process() -> Engine:
    """Return one engine for all tasks of a worker: each of its own would keep connections of its own."""
    from ems.database.engine import connect

    return connect(keeps_connections=True)


def coordinate_on_dask(engine: Engine, batch: Batch, address: str, report: Report) -> Batch:
    """Return a batch after all of its cases have ended on a cluster.

    Parameters
    ----------
    engine : Engine
    batch : Batch
        That was opened.
    address : str
        Of the scheduler: ``tcp://host:8786``.
    report : callable (counts)
        Is told now and then how many cases have each status.

    Raises
    ------
    InvalidInput
        If Dask is not installed or the scheduler is not there.
    BatchStopped
    """
    from ems.database.batches import close_batch

    client = _connected(address)
    try:
        _until_done(engine, batch, client, report)
    finally:
        with contextlib.suppress(Exception):
            client.close()
        with contextlib.suppress(DatabaseProblem, OSError):
            clean_up(engine, batch)
    return close_batch(engine, batch.id)


def _connected(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise InvalidInput("--dask", 'needs Dask; run pip install "ems[dask]"') from None
    try:
        return Client(address, timeout=LONGEST_CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InvalidInput(
            f"--dask {address}",
            f"there is no scheduler that answers: {type(error).__name__}; start one with `dask scheduler`",
        ) from None


def _until_done(engine: Engine, batch: Batch, client: Any, report: Report) -> None:
    from ems.database.batch_leases import release_lost
    from ems.database.batches import count_cases, due_cases, get_batch

    project = str(project_folder())
    waiting: dict[int, Any] = {}
    while True:
        release_lost(engine, batch.id, is_gone)
        counts = count_cases(engine, batch.id)
        report(counts)
        if counts["waiting"] + counts["running"] == 0 or get_batch(engine, batch.id).status != "open":
            return
        for number, future in list(waiting.items()):
            if future.done():
                del waiting[number]
                _look_at(future, batch)
        threads = sum(one["nthreads"] for one in client.scheduler_info(n_workers=-1)["workers"].values())
        for number in due_cases(engine, batch.id, limit=max(1, AHEAD * threads)):
            if number not in waiting and len(waiting) < max(1, AHEAD * threads):
                # Not pure: the same case again is another attempt, not a result that is known already.
                waiting[number] = client.submit(
                    run_on_worker, project, batch.id, number, batch.code, pure=False, retries=3
                )
        time.sleep(LOOK_EVERY_S)


def _look_at(future: Any, batch: Batch) -> None:
    """Stop where the machines of the cluster, not a case, are at fault."""
    if future.status == "error":
        print(f"Please look: a worker of the cluster failed: {future.exception()}")
        return
    said = str(future.result()) if future.status == "finished" else ""
    if said == "another package":
        raise BatchStopped(
            f"batch {batch.id}: a worker of the cluster has another version of the notebook or the package; "
            f"install the same one everywhere, {how_to_resume(batch)}"
        )
    if said.startswith("machine at fault"):
        raise BatchStopped(f"batch {batch.id}: on the cluster, {said}; {how_to_resume(batch)}")
