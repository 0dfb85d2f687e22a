"""The tables of the register: sites, assets, groups, what hangs on what, status, alarms, maintenance, health."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from ems.display import counted
from ems.report.register_rows import DueRow, HealthRow, StatusRow
from ems.report.register_words import by_kind, energy_kwh, installed, installed_kw, kind_words, rating_words
from ems.report.tables import Table

NO_ALARM = "none"


def show_sites(portfolio: Any) -> Table:
    """Return a table of sites: what they are, where, and what is installed there."""
    rows = []
    for site in portfolio.sites:
        there = [one for one in installed(portfolio) if one.site_id == site.id]
        stored = sum(energy_kwh(one) or 0.0 for one in there if one.kind == "battery")
        place = ", ".join(part for part in (site.city, site.country) if part)
        kind = site.site_type or ("" if site.status == "active" else site.status)
        rows.append((site.name, kind, place, site.timezone, len(there), installed_kw(portfolio, site.id), stored))
    columns = ("site", "type", "place", "time zone", "assets", "installed (kW)", "storage (kWh)")
    caption = "Sites; installed is generation, storage and charging, without grid connections and loads"
    return Table(columns, rows, caption, decimals={"installed (kW)": 0, "storage (kWh)": 0})


def show_register(portfolio: Any) -> Table:
    """Return a table of assets, sources before uses: kind, site, rating, whether in use, since when, made by whom."""
    sites = {site.id: site.name for site in portfolio.sites}
    rows: list[tuple[object, ...]] = [
        (
            asset.name,
            kind_words(kind),
            sites[asset.site_id],
            rating_words(asset),
            asset.status,
            _year(asset.commissioning_date or asset.installation_date),
            " ".join(part for part in (asset.manufacturer, asset.model) if part),
        )
        for kind, same in by_kind(portfolio.assets).items()
        for asset in same
    ]
    columns = ["asset", "kind", "site", "rating", "status", "since", "make"]
    if not any(row[-1] for row in rows):
        columns.pop()
        rows = [row[:-1] for row in rows]
    return Table(columns, rows, counted(len(rows), "asset"))


def show_groups(portfolio: Any) -> Table:
    """Return a table of groups, nested ones below those which they are part of, with their members and roles."""
    assets = {one.id: one for one in portfolio.assets}
    children: dict[str | None, list[Any]] = {}
    known = {one.id for one in portfolio.groups}
    for group in portfolio.groups:
        parent = group.parent_group_id if group.parent_group_id in known else None
        children.setdefault(parent, []).append(group)
    rows: list[tuple[object, ...]] = []

    def add(group: Any, path: str) -> None:
        own = [one for one in portfolio.members if one.group_id == group.id and one.asset_id in assets]
        own.sort(key=lambda one: (one.priority is None, one.priority or 0))
        words = [f"{assets[one.asset_id].name}{f' ({one.role})' if one.role else ''}" for one in own]
        rows.append(
            (
                group.name,
                "VPP" if group.group_type == "vpp" else group.group_type,
                path,
                "; ".join(words),
                group.description,
            )
        )
        for child in children.get(group.id, ()):
            add(child, f"{path} › {group.name}" if path else group.name)

    for top in children.get(None, ()):
        add(top, "")
    return Table(("group", "type", "part of", "members", "purpose"), rows, counted(len(rows), "group"))


def show_outages(portfolio: Any, affected: Mapping[str, Sequence[Any]]) -> Table:
    """Return a table of what an outage of each asset takes down with it, the gravest first.

    Parameters
    ----------
    portfolio : Portfolio
    affected : mapping of str to sequence
        By asset: those that go down with it, each with ``asset_id`` and ``chain``.
    """
    names = {one.id: one.name for one in portfolio.assets}
    rows = []
    for asset_id, down in sorted(affected.items(), key=lambda one: (-len(one[1]), one[0])):
        if down:
            words = [
                names[one.asset_id] + (f" (through {names[one.chain[-2]]})" if len(one.chain) > 2 else "")
                for one in down
            ]
            rows.append((names[asset_id], len(down), "; ".join(words)))
    if not rows:
        return show_nothing("No asset takes another one down.")
    return Table(("when this is out", "assets down", "these go down with it"), rows, "What hangs on what")


def show_statuses(rows: Sequence[StatusRow], timezone: str) -> Table:
    """Return a table of how each asset runs, why it counts as that, and its last message in local time."""
    cells = [
        (
            row.name,
            row.site,
            row.state,
            row.power_kw,
            row.soc,
            _moment(row.reported_at, timezone),
            row.reason,
        )
        for row in rows
    ]
    columns = ("asset", "site", "state", "power (kW)", "state of charge (1)", "last message", "why")
    caption = f"Status of {counted(len(rows), 'asset')}; power is positive into the site's bus, times are local"
    return Table(columns, cells, caption, decimals={"power (kW)": 1, "state of charge (1)": 2})


def show_alarms(rows: Iterable[StatusRow], timezone: str) -> Table:
    """Return a table of alarms, the gravest first."""
    raised = sorted((row for row in rows if row.alarm_level != NO_ALARM), key=lambda row: (row.urgency, row.name))
    cells = [(row.alarm_level, row.name, row.site, row.alarm, _moment(row.reported_at, timezone)) for row in raised]
    if not cells:
        return show_nothing("No asset reports an alarm.")
    return Table(("level", "asset", "site", "message", "reported"), cells, counted(len(cells), "alarm"))


def show_maintenance(rows: Sequence[DueRow], today: dt.date) -> Table:
    """Return a table of work that is due, the most urgent first; without a day, what depends on use."""
    ordered = sorted(rows, key=lambda row: (not row.is_overdue, row.due or dt.date.max, row.name))
    cells = [
        (
            row.name,
            row.site,
            "overdue" if row.is_overdue else "due" if row.due is not None else "by use",
            _day(row.due),
            (row.due - today).days if row.due is not None else None,
            row.what,
            row.reason,
        )
        for row in ordered
    ]
    if not cells:
        return show_nothing("No maintenance is known to fall due.")
    columns = ("asset", "site", "state", "day", "in days", "work", "why")
    return Table(columns, cells, f"Maintenance as of {today}")


def show_health(rows: Sequence[HealthRow]) -> Table:
    """Return a table of health, the weakest first, with what it is made of and the warranty."""
    ordered = sorted(rows, key=lambda row: (row.score is None, row.score or 0.0, row.name))
    cells = [(row.name, row.score, row.remaining_life_a, "; ".join(row.parts), row.warranty) for row in ordered]
    columns = ("asset", "health (1)", "years left (a)", "from", "warranty")
    caption = "Health from 1, as new, to 0, at its end; nothing where too little is known"
    return Table(columns, cells, caption, decimals={"health (1)": 2, "years left (a)": 1})


def show_nothing(sentence: str) -> Table:
    """Return a table of one sentence, where there is nothing to list."""
    return Table((sentence,), ())


def _year(day: dt.date | None) -> str | None:
    return None if day is None else f"{day:%Y}"


def _day(day: dt.date | None) -> str | None:
    return None if day is None else _unbroken(f"{day:%d %b %Y}")


def _moment(moment: dt.datetime | None, timezone: str) -> str | None:
    return None if moment is None else _unbroken(f"{moment.astimezone(ZoneInfo(timezone)):%d %b %Y %H:%M}")


def _unbroken(text: str) -> str:
    """Return a text that a narrow column does not break."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")
