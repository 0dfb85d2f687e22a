"""Texts of the command line as values of fields, and records as lines of the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ems.errors import InvalidInput, did_you_mean, show

if TYPE_CHECKING:
    from ems.assets.asset import Asset
    from ems.record import Record


def values_of(record: type[Record], settings: Mapping[str, str], subject: str) -> dict[str, Any]:
    """Return the values that texts state for fields; an empty text takes a field back.

    Parameters
    ----------
    record : type of Record
    settings : mapping of str to str
    subject : str
        What the values belong to, for messages.

    Raises
    ------
    InvalidInput
        If a field is not known or a text is no value of it; all findings at once.
    """
    from ems.assets.exchange_cells import cell_kind, from_cell

    values: dict[str, Any] = {}
    findings = []
    for name, text in settings.items():
        if name not in record.model_fields:
            findings.append(f"{name}: no such field; {_hint(name, record)}")
            continue
        kind = cell_kind(record, name)
        try:
            values[name] = None if text.strip() == "" else text if kind == "text" else from_cell(text, kind)
        except ValueError as error:
            findings.append(f"{name} = {show(text)}: {error}")
    if findings:
        raise InvalidInput(subject, findings)
    return values


def _hint(name: str, record: type[Record]) -> str:
    """Return the nearest field, or where to look: a kind has too many fields to name them all."""
    near = did_you_mean(name, record.model_fields)
    return near if near.startswith("did you mean") else "`ems assets show ID --all` shows the fields of a kind"


def stated_lines(asset: Asset, currency: str, everything: bool = False) -> Iterator[tuple[str, str, str]]:
    """Give field, value with unit, and where it comes from, for each field that says something.

    Parameters
    ----------
    asset : Asset
    currency : str
    everything : bool
        Whether fields are shown too which are left to their defaults or are empty.
    """
    from ems.assets.exchange_cells import plain
    from ems.cli.wording import quantity

    given = asset.given()
    derived = {name for name, value in type(asset).derive(given).items() if value is not None}
    for name in type(asset).model_fields:
        if name in ("kind", "id"):
            continue
        value = plain(getattr(asset, name))
        is_empty = value in (None, "", {}, [])
        source = "" if name in given else "derived" if name in derived else "default"
        if everything or (source != "default" and not is_empty):
            yield name, quantity(value, name, currency), source


def only_site(sites: list[Any]) -> str | None:
    """Return the id of the only site in use, where there is just one."""
    in_use = [site.id for site in sites if site.status != "decommissioned"]
    return in_use[0] if len(in_use) == 1 else None
