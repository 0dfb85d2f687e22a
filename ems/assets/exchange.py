"""The register in and out of files: YAML, CSV and Excel, one file or a folder; what is written is read back equal."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ems.assets.exchange_entries import Entries, files_in, records_of, refuse_if_wrong
from ems.assets.exchange_sheets import csv_text_of, excel_of, tables_of
from ems.assets.exchange_tables import read_csv, read_excel
from ems.assets.exchange_yaml import read_site_file, settings_file_of, site_file_of
from ems.assets.group import Dependency, Group, GroupMember
from ems.assets.portfolio import AnyAsset, Portfolio, Site
from ems.assets.reserve import ReserveRequirement
from ems.errors import InvalidInput
from ems.folders import shown_path, write_whole
from ems.series.form import SeriesForm
from ems.tariffs.tariff import Tariff

_READERS = {
    ".yaml": read_site_file,
    ".yml": read_site_file,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".xlsx": read_excel,
    ".xlsm": read_excel,
}
SETTINGS_FILE = "tariffs.yaml"


@dataclass(frozen=True)
class Register:
    """What files state of a register: a whole one, or a part that belongs to one which is there already.

    Parameters
    ----------
    sites, assets, tariffs, groups, members, dependencies, reserves : tuple of records
    currency : str, optional
        ISO 4217 code; None where no file states it.
    series : SeriesForm, optional
        How columns of a file of series belong to the assets; None where no file states it.
    """

    sites: tuple[Site, ...] = ()
    assets: tuple[AnyAsset, ...] = ()
    tariffs: tuple[Tariff, ...] = ()
    groups: tuple[Group, ...] = ()
    members: tuple[GroupMember, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    reserves: tuple[ReserveRequirement, ...] = ()
    currency: str | None = None
    series: SeriesForm | None = None

    def portfolio(self) -> Portfolio:
        """Return the register as a portfolio, checked as a whole.

        Raises
        ------
        InvalidInput
            If a reference leads nowhere, or no currency is stated.
        """
        if self.currency is None:
            raise InvalidInput("the register", "no currency is stated; add a line such as 'currency: EUR'")
        whole: dict[str, Any] = {table: getattr(self, table) for table in _TABLES}
        if self.series is not None:
            whole["series"] = self.series
        return Portfolio(currency=self.currency, **whole)


_TABLES = ("sites", "tariffs", "assets", "groups", "members", "dependencies", "reserves")


def read_register(path: Path, default_site: str | None = None) -> Register:
    """Return what a file, or all files of a folder, state of a register.

    Parameters
    ----------
    path : Path
        YAML in the form of a site file, CSV, Excel, or a folder of such files.
    default_site : str, optional
        Site of assets for which none is given and whose file has not just one.

    Raises
    ------
    InvalidInput
        If a file cannot be read or anything in it cannot be used; all findings at once, each with its place.

    Warns
    -----
    EmsWarning
        If a power looks like MW where kW are meant.
    """
    where = shown_path(path)
    if path.is_dir():
        files = files_in(path, _READERS)
        if not files:
            raise InvalidInput(f"register {where}", "no YAML, CSV or Excel file is in this folder")
    elif not path.exists():
        raise InvalidInput(f"register {where}", "there is no such file or folder")
    elif path.suffix.lower() not in _READERS:
        raise InvalidInput(f"register {where}", f"must end with one of {', '.join(_READERS)}, or be a folder")
    else:
        files = [path]
    read = Entries()
    for file in files:
        try:
            read.add(_READERS[file.suffix.lower()](file, file.name))
        except InvalidInput as error:
            read.findings += [f"{error.subject}: {finding}" for finding in error.findings]
    currency, series = read.setting("currency"), read.setting("series")
    tables = {table: records_of(read, table, default_site) for table in _TABLES}
    form = None
    if series is not None:
        try:
            form = SeriesForm.from_mapping(series.value) if isinstance(series.value, dict) else None
            if form is None:
                read.findings.append(f"{series.place}, series: must be lines of 'name: value'")
        except InvalidInput as error:
            read.findings += [f"{series.place}, series: {finding}" for finding in error.findings]
    if not read.findings and currency is None and form is None and not any(tables.values()):
        read.findings.append("states nothing; a table needs a row below its header, as ems assets export writes it")
    refuse_if_wrong(where, read.findings)
    return Register(**tables, currency=None if currency is None else str(currency.value), series=form)


def write_yaml(portfolio: Portfolio, path: Path) -> None:
    """Write a portfolio as one site file."""
    write_whole(path, site_file_of(portfolio).encode())


def write_csv(portfolio: Portfolio, folder: Path) -> None:
    """Write a portfolio as tables: sites, assets and what belongs to them, and its tariffs as YAML beside them.

    Raises
    ------
    InvalidInput
        If the folder holds other files, which reading it would take for a part of the register.
    """
    tables = {f"{name}.csv": csv_text_of(columns, rows) for name, columns, rows in tables_of(portfolio)}
    tables[SETTINGS_FILE] = settings_file_of(portfolio).encode()
    if folder.exists():
        if not folder.is_dir():
            raise InvalidInput(f"folder {shown_path(folder)}", "is a file; name a folder, or a file ending with .yaml")
        others = [file.name for file in files_in(folder, _READERS) if file.name not in tables]
        if others:
            raise InvalidInput(
                f"folder {shown_path(folder)}", f"holds {', '.join(others)} as well; choose an empty folder"
            )
    for name, content in tables.items():
        write_whole(folder / name, content)


def write_excel(portfolio: Portfolio, path: Path) -> None:
    """Write a portfolio as one Excel file, a sheet for each table."""
    write_whole(path, excel_of(portfolio))
