"""Entries of files on their way to records: what was read, from where, and all findings at once."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ems.assets.group import Dependency, Group, GroupMember
from ems.assets.portfolio import KINDS, Site
from ems.assets.reserve import ReserveRequirement
from ems.errors import EmsWarning, InvalidInput, did_you_mean, show
from ems.record import Record
from ems.tariffs.tariff import Tariff
from ems.unit_traps import megawatt_hints

TABLES: Final = ("tariffs", "assets", "groups", "members", "dependencies", "reserves")
"""Parts of a register beside its sites, which is the first one."""
ONE_ENTRY: Final = {
    "sites": "site",
    "tariffs": "tariff",
    "assets": "asset",
    "groups": "group",
    "members": "member",
    "dependencies": "dependency",
    "reserves": "reserve",
}
RECORDS: Final[dict[str, type[Record]]] = {
    "sites": Site,
    "tariffs": Tariff,
    "groups": Group,
    "members": GroupMember,
    "dependencies": Dependency,
    "reserves": ReserveRequirement,
}
KEYS: Final = {
    "members": ("asset_id", "group_id"),
    "dependencies": ("asset_id", "depends_on_asset_id", "dependency_type"),
}
"""What tells two entries of a table apart; the id where nothing is said here."""
MOST_FINDINGS = 30


@dataclass(frozen=True)
class Entry:
    """A record as a file states it.

    Parameters
    ----------
    table : str
        ``sites``, ``assets``, ``tariffs``, ``groups``, ``members``, ``dependencies`` or ``reserves``.
    fields : dict
    place : str
        Where it stands, for messages: ``assets.csv, row 3``.
    file : str
        The file's name.
    columns : tuple of str
        Columns of the table it stands in, which findings name; none in YAML.
    refused : tuple of str
        Fields whose cells could not be read; that is a finding already.
    """

    table: str
    fields: dict[str, Any]
    place: str
    file: str
    columns: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Setting:
    """A value of the whole register: its currency, or the form of its series."""

    name: str
    value: Any
    place: str


@dataclass
class Entries:
    """All that files state, and what is wrong with it."""

    entries: list[Entry] = field(default_factory=list)
    settings: list[Setting] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    def add(self, others: Entries) -> None:
        """Take over what another file states."""
        self.entries += others.entries
        self.settings += others.settings
        self.findings += others.findings

    def setting(self, name: str) -> Setting | None:
        """Return a value of the whole register; a second one that differs is a finding."""
        stated = [one for one in self.settings if one.name == name and one.value is not None]
        for other in stated[1:]:
            if other.value != stated[0].value:
                self.findings.append(
                    f"{other.place}: {name} = {show(other.value)}, but {stated[0].place} says {show(stated[0].value)}"
                )
        return stated[0] if stated else None


def records_of(read: Entries, table: str, default_site: str | None) -> tuple[Any, ...]:
    """Return the records of a table; what is wrong with them is added to the findings.

    Parameters
    ----------
    read : Entries
    table : str
    default_site : str, optional
        Site of assets for which none is given.
    """
    only_site = _only_sites(read)
    records = []
    places: dict[tuple[Any, ...], str] = {}
    for entry in read.entries:
        if entry.table != table:
            continue
        fields = dict(entry.fields)
        if table == "assets" and fields.get("site_id") is None:
            site = only_site.get(entry.file) or only_site.get("") or default_site
            fields |= {"site_id": site} if site is not None else {}
        record = _record_of(read, entry, fields)
        if record is None:
            continue
        key = tuple(getattr(record, name) for name in KEYS.get(table, ("id",)))
        if key in places:
            named = " and ".join(show(part) for part in key)
            read.findings.append(f"{entry.place}: {ONE_ENTRY[table]} {named} stands at {places[key]} already")
        places.setdefault(key, entry.place)
        records.append(record)
    return tuple(records)


def _only_sites(read: Entries) -> dict[str, str]:
    """Return the only site of each file, and of all files under the empty name."""
    ids: dict[str, list[str]] = {}
    for entry in read.entries:
        if entry.table == "sites" and isinstance(entry.fields.get("id"), str):
            for file in (entry.file, ""):
                ids.setdefault(file, []).append(entry.fields["id"])
    return {file: found[0] for file, found in ids.items() if len(found) == 1}


def _record_of(read: Entries, entry: Entry, fields: dict[str, Any]) -> Record | None:
    kind: type[Record] | None = RECORDS.get(entry.table)
    if kind is None:
        word = fields.get("kind")
        kind = KINDS.get(word) if isinstance(word, str) else None
        if kind is None:
            said = "kind: is required" if word is None else f"kind = {show(word)}: no such kind"
            read.findings.append(f"{entry.place}, {said}; {did_you_mean(str(word or ''), KINDS)}")
            return None
        for hint in megawatt_hints(str(word), fields):
            warnings.warn(f"{entry.place}, {hint}", EmsWarning, stacklevel=2)
    try:
        record = kind(**fields)
    except InvalidInput as error:
        read.findings += [
            _placed(entry, error.subject, finding)
            for finding in error.findings
            if _field_of(finding) not in entry.refused
        ]
        return None
    return None if entry.refused else record


def _field_of(finding: str) -> str:
    found = re.match(r"(\w+)(?:\.\S+)?(?: =|:)", finding)
    return found[1] if found else ""


def _placed(entry: Entry, subject: str, finding: str) -> str:
    named = f" ({subject})" if "'" in subject else ""
    if entry.columns and _field_of(finding) in entry.columns:
        return f"{entry.place}{named}, column {finding}"
    return f"{entry.place}{named}: {finding}"


def refuse_if_wrong(path: str, findings: Sequence[str]) -> None:
    """Raise `InvalidInput` with the findings, the first of them where they are too many to read."""
    if findings:
        rest = len(findings) - MOST_FINDINGS
        more = [f"and {rest} more findings"] if rest > 0 else []
        raise InvalidInput(f"register {path}", [*findings[:MOST_FINDINGS], *more])


def files_in(folder: Path, suffixes: Iterable[str]) -> list[Path]:
    """Return the files of a folder with some endings, by name, without hidden ones and locks of open files."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and path.suffix.lower() in suffixes and not path.name.startswith((".", "~$"))
    )
