"""Policies by name, run one after the other on the same case."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from ems.studies.rolling_case import Key, Kind, RollingCase
from ems.studies.rolling_forecasts import Tables, hedged, naive_tables, own_tables, perfect_tables
from ems.studies.rolling_loop import PolicyRun, run_policy
from ems.studies.rolling_optimum import perfect_foresight
from ems.studies.rolling_policies import NoControl, Planned, Policy, SelfConsumption, TimeOfUse
from ems.studies.rolling_result import OPTIMUM, RollingResult

RULES = {"no_control": NoControl, "self_consumption": SelfConsumption, "time_of_use": TimeOfUse}
FORECASTS_OF = {"plan_naive": "naive", "plan_own": "careful", "stochastic": "own", "plan_perfect": "perfect"}
"""Forecasts that each plan is made with."""
Progress = Callable[[str, int, int], None]


def forecasts_for(
    case: RollingCase, policies: Sequence[str], models: Mapping[Kind, str], *, seed: int = 0
) -> dict[str, Tables]:
    """Return the forecasts that policies need, by name: naive, own, careful and perfect.

    Parameters
    ----------
    case : RollingCase
    policies : sequence of str
    models : mapping of str to str
        Model of own forecasts by kind.
    seed : int
    """
    perfect = perfect_tables(case)
    found: dict[str, Tables] = {"perfect": {key: perfect[key] for key in case.kinds}}
    if "plan_naive" in policies:
        found["naive"] = naive_tables(case)
    if {"plan_own", "stochastic"} & set(policies):
        found["own"] = own_tables(case, models, seed=seed)
        found["careful"] = hedged(case, found["own"], case.settings.careful_level)
    return found


def policy_of(name: str, case: RollingCase, forecasts: Mapping[str, Tables]) -> Policy:
    """Return a policy that decides again and again, by name."""
    if name in RULES:
        return RULES[name](name, case)
    perfect: dict[Key, object] = perfect_tables(case)  # type: ignore[assignment]
    tables = forecasts[FORECASTS_OF[name]]
    return Planned(name, case, tables, perfect, is_stochastic=name == "stochastic")  # type: ignore[arg-type]


def run_policies(
    case: RollingCase,
    policies: Sequence[str],
    models: Mapping[Kind, str],
    *,
    forecasts: Mapping[str, Tables] | None = None,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> RollingResult:
    """Return what policies did on the same truth.

    Parameters
    ----------
    case : RollingCase
    policies : sequence of str
        Names, see `ems.studies.rolling.POLICIES`.
    models : mapping of str to str
        Model of own forecasts by kind.
    forecasts : mapping of str to tables, optional
        Forecasts that were made beforehand.
    folder : Path, optional
        Where loops keep their state, so that a run that was broken goes on; it is removed when all are done.
    progress : callable, optional
        Told the policy, and how many decisions of how many are made.
    """
    made = dict(forecasts or forecasts_for(case, policies, models, seed=case.settings.seed))
    runs: dict[str, PolicyRun] = {}
    for name in policies:
        if name == OPTIMUM:
            runs[name] = perfect_foresight(case)
            continue
        told = None if progress is None else partial(progress, name)
        checkpoint = None if folder is None else folder / f"{name}.npz"
        runs[name] = run_policy(case, policy_of(name, case, made), progress=told, checkpoint=checkpoint)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
    return RollingResult(case, runs, made)
