"""A policy that hedges: at each decision a dynamic programme on own forecasts and on the errors that they have had.

A plan for one future does not know what a kWh is worth that is kept for a load nobody foresaw. The programme weighs,
for each content and each peak so far, what the best does on average over the errors of the days before [1]_.

References
----------
.. [1] D. P. Bertsekas, *Dynamic Programming and Optimal Control*, vol. 1, 4th ed., Athena Scientific, 2017, ch. 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from ems.assets.battery import Battery
from ems.assets.grid_connection import GridConnection
from ems.assets.load import Load
from ems.assets.variable_renewable import VariableRenewable
from ems.settlement.plant import Order
from ems.studies.rolling_case import RollingCase
from ems.studies.rolling_choice import Choice
from ems.studies.rolling_forecasts import Tables, in_window_steps, perfect_tables
from ems.studies.rolling_orders import Orders
from ems.studies.rolling_own import OwnForecasts
from ems.studies.rolling_peaks import ChargePeriods, Peaks, charge_periods
from ems.studies.rolling_programme import Exchange, Stage, Store
from ems.studies.rolling_rest import LEARNED_DAYS, Rest, mean_ahead
from ems.studies.rolling_tiers import tier_prices

FEWEST_DAYS = 5
"""Days with errors, below which loads of the days before are taken without a forecast."""
AHEAD_H = 12.0
"""Time for which forecasts are taken; later, the same hours of the days before say as much."""
SLACK_KW = 1e-6


class Hedged:
    """The policy, with a programme for each site.

    Parameters
    ----------
    name : str
    case : RollingCase
    own : OwnForecasts
    """

    def __init__(self, name: str, case: RollingCase, own: OwnForecasts) -> None:
        self.name, self.case = name, case
        perfect = perfect_tables(case)
        prices = {**perfect, **own.of_loop()}
        with_stores = {one.site_id for one in case.batteries}
        self._sites = {
            one.site_id: SiteProgramme(case, one, own, prices)
            for one in case.connections
            if one.site_id in with_stores
        }

    def reset(self) -> None:
        """Forget nothing: what is kept follows from the decision alone."""

    def memory(self) -> dict[str, Any]:
        """Return nothing, for the same reason."""
        return {}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Carry nothing on."""

    def decide(self, k: int, contents_kwh: Mapping[str, float], peaks: Peaks) -> Orders:
        """Return the orders of a decision."""
        orders: list[dict[str, Order]] = [
            {one.id: Order() for one in self.case.portfolio.sites} for _ in range(self.case.per_decision)
        ]
        for site_id, programme in self._sites.items():
            for ahead, order in enumerate(programme.orders(k, contents_kwh, peaks)):
                orders[ahead][site_id] = order
        return Orders(orders)


class SiteProgramme:
    """The programme of a site, in steps of a window.

    Parameters
    ----------
    case : RollingCase
    connection : GridConnection
    own : OwnForecasts
    prices : mapping of (asset, name) to ndarray (decisions, measured steps)
        What is known, or forecast, of prices at each decision.
    """

    def __init__(self, case: RollingCase, connection: GridConnection, own: OwnForecasts, prices: Tables) -> None:
        self.case, self.connection, self.own = case, connection, own
        self.batteries = [one for one in case.batteries if one.site_id == connection.site_id]
        self.step_h, self.per_step = case.settings.step_h, case.per_step
        self.store = Store.of(self.batteries, self.step_h)
        self._follows = case.settings.control == "follow"
        self.constant_kw = connection.transformer_losses_kw + sum(one.auxiliary_load_kw for one in self.batteries)
        self.net_kw = mean_ahead(case.net_kw(connection.site_id) + self.constant_kw, self.per_step)
        self.forecast_kw = in_window_steps(self._net_forecast(own.tables) + self.constant_kw, self.per_step)
        self.ahead = min(round(AHEAD_H / self.step_h), self.forecast_kw.shape[1])
        self.prices = {
            name: in_window_steps(prices[connection.id, name], self.per_step)
            for name in ("import_price_per_kwh", "export_price_per_kwh")
        }
        self.tiers = next((one for one in tier_prices(case) if one.connection.id == connection.id), None)
        self.charge = self._dearest_charge()
        self._rest_of: tuple[int, Rest] | None = None

    @cached_property
    def range_kw(self) -> tuple[float, float]:
        """The least and the most net load that the assets of the site are made for; beyond it a meter is wrong."""
        least = most = self.constant_kw
        for one in self.case.portfolio.active():
            if one.site_id == self.connection.site_id and isinstance(one, Load):
                most += one.rated_load_kw
            elif one.site_id == self.connection.site_id and isinstance(one, VariableRenewable):
                least -= one.rated_capacity_kw
        return least, most

    def is_sound(self, net_kw: np.ndarray) -> np.ndarray:
        """Return which net loads the site can have."""
        least, most = self.range_kw
        return (net_kw >= least - SLACK_KW) & (net_kw <= most + SLACK_KW)

    def _net_forecast(self, tables: Tables) -> np.ndarray:
        """Return the demand less generation that is forecast, shape (decisions, measured steps)."""
        case = self.own.case
        total = np.zeros((len(case.decisions), case.window_steps))
        for key in case.kinds:
            asset = next(one for one in case.portfolio.active() if one.id == key[0])
            if asset.site_id == self.connection.site_id and case.kinds[key] != "price":
                total += tables[key] if case.kinds[key] == "load" else -tables[key]
        return total

    def _dearest_charge(self) -> ChargePeriods | None:
        """Return the charge on the import that costs most for a kW; the programme knows of one."""
        if self.case.settings.demand_value == "none":
            return None
        own = [
            one
            for one in charge_periods(self.case)
            if one.connection.id == self.connection.id and one.charge.basis == "import"
        ]
        return max(own, key=lambda one: max(tier.rate_per_kw for tiers in one.tiers for tier in tiers), default=None)

    # ------------------------------------------------------------------------------------------ what is to come
    @cached_property
    def _begins(self) -> np.ndarray:
        """For each decision, the one at which the rest of its period was looked at: the first of its local day.

        It is looked at anew when prices are published, and when another period begins.
        """
        case = self.case
        local = case.times[case.decisions].tz_localize("UTC").tz_convert(case.timezone)
        hour = (local.hour + local.minute / 60).to_numpy()
        is_priced = any(key[0] == self.connection.id and kind == "price" for key, kind in case.kinds.items())
        published = (hour >= case.settings.published_at_h) & is_priced
        numbers = np.array([self.number(k) for k in range(len(case.decisions))])
        parts = np.stack([case.local_days()[case.decisions], published, numbers])
        is_new = np.concatenate([[True], (np.diff(parts, axis=1) != 0).any(axis=0)])
        begins: np.ndarray = np.maximum.accumulate(np.where(is_new, np.arange(len(is_new)), 0))
        return begins

    def number(self, k: int) -> int:
        """Return the number of the charge's period at a decision, or of the next one in its window; -1 of none."""
        if self.charge is None:
            return -1
        t = k * self.case.per_decision
        inside = self.charge.period[t : t + self.case.window_steps]
        counted = inside[inside >= 0]
        return int(counted[0]) if len(counted) else -1

    def rest(self, k: int) -> Rest:
        """Return what the rest of the period costs, as it was looked at last before a decision."""
        begin = int(self._begins[k])
        if self._rest_of is None or self._rest_of[0] != begin:
            self._rest_of = begin, Rest(self, begin)
        return self._rest_of[1]

    def samples_kw(self, k: int, lead: int, rest: Rest) -> np.ndarray:
        """Return equally likely net loads of a step of a window: its forecast with the errors of the days before.

        Days on which the meter, or a forecast from it, is beyond what the site is made for do not count.
        """
        case, per_day = self.own.case, round(24 / self.case.settings.decide_every_h)
        row = self.own.before + k
        past = row - per_day * np.arange(1, LEARNED_DAYS + 1)
        past = past[past >= 0]
        places = case.decisions[past] + lead * self.per_step
        is_known = places + self.per_step <= case.decisions[row]
        past, places = past[is_known], places[is_known]
        loads, forecasts = self.net_kw[places], self.forecast_kw[past, lead]
        sound = self.is_sound(loads) & self.is_sound(forecasts)
        if sound.sum() < FEWEST_DAYS:
            return rest.samples_at(k * self.case.per_decision + lead * self.per_step)
        errors = loads[sound] - forecasts[sound]
        found: np.ndarray = np.clip(self.forecast_kw[row, lead] + errors, *self.range_kw)
        return found

    def exchanges(self, k: int, peaks: Peaks) -> list[Exchange]:
        """Return what the exchange with the grid costs in each step of a window."""
        columns = {name: table[k] for name, table in self.prices.items()}
        if self.tiers is not None:
            t = k * self.case.per_decision
            known = self.tiers.of_window(t, peaks.month_kwh(self.connection.id, t))
            columns |= {name: in_window_steps(values, self.per_step) for (_, name), values in known.items()}
        return [self.exchange_at(float(bought), float(sold)) for bought, sold in zip(*columns.values(), strict=True)]

    def exchange_at(self, bought_per_kwh: float, sold_per_kwh: float) -> Exchange:
        """Return what the exchange with the grid costs at prices; generation that costs to sell is curtailed."""
        one = self.connection
        sold = max(sold_per_kwh, 0.0) if self._can_curtail else sold_per_kwh
        most_import = one.max_import_kw if one.import_enabled else 0.0
        most_export = one.max_export_kw if one.export_enabled else 0.0
        return Exchange(bought_per_kwh, sold, most_import, most_export)

    @cached_property
    def _can_curtail(self) -> bool:
        return any(
            isinstance(one, VariableRenewable) and one.is_curtailable and one.site_id == self.connection.site_id
            for one in self.case.portfolio.active()
        )

    def counts(self, t: int, number: int) -> bool:
        """Return whether the import of a step counts in a period."""
        return self.charge is not None and t < len(self.charge.period) and int(self.charge.period[t]) == number

    # ------------------------------------------------------------------------------------------ what is done
    def orders(self, k: int, contents_kwh: Mapping[str, float], peaks: Peaks) -> list[Order]:
        """Return the orders of the measured steps until the next decision."""
        case, rest, number = self.case, self.rest(k), self.number(k)
        t, firsts = k * case.per_decision, -(-case.per_decision // self.per_step)
        last = max(min(self.ahead, (rest.end - t) // self.per_step), 1)
        samples = [self.samples_kw(k, lead, rest) for lead in range(last)]
        exchanges = self.exchanges(k, peaks)[:last]
        values = {last: rest.value_at(t + last * self.per_step)}
        for lead in range(last - 1, 0, -1):
            stage = Stage(self.store, rest.peak, samples[lead])
            counted = self.counts(t + lead * self.per_step, number)
            values[lead] = stage.before(values[lead + 1], exchanges[lead], counts=counted)
        content = sum(contents_kwh[one.id] for one in self.batteries)
        so_far = 0.0 if self.charge is None or number < 0 else float(peaks.so_far[self.charge.key][number])
        found: list[Order] = []
        for lead in range(firsts):
            at_lead = min(lead, last - 1)
            counted = self.counts(t + lead * self.per_step, number)
            choice = Choice(self.store, rest.peak, content, so_far, counts=counted, follows=self._follows)
            exchange = exchanges[at_lead]
            power, band, content = choice.best(samples[at_lead], exchange, values[at_lead + 1])
            most_export_kw = 0.0 if self._can_curtail and exchange.sold_per_kwh <= 0 else math.inf
            found += [Order(self._shared(power, contents_kwh), *band, most_export_kw)] * self.per_step
        return found[: case.per_decision]

    def _shared(self, power_kw: float, contents_kwh: Mapping[str, float]) -> dict[str, float]:
        """Return the power of each battery: by what it holds where they discharge, by its room where they charge."""
        parts = np.array([self._part(one, contents_kwh[one.id], power_kw) for one in self.batteries])
        total = parts.sum()
        shares = parts / total if total > 0 else np.full(len(parts), 1 / len(parts))
        return {one.id: float(power_kw * share) for one, share in zip(self.batteries, shares, strict=True)}

    @staticmethod
    def _part(battery: Battery, content_kwh: float, power_kw: float) -> float:
        if power_kw > 0:
            return max(content_kwh - battery.min_soc * battery.content_kwh, 0.0)
        return max(battery.max_soc * battery.content_kwh - content_kwh, 0.0)


def hedge_simplifications(case: RollingCase) -> list[str]:
    """Return a sentence for each thing that a site has and its programme takes as one."""
    found = []
    for connection in case.connections:
        batteries = [one.id for one in case.batteries if one.site_id == connection.site_id]
        charges = [one.charge.name for one in charge_periods(case) if one.connection.id == connection.id]
        if len(batteries) > 1:
            found.append(f"hedged plan: takes the batteries {', '.join(batteries)} as one")
        if len(charges) > 1 and batteries:
            found.append(f"hedged plan: of the demand charges {', '.join(charges)} it knows the dearest on import")
    return found
