"""What each changed parameter did to the cost: from run A to run B, one parameter at a time."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ems.batch.watch.diff import cost_of_run
from ems.batch.watch.recorded import study_of
from ems.database.records import Run
from ems.errors import EmsWarning, Infeasible, InvalidInput, NoSolution
from ems.studies.dispatch import DispatchStudy

if TYPE_CHECKING:
    from sqlalchemy import Engine

NOT_OF_THE_PLAN = frozenset({"title", "baseline_without", "pareto_points"})
"""Parameters of a dispatch that say what is shown beside the schedule; the schedule does not know them."""


@dataclass(frozen=True)
class Step:
    """What one changed parameter did to the cost, with those changed before it.

    Parameters
    ----------
    parameters : tuple of str
        Usually one; several where a case with only the first of them cannot be solved.
    a, b : tuple
        Their values in the two runs.
    cost_before, cost_after : float
        Settled costs of the cases before and after.
    """

    parameters: tuple[str, ...]
    a: tuple[Any, ...]
    b: tuple[Any, ...]
    cost_before: float
    cost_after: float

    @property
    def change(self) -> float:
        """What it added to the cost."""
        return self.cost_after - self.cost_before


@dataclass(frozen=True)
class Explanation:
    """The difference between the costs of two runs, in parts that sum to it.

    Parameters
    ----------
    cost_a, cost_b : float
        Settled costs as the runs recorded them.
    steps : tuple of Step
    currency : str
    """

    cost_a: float
    cost_b: float
    steps: tuple[Step, ...]
    currency: str

    @property
    def difference(self) -> float:
        """Cost of run B less that of run A."""
        return self.cost_b - self.cost_a

    @property
    def other(self) -> float:
        """What no parameter did: files and versions that have changed since, and the tolerance of the solver."""
        return math.fsum([self.difference, *(-step.change for step in self.steps)])

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        steps = [
            {
                "parameters": list(step.parameters),
                "a": list(step.a),
                "b": list(step.b),
                "cost_before": step.cost_before,
                "cost_after": step.cost_after,
                "change": step.change,
            }
            for step in self.steps
        ]
        return {
            "cost_a": self.cost_a,
            "cost_b": self.cost_b,
            "difference": self.difference,
            "steps": steps,
            "other": self.other,
            "currency": self.currency,
        }


def explain(engine: Engine, a: Run, b: Run, progress: Callable[[str], None] = lambda _: None) -> Explanation:
    """Return what each changed parameter did to the cost of a dispatch.

    The parameters change from their values in A to those in B in the order of the study's fields, each case is solved
    and settled with the files that are there now. What a parameter does depends on those changed before it; another
    order gives other parts of the same sum.

    Parameters
    ----------
    engine : Engine
    a, b : Run
    progress : callable
        Told what is solved next.

    Raises
    ------
    InvalidInput
        If the runs are not of the study dispatch, have no schedule, have costs in two currencies, or cannot be solved
        with the files that are there now.
    """
    for run in (a, b):
        if run.study != "dispatch":
            raise InvalidInput(
                f"run {run.id}", f"is of study '{run.study}'; only costs of a dispatch can be explained"
            )
    (cost_a, currency), (cost_b, other) = cost_of_run(engine, a), cost_of_run(engine, b)
    if currency != other:
        raise InvalidInput(f"runs {a.id} and {b.id}", f"their costs are in {currency} and {other}, no sum of parts")
    study, target = study_of(a), study_of(b)
    assert isinstance(study, DispatchStudy) and isinstance(target, DispatchStudy)
    # Of the studies: a parameter that is newer than a run has its default.
    changed = [name for name in type(study).model_fields if getattr(study, name) != getattr(target, name)]
    return Explanation(cost_a, cost_b, tuple(_steps(study, target, changed, progress)), currency)


def settled_cost(study: DispatchStudy) -> float:
    """Return what the best schedule of a study costs, as the settlement recomputes it.

    Raises
    ------
    InvalidInput, Infeasible, NoSolution
    """
    from ems.dispatch.solve import solve
    from ems.studies.dispatch_plan import DispatchPlan

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EmsWarning)  # the runs themselves noted them
        result = solve(study.pose_problem(study.load_portfolio()), study.solver_options())
        return DispatchPlan(result, None, None).total_cost


def _steps(
    study: DispatchStudy, target: DispatchStudy, changed: list[str], progress: Callable[[str], None]
) -> list[Step]:
    """Return a step for each changed parameter; one whose case cannot be solved goes together with the next."""
    if not changed:
        return []
    progress("the case of run A")
    cost, steps, together = settled_cost(study), [], []
    present: dict[str, Any] = {}
    for name in changed:
        together.append(name)
        present[name] = getattr(target, name)
        progress(", ".join(together))
        try:
            after = cost if set(together) <= NOT_OF_THE_PLAN else settled_cost(study.replace(**present))
        except (InvalidInput, Infeasible, NoSolution):
            if name == changed[-1]:
                raise
            continue
        values = [tuple(one.as_json()[part] for part in together) for one in (study, target)]
        steps.append(Step(tuple(together), values[0], values[1], cost, after))
        cost, together = after, []
    return steps
