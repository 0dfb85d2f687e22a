"""The overview: the figures of the fleet, what is wrong now, and the last plan of each site."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ems.batch.site.forecast_page import SignalLine
from ems.batch.site.places import TO_REPORTS
from ems.batch.site.register_pages import NO_ASSETS, Fleet, fleet_cards
from ems.batch.site.run_index import BLOCK, attention_rows, report_of
from ems.batch.site.work_pages import saving_of
from ems.database.latest import RecentOptimization, latest_batches, latest_executions, recent_optimizations
from ems.database.run_lines import count_runs, run_lines
from ems.report.index import AttentionRow, attention_list
from ems.report.site_parts import (
    Cards,
    Cell,
    Column,
    Empty,
    Listing,
    Part,
    Said,
    Section,
    as_link,
    moment_cell,
    money_cell,
    status_cell,
)

if TYPE_CHECKING:
    from sqlalchemy import Engine

LATELY_D = 7
MOST_WRONG = 15
MOST_SEARCHED = 1000
"""Newest optimizations among which the last one of each site is looked for."""


def overview_parts(engine: Engine, fleet: Fleet, signals: Sequence[SignalLine], now: dt.datetime) -> list[Part]:
    """Return what stands on the overview."""
    total = count_runs(engine)
    zone = fleet.zone
    lately = count_runs(engine, since=now - dt.timedelta(days=LATELY_D))
    cards = fleet_cards(fleet) if fleet.view is not None else []
    cards += [
        (f"runs in {LATELY_D} days", f"{lately:,}", f"{TO_REPORTS}index.html", None),
        ("signals foretold", f"{len(signals):,}", "forecasts.html", None),
    ]
    parts: list[Part] = [Cards(cards)]
    wrong = _wrong(engine, fleet, signals, total)
    more = len(wrong) - MOST_WRONG
    note = f"And {more} more on the other pages." if more > 0 else ""
    parts.append(Section("What is wrong now", "wrong", note))
    parts.append(attention_list(wrong[:MOST_WRONG], zone) if wrong else Said("Nothing that the database knows of."))
    if fleet.view is None:
        parts.append(NO_ASSETS)
    parts += _plans(engine, fleet.sites, zone)
    return parts


def _wrong(engine: Engine, fleet: Fleet, signals: Sequence[SignalLine], total: int) -> list[AttentionRow]:
    """Return alarms, overdue work, what failed, and forecasts to look at, in this order."""
    rows = []
    if fleet.view is not None:
        raised = [row for row in fleet.of(fleet.view.statuses) if row.alarm_level not in ("none", "info")]
        rows += [
            AttentionRow(row.name, row.site, row.alarm_level, row.alarm, row.reported_at, "alarms.html")
            for row in sorted(raised, key=lambda row: row.urgency)
        ]
        rows += [
            AttentionRow(row.name, row.site, "overdue", f"{row.what}: {row.reason}", None, "maintenance.html")
            for row in fleet.of(fleet.view.dues)
            if row.is_overdue
        ]
    lines = run_lines(engine, max(0, total - BLOCK), BLOCK)
    executions, batches = latest_executions(engine), latest_batches(engine)
    rows += attention_rows(engine, lines, executions, batches)
    for one in signals:
        what = f"forecast of {one.job.variable}"
        if one.failure is not None:
            reason = one.failure.error or ""
            rows.append(AttentionRow(one.name, what, "failed", reason, one.failure.finished_at, "forecasts.html"))
        elif one.is_worse:
            said = "its error is far above that of its backtest"
            rows.append(AttentionRow(one.name, what, "warning", said, one.job.issued_at, "forecasts.html"))
    return rows


def _plans(engine: Engine, sites: Collection[str], zone: ZoneInfo) -> list[Part]:
    """Return the last optimization of each site."""
    title = Section("The last plan of each site", "plans")
    last: dict[tuple[str, ...], RecentOptimization] = {}
    for one in recent_optimizations(engine, sites=sites, limit=MOST_SEARCHED):
        if one.sites and one.job.status in ("optimal", "feasible"):
            last.setdefault(one.sites, one)
    if not last:
        return [title, Empty("No plan is in the database yet. Make one with", "ems run dispatch demo")]
    rows = []
    for place, one in sorted(last.items()):
        report = report_of(one.report_path)
        paid = one.job.settled_cost if one.job.settled_cost is not None else one.job.total_cost
        rows.append(
            (
                Cell(", ".join(place), small=one.title),
                Cell(f"{one.study} / {one.case_name}", href=as_link(report, TO_REPORTS) if report else None),
                status_cell(one.job.status),
                money_cell(paid, one.job.currency),
                money_cell(saving_of(one), one.job.currency),
                moment_cell(one.job.created_at, zone),
            )
        )
    columns = (
        Column("site"),
        Column("report"),
        Column("status"),
        Column("bill", is_number=True),
        Column("saving", is_number=True),
        Column("made"),
    )
    return [title, Listing(columns, rows)]
