"""The shelves of the register: what is kept, and what refers to what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from ems.assets.asset import Asset
from ems.assets.group import Dependency, Group, GroupMember, nesting_cycle
from ems.assets.operation import MaintenanceRecord, Performance
from ems.assets.portfolio import KINDS, AnyAsset, Site
from ems.assets.reserve import ReserveRequirement
from ems.database import register_tables as tables
from ems.database.register_rows import restored, row_values
from ems.database.register_tables import COMMON, SPECS, PortfolioSettings
from ems.database.shelf import Entry, FieldChange, Key, Shelf, entry_of
from ems.errors import InvalidInput
from ems.record import Record
from ems.tariffs.tariff import Tariff

MOST_FINDINGS = 20


class AssetShelf(Shelf[AnyAsset]):
    """Assets: common fields in one table, those of the kind in another, one entry for both."""

    def __init__(self) -> None:
        super().__init__("asset", Asset, tables.ASSETS)  # type: ignore[arg-type]

    def describe(self, record: AnyAsset) -> str:
        """Return kind and id: ``battery 'b1'``."""
        return f"{record.kind} '{record.id}'"

    def fetch(
        self, connection: sa.Connection, keys: Iterable[Key] | None = None, *, for_update: bool = False
    ) -> dict[Key, Entry[AnyAsset]]:
        """Return the entries of some ids, or all, in the order of entry."""
        rows = list(self._rows(connection, self.table, self.keys, keys, for_update=for_update))
        of_kind: dict[str, list[Key]] = {}
        for row in rows:
            of_kind.setdefault(row["kind"], []).append((row["id"],))
        specs = {
            spec["asset_id"]: spec
            for kind, ids in of_kind.items()
            for spec in self._rows(connection, SPECS[kind], ("asset_id",), None if keys is None else ids)
        }
        entries: dict[Key, Entry[AnyAsset]] = {}
        for row in sorted(rows, key=lambda row: (row["position"], row["id"])):
            spec = specs.get(row["id"])
            if spec is None:
                raise InvalidInput(
                    f"{row['kind']} '{row['id']}'",
                    f"has no row in {row['kind']}_specs; add it, or delete the asset permanently",
                )
            record: Any = restored(KINDS[row["kind"]], {**spec, **row}, row["stated"])
            entries[row["id"],] = entry_of(record, row)
        return entries

    def update_all(
        self, connection: sa.Connection, pairs: Iterable[tuple[Entry[AnyAsset], AnyAsset]], by: str
    ) -> list[FieldChange]:
        """Change assets; their kinds stay."""
        pairs = list(pairs)
        for old, new in pairs:
            if new.kind != old.record.kind:
                raise InvalidInput(
                    f"{new.kind} '{new.id}'", f"the register has a {old.record.kind} of that id; choose another id"
                )
        return super().update_all(connection, pairs, by)

    def _insert_rows(self, connection: sa.Connection, records: Sequence[AnyAsset], rows: list[dict[str, Any]]) -> None:
        connection.execute(sa.insert(self.table), rows)
        audit_names = [column.name for column in self.table.columns if column.name in SPECS["battery"].c]
        for kind, table in SPECS.items():
            of_kind = [
                {
                    **row_values(record, table),
                    **{name: row[name] for name in audit_names if name != "kind"},
                    "asset_id": record.id,
                    "kind": kind,
                }
                for record, row in zip(records, rows, strict=True)
                if record.kind == kind
            ]
            if of_kind:
                connection.execute(sa.insert(table), of_kind)

    def _update_rows(
        self,
        connection: sa.Connection,
        pairs: Sequence[tuple[AnyAsset, AnyAsset]],
        rows: Sequence[Mapping[str, Any]],
    ) -> None:
        super()._update_rows(connection, pairs, rows)
        for kind, table in SPECS.items():
            parts = [
                {
                    **row_values(new, table),
                    "updated_at": row["updated_at"],
                    "updated_by": row["updated_by"],
                    "key_asset_id": new.id,
                }
                for (old, new), row in zip(pairs, rows, strict=True)
                if new.kind == kind and _spec_differs(old, new)
            ]
            if parts:
                # A part may have another version than the whole, which also counts changes of common fields.
                counted = sa.update(table).values(version=table.c.version + 1)
                connection.execute(counted.where(table.c.asset_id == sa.bindparam("key_asset_id")), parts)


def _spec_differs(old: AnyAsset, new: AnyAsset) -> bool:
    return any(getattr(old, name) != getattr(new, name) for name in type(new).model_fields if name not in COMMON)


SETTINGS_SHELF = Shelf("portfolio", PortfolioSettings, tables.PORTFOLIOS)
SITE_SHELF = Shelf("site", Site, tables.SITES)
TARIFF_SHELF = Shelf("tariff", Tariff, tables.TARIFFS)
ASSET_SHELF = AssetShelf()
GROUP_SHELF = Shelf("group", Group, tables.GROUPS)
MEMBER_SHELF = Shelf("member", GroupMember, tables.MEMBERS)
DEPENDENCY_SHELF = Shelf("dependency", Dependency, tables.DEPENDENCIES)
RESERVE_SHELF = Shelf("reserve", ReserveRequirement, tables.RESERVES)
MAINTENANCE_SHELF = Shelf("maintenance record", MaintenanceRecord, tables.MAINTENANCE)
PERFORMANCE_SHELF = Shelf("performance record", Performance, tables.PERFORMANCE)

REFERENCES: Mapping[str, Shelf[Any]] = {
    "site_id": SITE_SHELF,
    "tariff_id": TARIFF_SHELF,
    "battery_asset_id": ASSET_SHELF,
    "parent_group_id": GROUP_SHELF,
    "group_id": GROUP_SHELF,
    "asset_id": ASSET_SHELF,
    "depends_on_asset_id": ASSET_SHELF,
    "providers": ASSET_SHELF,
}
"""The shelf on which the record stands whose id a field holds, or those whose ids."""


def check_references(
    connection: sa.Connection,
    shelf: Shelf[Any],
    records: Collection[Record],
    *,
    also: Collection[Record] = (),
) -> None:
    """Refuse records that refer to what is not in the register.

    Parameters
    ----------
    connection : Connection
    shelf : Shelf
        Where the records belong.
    records : collection of Record
    also : collection of Record
        Records of the same shelf that are about to be there, too.

    Raises
    ------
    InvalidInput
        Names each such record with the nearest id that is there.
    """
    findings: list[str] = []
    for field, goal in REFERENCES.items():
        refers = [(name, record) for record in records for name in _ids_in(getattr(record, field, None))]
        wanted = {(name,) for name, _ in refers}
        wanted -= {shelf.key_of(record) for record in also} if goal is shelf else set()
        missing = {key[0] for key in goal.missing(connection, wanted)} if wanted else set()
        for name, record in refers:
            if name in missing and len(findings) < MOST_FINDINGS:
                hint = goal.hint(connection, (str(name),))
                findings.append(f"{shelf.describe(record)}: {field} = '{name}': no such {goal.word}; {hint}")
    if len(findings) == 1:
        subject, _, finding = findings[0].partition(": ")
        raise InvalidInput(subject, finding)
    if findings:
        raise InvalidInput("what is to be kept", findings)


def _ids_in(value: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the ids that a field holds: none, one or several."""
    return () if value is None else (value,) if isinstance(value, str) else value


def check_site_codes(connection: sa.Connection, sites: Collection[Site]) -> None:
    """Refuse sites whose code another site of the register has.

    Raises
    ------
    InvalidInput
    """
    codes = {site.code: site for site in sites if site.code is not None}
    table = tables.SITES
    others = sa.select(table.c.id, table.c.code).where(
        table.c.code.in_(codes), table.c.id.not_in([site.id for site in sites])
    )
    for row in connection.execute(others) if codes else ():
        raise InvalidInput(
            f"site '{codes[row.code].id}'", f"code = '{row.code}': site '{row.id}' has it; codes are unique"
        )


def check_nesting(connection: sa.Connection) -> None:
    """Refuse groups that are nested in a circle; the caller is alone in changing groups.

    Raises
    ------
    InvalidInput
    """
    groups = tables.GROUPS
    rows = connection.execute(sa.select(groups.c.id, groups.c.parent_group_id).order_by(groups.c.id))
    parents = {row.id: row.parent_group_id for row in rows}
    circle = nesting_cycle(parents)
    if circle:
        raise InvalidInput(
            f"parent_group_id of group '{circle[0]}'", f"groups would be nested in a circle: {' in '.join(circle)}"
        )
