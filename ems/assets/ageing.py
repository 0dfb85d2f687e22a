"""How batteries age: cycles counted by rainflow, life curves over depth of discharge, calendar ageing, price of wear.

Losses are shares of the capacity when new. Cycle and calendar losses add up, as in the models of Naumann et al. [1]_
and NREL's BLAST-Lite.

References
----------
.. [1] M. Naumann, F. B. Spingler, A. Jossen, "Analysis and modeling of cycle aging of a commercial LiFePO4/graphite
   cell," Journal of Power Sources, vol. 451, 2020, doi:10.1016/j.jpowsour.2019.227666.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ems.errors import InvalidInput, MissingValues

if TYPE_CHECKING:
    from ems.assets.battery import Battery

END_OF_LIFE_HEALTH = 0.8
"""State of health at which a battery's life is said to end; data sheets state cycle and calendar life to it."""


# ------------------------------------------------------------------------------------------- counting cycles
@dataclass(frozen=True)
class Cycles:
    """Cycles of a series; all arrays have the shape (cycles,).

    Parameters
    ----------
    range : ndarray
        Difference of the two turning points, in the unit of the series.
    mean : ndarray
        Their mean, in the unit of the series.
    count : ndarray
        1 for a full cycle, 0.5 for half a cycle.
    start, end : ndarray of int
        Where in the series the two turning points are.
    """

    range: np.ndarray
    mean: np.ndarray
    count: np.ndarray
    start: np.ndarray
    end: np.ndarray


def turning_points(values: np.ndarray) -> np.ndarray:
    """Return where a series turns, with its first and last value; of equal neighbours the first stands for all.

    Returns
    -------
    ndarray of int
    """
    if len(values) == 0:
        return np.empty(0, dtype=int)
    changed = np.flatnonzero(np.concatenate(([True], np.diff(values) != 0)))
    direction = np.sign(np.diff(values[changed]))
    turns = np.flatnonzero(direction[1:] != direction[:-1]) + 1
    kept = np.unique(np.concatenate(([0], turns, [len(changed) - 1])))
    points: np.ndarray = changed[kept]
    return points


def rainflow(values: np.ndarray) -> Cycles:
    """Return the cycles of a series by rainflow counting [1]_.

    Three successive turning points give two ranges. Where the newer is at least the older, the older is counted: as
    half a cycle if it begins the history, else as a full one whose points are taken out. What is left at the end
    counts as half cycles.

    Parameters
    ----------
    values : ndarray (values,)

    Raises
    ------
    MissingValues
        If a value is NaN.

    References
    ----------
    .. [1] ASTM E1049-85 (reapproved 2017), "Standard practices for cycle counting in fatigue analysis," section
       5.4.4, doi:10.1520/E1049-85R17.
    """
    values = np.asarray(values, dtype=float)
    if np.isnan(values).any():
        raise MissingValues(
            "the series of a cycle count", f"{int(np.isnan(values).sum())} values are missing; fill them"
        )
    at = turning_points(values)
    level = values[at].tolist()
    waiting: list[int] = []  # turning points not yet counted
    found: list[tuple[int, int, float]] = []
    for new in range(len(level)):
        waiting.append(new)
        while len(waiting) >= 3:
            first, second, third = waiting[-3:]
            if abs(level[third] - level[second]) < abs(level[second] - level[first]):
                break
            if len(waiting) == 3:
                found.append((first, second, 0.5))
                del waiting[0]
            else:
                found.append((first, second, 1.0))
                del waiting[-3:-1]
    found += [(one, other, 0.5) for one, other in itertools.pairwise(waiting)]
    first_at, second_at = (np.array([one[side] for one in found], dtype=int) for side in (0, 1))
    low, high = values[at][first_at], values[at][second_at]
    count = np.array([one[2] for one in found], dtype=float)
    return Cycles(np.abs(high - low), (high + low) / 2, count, at[first_at], at[second_at])


def cycle_depths(soc: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return depth and count of the cycles of a state of charge, each of shape (cycles,)."""
    cycles = rainflow(soc)
    return cycles.range, cycles.count


def equivalent_full_cycles(soc: np.ndarray) -> float:
    """Return the energy moved, in and out, as a number of full cycles.

    cycles = sum(abs(soc[t+1] - soc[t])) / 2
    """
    return float(np.abs(np.diff(np.asarray(soc, dtype=float))).sum() / 2)


# ------------------------------------------------------------------------------------------- life curves
@dataclass(frozen=True)
class LifeCurve:
    """How many cycles of a depth make a life.

    cycles_to_end(depth) = cycles_at_full_depth * depth ** -exponent

    Parameters
    ----------
    cycles_at_full_depth : float
        Cycles from full to empty until the end of life.
    exponent : float
        1 where only the energy moved counts; above 1, shallow cycles wear less than their energy says.
    source : str
        Where the exponent comes from, for reports.
    """

    cycles_at_full_depth: float
    exponent: float
    source: str

    def cycles_to_end(self, depth: np.ndarray | float) -> np.ndarray:
        """Return the cycles of a depth that make a life; infinitely many of depth 0."""
        with np.errstate(divide="ignore", over="ignore"):
            return np.asarray(self.cycles_at_full_depth * np.asarray(depth, dtype=float) ** -self.exponent)

    def life_used(self, depth: np.ndarray, count: np.ndarray) -> float:
        """Return the share of a cycle life that cycles use up, by the rule of Palmgren and Miner: they add up."""
        return float((count * depth**self.exponent).sum() / self.cycles_at_full_depth)


_XU = "Xu et al. 2018, doi:10.1109/TPWRS.2017.2733339"
_EXPONENTS: dict[str, tuple[float, str]] = {
    # Life used by a cycle of depth d of a Li(NiMnCo)O2 cell is 5.24e-4 d^2.03 there.
    "lithium_ion": (2.03, f"depth to the power of 2.03: {_XU}"),
    "lithium_iron_phosphate": (
        1.0,
        "energy moved, whatever the depth: Wang et al. 2011, doi:10.1016/j.jpowsour.2010.11.134",
    ),
}
_NO_CURVE = (1.0, "energy moved, whatever the depth: no curve over depth is assumed for this chemistry")


def life_curve(chemistry: str | None, cycle_life: float) -> LifeCurve:
    """Return the life curve of a chemistry, through a battery's own cycle life at full depth.

    The exponent is 2.03 for lithium-ion cells with nickel, manganese and cobalt [1]_, and 1 for lithium iron
    phosphate, whose loss follows the charge moved with little effect of depth [2]_. For any other chemistry, and where
    none is stated, it is 1: only energy counts, which never makes shallow cycles look harmless.

    Parameters
    ----------
    chemistry : str, optional
        As in `Battery.chemistry`.
    cycle_life : float
        Full cycles until the end of life.

    References
    ----------
    .. [1] B. Xu et al., "Factoring the cycle aging cost of batteries participating in electricity markets," IEEE
       Transactions on Power Systems, vol. 33, no. 2, 2018, doi:10.1109/TPWRS.2017.2733339.
    .. [2] J. Wang et al., "Cycle-life model for graphite-LiFePO4 cells," Journal of Power Sources, vol. 196, no. 8,
       2011, doi:10.1016/j.jpowsour.2010.11.134.
    """
    if not cycle_life > 0:
        raise InvalidInput("the life curve", f"cycle_life = {cycle_life:g}: must be greater than 0")
    exponent, source = _EXPONENTS.get(chemistry or "", _NO_CURVE)
    return LifeCurve(float(cycle_life), exponent, source)


def life_curve_of(battery: Battery) -> LifeCurve | None:
    """Return the life curve of a battery, or None where it states neither cycle life nor loss per cycle.

    Where only the loss per full cycle is stated: cycle_life = (1 - 0.8) / degradation_rate_per_cycle.
    """
    cycle_life: float | None = battery.cycle_life
    if cycle_life is None and battery.degradation_rate_per_cycle:
        cycle_life = (1 - END_OF_LIFE_HEALTH) / battery.degradation_rate_per_cycle
    return None if cycle_life is None or np.isinf(cycle_life) else life_curve(battery.chemistry, cycle_life)


# ------------------------------------------------------------------------------------------- losses and prices
def cycle_loss(soc: np.ndarray, curve: LifeCurve, end_of_life_health: float = END_OF_LIFE_HEALTH) -> float:
    """Return the loss of capacity by the cycles of a state of charge, as a share.

    loss = (1 - end_of_life_health) * sum(count / cycles_to_end(depth))

    Parameters
    ----------
    soc : ndarray (values,)
        State of charge, 0 to 1.
    curve : LifeCurve
    end_of_life_health : float
        State of health to which the curve counts.
    """
    return (1 - end_of_life_health) * curve.life_used(*cycle_depths(soc))


def calendar_loss(
    from_age_a: float,
    to_age_a: float,
    calendar_life_a: float,
    chemistry: str | None = None,
    end_of_life_health: float = END_OF_LIFE_HEALTH,
) -> float:
    """Return the loss of capacity by age alone between two ages, as a share.

    loss = (1 - end_of_life_health) * ((to_age / life) ** z - (from_age / life) ** z)

    with z = 0.5 for lithium cells, where a film grows that slows its own growth [1]_, and z = 1 for all others.

    Parameters
    ----------
    from_age_a, to_age_a : float
        Ages in years; the loss of the first years is that from age 0.
    calendar_life_a : float
        Age at which a battery without any cycle reaches the end of its life.
    chemistry : str, optional
        As in `Battery.chemistry`.

    References
    ----------
    .. [1] M. Naumann et al., "Analysis and modeling of calendar aging of a commercial LiFePO4/graphite cell," Journal
       of Energy Storage, vol. 17, 2018, doi:10.1016/j.est.2018.01.019.
    """
    if not 0 <= from_age_a <= to_age_a:
        raise InvalidInput("calendar ageing", f"from {from_age_a:g} a to {to_age_a:g} a: ages must rise from 0")
    z = 0.5 if chemistry in ("lithium_ion", "lithium_iron_phosphate") else 1.0
    used: float = (to_age_a / calendar_life_a) ** z - (from_age_a / calendar_life_a) ** z
    return (1 - end_of_life_health) * used


def wear_cost_per_kwh(
    capital_cost: float,
    capacity_kwh: float,
    curve: LifeCurve,
    *,
    depth: float = 1.0,
    discharge_efficiency: float = 1.0,
) -> float:
    """Return what a kWh given to the bus costs in wear: the price of a battery over all the energy of its cycle life.

    cost = capital_cost / (cycles_to_end(depth) * depth * capacity * discharge_efficiency)

    Parameters
    ----------
    capital_cost : float
        Price of a new battery.
    capacity_kwh : float
        Energy from full to empty.
    curve : LifeCurve
    depth : float
        Depth of the cycles that it usually runs.
    discharge_efficiency : float
        Energy at the bus per energy taken from the store.

    Examples
    --------
    >>> wear_cost_per_kwh(30_000, 100, life_curve("lithium_iron_phosphate", 6000))
    0.05
    """
    given_kwh = float(curve.cycles_to_end(depth)) * depth * capacity_kwh * discharge_efficiency
    return capital_cost / given_kwh


def wear_cost_of(battery: Battery) -> float | None:
    """Return the wear of a battery per kWh given to the bus, or None where cost or cycle life is not stated.

    Cycles are taken as deep as its limits of state of charge allow. The cost of installing it is not worn off.
    """
    curve = life_curve_of(battery)
    if curve is None or battery.capital_cost is None:
        return None
    return wear_cost_per_kwh(
        battery.capital_cost,
        battery.usable_capacity_kwh,
        curve,
        depth=battery.max_soc - battery.min_soc,
        discharge_efficiency=battery.discharge_efficiency,
    )
