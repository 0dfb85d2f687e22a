"""Energy of a month by tier of price: blocks filled by the month's total, shared among the periods pro rata."""

from __future__ import annotations

import numpy as np


def energy_by_month(
    energy_kwh: np.ndarray, month: np.ndarray, period: np.ndarray, months: int, periods: int
) -> np.ndarray:
    """Return the energy of each month and period, shape (months, periods).

    Parameters
    ----------
    energy_kwh : ndarray (steps,)
    month, period : ndarray of int (steps,)
        Position of each step's month and energy period.
    months, periods : int
        How many of them there are.
    """
    sums = np.bincount(month * periods + period, weights=energy_kwh, minlength=months * periods)
    table: np.ndarray = sums.reshape(months, periods)
    return table


def energy_by_tier(energy_kwh: np.ndarray, upper_kwh: np.ndarray) -> np.ndarray:
    """Return the energy of each month, period and tier [1]_.

    tier_energy[m, p, k] = energy[m, p] / total[m] * (min(total[m], upper[m, p, k]) - min(total[m], upper[m, p, k-1]))

    A tier is filled by the energy of the whole month, whatever the hour, and each period has the share of every tier
    that it has of the month.

    Parameters
    ----------
    energy_kwh : ndarray (months, periods)
        Not negative.
    upper_kwh : ndarray (months, periods, tiers)
        Energy of the month at which each tier ends, ascending; the last one is infinite.

    Returns
    -------
    ndarray (months, periods, tiers)
        Its sum over the tiers is ``energy_kwh``.

    References
    ----------
    .. [1] National Renewable Energy Laboratory, "SAM Simulation Core," ``utilityrate5``, energy by tier pro rata of
       each period's share in the month, https://github.com/NREL/ssc.
    """
    total_kwh = energy_kwh.sum(axis=1)
    reached_kwh = np.minimum(total_kwh[:, None, None], upper_kwh)
    filled_kwh = np.diff(reached_kwh, axis=2, prepend=0.0)
    share = np.divide(energy_kwh, total_kwh[:, None], out=np.zeros_like(energy_kwh), where=total_kwh[:, None] > 0)
    tiers_kwh: np.ndarray = share[:, :, None] * filled_kwh
    return tiers_kwh
