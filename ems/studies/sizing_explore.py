"""What lies around the best sizes: the cost at others, under other assumptions, and the prices that end them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ems.dispatch.sizing import LEAST_MISSING_KWH, SIZES, SizedDispatch
from ems.dispatch.sizing_search import GAP, MOST_TRIALS, SizeRange, Sizing, SizingTerms, best_sizes
from ems.studies.sizing_assumptions import BATTERY_KW, BATTERY_KWH, CHANGES, PV_KW, Assumptions

if TYPE_CHECKING:
    from ems.studies.sizing_source import SizingCase

NEAR = 2e-4
"""Gap of a sensitivity: what it changes is some fifty times as large."""
USUAL_HOURS = 2.0
"""Hours for which the battery of a sweep lasts at full power, where the best one has no size."""
MOST_STEPS = 25
FEW_TRIALS, QUICK_TRIALS, PROOF_TRIALS = 5, 3, 6
"""How many sizes are dispatched for a changed assumption, and for a step of a break-even and its last one. What is
found is sure to be reached; more trials would find the last thousandth."""
NEW_BILL_TRIALS = 14
"""The same where the bill changes: what was learned of another one is of no use."""
SAME_PRICE = 3e-3
"""Share of a price within which a break-even is found."""
NO_SIZE = 1e-4
"""Share of a range below which a size is none."""
ROUND_DIGITS = (1, 2, 2.5, 5, 10)
PARTS = {"battery": (BATTERY_KWH, BATTERY_KW), "solar roof": (PV_KW,)}


@dataclass(frozen=True)
class Explorer:
    """Finds sizes under any assumptions, each time beginning with what was learned before.

    Parameters
    ----------
    case : SizingCase
    assumptions : Assumptions
    """

    case: SizingCase
    assumptions: Assumptions
    _dispatches: dict[float, SizedDispatch] = field(default_factory=dict, repr=False)

    def dispatch(self, energy_price_factor: float = 1.0) -> SizedDispatch:
        """Return the warm dispatch whose bills are times a factor."""
        if energy_price_factor not in self._dispatches:
            self._dispatches[energy_price_factor] = SizedDispatch(
                self.case.problem, self.case.sized, energy_price_factor
            )
        return self._dispatches[energy_price_factor]

    def terms(self, assumptions: Assumptions) -> SizingTerms:
        """Return what a linear programme is told under assumptions."""
        return assumptions.sizing_terms(self.case.ranges, self.case.years_per_horizon)

    def best(
        self,
        assumptions: Assumptions,
        start: np.ndarray | None = None,
        gap: float = GAP,
        most_trials: int = MOST_TRIALS,
    ) -> Sizing:
        """Return the best sizes, worn, under assumptions.

        Parameters
        ----------
        assumptions : Assumptions
        start : ndarray (4,), optional
            Sizes, as they are bought, near the best ones.
        gap : float
        most_trials : int
        """
        terms = self.terms(assumptions)
        first = None if start is None else assumptions.worn(start)
        return best_sizes(self.dispatch(assumptions.energy_price_factor), terms, first, gap, most_trials)

    def without(self, assumptions: Assumptions, gap: float = GAP) -> Sizing:
        """Return the best connection of the site without battery and solar roof, under assumptions."""
        terms = self.terms(assumptions).with_fixed({BATTERY_KWH: 0.0, BATTERY_KW: 0.0, PV_KW: 0.0})
        return best_sizes(self.dispatch(assumptions.energy_price_factor), terms, None, gap)

    def at(self, assumptions: Assumptions, sizes: np.ndarray) -> float:
        """Return what sizes, as they are bought, and their dispatch cost in a year.

        Where assumptions leave less of a battery, the connection grows as far as it must.
        """
        dispatch, terms, worn = (
            self.dispatch(assumptions.energy_price_factor),
            self.terms(assumptions),
            assumptions.worn(sizes),
        )
        found = dispatch.at(worn)
        if found.missing_kwh <= LEAST_MISSING_KWH:
            return terms.cost_a(found)
        fixed = {at: float(worn[at]) for at in (BATTERY_KWH, BATTERY_KW, PV_KW)}
        return best_sizes(dispatch, terms.with_fixed(fixed), worn, NEAR).cost_a

    # ------------------------------------------------------------------------------------- around the best
    def tornado(self, sizes: np.ndarray, share: float) -> pd.DataFrame:
        """Return the net present value with each assumption a share lower and higher.

        Parameters
        ----------
        sizes : ndarray (4,)
            The best ones, as they are bought.
        share : float

        Returns
        -------
        DataFrame
            Columns ``assumption``, ``factor``, ``npv_fixed`` at the sizes given, ``npv`` at the sizes that are then
            best, and these sizes; those that change most come first.
        """
        rows = []
        for name, change in CHANGES.items():
            for factor in (1 - share, 1 + share):
                changed = change(self.assumptions, factor)
                without = self.without(changed, NEAR).cost_a
                trials = FEW_TRIALS if changed.energy_price_factor == 1 else NEW_BILL_TRIALS
                best, kept = self.best(changed, sizes, NEAR, trials), self.at(changed, sizes)
                rows.append(
                    {
                        "assumption": name,
                        "factor": factor,
                        "npv_fixed": (without - kept) * changed.terms.annuity,
                        "npv": (without - min(best.cost_a, kept)) * changed.terms.annuity,
                        **dict(zip(SIZES, changed.bought(best.sizes), strict=True)),
                    }
                )
        table = pd.DataFrame(rows)
        swing = table.groupby("assumption")["npv"].agg(lambda both: both.max() - both.min())
        order = swing.sort_values(ascending=False, kind="stable").index
        return table.set_index("assumption").loc[order].reset_index()

    def sweep(
        self, points: int, settled: Callable[[np.ndarray], float], best: np.ndarray, connection_kw: float
    ) -> pd.DataFrame:
        """Return what sizes of battery and solar roof on a grid cost in a year.

        Each battery lasts for as many hours at full power as the best one.

        Parameters
        ----------
        points : int
            Sizes of each.
        settled : callable (worn sizes)
            Bill of the horizon at sizes, found without the optimizer.
        best : ndarray (4,)
            The best sizes, as they are bought.
        connection_kw : float
            Connection at all points: one that carries the site as it is.

        Returns
        -------
        DataFrame
            Columns: the four sizes as they are bought; ``cost_a`` by the bill, ``planned_cost_a`` by the programme.
        """
        dispatch, terms, assumptions = self.dispatch(), self.terms(self.assumptions), self.assumptions
        power_per_kwh = best[BATTERY_KW] / best[BATTERY_KWH] if best[BATTERY_KWH] > 0 else 1 / USUAL_HOURS
        rows = []
        for energy_kwh, pv_kw in self._grid(best, points):
            power_kw = min(power_per_kwh * energy_kwh, self.case.ranges[BATTERY_KW].highest)
            sizes = assumptions.worn(np.array([energy_kwh, power_kw, pv_kw, connection_kw]))
            equipment = float(terms.cost_per_unit_a @ sizes)
            rows.append(
                {
                    **dict(zip(SIZES, assumptions.bought(sizes), strict=True)),
                    "planned_cost_a": terms.cost_a(dispatch.at(sizes)),
                    "cost_a": equipment + terms.years * settled(sizes),
                }
            )
        return pd.DataFrame(rows)

    def _grid(self, best: np.ndarray, points: int) -> Iterator[tuple[float, float]]:
        """Give the points of the grid row by row, each row in the other direction: neighbours are solved quickly."""
        batteries, roofs = (_along(self.case.ranges[at], float(best[at]), points) for at in (BATTERY_KWH, PV_KW))
        for number, energy_kwh in enumerate(batteries):
            for pv_kw in roofs if number % 2 == 0 else roofs[::-1]:
                yield energy_kwh, pv_kw

    def break_even(self, sizes: np.ndarray) -> pd.DataFrame:
        """Return the price at which battery and solar roof stop to pay, all else free to follow.

        The price is the greatest at which any size saves what it costs; each step takes the sizes that are best at a
        price, and goes to the price at which these would just pay [1]_. It comes from below or, where nothing pays at
        the price of today, from nothing; it never passes the answer and ends in a few steps, where halving takes
        twenty.

        Parameters
        ----------
        sizes : ndarray (4,)
            The best ones, as they are bought.

        Returns
        -------
        DataFrame
            Index ``part``; columns ``factor`` of the price of today, NaN where even for nothing it saves nothing.

        References
        ----------
        .. [1] W. Dinkelbach, "On nonlinear fractional programming," Management Science, vol. 13, no. 7, 1967,
           doi:10.1287/mnsc.13.7.492.
        """
        rows = {}
        for part, places in PARTS.items():
            price = sum(self.assumptions.equipment[at].cost_per_unit for at in places)
            if self.case.ranges[places[0]].highest > 0 and price > 0:
                rows[part] = {"factor": self._break_even_factor(places, sizes)}
        return pd.DataFrame.from_dict(rows, orient="index", columns=["factor"]).rename_axis("part")

    def _break_even_factor(self, places: tuple[int, ...], sizes: np.ndarray) -> float:
        """Return the factor of the price of some equipment at which it stops to pay; NaN where it never does."""
        dispatch, terms = self.dispatch(), self.terms(self.assumptions)
        none = best_sizes(dispatch, terms.with_fixed(dict.fromkeys(places, 0.0)), None, NEAR / 4)
        start, factor = self.assumptions.worn(sizes), 1.0 if sizes[places[0]] > 0 else 0.0
        # Any sizes that pay at a price show that it is below the break-even; only the last step needs a proof.
        trials = QUICK_TRIALS
        for _ in range(MOST_STEPS):
            priced = self.terms(self.assumptions.with_price(factor, *places))
            best = best_sizes(dispatch, priced, start, NEAR / 2, trials)
            saved = none.cost_a - priced.cost_a(best.found)
            ours, full = (
                float(sum(one.cost_per_unit_a[at] * best.sizes[at] for at in places)) for one in (priced, terms)
            )
            is_none = best.sizes[places[0]] <= NO_SIZE * terms.ranges[places[0]].highest or full <= 0
            just = factor if is_none else (saved + ours) / full
            if just - factor > SAME_PRICE * just:
                factor, start, trials = just, best.sizes, QUICK_TRIALS
            elif trials == QUICK_TRIALS:
                trials = PROOF_TRIALS
            else:
                break
        return factor if factor > 0 else float("nan")


def _along(allowed: SizeRange, best: float, points: int) -> list[float]:
    """Return sizes from the least on to twice the best one in round steps, or to the most; in whole lots.

    >>> _along(SizeRange(0.0, 200.0), 45.9, 5)
    [0.0, 25.0, 50.0, 75.0, 100.0]
    >>> _along(SizeRange(0.0, 100.0), 99.9, 5)
    [0.0, 25.0, 50.0, 75.0, 100.0]
    """
    room, wanted = allowed.highest - allowed.lowest, 2 * (best - allowed.lowest)
    if room <= 0:
        return [allowed.lowest]
    step = room / (points - 1)
    if 0 < wanted < room:
        least = wanted / (points - 1)
        power = 10.0 ** np.floor(np.log10(least))
        step = min(step, next(power * digit for digit in ROUND_DIGITS if power * digit >= least * (1 - 1e-9)))
    sizes = np.minimum(allowed.lowest + step * np.arange(points), allowed.highest)
    if allowed.lot is not None:
        sizes = np.clip(np.round(sizes / allowed.lot), *allowed.lots) * allowed.lot
    return [float(one) for one in np.unique(sizes)]
