"""ComparisonView: the cases of a batch ranked by a figure, what differs between them, and what each parameter does."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from ems.display import Answer
from ems.report.quantity import Quantity
from ems.studies.comparison_effects import (
    PairMeans,
    is_balanced,
    is_number,
    main_effects,
    pair_means,
    spreads,
    tied_parameters,
    value_words,
    varied,
)
from ems.studies.comparison_measures import LEAST, SHORT_LISTS, covers_differ, is_sum, quantity_of, tolerance_of

if TYPE_CHECKING:
    from ems.report.data_files import ReportData
    from ems.studies.comparison_source import ComparedCases

MOST_BESIDE = 4
"""Figures beside the measure in the table of cases."""
MOST_DIFFERENCES = 15


@dataclass(frozen=True, repr=False)
class ComparisonView(Answer):
    """Cases compared.

    Parameters
    ----------
    cases : ComparedCases
    measure : Quantity
        What decides.
    baseline : int or None
        Number of the case that others are held against.
    """

    cases: ComparedCases
    measure: Quantity
    baseline: int | None = None

    # ------------------------------------------------------------------------------------- which is best
    @property
    def currency(self) -> str:
        """Currency of the results; empty where there is none, or more than one."""
        found = self.cases.completed["currency"].dropna().unique()
        return str(found[0]) if len(found) == 1 else ""

    @cached_property
    def tolerance(self) -> float:
        """Difference up to which two cases are equally good."""
        values = self.cases.completed[self.measure.name].dropna()
        return tolerance_of(values, bool(self.currency) and self.measure.unit == self.currency)

    @cached_property
    def ranked(self) -> pd.DataFrame:
        """Cases that have the figure, the best first, with ``rank`` (equal ones share it) and ``against``.

        The latter is the figure less that of the baseline, or of the best where no baseline is named.
        """
        done = self.cases.completed
        name = self.measure.name
        found = done[done[name].notna()].sort_values(name, ascending=self.measure.is_least, kind="stable")
        ranks: list[int] = []
        leader = float("nan")
        for place, value in enumerate(found[name].tolist(), 1):
            is_equal = abs(value - leader) <= self.tolerance
            ranks.append(ranks[-1] if is_equal else place)
            leader = leader if is_equal else value
        reference = found[name].max() if not self.measure.is_least else found[name].min()
        reference = reference if self.baseline is None else self._case(self.baseline)[name]
        # Equal ones stand in the order of the sweep.
        return found.assign(rank=ranks, against=found[name] - reference).sort_values(["rank", "number"])

    def _case(self, number: int) -> dict[str, Any]:
        """Return the row of a case."""
        frame = self.cases.frame
        return {str(name): value for name, value in frame[frame["number"] == number].iloc[0].items()}

    @property
    def best(self) -> dict[str, Any]:
        """The best case; of equal ones the first in the sweep."""
        return self._case(self.tied[0])

    @property
    def tied(self) -> list[int]:
        """Numbers of all cases that are best."""
        return sorted(int(number) for number in self.ranked.loc[self.ranked["rank"] == 1, "number"])

    @property
    def worst(self) -> dict[str, Any]:
        """The case at the other end."""
        return self._case(int(self.ranked["number"].iloc[-1]))

    def ahead(self) -> float:
        """Return the figure of the best case less that of the baseline."""
        assert self.baseline is not None, "only a baseline can be less or more"
        return float(self.best[self.measure.name] - self._case(self.baseline)[self.measure.name])

    @cached_property
    def parameters(self) -> list[str]:
        """Parameters in which the cases differ."""
        return varied(self.cases.frame)

    def listed(self) -> pd.DataFrame:
        """Return the ranked cases with their parameters in words."""
        told = [name for name in self.parameters if not is_number(self.ranked[name])]
        return self.ranked.assign(**{name: self.ranked[name].map(value_words, na_action=None) for name in told})

    def quantities(self) -> list[Quantity]:
        """Return what the table of cases shows: the measure, and a few figures beside it."""
        name = self.measure.name
        short = next((names for names in SHORT_LISTS if set(names) & set(self.cases.measures)), ())
        beside = [one for one in short if one in self._told() and one != name]
        beside = [one for one in beside if self.cases.completed[one].abs().max() > 0]
        return [self.measure, *(self._quantity(one) for one in beside[:MOST_BESIDE]), self._quantity("cpu_seconds")]

    def _told(self) -> list[str]:
        """Return the figures that say something: those of an hour only where the cases cover different times."""
        is_told = covers_differ(self.cases.completed)
        return [
            name for name in self.cases.measures if is_told or not name.endswith("_per_h") or name == self.measure.name
        ]

    def _quantity(self, name: str) -> Quantity:
        return quantity_of(self.cases, name, is_least=name in LEAST)

    # ------------------------------------------------------------------------------------- what differs
    def settings(self) -> pd.DataFrame:
        """Return the parameters in which the best and the other end differ: one row each, one column a case."""
        ends = self._ends()
        rows = {name: [value_words(case[name]) for case in ends.values()] for name in self.parameters}
        rows = {name: values for name, values in rows.items() if len(set(values)) > 1}
        return pd.DataFrame.from_dict(rows, orient="index", columns=list(ends))

    def differences(self) -> pd.DataFrame:
        """Return the figures in which the best and the other end differ: the measure first, one column a case.

        The index are quantities.
        """
        ends = self._ends()
        short = [name for names in SHORT_LISTS for name in names]
        names = dict.fromkeys([self.measure.name, *short, *self.cases.measures])
        rows = {}
        told = self._told()
        for name in (one for one in names if one in told):
            values = [float(case[name]) for case in ends.values()]
            largest = max(abs(value) for value in values)
            if any(abs(value - values[0]) > 1e-6 * largest for value in values):
                rows[self._quantity(name)] = values
        return pd.DataFrame(list(rows.values()), index=list(rows), columns=list(ends)).head(MOST_DIFFERENCES)

    def _ends(self) -> dict[str, dict[str, Any]]:
        """Return the best case, the one at the other end and the baseline, each once, by what they are called."""
        roles: dict[int, list[str]] = {}
        named = [("best", self.best["number"]), ("last", self.worst["number"]), ("baseline", self.baseline)]
        for role, number in named:
            if number is not None:
                roles.setdefault(int(number), []).append(role)
        return {f"{' and '.join(words)}: case {number}": self._case(number) for number, words in roles.items()}

    # ------------------------------------------------------------------------------------- what each parameter does
    @cached_property
    def effects(self) -> pd.DataFrame:
        """Main effects, the parameter with the largest first."""
        found = main_effects(self.cases.frame, self.parameters, self.measure.name, self.currency)
        order = {name: place for place, name in enumerate(spreads(found))}
        return found.sort_values("parameter", key=lambda names: names.map(order), kind="stable", ignore_index=True)

    @cached_property
    def spreads(self) -> dict[str, float]:
        """By how much the means of each parameter's values lie apart, the largest first."""
        return spreads(self.effects)

    @property
    def confounded(self) -> list[tuple[str, str]]:
        """Pairs of parameters that change together."""
        return tied_parameters(self.cases.frame, self.parameters)

    def pair(self) -> PairMeans | None:
        """Return the means over the two parameters that do most, that with more values in columns; None of fewer."""
        if len(self.parameters) < 2:
            return None
        two = list(self.spreads)[:2]
        frame = self.cases.frame
        rows, columns = sorted(two, key=lambda name: frame[name].nunique(dropna=False))
        return pair_means(frame, rows, columns, self.measure.name, self.currency)

    # ------------------------------------------------------------------------------------- the answer
    def caption(self) -> str:
        """Return what it is about."""
        return f"Comparison of batch {self.cases.batch.id} by {self.measure.words}"

    def data(self) -> ReportData:
        """Return the data that stand beside the report."""
        from ems.studies.study_data import data_of_comparison

        return data_of_comparison(self)

    def headline(self) -> list[tuple[str, str]]:
        """Return the answer in a few figures."""
        from ems.studies.comparison_words import headline_of

        return headline_of(self)

    def conclusion(self) -> str:
        """Return the answer in a few sentences."""
        from ems.studies.comparison_words import conclusion_of

        return conclusion_of(self)

    def notes(self) -> list[str]:
        """Return what a reader should know: what is missing, and what cannot be told apart."""
        found = []
        missing = len(self.cases.completed) - len(self.ranked)
        if missing:
            found.append(f"{missing} completed cases have no {self.measure.words}, and are not ranked")
        tied = self.confounded
        found += [f"{one} and {other} change together: what each does cannot be told apart" for one, other in tied]
        if not tied and not is_balanced(self.cases.frame, self.parameters, self.measure.name):
            found.append("not every combination has a result: means of a parameter's values are over different others")
        done = self.cases.completed
        if covers_differ(done):
            least, most = done["length_h"].min(), done["length_h"].max()
            grows = f"; {self.measure.words} is a sum, and larger over more hours by that alone"
            found.append(
                f"the cases cover from {least:g} h to {most:g} h, and so are not about the same hours"
                + (grows if is_sum(self.measure, self.currency) else "")
            )
        return found
