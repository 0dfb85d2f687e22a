"""The run before: in what a run differs from the last one of its case, in figures, parameters and inputs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ems.batch.watch.diff import Difference, differences
from ems.database.optimizations import jobs_of
from ems.database.records import OptimizationJob, Run
from ems.database.runs import list_runs
from ems.units import unit_of

if TYPE_CHECKING:
    from sqlalchemy import Engine

COMPARED = ("parameter", "input", "version")
"""What can have made a result another one."""
KPIS = {
    "peak_import_kw": "Highest import",
    "imported_kwh": "Taken from the grid",
    "exported_kwh": "Fed into the grid",
    "unserved_kwh": "Not served",
}
_NUMBER = re.compile(r"(-?\d[\d,]*(?:\.\d+)?)\s*(%|[^\W\d_]\S*)?\Z")


@dataclass(frozen=True)
class Figure:
    """A figure of two runs.

    Parameters
    ----------
    label : str
    now, before : float or str or None
        As the runs' records hold them; None where a run has none.
    unit : str
        Of numbers.
    decimals : int
        Digits after the point of numbers.
    """

    label: str
    now: float | str | None
    before: float | str | None
    unit: str = ""
    decimals: int = 2

    @property
    def change(self) -> float | None:
        """Value now less value before; None where they are no numbers of one unit."""
        if isinstance(self.now, int | float) and isinstance(self.before, int | float):
            return self.now - self.before
        if isinstance(self.now, str) and isinstance(self.before, str):
            (now, unit), (before, unit_before) = _read(self.now), _read(self.before)
            if now is not None and before is not None and unit == unit_before:
                return now - before
        return None

    @property
    def change_unit(self) -> str:
        """Unit of the change; a share in percent changes by percentage points."""
        unit = _read(self.now)[1] if isinstance(self.now, str) else self.unit
        return "percentage points" if unit == "%" else unit

    @property
    def change_decimals(self) -> int:
        """Digits after the point of the change: those of the two values."""
        if not isinstance(self.now, str):
            return self.decimals
        return max(len(text.split()[0].rstrip("%").partition(".")[2]) for text in (self.now, str(self.before)))


@dataclass(frozen=True)
class SincePrevious:
    """What changed since the last completed run of the same study and case.

    Parameters
    ----------
    run : Run
        The run before.
    figures : tuple of Figure
    causes : tuple of Difference
        Parameters, inputs and versions; `a` is the run before.
    """

    run: Run
    figures: tuple[Figure, ...]
    causes: tuple[Difference, ...]


def since_previous(engine: Engine, run: Run) -> SincePrevious | None:
    """Return what changed since the last completed run of the same study and case; None where there is none."""
    found = list_runs(engine, study=run.study, case=run.case_name, status="completed", limit=1, before=run.id)
    if not found:
        return None
    causes = [one for one in differences(engine, found[0], run) if one.of in COMPARED]
    return SincePrevious(found[0], tuple(figures_of(engine, found[0], run)), tuple(causes))


def figures_of(engine: Engine, before: Run, now: Run) -> Iterator[Figure]:
    """Give the figures of two runs: numbers of their optimizations where both have one, else their headlines."""
    jobs, jobs_before = jobs_of(engine, now.id), jobs_of(engine, before.id)
    if jobs and jobs_before and jobs[0].currency == jobs_before[0].currency:
        yield from _of_jobs(jobs_before[0], jobs[0])
        return
    then = dict(before.headline)
    for label, value in now.headline:
        yield Figure(label, value, then.get(label))
    said = dict(now.headline)
    yield from (Figure(label, None, value) for label, value in before.headline if label not in said)


def _of_jobs(before: OptimizationJob, now: OptimizationJob) -> Iterator[Figure]:
    currency = now.currency or ""
    pairs = [
        ("Total cost", now.settled_cost, before.settled_cost, currency, 2),
        ("Cost of the baseline", now.baseline_cost, before.baseline_cost, currency, 2),
        ("Saving", _saving(now), _saving(before), currency, 2),
        *((label, now.kpis.get(name), before.kpis.get(name), unit_of(name) or "", 1) for name, label in KPIS.items()),
        ("Emissions", now.emissions_kg, before.emissions_kg, "kg", 1),
    ]
    for label, value, then, unit, decimals in pairs:
        if any(one is not None and abs(one) >= 0.5 * 10**-decimals for one in (value, then)):
            yield Figure(label, value, then, unit, decimals)


def _saving(job: OptimizationJob) -> float | None:
    if job.baseline_cost is None or job.settled_cost is None:
        return None
    return job.baseline_cost - job.settled_cost


def _read(text: str) -> tuple[float | None, str]:
    """Return number and unit of a figure in words; None and the text where it is no single number.

    >>> _read("1,234.50 EUR"), _read("31 %"), _read("397 kW at 12:00")
    ((1234.5, 'EUR'), (31.0, '%'), (None, '397 kW at 12:00'))
    """
    found = _NUMBER.match(text.strip())
    if found is None:
        return None, text
    number = float(found[1].replace(",", ""))
    return (number, found[2] or "") if math.isfinite(number) else (None, text)
