"""A portfolio as tables: rows and columns, CSV files and an Excel file that spreadsheets open as they are."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

from ems.assets.exchange_cells import given_of, to_cell
from ems.assets.exchange_entries import RECORDS
from ems.assets.portfolio import KINDS, Portfolio
from ems.errors import InvalidInput, show
from ems.series.form import SeriesForm

WRITTEN = ("sites", "assets", "groups", "members", "dependencies", "reserves")
"""Tables of an export; tariffs are nested and stand in YAML, or in a sheet as JSON."""
LONGEST_EXCEL_CELL = 32_767
_XML_CANNOT = re.compile("[\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_XML_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")


def tables_of(portfolio: Portfolio) -> Iterator[tuple[str, list[str], list[list[Any]]]]:
    """Return each table of a portfolio: its name, columns and rows of cells; None where nothing is given."""
    return (_table_of(portfolio, table) for table in WRITTEN)


def _table_of(portfolio: Portfolio, table: str) -> tuple[str, list[str], list[list[Any]]]:
    records = getattr(portfolio, table)
    stated = [given_of(record) for record in records]
    if table == "assets":
        stated = [{"kind": record.kind, **given} for record, given in zip(records, stated, strict=True)]
    columns = _columns(table, stated)
    return table, columns, [[to_cell(one[name]) if name in one else None for name in columns] for one in stated]


def _columns(table: str, stated: Sequence[dict[str, Any]]) -> list[str]:
    """Return the fields that are given somewhere, kind by kind in their order, after those which all have."""
    kinds = (RECORDS[table],) if table in RECORDS else tuple(KINDS.values())
    always = [name for name, field in kinds[0].model_fields.items() if field.is_required()] if len(kinds) == 1 else []
    ordered = dict.fromkeys(["kind", "id", "name", "site_id", "status"] if table == "assets" else ["id", "name"])
    ordered |= dict.fromkeys(name for kind in kinds for name in kind.model_fields)
    used = {name for one in stated for name in one} | set(always) | ({"kind"} if table == "assets" else set())
    return [name for name in ordered if name in used]


def csv_text_of(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """Return a table as a CSV file that spreadsheets open as it is: UTF-8 with its mark, comma, point."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_csv_cell(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _csv_cell(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return cell.isoformat() if isinstance(cell, dt.date) else repr(cell) if isinstance(cell, float) else str(cell)


def excel_of(portfolio: Portfolio) -> bytes:
    """Return a portfolio as an Excel file, a sheet for each table.

    Raises
    ------
    InvalidInput
        If a text is longer than a cell of Excel can be.
    """
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    book = Workbook(write_only=True)
    series = portfolio.series
    settings = [portfolio.currency] + ([to_cell(series)] if series != SeriesForm() else [])
    sheets = [("portfolio", ["currency", "series"][: len(settings)], [settings]), *tables_of(portfolio)]
    if portfolio.tariffs:
        sheets.append(_table_of(portfolio, "tariffs"))
    # All cells are made before the first is written: a file that was begun cannot be left in peace.
    encoded = [
        (title, columns, [[_excel_cell(cell, title) for cell in row] for row in rows])
        for title, columns, rows in sheets
    ]
    for title, columns, rows in encoded:
        sheet = book.create_sheet(title)
        sheet.freeze_panes = "A2"
        header = []
        for name in columns:
            cell = WriteOnlyCell(sheet, value=name)
            cell.font = Font(bold=True)
            header.append(cell)
        sheet.append(header)
        for row in rows:
            sheet.append([_exact(cell, sheet) for cell in row])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _excel_cell(cell: Any, title: str) -> Any:
    if isinstance(cell, str):
        encoded = _XML_CANNOT.sub(lambda found: f"_x{ord(found[0]):04X}_", cell)
        if len(encoded) > LONGEST_EXCEL_CELL:
            raise InvalidInput(
                f"sheet {show(title)}",
                f"the text {show(cell)} is longer than the {LONGEST_EXCEL_CELL} characters of a cell; export YAML",
            )
        return encoded
    # Excel counts its days from 1900, and takes that year for a leap year.
    is_too_old = isinstance(cell, dt.date) and cell < dt.date(1900, 3, 1)
    return cell.isoformat() if is_too_old else cell


def _exact(cell: Any, sheet: Any) -> Any:
    """Return a number with all its digits: openpyxl writes 16, and a file may hold 17."""
    if not isinstance(cell, float) or float(f"{cell:.16g}") == cell:
        return cell
    from openpyxl.cell import WriteOnlyCell

    exact = WriteOnlyCell(sheet, value=repr(cell))
    exact.data_type = "n"
    return exact


def decoded(text: str) -> str:
    """Return the text of an Excel cell, in which some characters stand as ``_x000A_``."""
    return _XML_ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
