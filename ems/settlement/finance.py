"""Finance: net present value, rate of return, payback and levelized cost of yearly cash flows [1]_.

A cash flow at position 0 happens now, one at position a at the end of year a; what is paid is negative.

References
----------
.. [1] W. Short, D. J. Packey and T. Holt, "A manual for the economic evaluation of energy efficiency and renewable
   energy technologies," NREL/TP-462-5173, 1995, doi:10.2172/35391.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

TOUCHES = 1e-12
"""A polynomial whose value is below this share of its terms is zero there: some hundred roundings of a float."""
BISECTIONS = 200
"""Halvings of an interval of the logarithm of a discount factor; after them its ends are neighbouring floats."""


@dataclass(frozen=True)
class Figure:
    """A figure, or NaN with the reason why it is not defined.

    Parameters
    ----------
    value : float
    reason : str
        Empty for a figure that is defined.
    """

    value: float
    reason: str = ""

    @property
    def is_defined(self) -> bool:
        """Whether there is a value."""
        return not self.reason


def undefined(reason: str) -> Figure:
    """Return a figure that is not defined, with its reason."""
    return Figure(math.nan, reason)


def discount_factors(rate: float, years: int) -> np.ndarray:
    """Return what money at the end of years 0, 1, ... is worth now, shape (years + 1,).

    factor[a] = 1 / (1 + rate) ** a

    >>> discount_factors(0.25, 2).tolist()
    [1.0, 0.8, 0.64]
    """
    factors: np.ndarray = (1 + rate) ** -np.arange(years + 1.0)
    return factors


def npv(cash_flows: Sequence[float] | np.ndarray, rate: float) -> float:
    """Return the net present value: the sum of cash flows, each discounted to now.

    npv = sum over a of cash_flow[a] / (1 + rate) ** a

    Parameters
    ----------
    cash_flows : array (years + 1,)
    rate : float
        Discount rate as a fraction, above -1.

    Examples
    --------
    >>> npv([-100, 125], 0.25)
    0.0
    """
    flows = np.asarray(cash_flows, dtype=float)
    return math.fsum((flows * discount_factors(rate, len(flows) - 1)).tolist())


def annuity_factor(rate: float, years: int) -> float:
    """Return what a payment of 1 at the end of each of so many years is worth now.

    factor = (1 - (1 + rate) ** -years) / rate, or the number of years without interest

    Parameters
    ----------
    rate : float
        Discount rate as a fraction, above -1.
    years : int
    """
    # Near zero the difference would lose its digits; expm1 and log1p keep them.
    return float(years) if rate == 0 else -math.expm1(-years * math.log1p(rate)) / rate


def capital_recovery_factor(rate: float, years: int) -> float:
    """Return the payment at the end of each of so many years that is worth 1 now: one over the annuity factor."""
    return 1 / annuity_factor(rate, years)


def irr(cash_flows: Sequence[float] | np.ndarray) -> Figure:
    """Return the internal rate of return: the discount rate at which the net present value is zero.

    Not defined where money only flows one way, where no rate makes the value zero, and where several do: then the
    flows change their sign more than once, and no one of these rates is *the* return.

    Parameters
    ----------
    cash_flows : array (years + 1,)

    Returns
    -------
    Figure
        A fraction above -1.

    Examples
    --------
    >>> round(irr([-100, 60, 60]).value, 4)
    0.1307
    >>> irr([-100, 230, -132]).reason
    'the net present value is zero at several rates, 10 % and 20 %'
    """
    flows = [float(flow) for flow in cash_flows]
    if not any(flow > 0 for flow in flows):
        return undefined("nothing is earned")
    if not any(flow < 0 for flow in flows):
        return undefined("nothing is paid")
    # The roots are those of a polynomial in the discount factor of a year, 1 / (1 + rate).
    rates = sorted(math.expm1(-log_factor) for log_factor in _log_roots(flows))
    if not rates:
        return undefined("no rate makes the net present value zero")
    if len(rates) > 1:
        said = " and ".join(f"{100 * rate:.4g} %" for rate in rates)
        return undefined(f"the net present value is zero at several rates, {said}")
    return Figure(rates[0])


def payback_a(cash_flows: Sequence[float] | np.ndarray, rate: float = 0.0) -> Figure:
    """Return the first time at which all that was paid has come back, in years; with a rate, discounted payback.

    It is the earliest point at which the sum of the flows so far is not below zero, on a straight line between the
    ends of two years. A replacement may let the sum fall below zero once more, which payback does not see;
    the net present value does.

    Parameters
    ----------
    cash_flows : array (years + 1,)
    rate : float
        Discount rate as a fraction; 0 gives simple payback.

    Examples
    --------
    >>> payback_a([-100, 40, 40, 40]).value
    2.5
    """
    flows = np.asarray(cash_flows, dtype=float)
    so_far = np.cumsum(flows * discount_factors(rate, len(flows) - 1))
    paid_back = np.flatnonzero(so_far >= 0)
    if not len(paid_back):
        return undefined(f"it is not paid back within {len(flows) - 1} years")
    year = int(paid_back[0])
    if year == 0:
        return Figure(0.0)
    missing, gained = -so_far[year - 1], so_far[year] - so_far[year - 1]
    return Figure(year - 1 + float(missing / gained))


def levelized_cost_per_kwh(
    costs: Sequence[float] | np.ndarray, energy_kwh: Sequence[float] | np.ndarray, rate: float
) -> Figure:
    """Return the price at which energy would just pay for its costs over the life: LCOE, or LCOS of a storage [1]_.

    lcoe = sum of cost[a] / (1 + rate) ** a / sum of energy[a] / (1 + rate) ** a

    Parameters
    ----------
    costs : array (years + 1,)
        What is paid in each year, positive; a residual value is negative. Of a storage it includes what is charged.
    energy_kwh : array (years + 1,)
        Energy generated, or of a storage discharged.
    rate : float
        Discount rate as a fraction.

    References
    ----------
    .. [1] O. Schmidt et al., "Projecting the future levelized cost of electricity storage technologies," Joule,
       vol. 3, no. 1, 2019, doi:10.1016/j.joule.2018.12.008.
    """
    discounted_kwh = npv(energy_kwh, rate)
    if discounted_kwh <= 0:
        return undefined("no energy is given")
    return Figure(npv(costs, rate) / discounted_kwh)


# ---------------------------------------------------------------------------------- roots of a polynomial
def _log_roots(coefficients: Sequence[float]) -> list[float]:
    """Return the logarithms of the roots above zero of coefficients[0] + coefficients[1] * x + ..., each once.

    Between two neighbouring roots of its derivative a polynomial is monotone and has at most one root, which bisection
    finds; the derivative's are found in the same way. By Descartes' rule there is none without a change of sign.
    """
    terms = np.trim_zeros(np.asarray(coefficients, dtype=float))
    if len(terms) < 2 or (terms >= 0).all() or (terms <= 0).all():
        return []
    sizes = np.log(np.abs(terms[terms != 0]))
    # Cauchy's bounds; at and beyond them the first and the last term give the sign.
    lowest, highest = -np.logaddexp(0.0, sizes.max() - sizes[0]), np.logaddexp(0.0, sizes.max() - sizes[-1])
    turns = [one for one in _log_roots((terms[1:] * np.arange(1, len(terms))).tolist()) if lowest < one < highest]
    ends = [float(lowest), *turns, float(highest)]
    values = [_value(terms, turn) for turn in turns]
    signs = [np.sign(terms[0]), *(0.0 if abs(one) <= TOUCHES else np.sign(one) for one in values), np.sign(terms[-1])]
    found = [turn for turn, sign in zip(turns, signs[1:-1], strict=True) if sign == 0]
    for low, high, at_low, at_high in zip(ends[:-1], ends[1:], signs[:-1], signs[1:], strict=True):
        if at_low * at_high < 0:
            found.append(_bisected(terms, low, high, at_low))
    return sorted(found)


def _value(terms: np.ndarray, log_x: float) -> float:
    """Return a polynomial at a point, as a share of its largest term there, so that powers do not overflow."""
    used = np.flatnonzero(terms)
    logs = np.log(np.abs(terms[used])) + used * log_x
    return math.fsum((np.sign(terms[used]) * np.exp(logs - logs.max())).tolist())


def _bisected(terms: np.ndarray, low: float, high: float, at_low: float) -> float:
    """Return the logarithm of the root between two points at which the signs differ."""
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (middle, high) if _value(terms, middle) * at_low > 0 else (low, middle)
    return (low + high) / 2
