"""One attempt at a case: a run of its notebook in a forked kernel, under a lease that a thread renews."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from ems.batch.batches.options import BatchOptions
from ems.batch.parameters import Case
from ems.batch.watch.logs import log_closed, log_event, run_log
from ems.batch.watch.tracing import span
from ems.database.run_id import new_run_id
from ems.errors import DatabaseProblem, LeaseLost, UnknownName
from ems.folders import project_folder, scratch_folder
from ems.studies.registry import study_class
from ems.studies.study import RUN_ID_VARIABLE

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ems.batch.jupyter import ExecutedNotebook
    from ems.database.batch_records import BatchCase

T = TypeVar("T")

LONGEST_OUTAGE_S = 300.0
"""How long a result waits for its database."""
FINAL_ERRORS = (
    "InvalidInput", "MissingValues", "UndefinedScore", "UnknownName", "SolverUnavailable", "Infeasible", "NoSolution",
)  # fmt: skip
"""Errors that another attempt with the same parameters would only repeat."""


class MachineAtFault(Exception):
    """The disk is full or the database is gone: no case can be blamed, and none can be done."""


@dataclass(frozen=True)
class Attempt:
    """A run that a worker makes of a leased case.

    Parameters
    ----------
    engine : Engine
    leased : BatchCase
        As it was leased.
    case : Case
        Its parameters, checked.
    run_id : str
    options : BatchOptions
    """

    engine: Engine
    leased: BatchCase
    case: Case
    run_id: str
    options: BatchOptions

    @classmethod
    def of(cls, engine: Engine, leased: BatchCase, study: str, options: BatchOptions) -> Attempt:
        """Return a new attempt at a leased case of a study."""
        where = f"case {leased.number} of batch {leased.batch_id}"
        record = study_class(study).from_mapping(leased.parameters, where)
        case = Case(record, f"{leased.batch_id[-6:]}-{leased.number}", dict(leased.parameters))
        return cls(engine, leased, case, new_run_id(), options)

    def run(self, owner: str) -> str:
        """Return how it went: ``completed``, ``failed``, ``again`` or ``lost``.

        Parameters
        ----------
        owner : str
            Who holds the lease.

        Raises
        ------
        MachineAtFault
            The case waits again where the database could still be told.
        KeyboardInterrupt
            Where the worker is asked to stop; the case waits again.
        """
        scratch = scratch_folder() / "runs" / self.run_id
        try:
            with run_log(self.run_id), span("ems.run", study=self.case.study.name, run_id=self.run_id):
                self._open(owner)
                scratch.mkdir(parents=True)
                executed, used = self._execute(scratch / "notebook.ipynb")
                return self._close(executed, used)
        except LeaseLost:
            return self._end_unheld()
        except KeyboardInterrupt:
            self._give_back("its worker was asked to stop")
            raise
        except (OSError, DatabaseProblem) as error:
            self._give_back(f"the machine could not go on: {error}")
            raise MachineAtFault(str(error)) from None
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _open(self, owner: str) -> None:
        from ems.database.batch_leases import begin_attempt
        from ems.database.batch_records import BatchAttempt
        from ems.database.runs import start_run
        from ems.studies.study_run import record_of_study

        leased = self.leased
        begun = BatchAttempt(
            batch_id=leased.batch_id, number=leased.number, fence=leased.fence, run_id=self.run_id, owner=owner
        )
        begin_attempt(self.engine, begun, record_of_study(self.case.study, self.run_id, self.case.name))
        start_run(self.engine, self.run_id)
        said = f"attempt {leased.attempts} at case {leased.number} of batch {leased.batch_id}"
        log_event("run_opened", said, study=self.case.study.name, case=self.case.name)

    def _execute(self, output: Any) -> tuple[ExecutedNotebook, dict[str, float | None]]:
        """Return the notebook after its run, and the CPU seconds and memory of its kernel."""
        from ems.batch.engine.manager import forked_kernel_manager, with_private_sockets
        from ems.batch.jupyter import execute

        project = project_folder()
        environment = {**os.environ, RUN_ID_VARIABLE: self.run_id, "EMS_PROJECT": str(project)}
        holder = Holder(self.engine, self.leased, self.options.lease_s)
        with (
            holder.holding(),
            with_private_sockets(forked_kernel_manager(self.options.memory_limit_mb)) as manager,
            _started(manager, str(project), environment) as provisioner,
        ):
            holder.kernel = provisioner
            executed = execute(
                project / "notebooks" / f"{self.case.study.name}.ipynb",
                output,
                self.case.given,
                manager,
                run_timeout_s=self.options.run_timeout_s,
                cell_timeout_s=self.options.cell_timeout_s,
            )
        if holder.lost is not None:
            raise holder.lost
        seconds, memory_mb = getattr(provisioner, "used", (None, None))
        return executed, {"seconds": seconds, "peak_memory_mb": memory_mb}

    def _close(self, executed: ExecutedNotebook, used: dict[str, float | None]) -> str:
        """Write notebook and report, then close run, attempt and case at once."""
        from ems.batch.run import files_of, write_report
        from ems.database.batch_leases import complete_case, fail_case
        from ems.database.runs import get_run

        engine, leased, run_id = self.engine, self.leased, self.run_id
        files = files_of(self.case.study.name, run_id)
        error = _insisting(lambda: write_report(engine, run_id, self.case, executed))
        if error is None:
            _insisting(lambda: complete_case(engine, leased, run_id, files, used))
            log_closed(get_run(engine, run_id))
            return "completed"
        again_at = None
        if leased.attempts < self.options.attempts and executed.error_kind not in FINAL_ERRORS:
            pause_s = self.options.pause_before(leased.attempts + 1)
            again_at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=pause_s)
        _insisting(lambda: fail_case(engine, leased, run_id, error, again_at=again_at, files=files, used=used))
        log_closed(get_run(engine, run_id))
        return "failed" if again_at is None else "again"

    def _end_unheld(self) -> str:
        """Close the run of a lease that was lost, where whoever took it has not, and return how it went.

        A lease is lost, too, where the database had kept the end but its answer did not arrive.
        """
        from ems.batch.run import remove_files
        from ems.database.batch_leases import cancel_case
        from ems.database.runs import get_run

        try:
            run = get_run(self.engine, self.run_id)
            if run.status == "completed":
                return "completed"
            cancel_case(self.engine, self.leased, self.run_id)
        except (DatabaseProblem, UnknownName):  # the lease may be lost before the run is opened
            return "lost"
        if run.report_path is None:
            remove_files(self.case.study.name, self.run_id)
        return "lost"

    def _give_back(self, reason: str) -> None:
        from ems.batch.run import remove_files
        from ems.database.batch_leases import give_back

        remove_files(self.case.study.name, self.run_id)
        with contextlib.suppress(DatabaseProblem):
            give_back(self.engine, self.leased, self.run_id, reason)


@dataclass
class Holder:
    """Renews the lease of a case while its notebook runs, and ends the kernel when the lease is lost."""

    engine: Engine
    case: BatchCase
    lease_s: float
    kernel: Any = None
    lost: LeaseLost | None = None
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Hold the lease within the block."""
        thread = threading.Thread(target=self._renew, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _renew(self) -> None:
        """Renew until the attempt is over; what the database cannot do now, it may in a moment."""
        from ems.database.batch_leases import renew_lease

        while not self._over.wait(min(self.lease_s / 4, 5.0)):
            try:
                renew_lease(self.engine, self.case, self.lease_s)
            except LeaseLost as lost:
                self.lost = lost
                if self.kernel is not None and self.kernel.process is not None:
                    self.kernel.process.kill()
                return
            except DatabaseProblem:
                continue


@contextmanager
def _started(manager: Any, folder: str, environment: dict[str, str]) -> Iterator[Any]:
    """Give the provisioner of a started kernel, and end the kernel afterwards with all that it has started."""
    asyncio.run(manager.start_kernel(cwd=folder, env=environment))
    provisioner = manager.provisioner
    try:
        yield provisioner
    finally:
        asyncio.run(manager.shutdown_kernel(now=True))


def _insisting(work: Callable[[], T]) -> T:
    """Return what a piece of work gives, tried again while the database is away: an hour's result is worth a wait.

    Raises
    ------
    LeaseLost
    MachineAtFault
        If the database stays away.
    """
    end = time.monotonic() + LONGEST_OUTAGE_S
    while True:
        try:
            return work()
        except LeaseLost:
            raise
        except DatabaseProblem as problem:
            if time.monotonic() > end:
                raise MachineAtFault(str(problem)) from None
        time.sleep(0.5)
