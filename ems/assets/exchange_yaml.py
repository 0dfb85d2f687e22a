"""The site file: one YAML file with sites, assets and what belongs to them, as entries and from records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ems.assets.exchange_cells import plain
from ems.assets.exchange_entries import ONE_ENTRY, TABLES, Entries, Entry, Setting
from ems.assets.portfolio import Portfolio
from ems.errors import did_you_mean, show
from ems.yaml_text import read_yaml

HEADER = "# Written by `ems assets export`; `ems assets import` reads it back.\n"
_KNOWN = ("currency", "site", "sites", *TABLES, "series")

_Base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_Base):  # type: ignore[misc]
    """PyYAML's safe dumper, whose plain texts are texts in YAML 1.1 and in YAML 1.2 alike."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: Any, text: str) -> Any:
    # PyYAML quotes what YAML 1.1 takes for something else; 1.2 knows a few more numbers, such as 1e3 and 0o17.
    style = '"' if text[:1] in tuple("+-.0123456789") else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def read_site_file(path: Path, place: str) -> Entries:
    """Return what a site file states, entry by entry.

    Parameters
    ----------
    path : Path
    place : str
        The file's name in messages.

    Raises
    ------
    InvalidInput
        If the file is no YAML or no mapping.
    """
    given = read_yaml(path, place)
    found = Entries()
    for name, value in given.items():
        if name not in _KNOWN:
            found.findings.append(f"{place}, {show(name)}: no such part; {did_you_mean(name, _KNOWN)}")
        elif name in ("currency", "series"):
            found.settings.append(Setting(name, value, place))
        elif name == "site":
            found.entries += _entries([value], "sites", place, found)
        else:
            found.entries += _entries(value, name, place, found)
    if "site" in given and "sites" in given:
        found.findings.append(f"{place}: site and sites stand side by side; keep one")
    return found


def _entries(values: object, table: str, place: str, found: Entries) -> list[Entry]:
    if not isinstance(values, list):
        found.findings.append(f"{place}, {table} = {show(values)}: must be a list, each entry beginning with '- '")
        return []
    entries = []
    for number, value in enumerate(values, 1):
        where = f"{place}, {ONE_ENTRY[table]} {number}"
        if isinstance(value, dict):
            entries.append(Entry(table, {str(name): inner for name, inner in value.items()}, where, place))
        else:
            found.findings.append(f"{where} = {show(value)}: must be lines of 'name: value'")
    return entries


def site_file_of(portfolio: Portfolio) -> str:
    """Return the site file of a portfolio, as text; reading it gives equal records."""
    content: dict[str, Any] = {"currency": portfolio.currency}
    if len(portfolio.sites) == 1:
        content["site"] = _plain(portfolio.sites[0])
    else:
        content["sites"] = [_plain(site) for site in portfolio.sites]
    for table in TABLES:
        records = getattr(portfolio, table)
        if records:
            content[table] = [_plain(record) for record in records]
    return HEADER + dump_yaml({**content, **_series_of(portfolio)})


def settings_file_of(portfolio: Portfolio) -> str:
    """Return the YAML file that stands beside tables: what of a portfolio is no table."""
    content = {"currency": portfolio.currency, "tariffs": [_plain(tariff) for tariff in portfolio.tariffs]}
    return HEADER + dump_yaml({**content, **_series_of(portfolio)})


def dump_yaml(value: Any) -> str:
    """Return a value as YAML text."""
    return str(yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=110))


def _series_of(portfolio: Portfolio) -> dict[str, Any]:
    form = _plain(portfolio.series)
    return {"series": form} if form else {}


def _plain(value: Any) -> Any:
    return plain(value, days_as_text=False)
