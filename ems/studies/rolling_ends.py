"""What stored energy is worth at the end of a window: nothing, one price, or a value that falls with the content."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ems.assets.battery import Battery
from ems.studies.rolling_case import RollingCase

SEGMENTS = 8
"""Pieces of the content that are valued apart."""
LEARNED_DAYS = 28
"""Days before, whose prices and net loads stand for the time after a window."""
ROUNDS_D = 2
"""Days that are gone back from an end where energy is worth nothing; more change little for a store of hours."""
GRID = 33
EndValues = Callable[[int, float], tuple[np.ndarray, np.ndarray]]
"""By step of the loop and content at the beginning, width in kWh and worth of each segment, shape (segments,)."""


def end_values_of(case: RollingCase, battery: Battery) -> EndValues:
    """Return how a battery's content at the end of a window is valued, as the settings say."""
    if case.optimum is not None:
        return lambda t, content_kwh: _as_optimum(case, battery, t)
    rule, widths = case.settings.terminal_value, widths_of(battery)
    if rule == "none":
        return lambda t, content_kwh: (widths, np.zeros(SEGMENTS))
    if rule == "keep":
        return lambda t, content_kwh: _kept(case, battery, content_kwh)
    if rule == "mean_price":
        return lambda t, content_kwh: (widths, np.full(SEGMENTS, _mean_worth(case, battery, t)))
    if rule == "duals":
        from ems.studies.rolling_duals import CoarsePlans

        plans = CoarsePlans(case, battery)
        return lambda t, content_kwh: (widths, plans.values(t, content_kwh))
    quantiles = PriceQuantiles(case, battery)
    return lambda t, content_kwh: (widths, quantiles.values(t, content_kwh))


def widths_of(battery: Battery) -> np.ndarray:
    """Return the widths of the segments of a battery's content, shape (segments,)."""
    return np.full(SEGMENTS, battery.content_kwh * battery.max_soc / SEGMENTS)


def _connection_prices(case: RollingCase, battery: Battery) -> tuple[np.ndarray, np.ndarray]:
    connection = next(one for one in case.connections if one.site_id == battery.site_id)
    return case.truth[connection.id, "import_price_per_kwh"], case.truth[connection.id, "export_price_per_kwh"]


def _mean_worth(case: RollingCase, battery: Battery, t: int) -> float:
    """Return the worth of a kWh by the mean price of the days before, or of the first window where there are none."""
    prices, _ = _connection_prices(case, battery)
    at = case.begin + t
    past = prices[max(0, at - round(LEARNED_DAYS * 24 / case.step_h)) : at]
    price = float(past.mean()) if len(past) else float(prices[at])
    return max(price * battery.discharge_efficiency - battery.degradation_cost_per_kwh, 0.0)


def _kept(case: RollingCase, battery: Battery, content_kwh: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a worth above any price up to the content of the beginning, and none above it."""
    return _up_to(case, battery, content_kwh, 0.0)


def _as_optimum(case: RollingCase, battery: Battery, t: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a worth above any price up to the content that perfect foresight has then, and none above it.

    Beyond the end of the loop, it is the worth by which all are settled.
    """
    assert case.optimum is not None, "asked of windows that are told"
    end = t + case.window_steps
    if end < case.steps:
        return _up_to(case, battery, float(case.optimum.contents_kwh[battery.id][end]), 0.0)
    settled = next(one for one in case.settled.active() if one.id == battery.id)
    assert isinstance(settled, Battery), "batteries stay batteries"
    return widths_of(battery), np.full(SEGMENTS, settled.final_energy_value_per_kwh or 0.0)


def _up_to(
    case: RollingCase, battery: Battery, content_kwh: float, above_per_kwh: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return a worth above any price up to a content, and a given one above it."""
    dearest = float(np.max(np.abs(_connection_prices(case, battery)[0])))
    widths, values = np.zeros(SEGMENTS), np.full(SEGMENTS, above_per_kwh)
    widths[0], values[0] = content_kwh, 2 * dearest / battery.discharge_efficiency
    widths[1] = max(battery.content_kwh - content_kwh, 0.0)
    return widths, values


class PriceQuantiles:
    """Worth of stored energy from the prices of the days before [1]_.

    A day is gone back hour by hour. With the marginal value v of the content after an hour, that before it is, for
    each price and limit that the same hour had on past days,

    v(e + charge) where buying is cheaper than that, price / efficiency while it fills, v(e) where it rests,
    (price - wear) * efficiency while it empties, v(e - discharge) where even all power is too little,

    and then their mean. The price of an hour is that of import where the site lacked power, that of export where it
    had too much, and power is limited to what it lacked or had.

    Parameters
    ----------
    case : RollingCase
    battery : Battery

    References
    ----------
    .. [1] B. Xu, M. Korpås, and A. Botterud, "Operational valuation of energy storage under multi-stage price
       uncertainties," 59th IEEE Conference on Decision and Control, 2020, arXiv:1910.09149.
    """

    def __init__(self, case: RollingCase, battery: Battery) -> None:
        self.case, self.battery = case, battery
        self.bought, self.sold = _connection_prices(case, battery)
        self.net_kw = case.net_kw(battery.site_id)
        self._of_day: dict[tuple[int, int], np.ndarray] = {}

    def values(self, t: int, content_kwh: float) -> np.ndarray:
        """Return the worth of each segment at the end of a window that begins at a step of the loop."""
        per_day = round(24 / self.case.step_h)
        at = self.case.begin + t
        end = at + self.case.window_steps
        key = (at // per_day, end % per_day)
        if key not in self._of_day:
            self._of_day = {one: found for one, found in self._of_day.items() if one[0] >= key[0]}
            days = min(LEARNED_DAYS, at // per_day)
            if days < 1:
                return np.full(SEGMENTS, _mean_worth(self.case, self.battery, t))
            day_of_values = self._grid_values(key[0] * per_day if key[0] else at, days, per_day)
            for hour in range(per_day):
                self._of_day[key[0], hour] = day_of_values[hour]
        return self._of_day[key]

    def _grid_values(self, at: int, days: int, per_day: int) -> np.ndarray:
        """Return the worth of each segment before each step of a day, shape (per_day, segments)."""
        battery, step_h = self.battery, self.case.step_h
        place = at - per_day * np.arange(1, days + 1)[:, None] + np.arange(per_day)  # (days, step of the day)
        place = place[(place >= 0).all(axis=1)]
        if not len(place):
            return np.full((per_day, SEGMENTS), _mean_worth(self.case, battery, at - self.case.begin))
        shift = at % per_day
        place = np.roll(place, shift, axis=1)  # columns are steps of the UTC day
        bought, sold, net = self.bought[place], self.sold[place], self.net_kw[place]
        content = battery.content_kwh * np.linspace(battery.min_soc, battery.max_soc, GRID)
        into, out = battery.charge_efficiency, battery.discharge_efficiency
        wear = battery.degradation_cost_per_kwh
        value = np.zeros(GRID)
        found = np.zeros((per_day, SEGMENTS))
        middles = widths_of(battery) * (np.arange(SEGMENTS) + 0.5)
        for hour in [*range(per_day)][::-1] * ROUNDS_D:
            lacks = net[:, hour] > 0
            discharge = np.where(lacks, np.minimum(net[:, hour], battery.discharge_limit_kw), 0.0)
            charge = np.where(lacks, battery.charge_limit_kw, np.minimum(-net[:, hour], battery.charge_limit_kw))
            price_in = np.where(lacks, bought[:, hour], sold[:, hour])[:, None]
            price_out = np.where(lacks, bought[:, hour] - wear, -np.inf)[:, None]
            fuller = _at(content[None, :] + charge[:, None] * into * step_h, content, value)
            emptier = _at(content[None, :] - discharge[:, None] / out * step_h, content, value)
            here = np.broadcast_to(value, fuller.shape)
            filled = np.minimum(here, np.maximum(fuller, price_in / into))
            emptied = np.maximum(filled, np.minimum(emptier, price_out * out))
            value = np.maximum(emptied.mean(axis=0), 0.0)
            found[hour] = np.interp(middles, content, value)
        return np.minimum.accumulate(found, axis=1)


def _at(wanted_kwh: np.ndarray, content_kwh: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Return a marginal value at other contents: none above a full store, and above any price below an empty one."""
    found = np.interp(wanted_kwh, content_kwh, value)
    found = np.where(wanted_kwh > content_kwh[-1] + 1e-9, 0.0, found)
    return np.where(wanted_kwh < content_kwh[0] - 1e-9, np.inf, found)
