"""Perfect foresight: the schedule of a whole loop when all that comes is known from the beginning."""

from __future__ import annotations

import numpy as np

from ems.assets.battery import Battery
from ems.assets.grid_connection import GridConnection
from ems.assets.variable_renewable import VariableRenewable
from ems.dispatch.options import SolverOptions
from ems.dispatch.problem import DispatchProblem
from ems.dispatch.rolling_portfolio import check_rolling
from ems.studies.rolling_case import Key, Optimum, RollingCase
from ems.studies.rolling_loop import PolicyRun
from ems.studies.rolling_peaks import Peaks
from ems.studies.rolling_result import OPTIMUM, RollingResult

LONGEST_S = 600.0
GAP = 1e-5
FLOWS = {
    Battery: ("charge_kw", "discharge_kw", "energy_kwh"),
    GridConnection: ("import_kw", "export_kw"),
    VariableRenewable: ("used_kw", "curtailed_kw"),
}


def perfect_foresight(case: RollingCase) -> PolicyRun:
    """Return the cheapest schedule of a whole loop, by the bill and the worth of what is left.

    Raises
    ------
    InvalidInput, Infeasible, NoSolution
    """
    from ems.dispatch.solve import solve

    check_rolling(case.portfolio)
    series = RollingResult(case, {}).series
    result = solve(
        DispatchProblem(case.settled, case.horizon, series), SolverOptions(time_limit_s=LONGEST_S, mip_gap=GAP)
    )
    flows: dict[Key, np.ndarray] = {}
    for asset in case.portfolio.active():
        for kind, names in FLOWS.items():
            if isinstance(asset, kind):
                for name in names:
                    values = result.flows[name].sel(asset=asset.id).to_numpy()
                    flows[asset.id, name] = values[1:] if len(values) > case.steps else values
    peaks = peaks_of(case, flows)
    note = () if result.gap <= 2 * GAP else (f"perfect foresight is known to {result.gap:.1e} of its cost",)
    return PolicyRun(OPTIMUM, flows, {}, peaks.cost(), note)


def peaks_of(case: RollingCase, flows: dict[Key, np.ndarray]) -> Peaks:
    """Return the peaks that flows have."""
    peaks = Peaks(case)
    for one in peaks.charges:
        power = flows[one.connection.id, f"{one.charge.basis}_kw"]
        for t in range(case.steps):
            peaks.note(one.connection.id, t, {(one.connection.id, f"{one.charge.basis}_kw"): float(power[t])})
    return peaks


def optimum_of(case: RollingCase, run: PolicyRun) -> Optimum:
    """Return what windows can be told of perfect foresight."""
    contents = {
        one.id: np.concatenate([[one.initial_soc * one.content_kwh], run.flows[one.id, "energy_kwh"]])
        for one in case.batteries
    }
    return Optimum(contents, peaks_of(case, run.flows).so_far)
