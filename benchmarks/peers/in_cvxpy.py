"""The cases in CVXPY; a rolling plan is compiled once, its numbers are parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cvxpy as cp
import numpy as np

from benchmarks.peers import cases
from benchmarks.peers.cases import Case


@dataclass(frozen=True)
class Stated:
    """A case as a problem of CVXPY with its parameters."""

    problem: Any
    energy_kwh: Any
    numbers: dict[str, Any]

    def solve(self) -> float:
        """Return the cheapest cost."""
        return float(self.problem.solve(solver=cp.HIGHS, threads=1))


def state(case: Case) -> Stated:
    """Return a case as a problem whose numbers may change."""
    shape = (case.steps, case.sites)
    charge, discharge = cp.Variable(shape, nonneg=True), cp.Variable(shape, nonneg=True)
    bought, sold = cp.Variable(shape, nonneg=True), cp.Variable(shape, nonneg=True)
    used, energy = cp.Variable(shape, nonneg=True), cp.Variable((case.steps + 1, case.sites))
    numbers = {
        "import_price_per_kwh": cp.Parameter(case.steps),
        "export_price_per_kwh": cp.Parameter(case.steps),
        "demand_kw": cp.Parameter(shape),
        "available_kw": cp.Parameter(shape),
        "initial_kwh": cp.Parameter(),
    }
    start_kwh = cases.INITIAL_SOC * cases.CAPACITY_KWH
    stored = (cases.EFFICIENCY * charge - discharge / cases.EFFICIENCY) * cases.STEP_H
    constraints = [
        charge <= cases.POWER_KW,
        discharge <= cases.POWER_KW,
        bought <= cases.CONNECTION_KW,
        sold <= cases.CONNECTION_KW,
        used <= numbers["available_kw"],
        bought - sold + used + discharge - charge == numbers["demand_kw"],
        energy[1:] == energy[:-1] + stored,
        energy[0] == numbers["initial_kwh"],
        energy >= cases.MIN_SOC * cases.CAPACITY_KWH,
        energy <= cases.MAX_SOC * cases.CAPACITY_KWH,
        energy[-1] >= start_kwh,
    ]
    if case.feeder_kw is not None:
        through = cp.sum(bought - sold, axis=1)
        constraints += [through <= case.feeder_kw, through >= -case.feeder_kw]
    paid = (
        numbers["import_price_per_kwh"] @ cp.sum(bought, axis=1)
        - numbers["export_price_per_kwh"] @ cp.sum(sold, axis=1)
        + cases.WEAR_PER_KWH * cp.sum(discharge)
    )
    stated = Stated(cp.Problem(cp.Minimize(paid * cases.STEP_H), constraints), energy, numbers)
    _write(stated, case, start_kwh)
    return stated


def least_cost(case: Case) -> tuple[float, np.ndarray]:
    """Return the cheapest cost and the contents at the boundaries of the steps, shape (steps + 1, sites)."""
    stated = state(case)
    return stated.solve(), stated.energy_kwh.value


def roll(windows: list[Case]) -> float:
    """Return the sum of the costs of windows, each of which begins with the content after a day of the last."""
    stated = state(windows[0])
    total, content = 0.0, cases.INITIAL_SOC * cases.CAPACITY_KWH
    for window in windows:
        _write(stated, window, content)
        total += stated.solve()
        content = float(stated.energy_kwh.value[cases.STEPS_OF_DAY, 0])
    return total


def _write(stated: Stated, case: Case, initial_kwh: float) -> None:
    for name in ("import_price_per_kwh", "export_price_per_kwh", "demand_kw", "available_kw"):
        stated.numbers[name].value = getattr(case, name)
    stated.numbers["initial_kwh"].value = initial_kwh
