"""Scaling: kilowatts of a large plant as thousands of them, so that a solver's tolerances mean the same everywhere."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ems.dispatch.formulation.matrix import Matrix
from ems.units import unit_of

PLAIN_FROM, PLAIN_TO = 1e-1, 1e4
"""Typical sizes, in kW or kWh, between which numbers are handed over as they are."""


@dataclass(frozen=True)
class Scaling:
    """Factors of the columns, and divisors of the rows, by which a scaled matrix differs."""

    columns: np.ndarray | float
    rows: np.ndarray | float


def scale(matrix: Matrix) -> tuple[Matrix, Scaling]:
    """Return a matrix whose powers and energies are of the order of one to a thousand, and how it was made.

    Decisions, shares, temperatures and money stay as they are; a row is divided where a power stands in it.
    """
    is_power = np.zeros(matrix.columns, dtype=bool)
    for block in matrix.variables:
        if unit_of(block.name) in ("kW", "kWh"):
            is_power[block.at] = True
    sizes = np.abs(np.concatenate([matrix.upper[is_power], matrix.row_upper, matrix.row_lower]))
    sizes = sizes[np.isfinite(sizes) & (sizes > 1e-9)]
    typical = float(np.median(sizes)) if len(sizes) else 1.0
    if PLAIN_FROM <= typical <= PLAIN_TO or not is_power.any():
        return matrix, Scaling(1.0, 1.0)
    factor = 10.0 ** np.floor(np.log10(typical) - 1)
    columns = np.where(is_power, factor, 1.0)
    rows = np.where(abs(matrix.coefficients) @ is_power.astype(float) > 0, factor, 1.0)
    coefficients = matrix.coefficients.copy()
    row_of = np.repeat(np.arange(matrix.rows), np.diff(coefficients.indptr))
    coefficients.data = coefficients.data * columns[coefficients.indices] / rows[row_of]
    scaled = replace(
        matrix,
        coefficients=coefficients,
        cost=matrix.cost * columns,
        lower=matrix.lower / columns,
        upper=matrix.upper / columns,
        row_lower=matrix.row_lower / rows,
        row_upper=matrix.row_upper / rows,
    )
    return scaled, Scaling(columns, rows)
