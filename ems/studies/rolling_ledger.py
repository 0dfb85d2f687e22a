"""The regret ledger: what each cause adds to the cost of a rolling plan over perfect foresight; parts sum exactly.

Causes are replaced by the truth one after the other, and each replacement stays while the next is made:

    load, solar, price       forecasts of the signal become what truly comes
    horizon                  windows become longer, with the same rule for their end
    terminal rule            windows are told the content and the peak with which perfect foresight goes on
    step and aggregation     steps and decisions become those of the measured series
    model                    the rest: what windows do not know of the bill, as tiers, ratchets and minimums

A part is the cost before its replacement less the cost after it. So the parts telescope: their sum is the realised
cost less that of perfect foresight, whatever the order; a single part depends on the order, as causes act together.
A cause that is true already has no replacement to make, and its part is zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ems.display import Card, Shown
from ems.studies.rolling_case import RollingCase
from ems.studies.rolling_forecasts import Tables, perfect_tables
from ems.studies.rolling_loop import PolicyRun, run_policy
from ems.studies.rolling_optimum import optimum_of
from ems.studies.rolling_own import OwnForecasts
from ems.studies.rolling_plans import Planned
from ems.studies.rolling_result import RollingResult

SIGNALS = ("load", "solar", "price")
WORDS = {
    "load": "forecast error of load",
    "solar": "forecast error of solar and wind power",
    "price": "forecast error of prices",
    "horizon": "length of the horizon",
    "terminal": "rule for the end of a window",
    "step": "length of steps and of the time between decisions",
    "model": "simplification of the model",
}
"""What each cause is called."""
WORTH_IT = 0.005
"""Share of the cost below which better knowledge is not worth its effort."""


@dataclass(frozen=True, repr=False)
class RegretLedger(Shown):
    """Where the distance between a rolling plan and perfect foresight comes from.

    Parameters
    ----------
    realised_cost, optimal_cost : float
        Of the plan and of perfect foresight, by settlement.
    parts : DataFrame
        Row by cause: ``cause``, ``meaning``, ``cost_before``, ``cost_after``, ``part``, ``share`` of the realised
        cost, and ``is_replaced``: whether there was anything to replace.
    currency : str
    """

    realised_cost: float
    optimal_cost: float
    parts: pd.DataFrame
    currency: str

    def caption(self) -> str:
        """Return what it is about."""
        return f"Regret of {self.total:,.2f} {self.currency} against perfect foresight"

    def card(self) -> Card:
        """Return what each cause costs."""
        rows = [(str(one.meaning), f"{one.part:,.2f} {self.currency}") for one in self.parts.itertuples()]
        return Card(self.caption(), [*rows, ("together", f"{self.total:,.2f} {self.currency}")])

    @property
    def total(self) -> float:
        """Distance of the plan from perfect foresight."""
        return self.realised_cost - self.optimal_cost

    def verdict(self) -> str:
        """Return in a sentence what the largest part is, and whether forecasts are worth more effort."""
        cost = max(abs(self.realised_cost), 1e-12)
        parts = self.parts["part"].to_numpy(dtype=float)
        errors, largest = float(parts[: len(SIGNALS)].sum()), int(np.argmax(parts))
        meaning = list(WORDS.values())[largest]
        worth = "worth the effort" if errors / cost >= WORTH_IT else "not worth it"
        return (
            f"The plan costs {self.total:.2f} {self.currency} ({self.total / cost:.1%}) more than perfect foresight; "
            f"the largest part is the {meaning} ({parts[largest]:.2f} {self.currency}). Better forecasts are worth at "
            f"most {max(errors, 0.0) / cost:.1%} here: {worth}."
        )


def regret_ledger(
    case: RollingCase,
    realised: PolicyRun,
    optimum: PolicyRun,
    own: OwnForecasts,
    *,
    longer_h: float = 96.0,
    progress: Callable[[int, int], None] | None = None,
) -> RegretLedger:
    """Return the ledger of a plan with forecasts.

    Parameters
    ----------
    case : RollingCase
    realised : PolicyRun
        Of the plan with the tables.
    optimum : PolicyRun
        Of perfect foresight.
    own : OwnForecasts
        Forecasts that the plan was made with, at the settings' careful level.
    longer_h : float
        Length of the horizon that the plan's is replaced by, where it is longer.
    progress : callable, optional
    """
    perfect, tables = perfect_tables(case), own.of_loop()
    costs = [_cost(case, realised)]
    is_replaced, taken = [], set()
    stages = len(WORDS)

    def keep(cost: float | None) -> None:
        is_replaced.append(cost is not None)
        costs.append(costs[-1] if cost is None else cost)
        if progress is not None:
            progress(len(is_replaced), stages)

    for signal in SIGNALS:
        keys = [key for key, kind in case.kinds.items() if kind == signal]
        taken.add(signal)
        differs = any(not np.array_equal(tables[key], perfect[key]) for key in keys)
        keep(_rolled(case, own.careful(case.settings.careful_level, taken)) if differs else None)
    settings = case.settings
    longer = case.but(horizon_h=longer_h) if longer_h > settings.horizon_h else case
    keep(_rolled(longer, _true(longer)) if longer is not case else None)
    told = longer.told(optimum_of(longer, optimum))
    keep(_rolled(told, _true(told)))
    fine = told.but(step_h=told.step_h, decide_every_h=told.step_h)
    keep(_rolled(fine, _true(fine)) if fine.settings != told.settings else None)
    keep(_cost(case, optimum))
    parts = pd.DataFrame(
        {
            "cause": list(WORDS),
            "meaning": list(WORDS.values()),
            "cost_before": costs[:-1],
            "cost_after": costs[1:],
            "is_replaced": is_replaced,
        }
    )
    parts["part"] = parts["cost_before"] - parts["cost_after"]
    parts["share"] = parts["part"] / costs[0] if costs[0] else np.nan
    return RegretLedger(costs[0], costs[-1], parts, case.portfolio.currency)


def _true(case: RollingCase) -> Tables:
    perfect = perfect_tables(case)
    return {key: perfect[key] for key in case.kinds}


def _rolled(case: RollingCase, tables: Tables) -> float:
    """Return the settled cost of a plan with tables."""
    return _cost(case, run_policy(case, Planned("ledger", case, tables, perfect_tables(case))))


def _cost(case: RollingCase, run: PolicyRun) -> float:
    return float(RollingResult(case, {run.name: run}).costs[run.name])


@dataclass(frozen=True)
class ValueOfUncertainty:
    """What planning for several futures is worth, and what knowing the future would be [1]_.

    Parameters
    ----------
    vss : float
        Value of the stochastic solution: cost of the plan for one future less that of the plan for several.
    evpi : float
        Expected value of perfect information: cost of the plan for several futures less that of the same windows
        with what truly came.
    cost : float
        Of the plan for one future.
    currency : str

    References
    ----------
    .. [1] J. R. Birge, "The value of the stochastic solution in stochastic linear programs with fixed recourse,"
       Mathematical Programming, vol. 24, 1982, doi:10.1007/BF01585113.
    """

    vss: float
    evpi: float
    cost: float
    currency: str

    @classmethod
    def of(cls, result: RollingResult) -> ValueOfUncertainty:
        """Return the values of a result with the policies plan_own, stochastic and plan_perfect."""
        costs = result.costs
        return cls(
            float(costs["plan_own"] - costs["stochastic"]),
            float(costs["stochastic"] - costs["plan_perfect"]),
            float(costs["plan_own"]),
            result.case.portfolio.currency,
        )

    def verdict(self) -> str:
        """Return in a sentence whether uncertainty is worth planning for."""
        cost = max(abs(self.cost), 1e-12)
        share = self.vss / cost
        worth = "worth it" if share >= WORTH_IT else "not worth it"
        return (
            f"Planning for uncertainty is worth {share:.1%} here: {worth} (value of the stochastic solution "
            f"{self.vss:.2f} {self.currency}; perfect information would be worth {self.evpi / cost:.1%})."
        )
