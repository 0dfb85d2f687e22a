"""The list of all runs: the newest on reports/index.html, older ones on pages that are written once.

The list is written anew after each run, so it must cost little however many runs there are. Runs are taken in the
order in which they were opened, in blocks of `BLOCK`. The index shows the last full block and what came after it; each
block before it has a page of its own, which is written when it falls off the index and then stays.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ems.batch.site.places import (
    FOLDER,
    PAGES,
    TO_REPORTS,
    archive_name,
    links_of_index,
    links_of_page,
    reports_folder,
)
from ems.batch.site.zone import project_zone
from ems.database.batches import count_cases
from ems.database.engine import shown
from ems.database.latest import latest_batches, latest_executions, open_batches, owners_of_runs
from ems.database.records import ACTIVE, utc_now
from ems.database.run_lines import RunLine, count_runs, run_lines, run_spans
from ems.display import NOTHING
from ems.folders import project_folder, write_whole
from ems.report.index import AttentionRow, IndexRow, first_lines, index_parts, run_list
from ems.report.site_page import OPEN_MARK, SitePage, render_site_page
from ems.report.site_parts import Cell, Column, Listing, as_link, moment_cell, status_cell
from ems.report.tables import shown_duration

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from sqlalchemy import Engine

    from ems.database.batch_records import Batch
    from ems.database.workflow_records import WorkflowExecution

BLOCK = 500
MOST_ATTENTION = 8
ATTENTION_D = 30
"""Days before the newest run in which a failure still asks for somebody."""


def write_index(engine: Engine, root: Path | None = None, *, anew: bool = False) -> Path:
    """Write the list of runs and return its path.

    Parameters
    ----------
    engine : Engine
    root : Path, optional
        Folder of reports; the project's own where nothing is given.
    anew : bool
        Whether pages of older runs that are there are written anew, too.
    """
    root = reports_folder() if root is None else root
    zone = project_zone(engine)
    archived = max(0, count_runs(engine) // BLOCK - 1)
    older = _older_links(engine, archived)
    for number in range(1, archived + 1):
        path = root / FOLDER / archive_name(number)
        if anew or not _is_final(path):
            write_whole(path, archive_page(engine, zone, number, older[number - 1][0], root))
    path = root / "index.html"
    write_whole(path, index_page(engine, zone, archived, older, root))
    return path


def index_page(engine: Engine, zone: ZoneInfo, archived: int, older: Sequence[tuple[str, str]], root: Path) -> str:
    """Return the list of the newest runs as HTML."""
    lines = run_lines(engine, archived * BLOCK, 2 * BLOCK)
    executions, batches = latest_executions(engine), latest_batches(engine)
    attention = attention_rows(engine, lines, executions, batches, index_in=root)
    more = len(attention) - MOST_ATTENTION
    parts = index_parts(
        [index_row(line) for line in lines],
        zone,
        attention=attention[:MOST_ATTENTION],
        more_attention=f"And {more} more; choose the status failed below to see them." if more > 0 else "",
        active=_active_list(engine, lines, executions, zone),
        workflows=_workflow_list(executions, root, zone),
        older=[(words, f"{FOLDER}/{file}") for words, file in reversed(older)],
    )
    page = SitePage("Runs", parts, links_of_index(root), utc_now(), shown(engine), zone)
    return render_site_page(page)


def archive_page(engine: Engine, zone: ZoneInfo, number: int, words: str, root: Path) -> str:
    """Return a page of older runs as HTML."""
    lines = run_lines(engine, (number - 1) * BLOCK, BLOCK)
    is_final = not any(line.status in ACTIVE for line in lines)
    page = SitePage(
        f"Runs of {words}",
        [run_list([index_row(line) for line in lines], zone, TO_REPORTS)],
        links_of_page(archive_name(number), root),
        utc_now(),
        shown(engine),
        zone,
        is_final=is_final,
    )
    return render_site_page(page)


def index_row(line: RunLine) -> IndexRow:
    """Return a run as the list shows it; a report leads somewhere only where its file is there."""
    return IndexRow(
        run_id=line.id,
        study=line.study,
        case=line.case_name,
        title=line.title,
        status=line.status,
        started_at=line.started_at or line.created_at,
        finished_at=line.finished_at,
        total_cost=line.total_cost,
        currency=line.currency,
        report=report_of(line.report_path),
        error=line.error,
    )


def report_of(report_path: str | None) -> str | None:
    """Return a report's path relative to the folder of reports; None where its file is not on this machine."""
    if not report_path or not (project_folder() / report_path).is_file():
        return None
    return report_path.removeprefix("reports/")


def attention_rows(
    engine: Engine,
    lines: Sequence[RunLine],
    executions: Sequence[WorkflowExecution],
    batches: Sequence[Batch],
    *,
    index_in: Path | None = None,
) -> list[AttentionRow]:
    """Return what failed and has not succeeded since, the newest first.

    Of a case its last run counts, of a workflow its last execution, of a sweep its last batch; runs of batches and
    workflows stand behind these.

    Parameters
    ----------
    engine : Engine
    lines : sequence of RunLine
    executions, batches : sequence
        The last of each workflow and sweep.
    index_in : Path, optional
        Folder of reports of which the index is made; without it, the rows are for a page of the site.
    """
    reports = TO_REPORTS if index_in is None else "./"
    last = {(line.study, line.case_name): line for line in lines if line.status not in ACTIVE}
    newest = max([line.created_at for line in lines], default=utc_now())
    begin = newest - dt.timedelta(days=ATTENTION_D)
    failed = [line for line in last.values() if line.status == "failed" and line.created_at >= begin]
    owners = owners_of_runs(engine, [line.id for line in failed])
    rows = []
    for line in failed:
        if line.id in owners:
            continue
        one = index_row(line)
        href = as_link(one.report, reports) if one.report else None
        reason = first_lines(line.error)
        rows.append(
            AttentionRow(line.title, f"{line.study} / {line.case_name}", one.state, reason, line.finished_at, href)
        )
    place = _way_to("workflows.html", index_in)
    for execution in executions:
        if execution.status == "failed" and execution.created_at >= begin:
            href = f"{place}#{execution.workflow}" if place else None
            reason = first_lines(execution.error)
            rows.append(AttentionRow(execution.workflow, "workflow", "failed", reason, execution.finished_at, href))
    place = _way_to("batches.html", index_in)
    for batch in batches:
        if batch.status == "failed" and batch.created_at >= begin:
            bad = count_cases(engine, batch.id)["failed"]
            reason = f"{bad} of {batch.cases} cases failed; ems batches show {batch.id} --status failed"
            rows.append(
                AttentionRow(batch.name, f"batch of {batch.study}", "failed", reason, batch.finished_at, place)
            )
    return sorted(rows, key=lambda row: row.moment or newest, reverse=True)


# ---------------------------------------------------------------------------------------------- inside
def _way_to(file: str, index_in: Path | None) -> str | None:
    """Return the address of a page of the site: from another page of it, or from the index where it is there."""
    assert file in PAGES, file
    if index_in is None:
        return file
    return f"{FOLDER}/{file}" if (index_in / FOLDER / file).is_file() else None


def _active_list(
    engine: Engine, lines: Sequence[RunLine], executions: Sequence[WorkflowExecution], zone: ZoneInfo
) -> Listing:
    rows = [
        (Cell(line.title, small=f"{line.study} / {line.case_name}"), status_cell(line.status), _since(line, zone))
        for line in reversed(lines)
        if line.status in ACTIVE
    ]
    for batch in open_batches(engine):
        counts = count_cases(engine, batch.id)
        said = f"batch of {batch.study}: {counts['completed']} of {batch.cases} cases done, {counts['failed']} failed"
        rows.append((Cell(batch.name, small=said), status_cell("open"), moment_cell(batch.created_at, zone)))
    rows += [
        (
            Cell(one.workflow, small="workflow"),
            status_cell(one.status),
            moment_cell(one.started_at or one.created_at, zone),
        )
        for one in executions
        if one.status in ACTIVE
    ]
    return Listing((Column("what"), Column("status"), Column("since")), rows)


def _since(line: RunLine, zone: ZoneInfo) -> Cell:
    return moment_cell(line.started_at or line.created_at, zone)


def _workflow_list(executions: Sequence[WorkflowExecution], root: Path, zone: ZoneInfo) -> Listing:
    place = _way_to("workflows.html", root)
    rows = [
        (
            Cell(one.workflow, href=f"{place}#{one.workflow}" if place else None),
            status_cell(one.status, reason=first_lines(one.error, lines=1)),
            moment_cell(one.started_at or one.created_at, zone),
            Cell(shown_duration(one.started_at, one.finished_at) if one.started_at and one.finished_at else NOTHING),
            Cell(one.trigger),
        )
        for one in executions
    ]
    columns = [Column(title) for title in ("workflow", "last execution", "started", "took", "started by")]
    return Listing(columns, rows)


def _older_links(engine: Engine, archived: int) -> list[tuple[str, str]]:
    if not archived:
        return []
    spans = run_spans(engine, BLOCK)[:archived]
    return [(_span_words(*span), archive_name(number)) for number, span in enumerate(spans, 1)]


def _span_words(first: dt.datetime, last: dt.datetime) -> str:
    begin, end = f"{first.day} {first:%B %Y}", f"{last.day} {last:%B %Y}"
    return begin if begin == end else f"{begin} to {end}"


def _is_final(path: Path) -> bool:
    """Return whether a page is there on which nothing will change any more."""
    try:
        with path.open("rb") as file:
            return OPEN_MARK.encode() not in file.read(200)
    except OSError:
        return False
