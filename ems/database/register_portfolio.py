"""A whole portfolio into the register and out of it: the same one twice changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ems.assets.group import Dependency, Group, GroupMember, with_nested
from ems.assets.portfolio import AnyAsset, Portfolio, Site
from ems.assets.reserve import ReserveRequirement
from ems.database import register_tables as tables
from ems.database.audit import acting_user
from ems.database.engine import reading
from ems.database.register_tables import DEFAULT_PORTFOLIO, PortfolioSettings
from ems.database.shelf import FieldChange, Shelf
from ems.database.shelves import (
    ASSET_SHELF,
    DEPENDENCY_SHELF,
    GROUP_SHELF,
    MEMBER_SHELF,
    RESERVE_SHELF,
    SETTINGS_SHELF,
    SITE_SHELF,
    TARIFF_SHELF,
    check_nesting,
    check_references,
    check_site_codes,
)
from ems.database.turns import in_turn
from ems.errors import InvalidInput
from ems.series.form import SeriesForm
from ems.tariffs.tariff import Tariff


@dataclass(frozen=True)
class SaveSummary:
    """What saving did, or would do.

    Parameters
    ----------
    created : tuple of str
        Records that were new: ``battery 'b1'``.
    changes : tuple of FieldChange
        Fields that were changed, with old and new value.
    unchanged : int
        Number of records that were there already, just so.
    """

    created: tuple[str, ...]
    changes: tuple[FieldChange, ...]
    unchanged: int

    @property
    def changed(self) -> tuple[str, ...]:
        """The records of which a field was changed, each once."""
        return tuple(dict.fromkeys(change.what for change in self.changes))

    def __str__(self) -> str:
        fields = f" ({len(self.changes)} {'field' if len(self.changes) == 1 else 'fields'})" if self.changes else ""
        return f"{len(self.created)} created, {len(self.changed)} changed{fields}, {self.unchanged} unchanged"


class _Undone(Exception):
    """Leaves the transaction so that nothing of it is kept."""

    def __init__(self, summary: SaveSummary) -> None:
        super().__init__(summary)
        self.summary = summary


def save_portfolio(
    engine: sa.Engine, portfolio: Portfolio, by: str | None = None, *, dry_run: bool = False
) -> SaveSummary:
    """Keep a portfolio, all or nothing: what is new is created, what differs is changed, what is missing stays.

    Parameters
    ----------
    engine : Engine
    portfolio : Portfolio
    by : str, optional
    dry_run : bool
        Whether to say only what would happen; every check and law takes part, then all is undone.

    Raises
    ------
    InvalidInput
        If the register keeps its sums in another currency, or has an asset of the same id and another kind.
    """
    return save_records(
        engine,
        currency=portfolio.currency,
        series=portfolio.series,
        sites=portfolio.sites,
        tariffs=portfolio.tariffs,
        assets=portfolio.assets,
        groups=portfolio.groups,
        members=portfolio.members,
        dependencies=portfolio.dependencies,
        reserves=portfolio.reserves,
        by=by,
        dry_run=dry_run,
    )


def save_records(
    engine: sa.Engine,
    *,
    currency: str | None = None,
    series: SeriesForm | None = None,
    sites: Sequence[Site] = (),
    tariffs: Sequence[Tariff] = (),
    assets: Sequence[AnyAsset] = (),
    groups: Sequence[Group] = (),
    members: Sequence[GroupMember] = (),
    dependencies: Sequence[Dependency] = (),
    reserves: Sequence[ReserveRequirement] = (),
    by: str | None = None,
    dry_run: bool = False,
) -> SaveSummary:
    """Keep parts of a portfolio as `save_portfolio` does; they may refer to what the register has already.

    Raises
    ------
    InvalidInput
        If a record refers to what is neither given nor in the register, or a record is given twice.
    """
    who = acting_user(by)
    batches: list[tuple[Shelf[Any], Sequence[Any]]] = [
        (SITE_SHELF, sites),
        (TARIFF_SHELF, tariffs),
        (ASSET_SHELF, assets),
        (GROUP_SHELF, groups),
        (MEMBER_SHELF, members),
        (DEPENDENCY_SHELF, dependencies),
        (RESERVE_SHELF, reserves),
    ]
    for shelf, records in batches:
        _refuse_twice(shelf, records)

    def work(connection: sa.Connection) -> SaveSummary:
        summary = _Summary()
        _save_settings(connection, currency, series, who, summary)
        for shelf, records in batches:
            _save_batch(connection, shelf, records, who, summary)
        if groups:
            check_nesting(connection)
        done = SaveSummary(tuple(summary.created), tuple(summary.changes), summary.unchanged)
        if dry_run:
            raise _Undone(done)
        return done

    try:
        return in_turn(engine, work, alone=True)
    except _Undone as ended:
        return ended.summary


def load_portfolio(engine: sa.Engine, *, site: str | None = None, group: str | None = None) -> Portfolio:
    """Return the portfolio of the register, in the order in which it was entered.

    Parameters
    ----------
    engine : Engine
    site : str, optional
        Only the assets of that site.
    group : str, optional
        Only the assets of that group and of the groups nested in it.

    Returns
    -------
    Portfolio
        Equal to the one that was saved. Of a part, only what concerns its assets: their sites and tariffs, the
        groups that they are in with those around, dependencies among them, reserves that they may offer.

    Raises
    ------
    UnknownName
        If there is no such site or group.
    InvalidInput
        If the register, or that part of it, has no assets.
    """
    with reading(engine) as connection:
        settings = SETTINGS_SHELF.fetch(connection, [(DEFAULT_PORTFOLIO,)])
        if site is not None:
            SITE_SHELF.require(connection, (site,))
        if group is not None:
            GROUP_SHELF.require(connection, (group,))
        groups = _records(connection, GROUP_SHELF)
        members = _records(connection, MEMBER_SHELF)
        chosen = None if group is None else with_nested(group, groups)
        keys = _asset_keys(connection, site, chosen)
        assets = [entry.record for entry in ASSET_SHELF.fetch(connection, keys).values()]
        sites, tariffs = _records(connection, SITE_SHELF), _records(connection, TARIFF_SHELF)
        dependencies, reserves = _records(connection, DEPENDENCY_SHELF), _records(connection, RESERVE_SHELF)
    if not assets or not settings:
        where = f" at site '{site}'" * (site is not None) + f" in group '{group}'" * (group is not None)
        raise InvalidInput("the register", f"has no assets{where}; add some with `ems assets import FILE`")
    kept = settings[DEFAULT_PORTFOLIO,].record
    if keys is not None:
        ids = {asset.id for asset in assets}
        members = [one for one in members if one.asset_id in ids and (chosen is None or one.group_id in chosen)]
        groups = _with_those_around(groups, {one.group_id for one in members} | ({group} if group else set()))
        at = {asset.site_id for asset in assets} | {one.site_id for one in groups}
        sites = [one for one in sites if one.id in at]
        billed = {getattr(asset, "tariff_id", None) for asset in assets}
        tariffs = [one for one in tariffs if one.id in billed]
        dependencies = [one for one in dependencies if one.asset_id in ids and one.depends_on_asset_id in ids]
        assets = [_without_foreign_battery(asset, ids) for asset in assets]
        reserves = [
            one.replace(providers=tuple(name for name in one.providers if name in ids))
            for one in reserves
            if not one.providers or ids.intersection(one.providers)
        ]
    return Portfolio(
        currency=kept.currency,
        sites=tuple(sites),
        assets=tuple(assets),
        tariffs=tuple(tariffs),
        groups=tuple(groups),
        members=tuple(members),
        dependencies=tuple(dependencies),
        reserves=tuple(reserves),
        series=kept.series,
    )


# ---------------------------------------------------------------------------------------------- saving
class _Summary:
    def __init__(self) -> None:
        self.created: list[str] = []
        self.changes: list[FieldChange] = []
        self.unchanged = 0


def _save_batch(
    connection: sa.Connection, shelf: Shelf[Any], records: Sequence[Any], who: str, summary: _Summary
) -> None:
    """Create what is new and change what differs; of what is given, references may lead within the batch."""
    there = shelf.fetch(connection, [shelf.key_of(record) for record in records], for_update=True)
    new = [record for record in records if shelf.key_of(record) not in there]
    old = [(there[key], record) for record in records if (key := shelf.key_of(record)) in there]
    differing = [(entry, record) for entry, record in old if entry.record != record]
    written = [*new, *(record for _, record in differing)]
    if not written:
        summary.unchanged += len(old)
        return
    check_references(connection, shelf, written, also=records)
    if shelf is SITE_SHELF:
        check_site_codes(connection, records)
    shelf.insert(connection, new, who)
    summary.created += [shelf.describe(record) for record in new]
    changes = shelf.update_all(connection, differing, who)
    summary.changes += changes
    summary.unchanged += len(old) - len({change.what for change in changes})


def _save_settings(
    connection: sa.Connection, currency: str | None, series: SeriesForm | None, who: str, summary: _Summary
) -> None:
    there = SETTINGS_SHELF.fetch(connection, [(DEFAULT_PORTFOLIO,)], for_update=True)
    if not there:
        if currency is None:
            raise InvalidInput("the register", "has no currency yet; give one, as in currency: EUR")
        new = PortfolioSettings(currency=currency, series=series or SeriesForm())
        SETTINGS_SHELF.insert(connection, [new], who)
        summary.created.append("portfolio")
        return
    entry = there[DEFAULT_PORTFOLIO,]
    wanted = entry.record.replace(
        **({} if currency is None else {"currency": currency}), **({} if series is None else {"series": series})
    )
    has_assets = connection.execute(sa.select(tables.ASSETS.c.id).limit(1)).first() is not None
    if wanted.currency != entry.record.currency and has_assets:
        raise InvalidInput(
            f"currency = '{currency}'",
            f"the register keeps its sums in {entry.record.currency}; convert the figures, or use another database",
        )
    changes = SETTINGS_SHELF.update(connection, entry, wanted, who)
    summary.changes += changes
    summary.unchanged += not changes


def _refuse_twice(shelf: Shelf[Any], records: Iterable[Any]) -> None:
    seen = set()
    for record in records:
        key = shelf.key_of(record)
        if key in seen:
            raise InvalidInput(shelf.describe(record), "is given twice; ids are unique")
        seen.add(key)


# ---------------------------------------------------------------------------------------------- loading
def _records(connection: sa.Connection, shelf: Shelf[Any]) -> list[Any]:
    return [entry.record for entry in shelf.fetch(connection).values()]


def _asset_keys(connection: sa.Connection, site: str | None, groups: set[str] | None) -> list[tuple[str]] | None:
    """Return the ids of the assets of a part of the register, or None for all."""
    if site is None and groups is None:
        return None
    query = sa.select(tables.ASSETS.c.id)
    if site is not None:
        query = query.where(tables.ASSETS.c.site_id == site)
    if groups is not None:
        members = sa.select(tables.MEMBERS.c.asset_id).where(tables.MEMBERS.c.group_id.in_(groups))
        query = query.where(tables.ASSETS.c.id.in_(members))
    return [(name,) for name in connection.execute(query).scalars()]


def _with_those_around(groups: Sequence[Group], chosen: Iterable[str]) -> list[Group]:
    """Return some groups with all that they are part of, in order."""
    parents = {group.id: group.parent_group_id for group in groups}
    kept: set[str] = set()
    for name in chosen:
        at: str | None = name
        while at is not None and at not in kept:
            kept.add(at)
            at = parents[at]
    return [group for group in groups if group.id in kept]


def _without_foreign_battery(asset: AnyAsset, ids: set[str]) -> AnyAsset:
    if getattr(asset, "battery_asset_id", None) in ids | {None}:
        return asset
    return asset.replace(battery_asset_id=None)
