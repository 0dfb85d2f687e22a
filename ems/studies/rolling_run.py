"""Policies by name, run one after the other on the same case."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ems.studies.rolling_case import Kind, RollingCase
from ems.studies.rolling_forecasts import Tables, naive_tables, perfect_tables
from ems.studies.rolling_hedged import Hedged
from ems.studies.rolling_loop import PolicyRun, run_policy
from ems.studies.rolling_optimum import perfect_foresight
from ems.studies.rolling_orders import Policy
from ems.studies.rolling_own import OwnForecasts
from ems.studies.rolling_plans import Planned
from ems.studies.rolling_result import OPTIMUM, RollingResult
from ems.studies.rolling_rules import NoControl, SelfConsumption, TimeOfUse

RULES = {"no_control": NoControl, "self_consumption": SelfConsumption, "time_of_use": TimeOfUse}
FORECASTS_OF = {"plan_naive": "naive", "plan_own": "careful", "stochastic": "own", "plan_perfect": "perfect"}
"""Forecasts that each plan is made with."""
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Forecasts:
    """Forecasts that policies are run with.

    Parameters
    ----------
    tables : mapping of str to mapping of (asset, name) to ndarray (decisions, measured steps)
        By name: naive, own, careful (own as plans take it) and perfect.
    own : OwnForecasts or None
        The own ones with those before the loop; None where no policy needs them.
    """

    tables: Mapping[str, Tables]
    own: OwnForecasts | None = None


def forecasts_for(case: RollingCase, policies: Sequence[str], models: Mapping[Kind, str]) -> Forecasts:
    """Return the forecasts that policies need.

    Parameters
    ----------
    case : RollingCase
    policies : sequence of str
    models : mapping of str to str
        Model of own forecasts by kind.
    """
    perfect, settings = perfect_tables(case), case.settings
    found: dict[str, Tables] = {"perfect": {key: perfect[key] for key in case.kinds}}
    if "plan_naive" in policies:
        found["naive"] = naive_tables(case)
    own = None
    if {"plan_own", "stochastic", "hedged"} & set(policies):
        own = OwnForecasts.made(case, models, settings.seed)
        found["own"] = own.of_loop()
        found["careful"] = own.careful(settings.careful_level)
    return Forecasts(found, own)


def policy_of(name: str, case: RollingCase, forecasts: Forecasts) -> Policy:
    """Return a policy that decides again and again, by name."""
    if name in RULES:
        return RULES[name](name, case)
    if name == "hedged":
        assert forecasts.own is not None, "made for this policy"
        return Hedged(name, case, forecasts.own)
    tables = forecasts.tables[FORECASTS_OF[name]]
    several = forecasts.own if name == "stochastic" else None
    return Planned(name, case, tables, perfect_tables(case), several=several)


def run_policies(
    case: RollingCase,
    policies: Sequence[str],
    models: Mapping[Kind, str],
    *,
    forecasts: Forecasts | None = None,
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
    forecasts : Forecasts, optional
        Forecasts that were made beforehand.
    folder : Path, optional
        Where loops keep their state, so that a run that was broken goes on; it is removed when all are done.
    progress : callable, optional
        Told the policy, and how many decisions of how many are made.
    """
    made = forecasts or forecasts_for(case, policies, models)
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
    return RollingResult(case, runs, made.tables, made.own)
