"""Rows and columns that a window has beside its dispatch: its end, its peaks, its calm, its scenarios and its risk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ems.dispatch.formulation.matrix import Block, Exclusion, Matrix


@dataclass(frozen=True)
class PeakSlots:
    """Room for the peaks of a demand charge in a window.

    Parameters
    ----------
    name : str
        Name of the charge, of its connection.
    asset_id : str
        Connection whose power counts.
    way : str
        ``import`` or ``export``.
    per_kw : float
        What is billed for a kW.
    slots : int
        Periods that a window can touch.
    levels : int
        Pieces of what a peak costs.
    """

    name: str
    asset_id: str
    way: str
    per_kw: float
    slots: int
    levels: int

    @property
    def owner(self) -> str:
        """Owner of its rows and columns."""
        return f"{self.asset_id} {self.name}"


@dataclass(frozen=True)
class RiskAversion:
    """Weight on the dearest scenarios: their conditional value at risk [1]_.

    minimise (1 - weight) * mean + weight * (var + sum(excess) / (1 - level) / scenarios)

    Parameters
    ----------
    weight : float
        0 minds only the mean, 1 only the dearest scenarios.
    level : float
        Share of scenarios that are not among the dearest.

    References
    ----------
    .. [1] R. T. Rockafellar and S. Uryasev, "Optimization of conditional value-at-risk," Journal of Risk, vol. 2,
       no. 3, 2000, doi:10.21314/JOR.2000.038.
    """

    weight: float
    level: float

    def weigh(self, whole: Matrix, costs: np.ndarray, offsets: np.ndarray) -> Matrix:
        """Return the matrix of all scenarios with the weighted measure and the cost of each scenario as a row."""
        from ems.dispatch.solvers.quick_scipy import sparse

        count, columns = costs.shape
        cost = whole.cost.copy()
        cost[: count * columns] *= (1 - self.weight) / count
        at_risk = count * columns
        cost[at_risk] = self.weight
        cost[at_risk + 1 :] = self.weight / (1 - self.level) / count
        rows = whole.constraint("risk", "excess").at
        row_upper = whole.row_upper.copy()
        row_upper[rows] = -offsets
        place = np.arange(count * columns)
        entries = (
            np.r_[costs.ravel(), -np.ones(count), -np.ones(count)],
            (
                np.r_[np.repeat(np.arange(count), columns), np.arange(count), np.arange(count)],
                np.r_[place, np.full(count, at_risk), at_risk + 1 + np.arange(count)],
            ),
        )
        added = sparse().coo_array(entries, shape=(count, whole.columns)).tocsr()
        added.eliminate_zeros()
        coefficients = sparse().vstack([whole.coefficients[: rows[0]], added], format="csr")
        offset = float((1 - self.weight) * offsets.mean())
        return replace(whole, coefficients=coefficients, cost=cost, row_upper=row_upper, offset=offset)


def with_ends(matrix: Matrix, battery_id: str, segments: int) -> Matrix:
    """Return the matrix with the content at the end in segments, of which each has a worth.

    energy[end] == sum(end_segment), where a segment is at most its width
    """
    keys = list(range(segments))
    matrix = matrix.with_columns((battery_id, "end_segment_kwh", keys))
    at = np.arange(matrix.columns - segments, matrix.columns)
    last = matrix.variable(battery_id, "energy_kwh").at[-1]
    entries = (np.zeros(segments + 1, dtype=int), np.r_[last, at], np.r_[1.0, -np.ones(segments)])
    return matrix.with_rows((battery_id, "end_content", [0]), entries, lower=0.0, upper=0.0)


def with_peaks(matrix: Matrix, slots: PeakSlots, steps: int) -> Matrix:
    """Return the matrix with the peak of each slot, and its parts above levels.

    power[t] * per_kw <= peak[slot] in each step that counts
    above[slot, level] >= peak[slot] - level
    """
    power = matrix.variable(slots.asset_id, f"{slots.way}_kw").at
    owner, every, pieces = slots.owner, np.arange(steps), np.arange(slots.levels)
    for slot in range(slots.slots):
        matrix = matrix.with_columns((owner, f"peak_kw_{slot}", [slot]))
        peak = matrix.columns - 1
        matrix = matrix.with_columns((owner, f"above_kw_{slot}", pieces.tolist()))
        above = np.arange(matrix.columns - slots.levels, matrix.columns)
        matrix = matrix.with_rows(
            (owner, f"peak_{slot}", every.tolist()),
            (
                np.r_[every, every],
                np.r_[power, np.full(steps, peak)],
                np.r_[np.full(steps, slots.per_kw), -np.ones(steps)],
            ),
        )
        matrix = matrix.with_rows(
            (owner, f"above_{slot}", pieces.tolist()),
            (
                np.r_[pieces, pieces],
                np.r_[above, np.full(slots.levels, peak)],
                np.r_[np.ones(slots.levels), -np.ones(slots.levels)],
            ),
        )
    return matrix


def with_calm(matrix: Matrix, batteries: Sequence[str], price: np.ndarray) -> Matrix:
    """Return the matrix in which leaving the plan before costs something.

    change[t] >= |discharge[t] - charge[t] - before[t]|
    """
    steps = len(price)
    every = np.arange(steps)
    for battery_id in batteries:
        charge, discharge = (matrix.variable(battery_id, name).at for name in ("charge_kw", "discharge_kw"))
        matrix = matrix.with_columns((battery_id, "change_kw", every.tolist()), cost=price)
        change = np.arange(matrix.columns - steps, matrix.columns)
        for name, sign in (("calm_above", 1.0), ("calm_below", -1.0)):
            values = np.r_[np.full(steps, sign), np.full(steps, -sign), -np.ones(steps)]
            entries = (np.r_[every, every, every], np.r_[discharge, charge, change], values)
            matrix = matrix.with_rows((battery_id, name, every.tolist()), entries)
    return matrix


def with_common_powers(matrix: Matrix, scenarios: int, batteries: Sequence[str], steps: int) -> Matrix:
    """Return the matrices of all scenarios as one, in which the first powers of batteries are the same in all."""
    if scenarios == 1:
        return matrix
    from ems.dispatch.solvers.quick_scipy import sparse

    rows, columns = matrix.rows, matrix.columns
    shift = np.arange(scenarios) * columns
    names = ("cost", "lower", "upper", "is_integer", "row_lower", "row_upper")
    tiled: dict[str, Any] = {name: np.tile(getattr(matrix, name), scenarios) for name in names}
    whole = Matrix(
        coefficients=_block_diagonal(sparse(), matrix.coefficients, scenarios),
        **tiled,
        constraints=(Block("scenarios", "all", range(rows * scenarios), np.arange(rows * scenarios)),),
        exclusions=tuple(
            Exclusion(one.owner, one.one + places, one.other + places) for places in shift for one in matrix.exclusions
        ),
    )
    first = np.concatenate(
        [matrix.variable(one, name).at[:steps] for one in batteries for name in ("charge_kw", "discharge_kw")]
    )
    if not len(first):
        return whole
    count = len(first) * (scenarios - 1)
    row = np.arange(count)
    other = (first[None, :] + shift[1:, None]).ravel()
    entries = (np.r_[row, row], np.r_[np.tile(first, scenarios - 1), other], np.r_[np.ones(count), -np.ones(count)])
    return whole.with_rows(("scenarios", "common_powers", row.tolist()), entries, lower=0.0, upper=0.0)


def _block_diagonal(module: Any, block: Any, count: int) -> Any:
    """Return a block repeated along the diagonal."""
    coo = block.tocoo()
    rows, columns = block.shape
    by = np.arange(count)
    row = (coo.row[None, :] + by[:, None] * rows).ravel()
    column = (coo.col[None, :] + by[:, None] * columns).ravel()
    entries = (np.tile(coo.data, count), (row, column))
    return module.coo_array(entries, shape=(rows * count, columns * count)).tocsr()


def with_risk(whole: Matrix, scenarios: int, columns: int, risk: RiskAversion) -> Matrix:
    """Return the matrix of all scenarios with the value at risk and what each scenario is above it.

    excess[scenario] >= cost[scenario] - var
    """
    assert whole.columns == scenarios * columns, "risk comes last"
    whole = whole.with_columns(("risk", "value_at_risk", [0]), lower=-np.inf)
    whole = whole.with_columns(("risk", "excess_cost", list(range(scenarios))))
    none = (np.empty(0, dtype=int), np.empty(0, dtype=int), np.empty(0))
    return whole.with_rows(("risk", "excess", list(range(scenarios))), none)
