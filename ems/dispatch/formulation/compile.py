"""A dispatch as a matrix, straight from its declarations or from a Pyomo model that somebody changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ems.assets.unit import Unit
from ems.dispatch.formulation.affine import Row, Rows
from ems.dispatch.formulation.array_unit import ArrayUnit, MatrixBuilder
from ems.dispatch.formulation.declaration import (
    Formulation,
    connections_of,
    costs_once,
    costs_over_steps,
    declare,
    emissions_kg,
)
from ems.dispatch.formulation.matrix import Matrix
from ems.dispatch.problem import DispatchProblem

UNSERVED = ("interruption_cost", "unserved_cost", "unmet_cost")
"""Types of cost that tell the worth of what is not served: demand, what a bus lacks, what vehicles lack."""


@dataclass(frozen=True)
class Measure:
    """A number that a schedule can be judged by: ``vector @ x + offset``."""

    name: str
    vector: np.ndarray
    offset: float = 0.0

    def of(self, x: np.ndarray) -> float:
        """Return the measure of a schedule."""
        # A product of long vectors would wake a thread on each core for less than it costs.
        return float(np.sum(self.vector * x[: len(self.vector)])) + self.offset


@dataclass(frozen=True)
class Compiled:
    """A dispatch as a matrix, and what its schedules are judged by.

    Parameters
    ----------
    problem : DispatchProblem
    matrix : Matrix
        Minimises the first of the measures.
    formulation : Formulation
        The units, whose formulas give further measures and results.
    measures : tuple of Measure
        What is minimised, the most important first.
    """

    problem: DispatchProblem
    matrix: Matrix
    formulation: Formulation
    measures: tuple[Measure, ...]


def compile_problem(problem: DispatchProblem) -> Compiled:
    """Return a dispatch as a matrix."""
    builder = MatrixBuilder()
    formulation = declare(problem, lambda owner: ArrayUnit(owner, problem.horizon, builder))
    measures = _measures(problem, formulation, builder)
    matrix = builder.build()
    return Compiled(problem, _minimising(matrix, measures[0]), formulation, measures)


def cost_measure(problem: DispatchProblem, formulation: Formulation, columns: int) -> Measure:
    """Return what a schedule costs."""
    t = np.arange(len(problem.horizon))
    expressions = [
        *costs_over_steps(problem, formulation, t).values(),
        *costs_once(problem, formulation).values(),
    ]
    return _measure("cost", expressions, columns)


def billed_measure(problem: DispatchProblem, formulation: Formulation, columns: int) -> Measure:
    """Return what grid connections bill: energy, peaks and all else of their tariffs."""
    t = np.arange(len(problem.horizon))
    connections = {one.id for one in connections_of(problem)}
    found = [*costs_over_steps(problem, formulation, t).items(), *costs_once(problem, formulation).items()]
    return _measure("billed_cost", [cost for (owner, _), cost in found if owner in connections], columns)


def emissions_measure(problem: DispatchProblem, formulation: Formulation, columns: int) -> Measure:
    """Return what a schedule emits, in kg."""
    t = np.arange(len(problem.horizon))
    return _measure("emissions_kg", list(emissions_kg(problem, formulation, t).values()), columns)


def import_measure(problem: DispatchProblem, formulation: Formulation, columns: int) -> Measure:
    """Return the energy that a schedule takes from the grid, in kWh."""
    t = np.arange(len(problem.horizon))
    imports = [formulation.assets[one.id].import_kw[t] * problem.horizon.step_h for one in connections_of(problem)]
    return _measure("import_kwh", imports, columns)


def unserved_measure(problem: DispatchProblem, formulation: Formulation, columns: int) -> Measure:
    """Return the worth of what a schedule does not serve."""
    t = np.arange(len(problem.horizon))
    found = {**costs_over_steps(problem, formulation, t), **costs_once(problem, formulation)}
    unserved = [cost for (_, cost_type), cost in found.items() if cost_type in UNSERVED]
    return _measure("unserved_cost", unserved, columns)


def _measures(problem: DispatchProblem, formulation: Formulation, builder: MatrixBuilder) -> tuple[Measure, ...]:
    """Return what the goal minimises, in the order of its importance; a peak gets a variable of its own."""
    goal = problem.goal
    peak: Any = 0.0
    wants_peak = goal.objective == "peak" or (goal.objective == "weighted" and goal.peak_price_per_kw > 0)
    if wants_peak and connections_of(problem):
        unit = ArrayUnit("goal", problem.horizon, builder)
        unit.add_variable("peak_import_kw", over=["peak"])
        peak = unit.peak_import_kw["peak"]

        def peak_import(t: Any) -> Any:
            return sum(formulation.assets[one.id].import_kw[t] for one in connections_of(problem)) <= peak

        unit.add_constraint("peak_import", peak_import)
    columns = builder.columns
    cost = cost_measure(problem, formulation, columns)
    # Through an outage demand is served by its worth first, whatever that costs.
    first = (unserved_measure(problem, formulation, columns),) if goal.optimization_type == "resilience" else ()
    if goal.objective == "cost":
        return (*first, cost)
    if goal.objective == "emissions":
        return (*first, emissions_measure(problem, formulation, columns), cost)
    if goal.objective == "self_consumption":
        return (*first, import_measure(problem, formulation, columns), cost)
    if goal.objective == "peak":
        return (*first, _measure("peak_import_kw", [peak], columns), cost)
    parts = [
        (1.0, cost),
        (goal.emissions_price_per_kg, emissions_measure(problem, formulation, columns)),
        (goal.import_price_per_kwh, import_measure(problem, formulation, columns)),
        (goal.peak_price_per_kw, _measure("peak_import_kw", [peak], columns)),
    ]
    vector = np.sum([weight * part.vector for weight, part in parts], axis=0)
    return (*first, Measure("weighted", vector, sum(weight * part.offset for weight, part in parts)))


def _measure(name: str, expressions: list[Any], columns: int) -> Measure:
    """Return the sum of expressions over all their rows."""
    vector, offset = np.zeros(columns), 0.0
    for expression in expressions:
        if isinstance(expression, Rows):
            for _, at, values in expression.terms:
                np.add.at(vector, at, values)
            offset += float(np.sum(np.broadcast_to(expression.const, expression.rows)))
        elif isinstance(expression, Row):
            for column, value in expression.terms:
                vector[column] += value
            offset += expression.const
        else:
            offset += float(np.sum(expression))
    return Measure(name, vector, offset)


def _minimising(matrix: Matrix, measure: Measure) -> Matrix:
    """Return the matrix with a measure as what is minimised."""
    cost = np.zeros(matrix.columns)
    cost[: len(measure.vector)] = measure.vector
    return replace(matrix, cost=cost, offset=measure.offset)


class SolvedUnit(Unit):
    """A unit whose names are the numbers of a solution: arrays over steps or boundaries, or mappings of keys."""

    def __init__(self, unit: Unit, values: dict[str, Any]) -> None:
        super().__init__(unit.owner, unit.horizon)
        self.__dict__.update(unit.series)
        self.series = unit.series
        self.values = values
        self.__dict__.update(values)

    def _refuse(self, *_: Any, **__: Any) -> None:
        raise TypeError("a solved unit takes no declarations")

    add_variable = add_constraint = add_constraint_each = exclude = add_convex_cost = _refuse


def solved(compiled: Compiled, x: np.ndarray) -> Formulation:
    """Return the units of a dispatch with the numbers of a schedule."""
    by_owner: dict[str, dict[str, Any]] = {}
    steps = len(compiled.problem.horizon)
    for block in compiled.matrix.variables:
        numbers = x[block.at]
        is_array = isinstance(block.keys, range) and block.keys.start == 0 and len(block.keys) in (steps, steps + 1)
        value = numbers if is_array else dict(zip(block.keys, numbers.tolist(), strict=True))
        by_owner.setdefault(block.owner, {})[block.name] = value
    formulation = compiled.formulation
    return Formulation(
        *(
            {name: SolvedUnit(unit, by_owner.get(unit.owner, {})) for name, unit in units.items()}
            for units in (formulation.assets, formulation.sites, formulation.groups, formulation.reserves)
        )
    )
