"""Whether numbers can be what they are said to be: errors, warnings, and tiny corrections with a note."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from ems.display import counted
from ems.errors import EmsWarning, show
from ems.series.columns import Source
from ems.series.form import variable_of
from ems.series.table import RawTable
from ems.series.wording import Remarks, first_of, shown_time
from ems.units import unit_of

DOUBTFUL_PRICE_PER_KWH = 5.0
"""Prices beyond are real in a few hours of a few markets; far more often they are prices per MWh."""
LARGEST_NEGATIVE_SHARE = 0.01
"""Meters of solar and wind plants show down to about this share of the highest power as negative at rest."""


def check_values(
    values: np.ndarray,
    source: Source,
    times: pd.DatetimeIndex,
    table: RawTable,
    remarks: Remarks,
) -> np.ndarray:
    """Return values of a column as they are used, shape (rows,).

    Parameters
    ----------
    values : ndarray (rows)
        In the unit of the variable; NaN is a gap.
    source : Source
    times : DatetimeIndex (rows)
        UTC.
    table : RawTable
    remarks : Remarks
        Findings are infinite values, values out of range and a negative available power; notes tell what was changed
        or looks odd.
    """
    variable = source.need.variable
    unit = unit_of(variable) or ""
    known = variable_of(variable)
    assert known is not None, "a need names a known variable"
    named = f"column {show(source.column)}"

    def cell(at: int) -> str:
        return f"{table.place(at)}, {named} at {shown_time(times[at])}: {values[at]:.6g} {unit}"

    infinite = np.flatnonzero(np.isinf(values))
    remarks.findings.extend(first_of(infinite, lambda at: f"{cell(at)} is not finite", f"infinite values of {named}"))
    with np.errstate(invalid="ignore"):
        far = np.flatnonzero(np.isfinite(values) & (np.abs(values) > known.largest))
    remarks.findings.extend(
        first_of(
            far,
            lambda at: f"{cell(at)} is out of range; {source.need} lies within ±{known.largest:g} {unit}",
            f"values of {named} out of range",
        )
    )
    if len(infinite) or len(far) or not np.isfinite(values).any():
        return values
    if known.kind == "price":
        _look_at_price(values, source, times, table, remarks)
    elif variable == "available_kw":
        return _without_tiny_negatives(values, source, times, table, remarks)
    elif variable == "demand_kw" and np.nanmin(values) < 0:
        at = int(np.nanargmin(values))
        count = int(np.sum(values < 0))
        _warn(
            f"{source.need} ({named}) is negative in {counted(count, 'step')}, lowest {values[at]:.6g} kW at "
            f"{shown_time(times[at])}; demand is positive where energy is drawn, so does it hold generation too?",
            table,
            remarks,
        )
    return values


def _look_at_price(
    values: np.ndarray, source: Source, times: pd.DatetimeIndex, table: RawTable, remarks: Remarks
) -> None:
    sizes = np.abs(values)
    at = int(np.nanargmax(sizes))
    if sizes[at] > DOUBTFUL_PRICE_PER_KWH:
        _warn(
            f"{source.need} (column {show(source.column)}) reaches {values[at]:.6g} {unit_of(source.need.variable)} "
            f"at {shown_time(times[at])}; this looks like a price per MWh, for which say multiply_by: 0.001",
            table,
            remarks,
        )


def _without_tiny_negatives(
    values: np.ndarray,
    source: Source,
    times: pd.DatetimeIndex,
    table: RawTable,
    remarks: Remarks,
) -> np.ndarray:
    is_negative = values < 0
    if not is_negative.any():
        return values
    highest = max(float(np.nanmax(values)), 0.0)
    named = f"column {show(source.column)}"
    low = np.flatnonzero(values < -LARGEST_NEGATIVE_SHARE * highest)
    remarks.findings.extend(
        first_of(
            low,
            lambda at: (
                f"{table.place(at)}, {named} at {shown_time(times[at])}: {values[at]:.6g} kW is negative; "
                f"{source.need} is power that can be generated, at least 0 kW"
            ),
            f"negative values of {named}",
        )
    )
    if not len(low):
        remarks.notes.append(
            f"{counted(int(is_negative.sum()), 'value')} of {source.need} ({named}) slightly below zero, lowest "
            f"{np.nanmin(values):.6g} kW, set to 0 kW"
        )
    return np.where(is_negative, 0.0, values)


def _warn(message: str, table: RawTable, remarks: Remarks) -> None:
    remarks.notes.append(message)
    warnings.warn(f"{table.where}: {message}", EmsWarning, stacklevel=4)
