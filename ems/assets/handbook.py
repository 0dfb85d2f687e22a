"""The register's handbook: every field with unit, bounds, default, meaning and what it acts in, as Markdown."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Iterator
from typing import Any

from ems.assets.group import Dependency, Group, GroupMember
from ems.assets.operation import AssetStatus, MaintenanceRecord, Performance
from ems.assets.portfolio import KINDS, Portfolio, Site
from ems.assets.reserve import ReserveRequirement
from ems.record import Record, acts_in, field_table
from ems.tariffs.tariff import Tariff

_TABLES: tuple[type[Record], ...] = (
    Site,
    *KINDS.values(),
    Tariff,
    Group,
    GroupMember,
    Dependency,
    ReserveRequirement,
    AssetStatus,
    MaintenanceRecord,
    Performance,
)


def _with_those_within(records: Iterable[type[Record]]) -> Iterator[type[Record]]:
    """Give records, each followed by those that its fields hold."""
    for record in records:
        yield record
        yield from _with_those_within(
            one for field in record.model_fields.values() for one in _records_in(field.annotation)
        )


def _records_in(annotation: Any) -> Iterator[type[Record]]:
    if isinstance(annotation, type) and issubclass(annotation, Record):
        yield annotation
    for part in typing.get_args(annotation):
        yield from _records_in(part)


RECORDS: tuple[type[Record], ...] = (Portfolio, *dict.fromkeys(_with_those_within(_TABLES)))
"""The records of the page, each once."""
INTRODUCTION = """\
# The asset register, field by field

This page is made from the records (`make handbook`); a test keeps it true. A unit stands at the end of a field's name;
money is in the portfolio's currency, shares are from 0 to 1. *Derived* means that a field which is not given follows
from others. Fields that act in forecasts do so in `ems.forecast`; those without an entry only describe the equipment.
Every table of the register also keeps when and by whom a row was made and last changed, and its version.
"""


def handbook_text() -> str:
    """Return the handbook as Markdown."""
    return "\n".join([INTRODUCTION, *(line for record in RECORDS for line in _section(record))]) + "\n"


def _section(record: type[Record]) -> Iterator[str]:
    title = record.__doc__ or record.__name__
    yield f"## {record.__name__}"
    yield ""
    yield title.strip().splitlines()[0]
    yield ""
    yield "| field | unit | bounds or choices | default | meaning | acts in |"
    yield "|---|---|---|---|---|---|"
    derived = _derived_fields(record)
    for row in field_table(record):
        name = row["field"]
        if name == "kind":
            continue  # the title says it
        default = "derived" if name in derived else row["default"]
        cells = (f"`{name}`", row["unit"], row["bounds"], default, row["meaning"], acts_in(record.model_fields[name]))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""


def _derived_fields(record: type[Record]) -> set[str]:
    """Return the fields that follow from others: those that have a rule of their own for it."""
    return set(record.derive({})) | set(record.derive({"id": "x"}))
