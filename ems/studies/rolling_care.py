"""Careful forecasts: for which energy a plan that knows one future does well to provide."""

from __future__ import annotations

import numpy as np

from ems.assets.portfolio import Site
from ems.studies.rolling_case import Key, RollingCase
from ems.studies.rolling_forecasts import LEARNED_DAYS, Tables, perfect_tables

FEWEST_DAYS = 7
"""Days with errors, below which a plan stays with the middle of its forecast."""
PRICE_DAYS = 28
"""Days before, whose prices and sun stand for those that a plan meets."""
LOWEST, HIGHEST = 0.3, 0.9
"""Levels beyond which some weeks of errors say too little."""
SIGNS = {"load": 1.0, "solar": -1.0}
"""How a series acts on the energy that a site needs."""


def careful(case: RollingCase, tables: Tables, level: float | None) -> dict[Key, np.ndarray]:
    """Return careful forecasts: the energy that a site needs until any step is that of a probability level.

    load[lead] += quantile of errors summed until the lead - quantile of errors summed until the lead before

    A store that is a little too full costs its losses, one that is too empty a dear hour: a plan that knows one future
    does well to take a careful one. Errors are those of a site's demand less its generation, as forecasts of the same
    hour had them on the days before. Sums of hours err less than hours one by one, which the steps account for.

    Parameters
    ----------
    case : RollingCase
    tables : mapping of (asset, name) to ndarray (decisions, steps)
    level : float, optional
        Above 0.5 for plans that provide for more than the middle of the forecast, below for less; 0.5 changes nothing.
        None takes, each day and at each site, the one of `price_levels`.
    """
    found = dict(tables)
    if level == 0.5:
        return found
    per_day = _decisions_per_day(case)
    truth = perfect_tables(case)
    known_after = -(-case.window_steps // (case.per_decision * per_day))
    for site in case.portfolio.sites:
        here = {one.id for one in case.portfolio.active() if one.site_id == site.id}
        keys = [key for key, kind in case.kinds.items() if key[0] in here and kind in SIGNS]
        loads = [key for key in keys if case.kinds[key] == "load"]
        if not loads:
            continue
        error = np.sum([SIGNS[case.kinds[key]] * (truth[key] - tables[key]) for key in keys], axis=0)
        summed = np.cumsum(error, axis=1)
        days = -(-len(summed) // per_day)
        padded = np.full((days * per_day, summed.shape[1]), np.nan)
        padded[: len(summed)] = summed
        by_day = padded.reshape(days, per_day, -1)
        levels = price_levels(case, site) if level is None else np.full(days, level)
        table = tables[loads[0]].copy()
        for day in range(FEWEST_DAYS + known_after, days):
            past = by_day[max(0, day - known_after - LEARNED_DAYS) : day - known_after]
            at = slice(day * per_day, min((day + 1) * per_day, len(summed)))
            middle, wanted = np.quantile(past, (0.5, levels[day]), axis=0)
            table[at] += np.diff(wanted - middle, axis=1, prepend=0.0)[: at.stop - at.start]
        found[loads[0]] = np.maximum(table, 0.0)
    return found


def price_levels(case: RollingCase, site: Site) -> np.ndarray:
    """Return the level at which a kWh more in store earns as often as it costs, shape (days,).

    level = short / (short + long), the newsvendor's fractile [1]_, from the means over the days before of

    short: dearest price - max(cheapest price / efficiency + wear, what a kWh sells for in the dearest hour);
    long: share of the battery that the sun would have filled * (cheapest price / efficiency - what sun sells for).

    A kWh too few is bought at the dearest price instead of the cheapest; one too many is bought for nothing where it
    takes the place of sun, which is sold instead, and else is used a day later. Where energy that is not needed sells
    as dear as it is bought, need does not matter, and the level is 0.5.

    Parameters
    ----------
    case : RollingCase
    site : Site

    References
    ----------
    .. [1] K. J. Arrow, T. Harris, and J. Marschak, "Optimal inventory policy," Econometrica 19(3), 1951.
    """
    starts = case.decisions[:: _decisions_per_day(case)]
    levels = np.full(len(starts), 0.5)
    batteries = [one for one in case.batteries if one.site_id == site.id]
    connection = next((one for one in case.connections if one.site_id == site.id), None)
    if not batteries or connection is None:
        return levels
    bought, sold = (case.truth[connection.id, f"{way}_price_per_kwh"] for way in ("import", "export"))
    surplus_kwh = np.maximum(-case.net_kw(site.id), 0.0) * case.step_h
    room_kwh = sum((one.max_soc - one.min_soc) * one.content_kwh for one in batteries)
    weights = [one.content_kwh for one in batteries]
    efficiency = float(np.average([one.round_trip_efficiency for one in batteries], weights=weights))
    charging = float(np.average([one.charge_efficiency for one in batteries], weights=weights))
    wear = float(np.average([one.degradation_cost_per_kwh for one in batteries], weights=weights))
    per_day = round(24 / case.step_h)
    for day, at in enumerate(starts):
        count = min(PRICE_DAYS, at // per_day)
        if not count:
            continue
        buy, sell, sun = (
            values[at - count * per_day : at].reshape(count, per_day) for values in (bought, sold, surplus_kwh)
        )
        stored = buy.min(axis=1) / efficiency
        sold_dear = np.take_along_axis(sell, buy.argmax(axis=1)[:, None], axis=1)[:, 0]
        short = np.maximum(buy.max(axis=1) - np.maximum(stored + wear, sold_dear), 0.0).mean()
        sold_sun = float((sun * sell).sum() / sun.sum()) if sun.any() else 0.0
        filled = np.minimum(sun.sum(axis=1) * charging / room_kwh, 1.0).mean() if room_kwh else 0.0
        long = (filled * np.maximum(stored - sold_sun, 0.0)).mean()
        if short > 1e-9:
            levels[day] = np.clip(short / (short + long), LOWEST, HIGHEST)
    return levels


def _decisions_per_day(case: RollingCase) -> int:
    return max(1, round(24 / case.settings.decide_every_h))
