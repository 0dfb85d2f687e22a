"""Cells of a column become numbers; a cell that is none is named with its place."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ems.errors import show
from ems.series.table import RawTable
from ems.series.wording import first_of

NO_VALUE = ("nan", "null", "none", "na", "n/a", "#n/a", "<na>")
"""Words that people and programs write into a cell without a value, in small letters."""
NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?inf(?:inity)?", re.ASCII | re.IGNORECASE)


def read_numbers(table: RawTable, column: str, findings: list[str]) -> np.ndarray:
    """Return a column as numbers, shape (rows,); NaN where a cell holds no value or, with a finding, no number.

    Infinite values pass; they are judged with their time.
    """
    cells = table.cells[column]
    is_number = pd.api.types.is_numeric_dtype(cells.dtype) and not pd.api.types.is_bool_dtype(cells.dtype)
    if is_number and not pd.api.types.is_complex_dtype(cells.dtype):
        return cells.to_numpy(dtype="float64", na_value=np.nan)
    text = table.text(column)
    numbers, bad = _numbers_of(text, table.form.decimal)
    findings += first_of(
        bad,
        lambda at: (
            f"{table.place(at)}, column {show(column)}: {show(text.iloc[at])} is not a number"
            f"{_decimal_hint(text.iloc[at], table)}"
        ),
        f"cells of column {show(column)} that are not numbers",
    )
    return numbers


def _numbers_of(text: pd.Series[str], decimal: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of cells and the positions of those which are none."""
    arrow = pa.array(text, from_pandas=True)
    is_empty = pc.or_(pc.equal(arrow, ""), pc.is_in(pc.utf8_lower(arrow), value_set=pa.array(NO_VALUE, arrow.type)))
    cleaned = pc.if_else(pc.fill_null(is_empty, True), None, arrow)
    if decimal == ",":
        # A point under a decimal comma may part thousands; it is named, not guessed.
        cleaned = pc.if_else(pc.match_substring(cleaned, "."), "?", pc.replace_substring(cleaned, ",", "."))
    try:
        return pc.cast(cleaned, pa.float64()).to_numpy(zero_copy_only=False), np.array([], dtype=int)
    except pa.ArrowInvalid:
        numbers = np.full(len(text), np.nan)
        bad = []
        for position, cell in enumerate(cleaned.to_pylist()):
            if cell is None:
                continue
            if NUMBER.fullmatch(cell):
                numbers[position] = float(cell)
            else:
                bad.append(position)
        return numbers, np.array(bad, dtype=int)


def _decimal_hint(cell: str, table: RawTable) -> str:
    """Return the remedy for a number in another country's clothes."""
    other = "," if table.form.decimal == "." else "."
    if re.fullmatch(rf"[+-]?\d+{re.escape(other)}\d+", cell, re.ASCII):
        return f'; perhaps say decimal: "{other}"'
    if re.fullmatch(r"[+-]?\d{1,3}(?:[.,' ]\d{3})+(?:[.,]\d+)?", cell, re.ASCII):
        return "; write it without signs between thousands"
    return ""
