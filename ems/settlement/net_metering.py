"""Net metering: energy fed in is taken off what is drawn, month by month, and what is left over is carried forward."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class NetEnergy:
    """What net metering bills, carries and pays out.

    Parameters
    ----------
    billed_kwh : ndarray (months, periods)
        Energy that is paid for, not negative.
    carried_kwh : ndarray (months, periods)
        Energy left over at the end of each month, to be taken off later months.
    paid_out_kwh : ndarray (months,)
        Energy paid for at the end of a year; 0 in other months.
    """

    billed_kwh: np.ndarray
    carried_kwh: np.ndarray
    paid_out_kwh: np.ndarray


def net_energy(
    import_kwh: np.ndarray, export_kwh: np.ndarray, goes_to: np.ndarray, is_year_end: np.ndarray
) -> NetEnergy:
    """Return the energy that net metering bills, period by period [1]_.

    net[m, p] = import[m, p] - export[m, p] - carried into p[m];  billed = max(net, 0);  carried = max(-net, 0)

    The surplus of a period is taken off the same period's energy only: cheap hours do not pay for dear ones. What is
    paid out at the end of a year is the year's surplus over all periods, as it stands when each month's shortage is
    taken off what was left over before: left[m] = max(left[m-1] + export[m] - import[m], 0).

    Parameters
    ----------
    import_kwh, export_kwh : ndarray (months, periods)
        Months in the order of time.
    goes_to : ndarray of int (months, periods)
        Period of the month into which the surplus of each period of the month before goes: mostly the same.
    is_year_end : ndarray of bool (months,)
        Whether the account is closed at the end of a month: what is left over is paid out and goes back to zero.

    References
    ----------
    .. [1] National Renewable Energy Laboratory, "SAM Simulation Core," ``utilityrate5``, metering option 0,
       https://github.com/NREL/ssc.
    """
    months, periods = import_kwh.shape
    billed, carried, paid_out = np.zeros((months, periods)), np.zeros((months, periods)), np.zeros(months)
    bank, left = np.zeros(periods), 0.0
    for m in range(months):
        brought = np.bincount(goes_to[m], weights=bank, minlength=periods)
        net = import_kwh[m] - export_kwh[m] - brought
        billed[m], bank = np.maximum(net, 0.0), np.maximum(-net, 0.0)
        left = max(left + float(export_kwh[m].sum() - import_kwh[m].sum()), 0.0)
        if is_year_end[m]:
            paid_out[m], left, bank = left, 0.0, np.zeros(periods)
        carried[m] = bank
    return NetEnergy(billed, carried, paid_out)
