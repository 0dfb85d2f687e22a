"""Registers as tables: CSV and Excel files become entries.

A table of assets has a column ``kind`` and columns named by fields; other tables are told by the name of their file or
sheet: sites, groups, members, dependencies, reserves, tariffs. An empty cell means that nothing is given.
"""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ems.assets.exchange_cells import CellKind, cell_kind, from_cell
from ems.assets.exchange_entries import ONE_ENTRY, RECORDS, Entries, Entry, Setting
from ems.assets.exchange_sheets import decoded
from ems.assets.portfolio import KINDS
from ems.errors import InvalidInput, did_you_mean, show
from ems.record import Record
from ems.yaml_text import LARGEST_FILE_BYTES

_PLURALS = {"batterys": "battery", "batteries": "battery"} | {f"{kind}s": kind for kind in KINDS}
Row = Sequence[object]


def read_csv(path: Path, place: str) -> Entries:
    """Return what a CSV file states, row by row.

    Parameters
    ----------
    path : Path
        UTF-8 text; cells parted by comma, semicolon or tab, which the header tells.
    place : str
        The file's name in messages.
    """
    found = Entries()
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise InvalidInput(place, f"is larger than {LARGEST_FILE_BYTES // 1_000_000} MB; split the file")
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(place, f"is not UTF-8 text (byte {error.start}); save it as 'CSV UTF-8'") from None
    except OSError as error:
        raise InvalidInput(place, f"cannot be read: {error.strerror}") from None
    header = text.split("\n", 1)[0]
    separator = max(",;\t", key=header.count)
    try:
        csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
        rows: list[Row] = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise InvalidInput(place, f"is no CSV: {error}") from None
    _read_table(rows, path.stem, place, place, found)
    return found


def read_excel(path: Path, place: str) -> Entries:
    """Return what an Excel file states, sheet by sheet and row by row.

    Parameters
    ----------
    path : Path
    place : str
        The file's name in messages.
    """
    found = Entries()
    sheets, formulas = _sheets_of(path, place, values_only=False)
    if formulas:
        values, _ = _sheets_of(path, place, values_only=True)
        for title, row, column in formulas:
            value = values[title][row][column] if column < len(values[title][row]) else None
            sheets[title][row][column] = value
            if value is None:
                found.findings.append(
                    f"{place}, sheet {show(title)}, row {row + 1}: holds a formula without a value; open the file in "
                    "a spreadsheet and save it, or write the value itself"
                )
    for title, rows in sheets.items():
        if any(any(_is_given(cell) for cell in row) for row in rows):
            _read_table(rows, title, f"{place}, sheet {show(title)}", place, found)
    return found


def _sheets_of(
    path: Path, place: str, values_only: bool
) -> tuple[dict[str, list[list[object]]], list[tuple[str, int, int]]]:
    """Return the cells of all sheets, and the positions of formulas."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    sheets: dict[str, list[list[object]]] = {}
    formulas = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about decorations that openpyxl does not keep
            book = load_workbook(path, read_only=True, data_only=values_only)
            for sheet in book.worksheets:
                sheet.reset_dimensions()  # some programs write wrong ones
                rows = sheets[sheet.title] = []
                for row in sheet.iter_rows():
                    cells: list[object] = []
                    for cell in row:
                        if cell.data_type == "f":
                            formulas.append((sheet.title, len(rows), len(cells)))
                        value = cell.value
                        cells.append(decoded(value) if isinstance(value, str) and cell.data_type != "f" else value)
                    rows.append(cells)
            book.close()
    except OSError as error:
        raise InvalidInput(place, f"cannot be read: {error.strerror}") from None
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, TypeError, SyntaxError):
        raise InvalidInput(place, "is no Excel file that can be read; save it as .xlsx without a password") from None
    return sheets, formulas


@dataclass(frozen=True)
class _Table:
    """A table as it is read: which one, and what its columns mean."""

    name: str
    only_kind: str | None
    header: Sequence[str]
    place: str
    file: str

    def records(self) -> dict[str, type[Record]]:
        """Return the records that rows may become, by kind; under the empty name where there are no kinds."""
        if self.name in RECORDS:
            return {"": RECORDS[self.name]}
        return dict(KINDS) if self.only_kind is None else {self.only_kind: KINDS[self.only_kind]}

    def kind_of(self, row: Row) -> str:
        """Return the kind that a row states."""
        if self.name in RECORDS:
            return ""
        position = self.header.index("kind") if "kind" in self.header else len(row)
        stated = str(row[position] or "").strip() if position < len(row) else ""
        return stated or self.only_kind or ""


def _read_table(rows: Iterable[Row], title: str, place: str, file: str, found: Entries) -> None:
    numbered = [(number, row) for number, row in enumerate(rows, 1) if any(_is_given(cell) for cell in row)]
    if not numbered:
        return
    header = [str(cell).strip() if _is_given(cell) else "" for cell in numbered[0][1]]
    word = title.strip().lower().replace(" ", "_")
    word = _PLURALS.get(word, word)
    if word == "portfolio":
        found.settings += _settings(header, numbered[1:], place)
        return
    if word in RECORDS:
        table = _Table(word, None, header, place, file)
    elif word in KINDS:
        table = _Table("assets", word, header, place, file)
    elif word == "assets" or "kind" in header:
        table = _Table("assets", None, header, place, file)
    else:
        tables = ", ".join(ONE_ENTRY)
        found.findings.append(f"{place}: cannot tell what it holds; give it a column kind, or name it {tables}")
        return
    readers = _readers(table, found)
    found.entries += [_entry(table, readers, number, row, found) for number, row in numbered[1:]]


def _settings(header: Sequence[str], body: Sequence[tuple[int, Row]], place: str) -> list[Setting]:
    settings = []
    kinds: dict[str, CellKind] = {"currency": "text", "series": "json"}
    for _, row in body:
        given = {name: cell for name, cell in zip(header, row, strict=False) if _is_given(cell)}
        settings += [
            Setting(name, from_cell(given[name], kind), place) for name, kind in kinds.items() if name in given
        ]
    return settings


Readers = dict[int, tuple[str, dict[str, CellKind]]]
"""For each position of a known column: its field, and how its cells are read for each kind that has the field."""


def _readers(table: _Table, found: Entries) -> Readers:
    records = table.records()
    known = {name for record in records.values() for name in record.model_fields}
    readers: Readers = {}
    for position, name in enumerate(table.header):
        if not name:
            continue
        if name not in known:
            whose = "no kind has such a field" if len(records) > 1 else "there is no such field"
            hint = did_you_mean(name.lower(), known)
            found.findings.append(f"{table.place}, column {show(name)}: {whose}; {hint}")
        elif name in table.header[:position]:
            found.findings.append(f"{table.place}, column {name}: stands in the header a second time")
        else:
            kinds = {kind: cell_kind(one, name) for kind, one in records.items() if name in one.model_fields}
            readers[position] = (name, kinds)
    return readers


def _entry(table: _Table, readers: Readers, number: int, row: Row, found: Entries) -> Entry:
    where = f"{table.place}, row {number}"
    kind = table.kind_of(row)
    fields: dict[str, Any] = {"kind": table.only_kind} if table.only_kind else {}
    refused = []
    for position, cell in enumerate(row):
        if not _is_given(cell):
            continue
        if position >= len(table.header) or not table.header[position]:
            found.findings.append(
                f"{where}: {show(str(cell))} stands in column {position + 1}, which has no name; "
                "a separator within a text needs quotes around the text"
            )
        elif position in readers:
            name, kinds = readers[position]
            try:
                # A field that the kind does not have is refused by its record, in the words of the field.
                fields[name] = from_cell(cell, kinds.get(kind, next(iter(kinds.values()))))
            except ValueError as error:
                found.findings.append(f"{where}, column {name} = {show(cell)}: {error}")
                fields[name] = cell
                refused.append(name)
    columns = tuple(name for name, _ in readers.values())
    return Entry(table.name, fields, where, table.file, columns, tuple(refused))


def _is_given(cell: object) -> bool:
    return cell is not None and (not isinstance(cell, str) or cell.strip() != "")
