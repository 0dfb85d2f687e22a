"""Limits: which fields of records make a schedule dearer, when, and what one more unit of each would save."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ems.assets.asset import Asset, AssetInputs
from ems.assets.battery import Battery
from ems.assets.ev_charger import EvCharger
from ems.dispatch.explanation.draft import ranges_of, when
from ems.dispatch.explanation.elastic import timezone_of
from ems.dispatch.explanation.loosening import EITHER, LOOSENED, NOT_BELOW_ZERO, is_stated, moved, value_of
from ems.dispatch.explanation.why import NO_WORTH, duals_of
from ems.dispatch.formulation.array_unit import ArrayUnit, MatrixBuilder
from ems.dispatch.formulation.matrix import Block, Matrix
from ems.dispatch.outages import in_service_share
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.solvers.exactness import TOLERANCE_KW
from ems.errors import InvalidInput
from ems.units import unit_of

if TYPE_CHECKING:
    import pandas as pd

    from ems.dispatch.result import DispatchResult

SHARED_LIMITS = {
    ("group", "group_import_limit"): "max_import_kw",
    ("group", "group_export_limit"): "max_export_kw",
    ("reserve", "reserve"): "requirement_kw",
}
"""Rows of groups and reserves whose right side is a field of theirs."""

PARTS_AT_THE_METER = (
    ("metered_import_kw", "import_kw", "shared_in_kw"),
    ("metered_export_kw", "export_kw", "shared_out_kw"),
)
"""A power at the meter and its two parts, whose bound is the same."""
STEP_SHARE = 1e-5
"""Share of a value by which it is moved: small beside what is curved, large beside rounding."""
WHOLE_HORIZON = ("fuel_tank_capacity_l",)
"""Limits that belong to no step."""
KEYED_OTHERWISE = re.compile(r"daily_cycles|departure_energy|final_energy|soc_target_\d+")
"""Rows whose keys count days or stays, or nothing; their times are those of their variables."""


@dataclass
class _Worth:
    """What a unit more of a field saves in single steps, and in spans of several as (first, end, worth)."""

    by_step: np.ndarray
    spans: list[tuple[int, int, float]] = field(default_factory=list)

    def ranges(self) -> Iterator[tuple[int, int, float]]:
        """Give the times in which the limit binds, each with the worth over it."""
        for first, end in ranges_of(np.flatnonzero(self.by_step > NO_WORTH).tolist()):
            yield first, end, float(self.by_step[first:end].sum())
        yield from (span for span in self.spans if span[2] > NO_WORTH)


def binding_limits(result: DispatchResult) -> pd.DataFrame:
    """Return the limits of records that make the schedule dearer, with the times, dearest first.

    By the envelope theorem [1]_: each field is moved a little, its asset is declared anew, and what changes in its
    rows and bounds is priced with decisions as they are. So laws of physics, rows that only follow from decisions, and
    cuts are nobody's limit, and a worth is that of the field in its own unit, whatever rows it stands in.

    Returns
    -------
    DataFrame
        Columns ``asset`` (or group, reserve), ``limit`` (the field; a part after its record, as in
        ``thermal.max_power_kw``), ``begin`` and ``end`` in UTC, ``when`` in local words, ``steps``, ``worth``: money
        that one more unit of the limit, up or down as it loosens, saves over these times together, with what the
        goal puts before cost as it is, and ``unit`` of it. Of shares a unit is a percentage point; of the capacity of
        a battery that is full, it is a kWh more room.

    References
    ----------
    .. [1] P. Milgrom and I. Segal, "Envelope theorems for arbitrary choice sets," Econometrica, vol. 70, no. 2, 2002,
       doi:10.1111/1468-0262.00296.
    """
    import pandas as pd

    problem, row_prices = result.problem, duals_of(result)
    horizon, currency = problem.horizon, problem.portfolio.currency
    found = {**_of_assets(result, row_prices), **_of_groups_and_reserves(result, row_prices[0])}
    table = []
    for (owner, name), worth in found.items():
        share, unit = _unit(name, currency)
        for first, end, saved in worth.ranges():
            table.append(
                {
                    "asset": owner,
                    "limit": name,
                    "begin": horizon.boundaries[first],
                    "end": horizon.boundaries[end],
                    "when": when(range(first, end), horizon, timezone_of(problem, owner)),
                    "steps": end - first,
                    "worth": saved * share,
                    "unit": unit,
                }
            )
    columns = ["asset", "limit", "begin", "end", "when", "steps", "worth", "unit"]
    whole = pd.DataFrame(table, columns=columns)
    return whole.sort_values("worth", ascending=False, kind="stable", ignore_index=True)


def _unit(name: str, currency: str) -> tuple[float, str]:
    """Return the part of a field's unit that is told as one more, and the unit of its worth."""
    base = unit_of(name.rsplit(".", maxsplit=1)[-1]) or "1"
    if base == "1":
        return 0.01, f"{currency}/%"
    base = "K" if base == "°C" else base
    return 1.0, f"{currency}/({base})" if "/" in base else f"{currency}/{base}"


def _of_groups_and_reserves(result: DispatchResult, row_prices: np.ndarray) -> dict[tuple[str, str], _Worth]:
    """Return the worth of limits that assets share, by their owner and field."""
    found = {}
    for block in result.final.constraints:
        level, _, owner = block.owner.partition(" ")
        name = SHARED_LIMITS.get((level, block.name))
        if name is not None:
            worth = np.zeros(len(result.problem.horizon))
            worth[np.array(list(block.keys), dtype=int)] = np.abs(row_prices[block.at])
            found[owner, name] = _Worth(worth)
    return found


def _of_assets(result: DispatchResult, duals: tuple[np.ndarray, np.ndarray]) -> dict[tuple[str, str], _Worth]:
    """Return the worth of each asset's fields, by its id and the field."""
    found = {}
    for asset in result.problem.assets:
        if isinstance(asset, EvCharger) and not asset.smart_charging_capable:
            continue  # nothing of its powers is chosen
        part, inputs = None, result.problem.inputs_of(asset)
        for name, way in LOOSENED.get(asset.kind, {}).items():
            if not is_stated(asset, inputs, name):
                continue
            part = part or _Part(result, duals, asset, inputs)
            worth = part.worth(name, way)
            if worth is None:
                continue
            if name == "max_soc" and isinstance(asset, Battery):
                found[_capacity(asset)] = _of_capacity(asset, inputs, worth)
            found[asset.id, name] = worth
    return found


def _capacity(asset: Battery) -> tuple[str, str]:
    """Return which field says how much a battery holds."""
    return asset.id, "capacity_kwh" if asset.usable_capacity_kwh == asset.capacity_kwh else "usable_capacity_kwh"


def _of_capacity(asset: Battery, inputs: AssetInputs, of_soc: _Worth) -> _Worth:
    """Return the worth of a kWh more where a battery is full, and take it from that of its highest state of charge.

    A state of charge above 1 is nothing that people can choose.
    """
    is_full = asset.over_steps("max_soc", inputs) >= 1 - 1e-9
    worth = _Worth(np.where(is_full, of_soc.by_step / asset.usable_capacity_kwh, 0.0))
    of_soc.by_step = np.where(is_full, 0.0, of_soc.by_step)
    return worth


def _declared(asset: Asset, inputs: AssetInputs) -> Matrix:
    """Return an asset's own part of a dispatch."""
    builder = MatrixBuilder()
    asset.declare(ArrayUnit(asset.id, inputs.horizon, builder), inputs)
    return builder.build()


class _Part:
    """An asset's part of a solved dispatch, with the prices of its rows and bounds."""

    def __init__(
        self, result: DispatchResult, duals: tuple[np.ndarray, np.ndarray], asset: Asset, inputs: AssetInputs
    ) -> None:
        self._asset, self._inputs = asset, inputs
        self._base = _declared(asset, inputs)
        final = result.final
        rows = _places(self._base.constraints, final.constraints, self._base.rows)
        columns = _places(self._base.variables, final.variables, self._base.columns)
        self._rows = np.where(rows >= 0, duals[0][rows], 0.0)
        self._x = np.where(columns >= 0, result.x[columns], 0.0)
        # A bound that excludes a direction is not the field's.
        prices = np.where(columns >= 0, duals[1][columns], 0.0)
        self._lower = np.where((prices > 0) & (final.lower[columns] == self._base.lower), prices, 0.0)
        self._upper = np.where((prices < 0) & (final.upper[columns] == self._base.upper), prices, 0.0)
        self._upper += _of_directions(final, duals[0], columns)
        self._count_once()
        self._is_in_service = _in_service(result.problem, asset)
        self._first, self._end, self._step = _times(self._base, len(inputs.horizon))

    def _count_once(self) -> None:
        """Take away the prices of bounds that say what another says already.

        While one of two directions is in use the other is closed, whatever its limit. Of two parts of a power at the
        meter, whose limit implies theirs, the tighter counts.
        """
        every = np.arange(self._base.columns)
        self._upper[self._is_closed(every)] = 0.0
        by_name = {block.name: block.at for block in self._base.variables}
        for whole, one, other in PARTS_AT_THE_METER:
            if whole in by_name:
                at, first, second = by_name[whole], by_name[one], by_name[other]
                tighter = np.minimum(self._upper[first], self._upper[second])
                self._upper[first], self._upper[second] = np.where(self._is_closed(at), 0.0, tighter), 0.0

    def _is_closed(self, columns: np.ndarray) -> np.ndarray:
        """Return which columns may not be used because another one is."""
        closed = np.zeros(self._base.columns, dtype=bool)
        for pair in self._base.exclusions:
            closed[pair.one] |= self._x[pair.other] > TOLERANCE_KW
            closed[pair.other] |= self._x[pair.one] > TOLERANCE_KW
        found: np.ndarray = closed[columns]
        return found

    def worth(self, name: str, way: int) -> _Worth | None:
        """Return what one more unit of a field saves; None where it cannot be moved."""
        values = value_of(self._asset, self._inputs, name)
        step = STEP_SHARE * max(1e-2, float(np.abs(values).max(initial=0.0)))
        for by in (step * (way or 1), -step * (way or 1)):
            try:
                changed = _declared(*moved(self._asset, self._inputs, name, by))
            except InvalidInput:
                continue
            if _is_alike(self._base, changed):
                return self._priced(name, way, changed, by)
        return None

    def _priced(self, name: str, way: int, changed: Matrix, by: float) -> _Worth:
        base = self._base
        right = np.where(
            self._rows < 0,
            _difference(changed.row_upper, base.row_upper),
            _difference(changed.row_lower, base.row_lower),
        )
        of_rows = -self._rows * (right - (changed.coefficients - base.coefficients) @ self._x) / by
        of_columns = -(
            self._lower * _difference(changed.lower, base.lower) + self._upper * _difference(changed.upper, base.upper)
        )
        of_columns /= by
        by_step = np.zeros(len(self._inputs.horizon))
        if name in WHOLE_HORIZON:
            return _Worth(by_step, [(0, len(by_step), float(way * (of_rows.sum() + of_columns.sum())))])
        is_single = self._end == self._first + 1
        np.add.at(by_step, self._first[is_single], of_rows[is_single])
        np.add.at(by_step, self._step, of_columns)
        by_step = np.abs(by_step) if way == EITHER else np.maximum(way * by_step, 0.0)
        by_step = np.where(self._is_in_service, by_step, 0.0)
        if name in NOT_BELOW_ZERO:
            by_step = np.where(value_of(self._asset, self._inputs, name) > 0, by_step, 0.0)
        spans = [
            (int(self._first[row]), int(self._end[row]), float(way * of_rows[row]))
            for row in np.flatnonzero(~is_single & (of_rows != 0))
        ]
        return _Worth(by_step, spans)


def _in_service(problem: DispatchProblem, asset: Asset) -> np.ndarray:
    """Return in which steps an asset is not out; that it is out is no limit of a record."""
    return in_service_share(problem.goal.outages, asset.id, problem.horizon) >= 1


def _difference(new: np.ndarray, old: np.ndarray) -> np.ndarray:
    is_change = np.isfinite(new) & np.isfinite(old)
    change: np.ndarray = np.where(is_change, np.where(is_change, new, 0.0) - np.where(is_change, old, 0.0), 0.0)
    return change


def _is_alike(one: Matrix, other: Matrix) -> bool:
    """Return whether two parts have the same names in the same places."""
    return (one.rows, one.columns) == (other.rows, other.columns) and all(
        a.name == b.name and np.array_equal(a.at, b.at)
        for a, b in zip(one.constraints, other.constraints, strict=True)
    )


def _places(blocks: Sequence[Block], among: Sequence[Block], count: int) -> np.ndarray:
    """Return where rows or columns of a part stand in the whole; -1 for those that somebody took away."""
    known: dict[tuple[str, str], list[Block]] = {}
    for block in among:
        known.setdefault((block.owner, block.name), []).append(block)
    places = np.full(count, -1)
    for block in blocks:
        same = known.get((block.owner, block.name))
        if not same:
            continue
        found = same.pop(0)
        if len(found.keys) == len(block.keys) and list(found.keys) == list(block.keys):
            places[block.at] = found.at
        else:
            by_key = dict(zip(found.keys, found.at.tolist(), strict=True))
            places[block.at] = [by_key.get(key, -1) for key in block.keys]
    return places


def _of_directions(final: Matrix, row_prices: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return the prices of upper bounds that stand in the rows of added directions, for the one that is open."""
    of_final = np.zeros(final.columns)
    for block in final.constraints:
        if block.owner == "directions":
            pairs = np.array([pair[0 if block.name == "forward" else 1] for pair in block.keys], dtype=int)
            decisions = next(
                one for one in final.variables if one.owner == "directions" and list(one.keys) == list(block.keys)
            )
            is_forward = final.lower[decisions.at]
            is_open = is_forward if block.name == "forward" else 1 - is_forward
            np.add.at(of_final, pairs, row_prices[block.at] * is_open)
    return np.where(columns >= 0, of_final[columns], 0.0)


def _times(part: Matrix, steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the first step of each row and the one after its last, and the step of each column.

    A boundary belongs to the step before it, a column without a time to the last step that its rows tell of.
    """
    step, is_timed = np.zeros(part.columns, dtype=int), np.zeros(part.columns, dtype=bool)
    for block in part.variables:
        if isinstance(block.keys, range) and block.keys.start == 0 and len(block.keys) in (steps, steps + 1):
            step[block.at] = np.maximum(np.arange(len(block.keys)) - (len(block.keys) - steps), 0)
            is_timed[block.at] = True
    first, end = np.zeros(part.rows, dtype=int), np.ones(part.rows, dtype=int)
    for block in part.constraints:
        if KEYED_OTHERWISE.fullmatch(block.name):
            for row in block.at.tolist():
                inside = part.coefficients.indices[part.coefficients.indptr[row] : part.coefficients.indptr[row + 1]]
                at = step[inside[is_timed[inside]]]
                if len(at):
                    first[row], end[row] = at.min(), at.max() + 1
        elif all(isinstance(key, int | np.integer) for key in block.keys):
            first[block.at] = np.clip(np.array(list(block.keys), dtype=int), 0, steps - 1)
            end[block.at] = first[block.at] + 1
    entries = part.coefficients.tocoo()
    of_none = ~is_timed[entries.col]
    np.maximum.at(step, entries.col[of_none], end[entries.row[of_none]] - 1)
    return first, end, step
