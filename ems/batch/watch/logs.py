"""Logs: what a process says on stderr, and one file for each run with what happened in it.

A line says to which run it belongs: `run_log` sets the run for everything that is logged inside it, threads that take
the context along included. Secrets are hidden before a line is written anywhere.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ems.database.masking import storable, storable_text
from ems.errors import InvalidInput, did_you_mean, show
from ems.folders import scratch_folder

if TYPE_CHECKING:
    from ems.database.records import Run

RUN_ID: ContextVar[str | None] = ContextVar("ems_run_id", default=None)
"""The run that the present context works on."""

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
FORMATS = ("text", "json")
LONGEST_KEPT_D = 90
"""Days after its last line for which the log of a run is kept, unless EMS_LOG_DAYS says otherwise."""
DAY_S = 86_400

_PACKAGE = logging.getLogger("ems")
_EVENTS = logging.getLogger("ems.run")


def set_up_logging() -> None:
    """Show on stderr what is logged in this process; a second call replaces the first.

    ``EMS_LOG_LEVEL`` is the least level shown (WARNING), ``EMS_LOG_FORMAT`` text or json, one object a line; as
    json other packages are heard, too, from WARNING on.

    Raises
    ------
    InvalidInput
        If one of the variables has a value that is not known.
    """
    level, form = _chosen("EMS_LOG_LEVEL", LEVELS, "WARNING"), _chosen("EMS_LOG_FORMAT", FORMATS, "text")
    days_kept()
    root, is_json = logging.getLogger(), form == "json"
    for logger in (root, _PACKAGE):
        for one in [one for one in logger.handlers if isinstance(one, _ToStderr)]:
            logger.removeHandler(one)
    # A collector wants every line in one form; people are spared what other packages say to each other.
    (root if is_json else _PACKAGE).addHandler(_ToStderr(logging.getLevelNamesMapping()[level], is_json=is_json))
    _PACKAGE.setLevel(min(logging.INFO, logging.getLevelNamesMapping()[level]))


def log_event(
    event: str,
    message: str,
    *,
    level: int = logging.INFO,
    is_told: bool = False,
    run_id: str | None = None,
    **fields: Any,
) -> None:
    """Log something that has a name for programs beside its sentence for people.

    Parameters
    ----------
    event : str
        Name of what happened: ``cell_finished``.
    message : str
        The same as a sentence.
    level : int
    is_told : bool
        Whether a command tells people the same in its own words; the text on stderr then leaves it out.
    run_id : str, optional
        Run; without it the one of the context.
    **fields
        Numbers and names that belong to it.
    """
    told = {"event": event, "fields": fields, "is_told": is_told, "run_id": run_id or RUN_ID.get()}
    _EVENTS.log(level, message, extra=told)


def log_closed(run: Run) -> None:
    """Log how a run ended."""
    seconds = round(run.duration_s, 3) if run.duration_s is not None else None
    reason = f": {run.error}" if run.error else ""
    log_event(
        "run_closed",
        f"run {run.status}{reason}",
        level=logging.ERROR if run.status == "failed" else logging.INFO,
        is_told=True,  # the command ends with the same
        run_id=run.id,
        status=run.status,
        seconds=seconds,
        error=run.error,
    )


@contextlib.contextmanager
def run_log(run_id: str) -> Iterator[None]:
    """Log into the file of a run what is logged for it inside; logs that nobody wrote to for long go.

    A log that cannot be written does not stop the run.
    """
    if _PACKAGE.level == logging.NOTSET:
        _PACKAGE.setLevel(logging.INFO)
    token = RUN_ID.set(run_id)
    handler = None
    try:
        path = log_file(run_id)
        path.parent.mkdir(exist_ok=True)
        remove_old_logs()
        handler = _ToFile(path, run_id)
        _PACKAGE.addHandler(handler)
    except OSError as error:
        print(f"Please look: run {run_id} has no log: {error}", file=sys.stderr)
    try:
        yield
    finally:
        RUN_ID.reset(token)
        if handler is not None:
            _PACKAGE.removeHandler(handler)
            handler.close()


def log_file(run_id: str) -> Path:
    """Return where the log of a run is, or would be."""
    return scratch_folder() / "logs" / f"{run_id}.log"


def remove_old_logs() -> list[Path]:
    """Remove the logs to which nothing was written for `days_kept` days, and return them."""
    days = days_kept()
    if days == 0:
        return []
    removed = []
    for path in (scratch_folder() / "logs").glob("*.log"):
        with contextlib.suppress(FileNotFoundError):  # another process removes them, too
            if path.stat().st_mtime < time.time() - days * DAY_S:
                path.unlink()
                removed.append(path)
    return removed


def days_kept() -> int:
    """Return for how many days after its last line a log is kept: ``EMS_LOG_DAYS``, else 90; 0 keeps all.

    Raises
    ------
    InvalidInput
        If the variable is no whole number from 0.
    """
    given = os.environ.get("EMS_LOG_DAYS", "").strip()
    if not given:
        return LONGEST_KEPT_D
    if not given.isdecimal():
        raise InvalidInput(
            f"EMS_LOG_DAYS = {show(given)}", "must be a whole number of days; 0 keeps the logs of runs for ever"
        )
    return int(given)


def _chosen(variable: str, choices: tuple[str, ...], usual: str) -> str:
    given = os.environ.get(variable, "").strip()
    folded = {one.lower(): one for one in choices}
    if given and given.lower() not in folded:
        raise InvalidInput(
            f"{variable} = {show(given)}", f"{did_you_mean(given.lower(), folded)}; usual is {usual.lower()}"
        )
    return folded[given.lower()] if given else usual


# ---------------------------------------------------------------------------------------------- inside
def _run_of(record: logging.LogRecord) -> str | None:
    found: str | None = getattr(record, "run_id", None) or RUN_ID.get()
    return found


class _Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "message": storable_text(record.getMessage()),
            "run_id": _run_of(record),
            "event": getattr(record, "event", "message"),
            "fields": storable(getattr(record, "fields", {"logger": record.name})),
        }
        if record.exc_info:
            line["traceback"] = storable_text(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


class _Text(logging.Formatter):
    """A line for people; further lines of a message are set in."""

    def format(self, record: logging.LogRecord) -> str:
        run_id = _run_of(record)
        of_run = f"run {run_id}: " if run_id else ""
        moment = f"{dt.datetime.fromtimestamp(record.created):%Y-%m-%d %H:%M:%S}"
        said = storable_text(record.getMessage())
        if record.exc_info:
            said += "\n" + storable_text(self.formatException(record.exc_info))
        return f"{moment} {record.levelname:<7} {of_run}{said}".replace("\n", "\n  ")


class _ToStderr(logging.StreamHandler[Any]):
    """What people see while a command runs."""

    def __init__(self, level: int, *, is_json: bool) -> None:
        super().__init__(sys.stderr)
        self.setLevel(level)
        self.setFormatter(_Json() if is_json else _Text())
        if not is_json:
            self.addFilter(lambda record: not getattr(record, "is_told", False))

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line to what stderr is now."""
        self.stream = sys.stderr
        super().emit(record)


class _ToFile(logging.FileHandler):
    """The log of one run; lines of other runs in the same process are left to their own."""

    def __init__(self, path: Path, run_id: str) -> None:
        super().__init__(path, encoding="utf-8")
        self.setLevel(logging.INFO)
        self.setFormatter(_Json())
        self.addFilter(lambda record: _run_of(record) == run_id)
        self._is_broken = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        """Say once that the log cannot be written, as when the disk is full."""
        if not self._is_broken:
            self._is_broken = True
            print(f"Please look: {self.baseFilename} cannot be written: {sys.exc_info()[1]}", file=sys.stderr)
