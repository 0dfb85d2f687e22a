"""From a Pyomo model, changed by whoever had it, back to a matrix with names."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import numpy as np

from ems.dispatch.formulation.compile import Compiled, Measure, compile_problem
from ems.dispatch.formulation.matrix import Block, ConvexCost, Exclusion, Matrix
from ems.dispatch.model import units_of
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.solvers.quick_scipy import sparse
from ems.errors import Infeasible, InvalidInput


def compile_model(problem: DispatchProblem, model: Any) -> Compiled:
    """Return a Pyomo model of a dispatch as a matrix.

    Parameters
    ----------
    problem : DispatchProblem
        The problem that the model was built of.
    model : ConcreteModel
        From `build_model`, with constraints added, removed or changed, variables fixed or added.

    Raises
    ------
    InvalidInput
        If the model is none of `build_model`, or not linear.
    Infeasible
        If a constraint in which nothing is left to decide does not hold.
    """
    if not hasattr(model, "ems_formulation"):
        raise InvalidInput("the model", "was not made by ems.dispatch.model.build_model; start from that one")
    declared = compile_problem(problem)
    form = _standard_form(model)
    place = {id(column): at for at, column in enumerate(form.columns)}
    units = units_of(model)
    lows: list[float] = []
    highs: list[float] = []
    extra_cost: list[float] = []
    variables: list[Block] = []
    moved = np.full(declared.matrix.columns, -1)
    count = len(form.columns)
    for block in declared.matrix.variables:
        var = getattr(units[block.owner], block.name)
        at = np.empty(len(block.keys), dtype=int)
        for i, key in enumerate(block.keys):
            data = var[key]
            where = place.get(id(data))
            if where is None:  # fixed, or in no constraint and without a cost
                where = count + len(lows)
                value = data.value if data.fixed else None
                lows.append(value if value is not None else _or(data.lb, -np.inf))
                highs.append(value if value is not None else _or(data.ub, np.inf))
                extra_cost.append(0.0)
            at[i] = where
        moved[block.at] = at
        variables.append(Block(block.owner, block.name, block.keys, at))
    bounds = [column.bounds for column in form.columns]
    kinds = np.fromiter((row.bound_type for row in form.rows), dtype=int, count=len(form.rows))  # 0 ==, 1 <=, -1 >=
    rhs = np.asarray(form.rhs, dtype=float)
    wide = sparse().hstack([form.A.tocsr(), sparse().csr_array((len(rhs), len(lows)))], format="csr")
    cost = np.r_[np.asarray(form.c.todense()).reshape(-1), extra_cost]
    matrix = Matrix(
        coefficients=wide,
        cost=cost,
        lower=np.array([_or(low, -np.inf) for low, _ in bounds] + lows, dtype=float),
        upper=np.array([_or(high, np.inf) for _, high in bounds] + highs, dtype=float),
        is_integer=np.array([column.is_integer() for column in form.columns] + [False] * len(lows)),
        row_lower=np.where(kinds == 1, -np.inf, rhs),
        row_upper=np.where(kinds == -1, np.inf, rhs),
        offset=float(form.c_offset[0]),
        variables=tuple(variables),
        constraints=_constraints(form),
        exclusions=tuple(Exclusion(one.owner, moved[one.one], moved[one.other]) for one in declared.matrix.exclusions),
        convex_costs=tuple(_moved_cost(one, moved) for one in declared.matrix.convex_costs),
    )
    # What somebody made of the cost is what is minimised as such; other measures are as they were declared.
    measures = tuple(
        Measure("cost", cost, matrix.offset) if one.name == "cost" else _moved_measure(one, moved, matrix.columns)
        for one in declared.measures
    )
    first = measures[0]
    return replace(declared, matrix=replace(matrix, cost=first.vector, offset=first.offset), measures=measures)


def _moved_measure(measure: Measure, moved: np.ndarray, columns: int) -> Measure:
    vector = np.zeros(columns)
    np.add.at(vector, moved[: len(measure.vector)], measure.vector)
    return replace(measure, vector=vector)


def _moved_cost(cost: ConvexCost, moved: np.ndarray) -> ConvexCost:
    return replace(
        cost,
        cost=moved[cost.cost],
        argument=moved[cost.argument],
        on=None if cost.on is None else moved[cost.on],
    )


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else float(value)


def _constraints(form: Any) -> tuple[Block, ...]:
    """Return the rows by the component that they come from."""
    rows: dict[tuple[str, str], tuple[list[Any], list[int]]] = {}
    for at, row in enumerate(form.rows):
        component = row.constraint.parent_component()
        block = component.parent_block()
        level = block.parent_component().local_name
        name = str(block.index()) if block.is_indexed() or block.parent_component().is_indexed() else ""
        owner = name if level == "unit" else f"{level} {name}".strip() if name else "own"
        keys, places = rows.setdefault((owner, component.local_name), ([], []))
        keys.append(row.constraint.index())
        places.append(at)
    return tuple(Block(owner, name, keys, np.array(places)) for (owner, name), (keys, places) in rows.items())


def _standard_form(model: Any) -> Any:
    from pyomo.common.errors import InfeasibleConstraintException
    from pyomo.repn.plugins import standard_form

    # Pyomo would fetch these through its lazy `scipy`, which loads all of scipy.stats: a second for nothing.
    compiler = standard_form._LinearStandardFormCompiler_impl
    compiler._to_vector = np.fromiter
    compiler._csc_matrix, compiler._csr_matrix = sparse().csc_array, sparse().csr_array
    # Pyomo's own compiler calls a method that Pyomo has deprecated, and would tell the user so.
    logging.getLogger("pyomo.core.base.param").addFilter(lambda record: "sparse_iteritems" not in record.getMessage())
    try:
        return standard_form.LinearStandardFormCompiler().write(model, mixed_form=True)
    except InfeasibleConstraintException as error:
        raise Infeasible(f"a constraint in which nothing is left to decide does not hold: {error}") from None
    except ValueError as error:
        raise InvalidInput("the model", f"is not linear, or cannot be read: {error}") from None
