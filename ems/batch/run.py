"""A run: checked parameters, a record, the notebook, a report; nothing half done is left behind."""

from __future__ import annotations

import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ems.batch.kernel import started_kernel
from ems.batch.parameters import Case
from ems.batch.watch.logs import log_closed, log_event, run_log
from ems.batch.watch.tracing import span
from ems.database.masking import masked
from ems.database.run_id import new_run_id
from ems.errors import DatabaseProblem
from ems.folders import data_folder, project_folder, scratch_folder, sweep_partial_files, write_whole
from ems.studies.study import RUN_ID_VARIABLE

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ems.batch.jupyter import ExecutedNotebook
    from ems.database.records import Run


@dataclass(frozen=True)
class RunOutcome:
    """What a run has left.

    Parameters
    ----------
    run : Run
        The record as it stands in the database.
    report, index : Path
        The pages that were written.
    database : str
        Address of the database, without its password.
    error_kind : str or None
        Class of what stopped the notebook, as ``Infeasible``; None where it ran to its end.
    """

    run: Run
    report: Path
    index: Path
    database: str
    error_kind: str | None = None


def run_case(case: Case, *, progress: bool = True) -> RunOutcome:
    """Run a study's notebook and return what it has left; a notebook that fails leaves a report of its failure.

    Parameters
    ----------
    case : Case
    progress : bool
        Whether to show a bar over the notebook's cells.

    Raises
    ------
    InvalidInput
        If a file or the solver is not there; before a kernel starts and before anything is written.
    """
    study = case.study
    study.check()
    project = project_folder()
    _say_where_links_lead(project / "reports")
    run_id = new_run_id()
    with (
        run_log(run_id),
        span("ems.run", study=study.name, case=case.name, run_id=run_id),
        stopping_on_sigterm(),
        started_kernel(project, {RUN_ID_VARIABLE: run_id, "EMS_PROJECT": str(project)}) as kernel,
    ):
        return _run_in(kernel, case, run_id, progress)


def _run_in(kernel: Any, case: Case, run_id: str, progress: bool) -> RunOutcome:
    from ems.batch.jupyter import execute
    from ems.database.engine import connect
    from ems.database.runs import cancel_run, start_run
    from ems.studies.study_run import open_record

    engine = connect()
    sweep_interrupted(engine)
    open_record(engine, case.study, run_id, case.name)
    scratch = scratch_folder() / "runs" / run_id
    try:
        scratch.mkdir(parents=True)
        start_run(engine, run_id)
        log_event("run_opened", f"run of {case.study.name} {case.name} opened", study=case.study.name, case=case.name)
        with span("ems.notebook", run_id=run_id):
            executed = execute(
                project_folder() / "notebooks" / f"{case.study.name}.ipynb",
                scratch / "notebook.ipynb",
                case.given,
                kernel,
                meanwhile=_load_page_makers,
                progress=progress,
            )
        return _close(engine, run_id, case, executed)
    except KeyboardInterrupt:
        log_closed(cancel_run(engine, run_id))
        raise
    except Exception as error:
        _fail(engine, run_id, str(error))
        raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def sweep_interrupted(engine: Engine) -> list[Run]:
    """Close runs whose process is gone, remove what they left on the disk, and return them."""
    from ems.database.runs import mark_interrupted

    ended = mark_interrupted(engine)
    for run in ended:
        remove_left(run)
    sweep_partial_files()
    return ended


def remove_left(run: Run) -> None:
    """Remove what a run that was broken off left on the disk; its log stays."""
    shutil.rmtree(scratch_folder() / "runs" / run.id, ignore_errors=True)
    remove_files(run.study, run.id)


def remove_files(study: str, run_id: str) -> None:
    """Remove what a run without a result has left in reports/: page, notebook and data."""
    for path in files_of(study, run_id).values():
        (project_folder() / path).unlink(missing_ok=True)
    shutil.rmtree(data_folder(study, run_id), ignore_errors=True)


def _close(engine: Engine, run_id: str, case: Case, executed: ExecutedNotebook) -> RunOutcome:
    """Write report and notebook, then close the record: a run is completed only when all of it is there."""
    from ems.batch.site.run_index import write_index
    from ems.database.runs import complete_run, fail_run

    error = write_report(engine, run_id, case, executed)
    files = files_of(case.study.name, run_id)
    run = complete_run(engine, run_id, **files) if error is None else fail_run(engine, run_id, error, **files)
    log_closed(run)
    index = write_index(engine)
    report = project_folder() / files["report_path"]
    return RunOutcome(run, report, index, masked(str(engine.url)), executed.error_kind)


def files_of(study: str, run_id: str) -> dict[str, str]:
    """Return the files that a run leaves, relative to the project, by the field of its record."""
    return {"report_path": f"reports/{study}/{run_id}.html", "notebook_path": f"reports/{study}/{run_id}.ipynb"}


def write_report(engine: Engine, run_id: str, case: Case, executed: ExecutedNotebook) -> str | None:
    """Write the notebook and the report of a run, and return why it failed, None where it did not."""
    from ems.batch.jupyter import ExecutedNotebook
    from ems.batch.reporting import make_page, safe_notebook
    from ems.database.runs import get_run

    files, project = files_of(case.study.name, run_id), project_folder()
    there = get_run(engine, run_id)
    if executed.error is None and there.status == "failed":  # the notebook itself has said so
        executed = ExecutedNotebook(executed.notebook, there.error)
    run = _as_it_will_be(there, executed)
    if executed.error is not None:  # no half results: a cell after the last one that wrote may have failed
        shutil.rmtree(data_folder(case.study.name, run_id), ignore_errors=True)
    with span("ems.page", run_id=run_id):
        page = make_page(engine, run, case.study, executed.notebook)
        write_whole(project / files["notebook_path"], safe_notebook(executed.notebook))
        write_whole(project / files["report_path"], page)
    log_event("report_written", f"report written to {files['report_path']}", report=files["report_path"])
    return executed.error


def _load_page_makers() -> None:
    import ems.batch.reporting
    import ems.batch.site.run_index
    import ems.report.page  # noqa: F401
    from ems.report.site_page import site_template

    site_template()


def _as_it_will_be(run: Run, executed: ExecutedNotebook) -> Run:
    """Return the record as it will stand once the run is closed, for its own report."""
    from ems.database.records import utc_now

    if executed.error is None:
        return run.replace(status="completed", finished_at=utc_now())
    return run.replace(status="failed", finished_at=utc_now(), error=executed.error)


def _fail(engine: Engine, run_id: str, error: str) -> None:
    from ems.database.runs import fail_run

    try:
        log_closed(fail_run(engine, run_id, error))
    except DatabaseProblem as problem:
        print(f"the failure could not be recorded: {problem}", file=sys.stderr)


def _say_where_links_lead(reports: Path) -> None:
    if reports.is_symlink():
        print(f"Please look: {reports.name}/ is a link; reports are written to {reports.resolve()}", file=sys.stderr)


@contextmanager
def stopping_on_sigterm() -> Iterator[None]:
    """Treat a request to end like Ctrl-C, so that the record is closed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_signal: int, _frame: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
