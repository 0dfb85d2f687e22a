"""DispatchPlan: a schedule beside its baseline, both settled, with its proof, its figures and its reasons."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ems.dispatch.kpis import kpis_of
from ems.dispatch.result import DispatchResult
from ems.display import Answer
from ems.settlement.bill import Bill, settle
from ems.settlement.replay import violations_of
from ems.studies.dispatch_words import conclusion_of, kind_words
from ems.studies.objective_words import HEADLINES, measured, money, objective_words

if TYPE_CHECKING:
    import xarray as xr

    from ems.report.data_files import ReportData

SMALLEST_SHOWN = 0.005
"""Amounts of money, energy and mass below this round to 0.00 and are not worth a word."""

MOST_STEPS_WITH_FLIPS = 1000
"""Steps of a horizon up to which a price of another decision is found in milliseconds."""


@dataclass(frozen=True, repr=False)
class DispatchPlan(Answer):
    """A schedule and what it would cost without one kind of asset.

    Parameters
    ----------
    result : DispatchResult
    baseline : DispatchResult or None
        The best schedule without the assets of a kind; None where the site cannot do without them.
    without : str or None
        That kind; None where no baseline was asked for.
    front : tuple of DispatchResult
        Schedules between least cost and least emissions, by rising cost; empty where none were asked for.
    """

    result: DispatchResult
    baseline: DispatchResult | None
    without: str | None
    front: tuple[DispatchResult, ...] = ()

    @property
    def currency(self) -> str:
        """Currency of all money."""
        return self.result.problem.portfolio.currency

    @property
    def timezone(self) -> str:
        """Time zone of the first site, in which the report tells times."""
        return self.result.problem.portfolio.sites[0].timezone

    @cached_property
    def bill(self) -> Bill:
        """The schedule's bill, settled without the optimizer."""
        problem = self.result.problem
        return settle(self.result.flows, problem.series, problem.portfolio)

    def differences(self) -> pd.DataFrame:
        """Return objective and settled bill by type of cost, with their difference and its cause."""
        from ems.studies.reconciliation import differences

        return differences(self.result, self.bill)

    def wear(self) -> pd.DataFrame:
        """Return what the schedule wears off each battery by its cycles and by age, beside what the plan assumed."""
        from ems.settlement.wear import wear_of

        problem = self.result.problem
        return wear_of(self.result.flows, problem.series, problem.portfolio)

    @cached_property
    def violations(self) -> list[str]:
        """Laws that the schedule breaks when it is replayed; empty for a sound one."""
        problem = self.result.problem
        return violations_of(self.result.flows, problem.series, problem.portfolio)

    @property
    def total_cost(self) -> float:
        """Settled cost of the schedule."""
        return self.bill.total_cost

    @cached_property
    def baseline_cost(self) -> float | None:
        """Settled cost of the baseline."""
        if self.baseline is None:
            return None
        problem = self.baseline.problem
        return settle(self.baseline.flows, problem.series, problem.portfolio).total_cost

    @property
    def saving(self) -> float | None:
        """What the assets that the baseline lacks are worth over the horizon."""
        return None if self.baseline_cost is None else self.baseline_cost - self.total_cost

    @cached_property
    def kpis(self) -> pd.DataFrame:
        """The figures of the schedule, each with its unit and meaning."""
        return kpis_of(self.result, self.baseline)

    def kpi(self, name: str) -> float:
        """Return a figure of all assets; NaN where it is not defined."""
        found = self.kpis[(self.kpis["kpi"] == name) & (self.kpis["asset"] == "")]["value"]
        return float(found.iloc[0]) if len(found) else float("nan")

    @property
    def emissions_kg(self) -> float:
        """Carbon dioxide emitted in the whole horizon."""
        return float(sum(self.result.emissions_kg.values()))

    @property
    def peak_import_kw(self) -> float:
        """Highest power taken from the grid in a step."""
        flows = self.result.flows
        return float(np.nansum(flows.import_kw, axis=1).max()) if "import_kw" in flows else 0.0

    @property
    def label(self) -> str:
        """What people call the kind that the baseline lacks."""
        assert self.without is not None, "a baseline lacks a kind"
        return kind_words(self.without, sum(asset.kind == self.without for asset in self.result.problem.assets))

    def costs(self) -> pd.DataFrame:
        """Return money by type of cost, with and without, as columns."""
        name = "this plan" if self.baseline is None else f"with {self.label}"
        columns = {name: self.result.costs.groupby("cost_type")["cost"].sum()}
        if self.baseline is not None:
            columns[f"without {self.label}"] = self.baseline.costs.groupby("cost_type")["cost"].sum()
        return pd.DataFrame(columns).fillna(0.0)

    def prices(self) -> xr.Dataset:
        """Return what energy is worth: at each site in each step, and in each store at each boundary."""
        from ems.dispatch.explanation.why import prices_of

        return prices_of(self.result)

    def binding_limits(self) -> pd.DataFrame:
        """Return the limits that cost money, with the worth of one more kW or kWh of each."""
        from ems.dispatch.explanation.limits import binding_limits

        return binding_limits(self.result)

    def reasons(self, most: int = 12) -> pd.DataFrame:
        """Return why batteries do what they do in the first steps in which they do anything.

        The price at which a decision would be another is searched for by solving anew, so that it is left out where
        the horizon is long.

        Parameters
        ----------
        most : int
            Rows at the most.
        """
        from ems.dispatch.explanation.reasons import reasons

        result = self.result
        batteries = [asset.id for asset in result.problem.assets if asset.kind == "battery"]
        if not batteries:
            return reasons(result)
        powers_kw = result.flows.injection_kw.sel(asset=batteries).to_numpy()
        acting = np.flatnonzero(np.any(np.abs(powers_kw) >= SMALLEST_SHOWN, axis=1))
        steps = acting[: max(1, most // len(batteries))].tolist()
        found = reasons(result, steps, with_flip_prices=len(powers_kw) <= MOST_STEPS_WITH_FLIPS)
        return found.head(most)

    def pareto(self) -> pd.DataFrame:
        """Return cost and emissions of the schedules between least cost and least emissions."""
        rows = [{"cost": one.total_cost, "emissions_kg": sum(one.emissions_kg.values())} for one in self.front]
        return pd.DataFrame(rows, columns=["cost", "emissions_kg"], dtype=float)

    def proof(self) -> dict[str, str]:
        """Return why the schedule can be trusted: solver, gap, and the settled bill beside the schedule's cost."""
        solution, measure = self.result.solution, self.result.compiled.measures[0].name
        cost = solution.objective if measure == "cost" else self.result.total_cost
        objective = {"Objective": measured(solution.objective, measure, self.currency)}
        if measure != "cost":
            objective["Objective"] += f", {objective_words(measure)}"
            objective["Cost of the schedule"] = money(cost, self.currency, 4)
        return {
            "Solver": f"{solution.solver}, {solution.seconds:.2f} s",
            "Status": f"{solution.status}, gap {solution.gap:.2%}, "
            f"bound {measured(solution.bound, measure, self.currency)}",
            "Size": f"{solution.variables:,} variables, {solution.constraints:,} constraints, "
            f"{solution.integers:,} on/off decisions",
            "Directions": f"exact: no asset runs both ways in one step ({self.result.binaries} decisions added)",
            **objective,
            "Settled bill": f"{money(self.total_cost, self.currency, 4)}, "
            f"difference {money(self.total_cost - cost, self.currency, 6)}",
            "Replay": "; ".join(self.violations) or "every limit and balance holds",
        }

    def caption(self) -> str:
        """Return what it is about."""
        return f"Plan: {self.result.problem.caption()}"

    def data(self) -> ReportData:
        """Return the data that stand beside the report."""
        from ems.studies.study_data import data_of_dispatch

        return data_of_dispatch(self)

    def headline(self) -> list[tuple[str, str]]:
        """Return the figures that answer the study's question, with their units."""
        rows = [("Total cost", money(self.total_cost, self.currency))]
        measure = self.result.compiled.measures[0].name
        if measure in HEADLINES:
            reached = measured(self.result.solution.objective, measure, self.currency, 2)
            rows.insert(0, (HEADLINES[measure], reached))
        if self.baseline_cost is not None and self.saving is not None:
            rows.append((f"Cost without {self.label}", money(self.baseline_cost, self.currency)))
            is_share = abs(self.baseline_cost) > SMALLEST_SHOWN
            share = f" ({self.saving / abs(self.baseline_cost):.1%})" if is_share else ""
            rows.append(("Saving", f"{money(self.saving, self.currency)}{share}"))
            neutral = self.kpi("soc_neutral_saving")
            if abs(neutral - self.saving) >= SMALLEST_SHOWN:
                rows.append(("Saving, SOC-neutral", money(neutral, self.currency)))
        if "import_kw" in self.result.flows:
            rows.append(("Highest import", f"{self.peak_import_kw:,.1f} kW"))
        if self.emissions_kg >= SMALLEST_SHOWN and measure != "emissions_kg":
            rows.append(("Emissions", f"{self.emissions_kg:,.1f} kg"))
        unserved_kwh = self.kpi("unserved_kwh")
        if unserved_kwh >= SMALLEST_SHOWN:
            rows.append(("Not served", f"{unserved_kwh:,.1f} kWh"))
        rows.append(("Proof", f"{self.result.status}, gap {self.result.gap:.2%}"))
        return rows

    def conclusion(self) -> str:
        """Return the answer in a few sentences, computed from the bills and the schedule."""
        return conclusion_of(self)
