"""The pages of the register: assets by status, alarms, and the maintenance calendar."""

from __future__ import annotations

import base64
import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ems.assets.maintenance import calendar_of, status_on
from ems.batch.site.zone import project_zone, zone_of
from ems.database.operation import STALE_AFTER_MIN, list_maintenance, statuses
from ems.database.register_portfolio import load_portfolio
from ems.database.register_queries import count_assets
from ems.report.register_words import kind_words, rating_words
from ems.report.site_parts import (
    TONES,
    Cards,
    Cell,
    Column,
    Empty,
    Listing,
    Part,
    Picture,
    Said,
    Section,
    moment_cell,
    number_cell,
    status_cell,
    text_cell,
)

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ems.assets.portfolio import Portfolio
    from ems.studies.register_view import RegisterView

HORIZON_D = 90
"""Days ahead in which maintenance is shown."""
DONE_D = 90
"""Days back in which maintenance that was done is shown."""
MOST_ASSETS = 2000
NO_ASSETS = Empty("No asset is in the register yet. Add some with", "ems assets import data/sites/harbour.yaml")


@dataclass(frozen=True)
class Fleet:
    """The register at the moment of the pages, or the part of it at some sites.

    Parameters
    ----------
    view : RegisterView or None
        None where the register is empty.
    sites : frozenset of str
        Sites to look at; empty for all.
    zone : ZoneInfo
        In which times are told: of most sites that are looked at.
    """

    view: RegisterView | None
    sites: frozenset[str]
    zone: ZoneInfo

    @cached_property
    def asset_ids(self) -> frozenset[str]:
        """Assets to look at, decommissioned ones among them."""
        if self.view is None:
            return frozenset()
        return frozenset(one.id for one in self.view.portfolio.assets if not self.sites or one.site_id in self.sites)

    def of(self, rows: Collection[Any]) -> list[Any]:
        """Return those rows of the view that are of the assets to look at."""
        return [row for row in rows if row.asset_id in self.asset_ids]


def read_fleet(engine: Engine, sites: Collection[str], now: dt.datetime) -> Fleet:
    """Return the register at a moment."""
    from ems.studies.register_source import Operation
    from ems.studies.register_view import RegisterView

    if not count_assets(engine):
        return Fleet(None, frozenset(sites), project_zone(engine))
    portfolio: Portfolio = load_portfolio(engine)
    known = tuple(one.status for one in statuses(engine, now) if one.status is not None)
    operation = Operation(known, tuple(list_maintenance(engine)))
    zone = zone_of([one.timezone for one in portfolio.sites if one.id in sites]) if sites else project_zone(engine)
    return Fleet(RegisterView(portfolio, operation, now, STALE_AFTER_MIN, HORIZON_D), frozenset(sites), zone)


def asset_parts(fleet: Fleet) -> list[Part]:
    """Return what stands on the page of assets."""
    if fleet.view is None:
        return [NO_ASSETS]
    rows = fleet.of(fleet.view.statuses)
    states = Counter(row.state for row in rows)
    health = {row.asset_id: row for row in fleet.view.health}
    assets = {one.id: one for one in fleet.view.portfolio.assets}
    cells = [
        (
            Cell(row.name, small=row.asset_id),
            text_cell(row.site),
            Cell(kind_words(row.kind), small=rating_words(assets[row.asset_id]), sort=kind_words(row.kind)),
            status_cell(assets[row.asset_id].status),
            Cell(row.state, tone=_tone(row.state), small=row.reason.partition(": ")[2] or row.reason, sort=row.state),
            number_cell(row.power_kw, 1),
            number_cell(row.soc, 2),
            number_cell(health[row.asset_id].score, 2),
        )
        for row in sorted(rows, key=lambda row: (_STATE_ORDER.index(row.state), row.site, row.name))[:MOST_ASSETS]
    ]
    columns = (
        Column("asset"), Column("site", is_choice=True), Column("kind", is_choice=True),
        Column("register", is_choice=True), Column("state", is_choice=True), Column("power (kW)", is_number=True),
        Column("charge (1)", is_number=True), Column("health (1)", is_number=True),
    )  # fmt: skip
    parts: list[Part] = [Cards([(state, f"{states[state]:,}", None, None) for state in _STATE_ORDER if states[state]])]
    if len(rows) > MOST_ASSETS:
        parts.append(Said(f"The {MOST_ASSETS:,} most urgent of {len(rows):,} assets are shown."))
    parts.append(Listing(columns, cells, ("asset", "assets"), "those that are down first", is_main=True))
    if rows and states["unknown"] == len(rows):
        parts.insert(
            1, Empty("No asset has ever reported how it runs.", "docs/register.md tells how statuses come in")
        )
    return parts


def alarm_parts(fleet: Fleet) -> list[Part]:
    """Return what stands on the page of alarms: what assets report, and who is silent or down."""
    if fleet.view is None:
        return [NO_ASSETS]
    rows, zone = fleet.of(fleet.view.statuses), fleet.zone
    raised = sorted((row for row in rows if row.alarm_level != "none"), key=lambda row: (row.urgency, row.name))
    silent = [row for row in rows if row.state in ("fault", "offline") and row.reported_at is not None]
    parts: list[Part] = []
    if raised:
        cells = [
            (
                Cell(row.name, small=row.asset_id, reason=row.alarm),
                text_cell(row.site),
                status_cell(row.alarm_level),
                Cell(row.state, tone=_tone(row.state)),
                moment_cell(row.reported_at, zone),
            )
            for row in raised
        ]
        columns = (
            Column("asset"),
            Column("site", is_choice=True),
            Column("level", is_choice=True),
            Column("state"),
            Column("reported"),
        )
        parts.append(Listing(columns, cells, ("alarm", "alarms"), "the gravest first", is_main=True))
    else:
        parts.append(Said("No asset reports an alarm."))
    parts.append(
        Section("Down or silent", "down", f"Without a message for {STALE_AFTER_MIN:g} min an asset counts as offline.")
    )
    if silent:
        down = [
            (
                Cell(row.name, small=row.asset_id),
                text_cell(row.site),
                Cell(row.state, tone=_tone(row.state), small=row.reason.partition(": ")[2]),
                moment_cell(row.reported_at, zone),
            )
            for row in silent
        ]
        titles = ("asset", "site", "state", "last message")
        parts.append(Listing([Column(title) for title in titles], down, ("asset", "assets")))
    else:
        parts.append(Said("No asset that has ever reported is down or silent."))
    return parts


def maintenance_parts(fleet: Fleet) -> list[Part]:
    """Return what stands on the maintenance calendar: what is due, by whom and when, and what was done lately."""
    if fleet.view is None:
        return [NO_ASSETS]
    from ems.report.register_calendar import plot_maintenance

    view, today = fleet.view, fleet.view.today
    dues = fleet.of(view.dues)
    records = fleet.of(view.operation.maintenance)
    overdue = sum(row.is_overdue for row in dues)
    parts: list[Part] = [
        Cards(
            [
                ("overdue", str(overdue), "#due", "bad" if overdue else None),
                (f"due within {HORIZON_D} d", str(sum(row.due is not None for row in dues) - overdue), "#due", None),
                ("by use, without a day", str(sum(row.due is None for row in dues)), "#due", None),
            ]
        )
    ]
    if not dues and not records:
        return [Empty("No maintenance is planned, due or recorded.", "docs/register.md tells how records come in")]
    if dues:
        parts.append(_picture(plot_maintenance(dues, today, HORIZON_D)))
    parts += [Section("Overdue and due", "due"), _due_list(dues)] if dues else [Said("Nothing is due.")]
    names = {one.id: one.name for one in view.portfolio.assets}
    begin, end = today - dt.timedelta(days=DONE_D), today + dt.timedelta(days=HORIZON_D)
    days = calendar_of(records, begin, end)
    if days:
        parts.append(Section("Calendar", "calendar", f"Work from {begin} to {end}, done and planned."))
    months: dict[str, list[tuple[Cell, ...]]] = {}
    for day, work in days.items():
        for one in work:
            about = one.work_performed or one.description
            months.setdefault(f"{day:%B %Y}", []).append(
                (
                    Cell(f"{day:%a %d %b}", small="today" if day == today else ""),
                    Cell(names.get(one.asset_id, one.asset_id), small=one.asset_id),
                    Cell(one.maintenance_type.replace("_", " "), small=about),
                    _word_cell(status_on(one, today)),
                    text_cell(one.service_provider or one.performed_by),
                )
            )
    columns = (Column("day"), Column("asset"), Column("work"), Column("state"), Column("by"))
    for month, rows in months.items():
        parts += [Section(month, month.lower().replace(" ", "-")), Listing(columns, rows)]
    return parts


def fleet_cards(fleet: Fleet) -> list[tuple[str, str, str | None, str | None]]:
    """Return the figures of the register for the overview."""
    view = fleet.view
    assert view is not None, "an empty register has no figures"
    rows = fleet.of(view.statuses)
    sites = {one.id for one in view.portfolio.sites} & (fleet.sites or {one.id for one in view.portfolio.sites})
    alarms = [row for row in rows if row.alarm_level not in ("none", "info")]
    overdue = [row for row in fleet.of(view.dues) if row.is_overdue]
    up = sum(row.state in ("online", "standby") for row in rows)
    return [
        ("assets", f"{len(rows):,}", "assets.html", None),
        ("sites", f"{len(sites):,}", None, None),
        ("online or on standby", f"{up:,} of {len(rows):,}", "assets.html", None),
        ("alarms", str(len(alarms)), "alarms.html", "bad" if alarms else None),
        ("overdue work", str(len(overdue)), "maintenance.html", "bad" if overdue else None),
    ]


# ---------------------------------------------------------------------------------------------- inside
_STATE_ORDER = ("fault", "offline", "maintenance", "unknown", "standby", "online")


def _tone(state: str) -> str:
    return "bad" if state == "offline" else TONES.get(state, "quiet")


def _word_cell(status: str) -> Cell:
    return status_cell(status.replace("_", " "))


def _due_list(dues: Collection[Any]) -> Listing:
    state: Callable[[Any], str] = lambda row: "overdue" if row.is_overdue else "due" if row.due else "by use"  # noqa: E731
    cells = [
        (
            Cell(row.name, small=row.asset_id),
            text_cell(row.site),
            status_cell(state(row)),
            text_cell(row.due),
            Cell(row.what, small=row.reason),
        )
        for row in dues
    ]
    columns = (
        Column("asset"),
        Column("site", is_choice=True),
        Column("state", is_choice=True),
        Column("day"),
        Column("work"),
    )
    return Listing(columns, cells, ("piece of work", "pieces of work"), "the most urgent first", is_main=True)


def _picture(figure: Any) -> Picture:
    svg = base64.b64encode(figure.as_svg().encode()).decode("ascii")
    return Picture(f"data:image/svg+xml;base64,{svg}", figure.alt)
