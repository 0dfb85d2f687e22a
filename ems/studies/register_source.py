"""Where the register's assets, statuses and maintenance come from: files, or the database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ems.assets.group import with_nested
from ems.assets.operation import AssetStatus, MaintenanceRecord
from ems.assets.portfolio import Portfolio
from ems.assets.reserve import reserves_among
from ems.errors import InvalidInput, did_you_mean, show
from ems.folders import shown_path
from ems.record import Record
from ems.yaml_text import read_yaml

RecordT = TypeVar("RecordT", bound=Record)


@dataclass(frozen=True)
class Operation:
    """What is known of how assets run, and of the work on them.

    Parameters
    ----------
    statuses : tuple of AssetStatus
        The last one of each asset that has reported.
    maintenance : tuple of MaintenanceRecord
    is_known : bool
        Whether anybody could have told; False for a site file alone.
    """

    statuses: tuple[AssetStatus, ...] = ()
    maintenance: tuple[MaintenanceRecord, ...] = ()
    is_known: bool = True


NOT_KNOWN = Operation(is_known=False)


def read_operation(path: Path, portfolio: Portfolio, now: dt.datetime) -> Operation:
    """Return the last statuses before a moment, and the maintenance records, that a file states.

    Parameters
    ----------
    path : Path
        YAML with the lists ``statuses`` and ``maintenance``.
    portfolio : Portfolio
        What is told of assets that are not in it is left aside, as a part of a portfolio may be looked at.
    now : datetime
        What was reported later was not known then. A report of an asset that is online counts as a message of its
        moment where no other time of communication is stated.

    Raises
    ------
    InvalidInput
        If the file or any record in it cannot be used; all findings at once.
    """
    where = shown_path(path)
    given = read_yaml(path, where)
    unknown = [f"{name}: no such list; {did_you_mean(str(name), _LISTS)}" for name in given if name not in _LISTS]
    statuses, findings = _records(AssetStatus, given, "statuses")
    maintenance, more = _records(MaintenanceRecord, given, "maintenance")
    if unknown or findings or more:
        raise InvalidInput(where, [*unknown, *findings, *more])
    ids = {asset.id for asset in portfolio.assets}
    known = [one for one in statuses if one.asset_id in ids and one.reported_at <= now]
    latest = {one.asset_id: one for one in sorted(known, key=lambda one: one.reported_at)}
    return Operation(
        tuple(map(_with_message, latest.values())), tuple(one for one in maintenance if one.asset_id in ids)
    )


def narrowed(portfolio: Portfolio, site_id: str | None, group_id: str | None) -> Portfolio:
    """Return the part of a portfolio that is at a site and in a group or one nested in it.

    Raises
    ------
    InvalidInput
        If there is no such site or group, or nothing is left.
    """
    if site_id is None and group_id is None:
        return portfolio
    for what, wanted, records in (("only_site", site_id, portfolio.sites), ("group", group_id, portfolio.groups)):
        known = {one.id for one in records}
        if wanted is not None and wanted not in known:
            raise InvalidInput(f"{what} = {show(wanted)}", f"is not in the portfolio; {did_you_mean(wanted, known)}")
    groups = with_nested(group_id, portfolio.groups) if group_id is not None else {g.id for g in portfolio.groups}
    in_group = {one.asset_id for one in portfolio.members if one.group_id in groups}
    assets = [
        one for one in portfolio.assets if site_id in (None, one.site_id) and (group_id is None or one.id in in_group)
    ]
    if not assets:
        wanted = " and ".join(f"{n} = {show(v)}" for n, v in (("only_site", site_id), ("group", group_id)) if v)
        raise InvalidInput(wanted, "no asset is there; choose another site or group")
    ids, sites = {one.id for one in assets}, {one.site_id for one in assets}
    return portfolio.replace(
        sites=tuple(one for one in portfolio.sites if one.id in sites),
        assets=tuple(
            one if getattr(one, "battery_asset_id", None) in {None, *ids} else one.replace(battery_asset_id=None)
            for one in assets
        ),
        reserves=reserves_among(portfolio.reserves, ids),
        groups=tuple(
            one.replace(
                parent_group_id=one.parent_group_id if one.parent_group_id in groups else None,
                site_id=one.site_id if one.site_id in sites else None,
            )
            for one in portfolio.groups
            if one.id in groups
        ),
        members=tuple(one for one in portfolio.members if one.asset_id in ids and one.group_id in groups),
        dependencies=tuple(one for one in portfolio.dependencies if {one.asset_id, one.depends_on_asset_id} <= ids),
    )


def _with_message(status: AssetStatus) -> AssetStatus:
    if status.online and status.last_communication is None:
        return status.replace(last_communication=status.reported_at)
    return status


_LISTS = ("statuses", "maintenance")


def _records(kind: type[RecordT], given: Mapping[str, Any], name: str) -> tuple[list[RecordT], list[str]]:
    """Return the records of a list in a file, and the findings on them."""
    entries = given.get(name) or []
    if not isinstance(entries, list):
        return [], [f"{name} = {show(entries)}: must be a list, each entry beginning with '- asset_id: ...'"]
    records: list[RecordT] = []
    findings: list[str] = []
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict):
            findings.append(f"{name}.{number} = {show(entry)}: must be lines of 'name: value'")
            continue
        try:
            records.append(kind(**{str(field): value for field, value in entry.items()}))
        except InvalidInput as error:
            findings += [f"{name}.{number}: {error.subject}: {finding}" for finding in error.findings]
    return records, findings
