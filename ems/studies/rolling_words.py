"""What rolling plans came to, in words: the headline, the conclusion, and what a reader should know."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ems.dispatch.rolling_portfolio import simplifications
from ems.display import Answer
from ems.studies.objective_words import money
from ems.studies.rolling_hedged import hedge_simplifications

if TYPE_CHECKING:
    from ems.report.data_files import ReportData
    from ems.studies.rolling_ledger import RegretLedger, ValueOfUncertainty
    from ems.studies.rolling_result import RollingResult

MOST_NOTES = 20
"""Failed windows that are listed; a person reads no more of them."""


@dataclass(frozen=True, repr=False)
class RollingAnswer(Answer):
    """The answer of a rolling study.

    Parameters
    ----------
    result : RollingResult
    ledger : RegretLedger or None
    uncertainty : ValueOfUncertainty or None
    """

    result: RollingResult
    ledger: RegretLedger | None
    uncertainty: ValueOfUncertainty | None

    def caption(self) -> str:
        """Return what it is about."""
        return "Rolling plans against perfect foresight"

    def data(self) -> ReportData:
        """Return the data that stand beside the report."""
        from ems.studies.study_data import data_of_rolling

        return data_of_rolling(self)

    def headline(self) -> list[tuple[str, str]]:
        """Return the answer in a few figures."""
        currency, costs = self.result.case.portfolio.currency, self.result.costs
        found = []
        for policy, words in (
            ("plan_own", "Cost, plan with own forecasts"),
            ("self_consumption", "Cost, rule of self-consumption"),
            ("perfect_foresight", "Cost, perfect foresight"),
        ):
            if policy in costs:
                found.append((words, money(costs[policy], currency)))
        closed = self._closed("plan_own")
        if closed is not None:
            found.append(("Saving against the rule", money(costs["self_consumption"] - costs["plan_own"], currency)))
            found.append(("Gap closed", f"{closed:.0%}"))
        return [*found, ("Decisions", f"{len(self.result.case.decisions):,}")]

    def conclusion(self) -> str:
        """Return the answer in a few sentences."""
        currency, costs = self.result.case.portfolio.currency, self.result.costs
        sentences = []
        closed = self._closed("plan_own")
        if closed is not None:
            saved = costs["self_consumption"] - costs["plan_own"]
            sentences.append(
                f"The plan with own forecasts saves {saved:,.2f} {currency} against the rule of self-consumption and "
                f"closes {closed:.0%} of the gap to perfect foresight."
            )
        else:
            best = str(costs.idxmin())
            sentences.append(f"The cheapest policy is {best.replace('_', ' ')}: {costs[best]:,.2f} {currency}.")
        if {"plan_own", "hedged"} <= set(costs.index):
            more = costs["hedged"] - costs["plan_own"]
            words = "more" if more > 0 else "less"
            sentences.append(
                f"The hedged plan, on the same forecasts and their errors, costs {abs(more):,.2f} {currency} {words}."
            )
        sentences += [one.verdict() for one in (self.ledger, self.uncertainty) if one is not None]
        return " ".join(sentences)

    def notes(self) -> list[str]:
        """Return what a reader should know: what windows simplify, which failed, which laws a policy broke."""
        found = list(simplifications(self.result.case.portfolio))
        if "hedged" in self.result.runs:
            found += hedge_simplifications(self.result.case)
        failed = self.result.notes
        found += failed[:MOST_NOTES]
        if len(failed) > MOST_NOTES:
            found.append(f"{len(failed) - MOST_NOTES} more windows failed")
        for policy in self.result.policies:
            found += [f"{policy}: {one}" for one in self.result.violations(policy)[:MOST_NOTES]]
        return found

    def _closed(self, policy: str) -> float | None:
        if policy not in self.result.runs:
            return None
        closed = self.result.gap_closed(policy)
        return closed if math.isfinite(closed) else None
