"""DispatchPlan: a schedule beside its baseline, both settled, in the words of a report."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from ems.dispatch.result import DispatchResult
from ems.settlement.bill import Bill, settle
from ems.settlement.replay import violations_of


@dataclass(frozen=True)
class DispatchPlan:
    """A schedule and what it would cost without one kind of asset.

    Parameters
    ----------
    result : DispatchResult
    baseline : DispatchResult or None
        The cheapest schedule without the assets of a kind; None where the site cannot do without them.
    without : str
        That kind.
    """

    result: DispatchResult
    baseline: DispatchResult | None
    without: str

    @property
    def currency(self) -> str:
        """Currency of all money."""
        return self.result.problem.portfolio.currency

    @cached_property
    def bill(self) -> Bill:
        """The schedule's bill, settled without the optimizer."""
        problem = self.result.problem
        return settle(self.result.flows, problem.series, problem.portfolio)

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

    @property
    def peak_import_kw(self) -> float:
        """Highest power taken from the grid in a step."""
        flows = self.result.flows
        return float(np.nansum(flows.import_kw, axis=1).max()) if "import_kw" in flows else 0.0

    def costs(self) -> pd.DataFrame:
        """Return money by type of cost, with and without, as columns."""
        label = self.without.replace("_", " ")
        columns = {f"with {label}": self.result.costs.groupby("cost_type")["cost"].sum()}
        if self.baseline is not None:
            columns[f"without {label}"] = self.baseline.costs.groupby("cost_type")["cost"].sum()
        return pd.DataFrame(columns).fillna(0.0)

    def proof(self) -> dict[str, str]:
        """Return why the schedule can be trusted: solver, gap, and the settled bill beside the objective."""
        solution = self.result.solution
        difference = self.total_cost - solution.objective
        return {
            "Solver": f"{solution.solver}, {solution.seconds:.2f} s",
            "Status": f"{solution.status}, gap {solution.gap:.2%}, bound {self._money(solution.bound, 4)}",
            "Size": f"{solution.variables:,} variables, {solution.constraints:,} constraints, "
            f"{solution.integers:,} on/off decisions",
            "Directions": f"exact: no asset runs both ways in one step ({self.result.binaries} decisions added)",
            "Objective": self._money(solution.objective, 4),
            "Settled bill": f"{self._money(self.total_cost, 4)}, difference {self._money(difference, 6)}",
            "Replay": "; ".join(self.violations) or "every limit and balance holds",
        }

    def headline(self) -> list[tuple[str, str]]:
        """Return the figures that answer the study's question, with their units."""
        rows = [("Total cost", self._money(self.total_cost))]
        if self.baseline_cost is not None and self.saving is not None:
            label = self.without.replace("_", " ")
            rows.append((f"Cost without {label}", self._money(self.baseline_cost)))
            share = f" ({self.saving / abs(self.baseline_cost):.1%})" if abs(self.baseline_cost) > 0.005 else ""
            rows.append(("Saving", f"{self._money(self.saving)}{share}"))
        rows.append(("Highest import", f"{self.peak_import_kw:,.1f} kW"))
        rows.append(("Proof", f"{self.result.status}, gap {self.result.gap:.2%}"))
        return rows

    def conclusion(self) -> str:
        """Return the answer in a sentence."""
        hours = self.result.problem.horizon.length_h
        label = self.without.replace("_", " ")
        cost = f"Over {hours:g} h the plan costs {self._money(self.total_cost)}"
        if self.saving is None or self.baseline_cost is None:
            return f"{cost}. Without {label} this site has no schedule at all."
        if abs(self.saving) < 0.005:
            return f"{cost}, and without {label} it would cost the same: here it earns nothing in this horizon."
        return (
            f"{cost}; without {label} it would cost {self._money(self.baseline_cost)}. "
            f"The {label} saves {self._money(self.saving)}, or {self._money(self.saving / hours * 24)} a day."
        )

    def _money(self, value: float, digits: int = 2) -> str:
        # Adding zero turns the -0.00 of a rounding error into 0.00.
        return f"{round(value, digits) + 0.0:,.{digits}f} {self.currency}"
