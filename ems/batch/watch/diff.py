"""What two runs have in common and what not: parameters, inputs, versions, notes, results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ems.batch.watch.replay import are_equal
from ems.database.optimizations import jobs_of
from ems.database.records import OptimizationJob, Run
from ems.errors import InvalidInput
from ems.studies.registry import study_class
from ems.units import unit_of

if TYPE_CHECKING:
    from sqlalchemy import Engine

RESULTS = ("objective_value", "total_cost", "settled_cost", "baseline_cost", "emissions_kg")
"""Numbers of an optimization that are compared; a relative difference below 1e-6 is none."""


@dataclass(frozen=True)
class Difference:
    """One thing in which two runs differ.

    Parameters
    ----------
    of : str
        What it is: run, parameter, input, version, note or result.
    name : str
    a, b : any
        The two values; None where a run has none.
    unit : str
        Unit of the values, empty where they have none.
    """

    of: str
    name: str
    a: Any
    b: Any
    unit: str = ""

    @property
    def change(self) -> float | None:
        """Value of B less value of A, of numbers alone."""
        is_numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (self.a, self.b))
        return self.b - self.a if is_numbers else None

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "of": self.of, "name": self.name, "a": self.a, "b": self.b, "unit": self.unit, "change": self.change
        }  # fmt: skip


def differences(engine: Engine, a: Run, b: Run) -> list[Difference]:
    """Return all in which two runs differ: of parameters in the order of the study, of others by name."""
    jobs, others = jobs_of(engine, a.id), jobs_of(engine, b.id)
    currencies = {job.currency for job in (*jobs, *others) if job.currency}
    currency = currencies.pop() if len(currencies) == 1 else ""
    return [
        *_of_mappings("run", {"study": a.study, "status": a.status}, {"study": b.study, "status": b.status}),
        *differing_parameters(a, b, currency),
        *_of_mappings("input", _inputs(a), _inputs(b)),
        *_of_mappings("version", a.versions, b.versions),
        *(Difference("note", "only A", note, None) for note in a.notes if note not in b.notes),
        *(Difference("note", "only B", None, note) for note in b.notes if note not in a.notes),
        *_of_mappings("result", dict(a.headline), dict(b.headline)),
        *_of_results(jobs, others, currency),
        *_of_mappings("result", {"error": a.error}, {"error": b.error}),
    ]


def differing_parameters(a: Run, b: Run, currency: str = "") -> list[Difference]:
    """Return the parameters in which two runs differ, in the order of the study's fields."""
    order: Iterable[str] = ()
    if a.study == b.study:
        try:
            order = study_class(a.study).model_fields
        except InvalidInput:  # a study of a newer or older version of the package
            order = ()
    names = dict.fromkeys([*order, *a.parameters, *b.parameters])
    return [
        Difference("parameter", name, a.parameters.get(name), b.parameters.get(name), _unit_of(name, currency))
        for name in names
        if a.parameters.get(name) != b.parameters.get(name)
    ]


def cost_of_run(engine: Engine, run: Run) -> tuple[float, str]:
    """Return the settled cost of a run's schedule, and its currency.

    Raises
    ------
    InvalidInput
        If the run has no schedule.
    """
    for job in jobs_of(engine, run.id):
        if job.settled_cost is not None:
            return job.settled_cost, job.currency or ""
    raise InvalidInput(f"run {run.id}", f"has no schedule whose cost could be explained; it is {run.status}")


def _inputs(run: Run) -> dict[str, str]:
    return {item["path"]: item["sha256"] for item in run.inputs}


def _of_mappings(of: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Difference]:
    names = dict.fromkeys([*a, *b])
    return [Difference(of, name, a.get(name), b.get(name)) for name in names if a.get(name) != b.get(name)]


def _of_results(a: list[OptimizationJob], b: list[OptimizationJob], currency: str) -> list[Difference]:
    first, second = (jobs[0] if jobs else None for jobs in (a, b))
    found = []
    for name in RESULTS:
        before, after = (getattr(job, name) if job else None for job in (first, second))
        if not are_equal(before, after):
            found.append(Difference("result", name, before, after, _unit_of(name, currency)))
    return found


def _unit_of(name: str, currency: str) -> str:
    unit = unit_of(name, currency or "currency")
    return unit if unit not in (None, "1") else ""
