"""Repeating a run from its record: what has changed since, and whether the result is the same."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ems.batch.parameters import Case
from ems.batch.watch.changed_code import changed_code
from ems.batch.watch.recorded import case_of
from ems.database.optimizations import jobs_of
from ems.database.records import ACTIVE, Run
from ems.errors import InvalidInput
from ems.folders import project_folder, sha256_of, shown_path
from ems.studies.study import Study
from ems.studies.study_run import input_files, versions

if TYPE_CHECKING:
    from sqlalchemy import Engine

TOLERANCE = 1e-6
"""Relative difference below which two amounts of money are one; a solver's own tolerance is near 1e-7."""
NO_RESULTS = frozenset({"Cost of a forecast"})
"""Labels of a headline that tell of this machine's pace, not of a result."""
_COSTS = ("total_cost", "settled_cost", "baseline_cost")


@dataclass(frozen=True)
class Replay:
    """What is needed to repeat a run, and what is not as it was.

    Parameters
    ----------
    run : Run
        The run that is to be repeated.
    case : Case
        Its study with the same parameters.
    changed_inputs : tuple of str
        A sentence for each file that is another one now.
    notes : tuple of str
        A sentence for each package of another version, and one for a notebook with other code.
    """

    run: Run
    case: Case
    changed_inputs: tuple[str, ...]
    notes: tuple[str, ...]

    def require_same_inputs(self) -> None:
        """Refuse to repeat a run with other inputs.

        Raises
        ------
        InvalidInput
            If a file has changed or is gone; names each with the remedy.
        """
        if self.changed_inputs:
            remedy = "put back what the run read, or repeat it with what is there now: --anyway"
            raise InvalidInput(f"run {self.run.id}", f"{'; '.join(self.changed_inputs)}; {remedy}")


def replay_of(run: Run) -> Replay:
    """Return what repeats a run that has ended, beside what has changed since.

    Raises
    ------
    InvalidInput
        If the run has not ended, was cancelled, or its parameters are not known any more.
    """
    if run.status in ACTIVE:
        raise InvalidInput(
            f"run {run.id}", f"is {run.status}; wait until it has ended: ems runs log {run.id} --follow"
        )
    if run.status == "cancelled":
        again = "" if run.case_name == "notebook" else f": ems run {run.study} {run.case_name}"
        raise InvalidInput(f"run {run.id}", f"was cancelled and has no result to compare with; run it anew{again}")
    case = case_of(run)
    notes = (*changed_code(run), *changed_versions(run.versions, versions()))
    return Replay(run, case, tuple(changed_inputs(run, case.study)), notes)


def changed_inputs(run: Run, study: Study) -> list[str]:
    """Return a sentence for each file that a run read and that is another one now."""
    found, then = [], {item["path"]: item["sha256"] for item in run.inputs}
    for name, digest in then.items():
        path = project_folder() / name
        if not path.is_file():
            found.append(f"{name} is not there any more")
        elif (now := sha256_of(path)) != digest:
            found.append(f"{name} has changed: its SHA-256 was {digest[:12]}..., now it is {now[:12]}...")
    try:
        reads = [shown_path(path) for path in input_files(study)]
    except InvalidInput as error:
        return found or [str(error)]
    others = [name for name in reads if name not in then]
    return [*found, *(f"{name} would be read now; the run did not read it" for name in others if not found)]


def changed_versions(then: dict[str, str], now: dict[str, str]) -> list[str]:
    """Return a sentence for each package of another version."""
    names = sorted({*then, *now})
    return [
        f"{name} was {then.get(name, 'not recorded')}, now it is {now.get(name, 'not recorded')}"
        for name in names
        if then.get(name) != now.get(name)
    ]


def differing_results(engine: Engine, old: Run, new: Run) -> list[str]:
    """Return a sentence for each result in which a repeated run differs from the first; none where they are equal.

    Compared are how they ended, the headline, and the costs of the schedule within 1e-6 of their size.
    """
    if old.status != new.status:
        reasons = "".join(f" ({_reason(one)})" for one in (old, new) if one.error)
        return [f"the run was {old.status}, now it is {new.status}{reasons}"]
    if old.status == "failed":
        return [] if _reason(old) == _reason(new) else [f"it failed with: {_reason(old)}; now with: {_reason(new)}"]
    found = []
    before, after = _headline(old.headline), _headline(new.headline)
    for label in dict.fromkeys([*before, *after]):
        if before.get(label) != after.get(label):
            found.append(f"{label} was {before.get(label, 'not told')}, now it is {after.get(label, 'not told')}")
    jobs, repeated = jobs_of(engine, old.id), jobs_of(engine, new.id)
    if len(jobs) != len(repeated):
        found.append(f"there were {len(jobs)} optimizations, now there are {len(repeated)}")
    for first, second in zip(jobs, repeated, strict=False):
        for name in _COSTS:
            amount, again = getattr(first, name), getattr(second, name)
            if not are_equal(amount, again):
                unit = f" {first.currency}" if first.currency else ""
                found.append(f"{name} was {_shown(amount)}{unit}, now it is {_shown(again)}{unit}")
    return found


def are_equal(first: float | None, second: float | None) -> bool:
    """Return whether two amounts are the same within a millionth of their size; none is as none."""
    if first is None or second is None:
        return first is second
    return math.isclose(first, second, rel_tol=TOLERANCE, abs_tol=1e-9)


def _headline(rows: Sequence[tuple[str, str]]) -> dict[str, str]:
    return {label: value for label, value in rows if label not in NO_RESULTS}


def _reason(run: Run) -> str:
    return run.error.splitlines()[0] if run.error else "no reason"


def _shown(amount: float | None) -> str:
    return "nothing" if amount is None else f"{amount:.9g}"
