"""Raw tables: the cells of a text, Excel or Parquet file as they stand there, and where they stand."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import hashlib
import math
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from ems.errors import InvalidInput, show
from ems.folders import shown_path
from ems.series.form import SIGNS_CLASH, SeriesForm
from ems.series.wording import first_of

LARGEST_FILE_BYTES = 2_000_000_000
LONGEST_LINE_BYTES = 1 << 20
BLOCK_BYTES = 1 << 24
Kind = Literal["text", "excel", "parquet"]
KINDS: dict[str, Kind] = {
    ".csv": "text",
    ".txt": "text",
    ".tsv": "text",
    ".xlsx": "excel",
    ".parquet": "parquet",
}
# An option that cannot act on a kind of file is refused, not ignored.
WITHOUT_EFFECT: dict[Kind, tuple[str, ...]] = {
    "text": ("sheet",),
    "excel": ("encoding", "separator"),
    "parquet": ("encoding", "separator", "sheet"),
}


@dataclass(frozen=True)
class RawTable:
    """The cells of a file under their headers.

    Parameters
    ----------
    path : Path
    where : str
        The words that name the file in messages.
    kind : str
    cells : DataFrame
        One column a header; text, or numbers and stamps where the file has types. The index numbers the file's
        records below the header from 0.
    form : SeriesForm
    sha256 : str
        Of the file's bytes.
    """

    path: Path
    where: str
    kind: Kind
    cells: pd.DataFrame
    form: SeriesForm
    sha256: str

    def __len__(self) -> int:
        return len(self.cells)

    def place(self, position: int) -> str:
        """Return where a row of `cells` stands in the file: ``line 9``."""
        record = int(self.cells.index[position])
        if self.kind == "text":
            known = record < len(self._lines)
            return f"line {self._lines[record]}" if known else f"row {record + 1} below the header"
        return f"row {record + 2}" if self.kind == "excel" else f"row {record + 1}"

    @cached_property
    def _lines(self) -> list[int]:
        # Only an error needs line numbers, and blank lines and line breaks inside quotes make them differ from rows.
        lines = []
        with contextlib.suppress(csv.Error):  # the rows up to the one on which the two parsers disagree
            for line, _ in _records(self.path, self.form):
                lines.append(line)
        return lines[1:]

    def text(self, column: str) -> pd.Series[str]:
        """Return a column's cells as text without blanks around; an empty cell is an empty text."""
        stripped: pd.Series[str] = self.cells[column].fillna("").astype("str").str.strip()
        return stripped

    def without_blank_rows(self, time_column: str) -> RawTable:
        """Return the table without the rows in which no cell holds anything."""
        blank = _is_blank(self.cells[time_column])
        if not blank.any():
            return self
        others = self.cells[blank].apply(_is_blank)
        return replace(self, cells=self.cells.drop(index=others.index[others.all(axis=1)]))


def read_table(path: Path, form: SeriesForm) -> RawTable:
    """Return the cells of a file.

    Raises
    ------
    InvalidInput
        If the file is missing, too large, of an unknown kind, not in the encoding, or no table.
    """
    where = f"series {shown_path(path)}"
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise InvalidInput(where, f"ends in {show(path.suffix)}; can be read: {', '.join(KINDS)}")
    idle = [name for name in WITHOUT_EFFECT[kind] if name in form.model_fields_set and getattr(form, name)]
    if idle:
        raise InvalidInput(where, [f"{name} has no effect on a {path.suffix} file; leave it out" for name in idle])
    try:
        sha256 = _examine(path, where, form, kind)
        read = {"text": _read_text, "excel": _read_excel, "parquet": _read_parquet}[kind]
        cells = read(path, where, form)
    except OSError as error:
        raise InvalidInput(where, f"cannot be read: {error.strerror or show(str(error))}") from None
    table = RawTable(path, where, kind, cells, form, sha256)
    names = [str(name) for name in cells.columns]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise InvalidInput(where, [f"{names.count(n)} columns are named {show(n)}; rename them" for n in twice])
    return table


def _examine(path: Path, where: str, form: SeriesForm, kind: Kind) -> str:
    """Return the file's SHA-256; refuse what would take a parser long or lead it astray."""
    size = path.stat().st_size
    if size > LARGEST_FILE_BYTES:
        raise InvalidInput(where, f"has {size / 1e9:.3g} GB; at most {LARGEST_FILE_BYTES / 1e9:.3g} GB can be read")
    if size == 0:
        raise InvalidInput(where, "is empty")
    digest, since_break = hashlib.sha256(), 0
    has_nul_bytes = len("a".encode(form.encoding)) > 1
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            if kind != "text":
                continue
            if not has_nul_bytes and b"\0" in block:
                raise InvalidInput(where, _not_text(path))
            numbers = np.frombuffer(block, dtype="uint8")
            breaks = np.flatnonzero((numbers == ord("\n")) | (numbers == ord("\r")))
            edges = np.concatenate(([-1 - since_break], breaks, [len(block)]))
            longest = int(np.diff(edges).max()) - 1
            since_break = len(block) - 1 - int(edges[-2])
            if longest > LONGEST_LINE_BYTES:
                raise InvalidInput(where, f"has a line longer than {LONGEST_LINE_BYTES} bytes; is this a table?")
    return digest.hexdigest()


def _not_text(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(2)
    if start in (b"\xff\xfe", b"\xfe\xff"):
        return "is UTF-16 text; say encoding: utf-16"
    return "holds NUL bytes, so it is no text file; export it once more as CSV"


def _codec(form: SeriesForm) -> str:
    # Spreadsheets put a byte order mark before UTF-8; this codec reads files with and without it.
    return "utf-8-sig" if form.encoding.lower().replace("_", "-") in {"utf-8", "utf8"} else form.encoding


def _read_text(path: Path, where: str, form: SeriesForm) -> pd.DataFrame:
    if form.separator == form.decimal:
        raise InvalidInput(where, SIGNS_CLASH)
    try:
        # Without a header pandas refuses each row that is wider than the first; with one it cuts or shifts some.
        cells = pd.read_csv(
            path,
            sep=form.separator,
            encoding=_codec(form),
            header=None,
            dtype=str,
            index_col=False,
            keep_default_na=False,
        )
    except UnicodeError:
        raise InvalidInput(where, _undecodable(path, form)) from None
    except pd.errors.EmptyDataError:
        raise InvalidInput(where, "is empty") from None
    except (pd.errors.ParserError, csv.Error) as error:
        raise InvalidInput(where, _ragged(path, form) or _no_table(str(error))) from None
    header = cells.iloc[0].fillna("").str.strip().tolist()
    below = cells.iloc[1:].reset_index(drop=True)
    below.columns = pd.Index(header)
    return below


def _undecodable(path: Path, form: SeriesForm) -> str:
    """Return the sentence that names the line which is not in the encoding."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode(form.encoding)
            except UnicodeDecodeError as error:
                other = "latin-1" if "utf" in form.encoding.lower() else "utf-8"
                if line.startswith((b"\xff\xfe", b"\xfe\xff")):
                    other = "utf-16"
                return (
                    f"line {number} is not {form.encoding} text (byte 0x{line[error.start]:02x}); "
                    f"say encoding: {other}, or save the file as UTF-8"
                )
    return f"is not {form.encoding} text; say its encoding"


def _records(path: Path, form: SeriesForm) -> Iterator[tuple[int, list[str]]]:
    """Yield the last line and the cells of each record, skipping blank lines as the fast parser does."""
    limit = csv.field_size_limit(LONGEST_LINE_BYTES)
    try:
        with path.open(encoding=_codec(form), newline="") as file:
            reader = csv.reader(file, delimiter=form.separator)
            for record in reader:
                if len(record) > 1 or (record and record[0].strip()):
                    yield reader.line_num, record
    finally:
        csv.field_size_limit(limit)


def _ragged(path: Path, form: SeriesForm) -> list[str]:
    """Return the sentences that name rows with more cells than the header."""
    try:
        records = _records(path, form)
        _, header = next(records)
        wide = [(line, len(record)) for line, record in records if len(record) > len(header)]
    except (csv.Error, UnicodeError, StopIteration):
        return []
    hint = "; numbers with a decimal comma need another separator, as ';'" if form.separator == "," else ""
    return first_of(
        np.arange(len(wide)),
        lambda at: f"line {wide[at][0]} has {wide[at][1]} cells, the header has {len(header)}{hint}",
        "lines with more cells than the header",
    )


def _no_table(message: str) -> str:
    if "EOF inside string" in message:
        return f"a quotation mark opens in row {message.rsplit(maxsplit=1)[-1]} below the header and never closes"
    return f"is no table: {show(message.strip())}"


def _read_excel(path: Path, where: str, form: SeriesForm) -> pd.DataFrame:
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
        if unpacked > LARGEST_FILE_BYTES:
            raise InvalidInput(where, f"unpacks to {unpacked / 1e9:.3g} GB; save the sheet as CSV")
        with pd.ExcelFile(path, engine="openpyxl") as book:
            sheets = [str(name) for name in book.sheet_names]
            if form.sheet is not None and form.sheet not in sheets:
                raise InvalidInput(where, f"has no sheet {show(form.sheet)}; its sheets are {', '.join(sheets)}")
            cells = book.parse(form.sheet or 0, header=None, dtype=object, keep_default_na=False)
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput(where, f"is no Excel file that can be read: {show(str(error))}") from None
    if cells.empty:
        raise InvalidInput(where, "is empty")
    written = cells.map(lambda cell: _as_written(cell, form.decimal)).astype("str")
    below = written.iloc[1:].reset_index(drop=True)
    below.columns = pd.Index(written.iloc[0].str.strip())
    return below


def _as_written(cell: Any, decimal: str) -> str:
    """Return a cell of Excel as it would stand in a text file."""
    if isinstance(cell, dt.datetime):
        # Excel counts days as a binary fraction: 02:00 may come as 01:59:59.999.
        return pd.Timestamp(cell).round("s").isoformat()
    if isinstance(cell, bool | str):
        return str(cell)
    if cell is None or cell is pd.NaT or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    return repr(cell).replace(".", decimal) if isinstance(cell, float) else str(cell)


def _read_parquet(path: Path, where: str, form: SeriesForm) -> pd.DataFrame:
    import pyarrow as pa

    try:
        cells = pd.read_parquet(path, engine="pyarrow")
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise InvalidInput(where, f"is no Parquet file that can be read: {show(str(error))}") from None
    if not isinstance(cells.index, pd.RangeIndex):
        cells = cells.reset_index()
    cells.columns = pd.Index([str(name).strip() for name in cells.columns])
    return cells.reset_index(drop=True)


def _is_blank(column: pd.Series[Any]) -> pd.Series[bool]:
    return column.isna() | (column.astype("str").str.strip() == "")
