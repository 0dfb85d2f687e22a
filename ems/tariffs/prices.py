"""Prices of a tariff over a horizon."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ems.errors import InvalidInput
from ems.tariffs.period_table import HoursTable
from ems.tariffs.step_changes import first_change_within_a_step

if TYPE_CHECKING:
    import pandas as pd

    from ems.horizon import Horizon
    from ems.tariffs.calendar import Calendar
    from ems.tariffs.tariff import EnergyTier, Tariff


def period_of(tariff: Tariff, horizon: Horizon, timezone: str, calendar: Calendar | None = None) -> np.ndarray:
    """Return the position among the tariff's periods of the one that holds in each step, by the site's wall clock.

    Periods of one name and one price count as one: each of them is told by the position of the first.

    Parameters
    ----------
    tariff : Tariff
        With at least one period.
    horizon : Horizon
    timezone : str
        IANA name of the site's zone.
    calendar : Calendar, optional
        The tariff's own by default; a typical year for cases that are stated in one.

    Returns
    -------
    ndarray of int (steps,)

    Raises
    ------
    InvalidInput
        If the price changes within a step; a shorter step or another start would do.
    """
    table = HoursTable(tariff.periods)
    by_calendar = tariff.calendar if calendar is None else calendar
    meant = [(one.name, one.all_tiers()) for one in tariff.periods]
    first_alike = np.array([meant.index(one) for one in meant])

    def period_at(local: pd.DatetimeIndex, _step: np.ndarray | None = None) -> np.ndarray:
        positions = table.at(by_calendar.at(local))
        assert positions.min() >= 0, "a tariff covers the year"
        alike: np.ndarray = first_alike[positions]
        return alike

    change = first_change_within_a_step(horizon, timezone, table.breaks.tolist(), period_at)
    if change is not None:
        when, step_h = change
        raise InvalidInput(
            f"tariff '{tariff.id}'",
            f"the price changes at {when:%Y-%m-%d %H:%M %Z}, within a step of {step_h:g} h; choose step_h so that "
            "steps begin there",
        )
    return period_at(horizon.local_times(timezone))


def contract_prices(
    tariff: Tariff,
    horizon: Horizon,
    timezone: str,
    *,
    market_price_per_kwh: np.ndarray | None = None,
    energy_of_month_kwh: float | None = None,
    calendar: Calendar | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return what a kWh costs and earns in each step, before levies and taxes.

    import_price[t] = price_factor * market[t] + surcharge + price of the period
    export_price[t] = export_factor * market[t] - export_deduction + price of the period

    Without a price series, the first two terms are absent.

    Parameters
    ----------
    tariff : Tariff
    horizon : Horizon
    timezone : str
        IANA name of the site's zone.
    market_price_per_kwh : ndarray (steps,), optional
        Needed where the tariff has a price series.
    energy_of_month_kwh : float, optional
        Energy that the first month of the horizon has already: the price is that of the tier which it has reached.
        Needed where the tariff has tiers.
    calendar : Calendar, optional
        The tariff's own by default.

    Returns
    -------
    import_price_per_kwh, export_price_per_kwh : ndarray (steps,)
        NaN where the tariff states no export price.

    Raises
    ------
    InvalidInput
        If the price changes within a step, or what it depends on is absent.
    """
    imports, exports = np.zeros(len(horizon)), np.full(len(horizon), np.nan)
    if tariff.periods:
        period = period_of(tariff, horizon, timezone, calendar)
        days = int(horizon.local_times(timezone)[0].days_in_month) if tariff.tier_period == "day" else 1
        tiers = [_tier_reached(tariff, position, energy_of_month_kwh, days) for position in range(len(tariff.periods))]
        stated = [one.export_price_per_kwh for one in tiers]
        imports = np.array([one.import_price_per_kwh for one in tiers])[period]
        exports = np.array([np.nan if price is None else price for price in stated])[period]
    if tariff.price_series:
        if market_price_per_kwh is None:
            raise InvalidInput(
                f"tariff '{tariff.id}'",
                "price_series = true: needs the market's prices; give the connection's series import_price_per_kwh",
            )
        imports = imports + tariff.price_factor * market_price_per_kwh + tariff.surcharge_per_kwh
        if tariff.export_factor is not None:
            of_market = tariff.export_factor * market_price_per_kwh - tariff.export_deduction_per_kwh
            exports = of_market + np.nan_to_num(exports)
    return imports, exports


def energy_prices(
    tariff: Tariff,
    horizon: Horizon,
    timezone: str,
    *,
    market_price_per_kwh: np.ndarray | None = None,
    energy_of_month_kwh: float | None = None,
    calendar: Calendar | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return what one kWh more costs and earns in each step, with the levies and taxes on it.

    import_price[t] = (contract_price[t] + levies on import) * (1 + shares of all taxes)

    Exports earn what the contract says. Parameters, returns and errors are those of `contract_prices`.
    """
    imports, exports = contract_prices(
        tariff,
        horizon,
        timezone,
        market_price_per_kwh=market_price_per_kwh,
        energy_of_month_kwh=energy_of_month_kwh,
        calendar=calendar,
    )
    levies = sum(levy.rate_per_kwh for levy in tariff.levies if levy.applies_to == "import")
    return (imports + levies) * (1 + sum(tax.share for tax in tariff.taxes)), exports


def _tier_reached(tariff: Tariff, position: int, energy_of_month_kwh: float | None, days: int) -> EnergyTier:
    """Return the tier in which the next kWh of a period lies; the ends of tiers are for so many days."""
    tiers = tariff.periods[position].all_tiers()
    if len(tiers) == 1:
        return tiers[0]
    if energy_of_month_kwh is None:
        raise InvalidInput(
            f"tariff '{tariff.id}'",
            f"period '{tariff.periods[position].name}' has {len(tiers)} tiers, and no single price without the energy "
            "that the month has already; give it",
        )
    return next(one for one in tiers if one.up_to_kwh is None or energy_of_month_kwh < one.up_to_kwh * days)
