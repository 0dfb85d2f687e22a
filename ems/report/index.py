"""The list of runs as a page: what needs a person first, then what runs now, then all runs, the newest first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from ems.display import NOTHING
from ems.report.site_parts import (
    Cell,
    Column,
    Empty,
    Links,
    Listing,
    Part,
    Section,
    as_link,
    moment_cell,
    money_cell,
    status_cell,
)
from ems.report.tables import shown_duration

INTERRUPTED = "interrupted"
RUN_COLUMNS = (
    Column("run"),
    Column("study", is_choice=True),
    Column("status", is_choice=True),
    Column("started"),
    Column("took", is_number=True),
    Column("total cost", is_number=True),
)
ATTENTION_COLUMNS = (Column("what"), Column("status"), Column("when"))


@dataclass(frozen=True)
class IndexRow:
    """One run, as the list shows it.

    Parameters
    ----------
    run_id, study, case, title, status : str
    started_at, finished_at : datetime
        With offset from UTC.
    total_cost : float or None
        In `currency`.
    currency : str or None
        ISO 4217 code.
    report : str or None
        Path of the report's file, relative to the folder of reports.
    error : str or None
        Why the run did not complete.
    """

    run_id: str
    study: str
    case: str
    title: str
    status: str
    started_at: dt.datetime
    finished_at: dt.datetime | None
    total_cost: float | None
    currency: str | None
    report: str | None
    error: str | None

    @property
    def state(self) -> str:
        """The status in the words of the list: a run whose process was lost is interrupted."""
        is_lost = self.status == "failed" and (self.error or "").startswith(INTERRUPTED)
        return INTERRUPTED if is_lost else self.status


@dataclass(frozen=True)
class AttentionRow:
    """Something that a person should look at.

    Parameters
    ----------
    what, small : str
        Its name, and what it is.
    status, reason : str
        How it stands, and why, in words.
    moment : datetime or None
    href : str or None
        Where more of it is, made by `as_link`.
    """

    what: str
    small: str
    status: str
    reason: str
    moment: dt.datetime | None
    href: str | None = None


def run_list(rows: Sequence[IndexRow], zone: dt.tzinfo, reports: str = "./") -> Listing:
    """Return the runs as the main list of a page, newest first.

    Parameters
    ----------
    rows : sequence of IndexRow
        In any order.
    zone : tzinfo
        In which moments are told.
    reports : str
        Way from the page to the folder of reports.
    """
    ordered = sorted(rows, key=lambda row: (row.started_at, row.run_id), reverse=True)
    cells = [_run_cells(row, zone, reports) for row in ordered]
    return Listing(RUN_COLUMNS, cells, ("run", "runs"), "newest first", is_main=True)


def attention_list(rows: Sequence[AttentionRow], zone: dt.tzinfo) -> Listing:
    """Return what a person should look at as a list, with moments in a time zone."""
    cells = [
        (
            Cell(row.what, href=row.href, small=row.small, reason=row.reason),
            status_cell(row.status),
            moment_cell(row.moment, zone),
        )
        for row in rows
    ]
    return Listing(ATTENTION_COLUMNS, cells, ("matter", "matters"))


def index_parts(
    rows: Sequence[IndexRow],
    zone: dt.tzinfo,
    *,
    attention: Sequence[AttentionRow] = (),
    more_attention: str = "",
    active: Listing | None = None,
    workflows: Listing | None = None,
    older: Sequence[tuple[str, str]] = (),
) -> list[Part]:
    """Return what stands on the list of runs.

    Parameters
    ----------
    rows : sequence of IndexRow
        The newest runs.
    zone : tzinfo
        In which moments are told.
    attention : sequence of AttentionRow
    more_attention : str
        What of it is left out, in a sentence.
    active, workflows : Listing, optional
        What runs now, and workflows with their last executions.
    older : sequence of (words, address)
        Pages of the runs before these.
    """
    parts: list[Part] = []
    if attention:
        parts += [Section("Needs attention", "attention", more_attention), attention_list(attention, zone)]
    if active is not None and active.rows:
        parts += [Section("At work when this page was made", "active"), active]
    if workflows is not None and workflows.rows:
        parts += [Section("Workflows", "workflows"), workflows]
    if not rows:
        return [*parts, Empty("No run yet. Make the first one with", "ems run dispatch demo")]
    if parts:
        parts.append(Section("All runs" if not older else "Newest runs", "runs"))
    parts.append(run_list(rows, zone))
    if older:
        parts += [Section("Older runs", "older"), Links(older)]
    return parts


def _run_cells(row: IndexRow, zone: dt.tzinfo, reports: str) -> tuple[Cell, ...]:
    took = Cell(NOTHING)
    if row.finished_at is not None:
        seconds = max((row.finished_at - row.started_at).total_seconds(), 0.0)
        took = Cell(shown_duration(row.started_at, row.finished_at), sort=round(seconds, 3))
    return (
        Cell(
            row.title or row.run_id,
            href=as_link(row.report, reports) if row.report else None,
            small=row.run_id,
            reason=first_lines(row.error),
        ),
        Cell(row.study, small=row.case, sort=row.study),
        status_cell(row.state),
        moment_cell(row.started_at, zone),
        took,
        money_cell(row.total_cost, row.currency),
    )


def first_lines(error: str | None, lines: int = 3, letters: int = 400) -> str:
    """Return the beginning of a reason; its report has all of it."""
    if not error:
        return ""
    kept = error.strip().splitlines()
    text = "\n".join(kept[:lines])
    is_cut = len(kept) > lines or len(text) > letters
    return f"{text[:letters].rstrip()} …" if is_cut else text
