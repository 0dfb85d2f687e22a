"""The coordinator of a batch: keeps a zygote and workers alive until every case has ended, and says how it goes."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ems.batch.batches.owners import is_gone
from ems.batch.batches.worker import AT_FAULT, CODE_CHANGED, PARENT_VARIABLE
from ems.batch.engine.zygote import ADDRESS_VARIABLE
from ems.batch.engine.zygote_client import NoZygote, ZygoteProcess
from ems.batch.run import stopping_on_sigterm
from ems.errors import DatabaseProblem, RunFailed
from ems.folders import project_folder, scratch_folder

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ems.database.batch_records import Batch

LOOK_EVERY_S = 0.25
LONGEST_OUTAGE_S = 300.0
MOST_EARLY_ENDS = 5
"""Workers that end within seconds of their start, one after the other, before the batch gives up."""
EARLY_S = 5.0
STOPPING_S = 15.0
Report = Callable[[dict[str, int]], None]


class BatchStopped(RunFailed):
    """A batch stopped before its end; it can be resumed."""


@dataclass
class Crew:
    """The processes of a batch on this machine.

    Parameters
    ----------
    batch_id : str
    size : int
        Number of workers.
    """

    batch_id: str
    size: int
    folder: str = field(default_factory=lambda: tempfile.mkdtemp(prefix="ems-"))
    zygote: ZygoteProcess | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    begun: dict[int, float] = field(default_factory=dict)
    early_ends: int = 0
    has_zygote: bool = True

    def keep_zygote(self) -> None:
        """Start the zygote, again where it has died; kernels are started the slow way where it cannot be."""
        if not self.has_zygote or (self.zygote is not None and self.zygote.process.poll() is None):
            return
        if self.zygote is not None:
            self.zygote.close()
        try:
            # Workers wait for it: the address stays the same.
            self.zygote = ZygoteProcess(str(Path(self.folder) / "z"))
        except NoZygote as reason:
            print(f"Please look: {reason}; kernels are started the slow way", file=sys.stderr)
            self.has_zygote = False

    def keep_workers(self) -> list[int]:
        """Start workers until there are enough, and return how those that have ended did."""
        ended = []
        for worker in list(self.workers):
            code = worker.poll()
            if code is None:
                continue
            self.workers.remove(worker)
            ended.append(code)
            is_early = time.monotonic() - self.begun.pop(worker.pid, 0.0) < EARLY_S
            self.early_ends = self.early_ends + 1 if is_early and code != 0 else 0
        return ended

    def hire(self) -> None:
        """Start one more worker."""
        environment = {**os.environ, PARENT_VARIABLE: str(os.getpid()), "EMS_PROJECT": str(project_folder())}
        if self.has_zygote:
            environment[ADDRESS_VARIABLE] = str(Path(self.folder) / "z")
        worker = subprocess.Popen(  # noqa: S603 - this package, in this interpreter
            [sys.executable, "-m", "ems.batch.batches.worker", self.batch_id],
            env=environment,
            stdin=subprocess.DEVNULL,
        )
        self.workers.append(worker)
        self.begun[worker.pid] = time.monotonic()

    def dismiss(self) -> None:
        """End all workers: first asked, then not; and the zygote with all kernels."""
        for worker in self.workers:
            with contextlib.suppress(ProcessLookupError):
                worker.terminate()
        end = time.monotonic() + STOPPING_S
        for worker in self.workers:
            try:
                worker.wait(timeout=max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
        self.workers.clear()
        if self.zygote is not None:
            self.zygote.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def coordinate(engine: Engine, batch: Batch, workers: int, report: Report) -> Batch:
    """Return a batch after all of its cases have ended.

    Parameters
    ----------
    engine : Engine
    batch : Batch
        That was opened.
    workers : int
        Processes that work on it here; others may do so elsewhere.
    report : callable (counts)
        Is told now and then how many cases have each status.

    Raises
    ------
    BatchStopped
        If the machine is at fault, or the package has changed meanwhile; what is done stays done.
    KeyboardInterrupt
    """
    from ems.database.batches import close_batch

    crew = Crew(batch.id, workers)
    try:
        with stopping_on_sigterm():
            _until_done(engine, batch, crew, report)
    finally:
        crew.dismiss()
        with contextlib.suppress(DatabaseProblem, OSError):
            clean_up(engine, batch)
    return close_batch(engine, batch.id)


def _until_done(engine: Engine, batch: Batch, crew: Crew, report: Report) -> None:
    from ems.database.batch_leases import release_lost
    from ems.database.batches import count_cases, get_batch

    release_lost(engine, batch.id, is_gone)
    last_seen = time.monotonic()
    while True:
        try:
            counts = count_cases(engine, batch.id)
            is_open = get_batch(engine, batch.id).status == "open"
            ended = crew.keep_workers()
            if ended:
                release_lost(engine, batch.id, is_gone)
                counts = count_cases(engine, batch.id)
            last_seen = time.monotonic()
        except DatabaseProblem as problem:
            if time.monotonic() - last_seen > LONGEST_OUTAGE_S:
                raise BatchStopped(f"{problem}; {how_to_resume(batch)}") from None
            time.sleep(1.0)
            continue
        report(counts)
        _look_at(ended, crew, batch)
        left = counts["waiting"] + counts["running"]
        if left == 0 or not is_open:
            return
        crew.keep_zygote()
        while len(crew.workers) < min(crew.size, left):
            crew.hire()
        time.sleep(LOOK_EVERY_S)


def _look_at(ended: list[int], crew: Crew, batch: Batch) -> None:
    """Stop where workers end for a reason that a new one would meet, too."""
    if CODE_CHANGED in ended:
        raise BatchStopped(
            f"batch {batch.id}: the notebook or the package changed while it ran, and results would be of two kinds; "
            "begin it again without --resume: what has the same key is not run again"
        )
    if AT_FAULT in ended:
        raise BatchStopped(f"batch {batch.id}: the machine cannot go on, for the reason above; {how_to_resume(batch)}")
    if crew.early_ends >= MOST_EARLY_ENDS:
        raise BatchStopped(f"batch {batch.id}: its workers end as soon as they begin; {how_to_resume(batch)}")


def how_to_resume(batch: Batch) -> str:
    """Return how a person goes on with a batch that has stopped."""
    return f"then go on with: ems batch {batch.study} {batch.name} --resume"


def clean_up(engine: Engine, batch: Batch) -> None:
    """Remove what attempts without a result have left on the disk and write the index of reports."""
    from ems.batch.run import remove_files, sweep_interrupted
    from ems.batch.site.run_index import write_index
    from ems.database.batch_leases import release_lost
    from ems.database.batches import list_attempts

    release_lost(engine, batch.id, is_gone)
    for one in list_attempts(engine, batch.id):
        if one.status in ("lost", "cancelled"):
            remove_files(batch.study, one.run_id)
            shutil.rmtree(scratch_folder() / "runs" / one.run_id, ignore_errors=True)
    sweep_interrupted(engine)
    write_index(engine)
