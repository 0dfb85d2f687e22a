"""SizingView: the best sizes, their life cycle against doing without, and what lies around them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from ems.dispatch.sizing import both_ways_steps
from ems.dispatch.sizing_search import Sizing
from ems.display import Answer
from ems.errors import InvalidInput
from ems.settlement.baseline import self_consumption, stored_value
from ems.settlement.bill import Bill, settle
from ems.settlement.finance import Figure, levelized_cost_per_kwh, undefined
from ems.settlement.life_cycle import Comparison, LifeCycle, compare
from ems.settlement.replay import violations_of
from ems.studies import sizing_words
from ems.studies.sizing_assumptions import BATTERY_KW, BATTERY_KWH, CONNECTION_KW, PV_KW, Assumptions
from ems.studies.sizing_explore import Explorer
from ems.studies.sizing_source import SizingCase

if TYPE_CHECKING:
    from ems.assets.portfolio import Portfolio
    from ems.report.data_files import ReportData
    from ems.studies.sizing import SizingStudy

WITHOUT, WITH = "without", "with"
SHOWN_DIGITS = 4
"""Digits of a size after the point beyond which nobody buys it."""


@dataclass(frozen=True)
class SettledYear:
    """A year of a site at given sizes, as it is billed.

    Parameters
    ----------
    sizing : Sizing
        The sizes, worn, and their proof.
    sizes : ndarray (4,)
        As they are bought.
    portfolio : Portfolio
    series, flows : Dataset
    bill : Bill
        Of the horizon.
    both_ways_steps : int
        Steps in which the schedule does what a meter or a battery cannot.
    """

    sizing: Sizing
    sizes: np.ndarray
    portfolio: Portfolio
    series: xr.Dataset
    flows: xr.Dataset
    bill: Bill
    both_ways_steps: int

    @cached_property
    def violations(self) -> list[str]:
        """Laws that the schedule breaks when it is replayed."""
        return violations_of(self.flows, self.series, self.portfolio)

    def kw(self, name: str) -> np.ndarray:
        """Return a flow of all assets together, shape (steps,); zero where none has it."""
        if name not in self.flows:
            return np.zeros(self.flows.sizes["time"])
        total: np.ndarray = np.nansum(self.flows[name].transpose("time", "asset").to_numpy(), axis=1)
        return total

    def kwh(self, name: str) -> float:
        """Return the energy of a flow over the horizon."""
        return float(self.kw(name) @ self.flows.step_h.to_numpy())

    @property
    def exchange_kw(self) -> np.ndarray:
        """Power from the grid, below zero where it is fed in, shape (steps,)."""
        exchange: np.ndarray = self.kw("import_kw") - self.kw("export_kw")
        return exchange


@dataclass(frozen=True, repr=False)
class SizingView(Answer):
    """The best sizes of a site and what they rest on.

    Parameters
    ----------
    case : SizingCase
    study : SizingStudy
    """

    case: SizingCase
    study: SizingStudy

    @property
    def currency(self) -> str:
        """Currency of all money."""
        return self.case.portfolio.currency

    @cached_property
    def assumptions(self) -> Assumptions:
        """Prices, lives and money as the study states them."""
        return Assumptions.of(self.study)

    @cached_property
    def explorer(self) -> Explorer:
        """What finds sizes, and remembers what it learned."""
        return Explorer(self.case, self.assumptions)

    # ------------------------------------------------------------------------------------- the best sizes
    @cached_property
    def best(self) -> SettledYear:
        """The best sizes, settled."""
        return self._settled(self.explorer.best(self.assumptions))

    @cached_property
    def without(self) -> SettledYear:
        """The site without battery and solar roof, behind the connection that is then best, settled."""
        return self._settled(self.explorer.without(self.assumptions))

    @property
    def sizes(self) -> np.ndarray:
        """The best sizes as they are bought, in the order of `ems.dispatch.sizing.SIZES`."""
        return self.best.sizes

    def _settled(self, sizing: Sizing) -> SettledYear:
        schedule = self.explorer.dispatch().schedule(sizing.sizes)
        portfolio, series = self.case.portfolio_at(sizing.sizes), self.case.series_at(sizing.sizes)
        flows = schedule.flows.drop_vars(["soc", "missing_kw", "spilled_kw"], errors="ignore")
        bought = np.round(self.assumptions.bought(sizing.sizes), SHOWN_DIGITS)
        bill = settle(flows, series, portfolio)
        return SettledYear(sizing, bought, portfolio, series, flows, bill, both_ways_steps(schedule))

    def bill_a(self, year: SettledYear) -> float:
        """Return what energy costs in a year of the first year's prices, wear included."""
        return year.bill.total_cost * self.case.years_per_horizon

    @cached_property
    def life_cycles(self) -> dict[str, LifeCycle]:
        """The life cycle without and with the investment."""
        return {
            name: self.assumptions.life_cycle(year.sizes, self.bill_a(year))
            for name, year in ((WITHOUT, self.without), (WITH, self.best))
        }

    @cached_property
    def comparison(self) -> Comparison:
        """Whether the investment pays, against doing without."""
        return compare(self.life_cycles[WITH], self.life_cycles[WITHOUT])

    @property
    def npv(self) -> float:
        """Net present value of the best sizes, by their bill."""
        return self.comparison.npv

    @property
    def outlay(self) -> float:
        """What is paid at first more than without."""
        return -float(self.comparison.cash_flows["investment"].iloc[0])

    @property
    def saving_a(self) -> float:
        """What the bill of the first year is less."""
        return self.bill_a(self.without) - self.bill_a(self.best)

    # ------------------------------------------------------------------------------------- beside it
    @cached_property
    def by_rule(self) -> tuple[float, float] | str:
        """Saving of a year and net present value where the battery only follows the sun; or why that is not known.

        The rule charges what is left over and discharges into demand, behind a connection as large as that needs. It
        knows no price and no tomorrow: what it saves is sure, and what perfect foresight saves more is what forecasts
        have to earn.
        """
        worn = self.best.sizing.sizes.copy()
        worn[CONNECTION_KW] = self.case.ranges[CONNECTION_KW].highest
        series, portfolio = self.case.series_at(worn), self.case.portfolio_at(worn)
        try:
            ruled = self_consumption(series, portfolio, self.case.horizon)
        except InvalidInput as error:
            return str(error)
        if ruled.violations:
            return ruled.violations[0]
        bought_kwh = self.without.kwh("import_kw")
        price = self.without.bill.total_cost / bought_kwh if bought_kwh > 0 else 0.0
        bill = settle(ruled.flows, ruled.series, ruled.portfolio).total_cost
        bill_a = (bill - stored_value(ruled.flows, ruled.portfolio, price)) * self.case.years_per_horizon
        sizes = self.sizes.copy()
        sizes[CONNECTION_KW] = max(float(ruled.total_kw(f"{way}_kw").max()) for way in ("import", "export"))
        cycle = self.assumptions.life_cycle(sizes, bill_a)
        return self.bill_a(self.without) - bill_a, compare(cycle, self.life_cycles[WITHOUT]).npv

    @cached_property
    def storage_cost_per_kwh(self) -> Figure:
        """What a kWh given by the battery costs over its lives, without the energy that it takes and its wear."""
        return self._levelized((BATTERY_KWH, BATTERY_KW), self.best.kwh("discharge_kw"))

    @cached_property
    def solar_cost_per_kwh(self) -> Figure:
        """What a kWh of the solar roof costs over its life."""
        return self._levelized((PV_KW,), self.best.kwh("used_kw"))

    def _levelized(self, places: tuple[int, ...], energy_kwh: float) -> Figure:
        """Return what equipment costs for each kWh that it gives in the years of the project."""
        terms = self.assumptions.terms
        if energy_kwh <= 0:
            return undefined("nothing of it is bought")
        flows = sum(self.assumptions.equipment[at].yearly(float(self.sizes[at]), terms)["net"] for at in places)
        given_kwh = np.append(0.0, np.full(terms.project_a, energy_kwh * self.case.years_per_horizon))
        return levelized_cost_per_kwh(-np.asarray(flows), given_kwh, terms.discount_share_per_a)

    def emissions_kg_a(self, year: SettledYear) -> float:
        """Return the carbon dioxide of the energy from the grid in a year."""
        intensity: Any = self.case.connection.co2_intensity_kg_per_kwh
        series, asset_id = self.case.series, self.case.sized.connection_id
        if "co2_intensity_kg_per_kwh" in series and self.study.co2_intensity_kg_per_kwh is None:
            given = series["co2_intensity_kg_per_kwh"].sel(asset=asset_id).to_numpy()
            intensity = intensity if np.isnan(given).any() else given
        energy_kwh = year.kw("import_kw") * year.flows.step_h.to_numpy()
        return float(np.sum(energy_kwh * intensity)) * self.case.years_per_horizon

    @cached_property
    def sweep(self) -> pd.DataFrame:
        """What sizes of battery and solar roof on a grid cost in a year, by their bill."""
        connection_kw = float(self.without.sizes[CONNECTION_KW])
        return self.explorer.sweep(self.study.sweep_points, self._bill_at, self.sizes, connection_kw)

    def _bill_at(self, sizes: np.ndarray) -> float:
        """Return the bill of the horizon at sizes, worn, from their schedule by meter and contract."""
        schedule = self.explorer.dispatch().schedule(sizes)
        return settle(schedule.flows, self.case.series_at(sizes), self.case.portfolio_at(sizes)).total_cost

    def surface(self) -> pd.DataFrame:
        """Return the cost of a year over battery energy (rows) and solar roof (columns)."""
        sweep = self.sweep.round({"battery_kwh": 3, "pv_kw": 3})
        return sweep.pivot_table(index="battery_kwh", columns="pv_kw", values="cost_a")

    @cached_property
    def tornado(self) -> pd.DataFrame:
        """What the net present value becomes when assumptions change; see `Explorer.tornado`."""
        return self.explorer.tornado(self.best.sizes, self.study.sensitivity_share)

    @cached_property
    def break_even(self) -> pd.DataFrame:
        """At which price battery and solar roof stop to pay; see `Explorer.break_even`."""
        return self.explorer.break_even(self.best.sizes)

    @property
    def best_cost_a(self) -> float:
        """What the best sizes cost in a year, as an annuity, by their bill."""
        return self.life_cycles[WITH].total * self.assumptions.terms.recovery

    def exchange(self) -> dict[str, np.ndarray]:
        """Return the power from the grid without and with the investment, in kW, shape (steps,)."""
        return {WITHOUT: self.without.exchange_kw, WITH: self.best.exchange_kw}

    # ------------------------------------------------------------------------------------- in words
    def caption(self) -> str:
        """Return what it is about."""
        return f"Sizing of {self.case.portfolio.sites[0].name}"

    def data(self) -> ReportData:
        """Return the data that stand beside the report."""
        from ems.studies.study_data import data_of_sizing

        return data_of_sizing(self)

    def headline(self) -> list[tuple[str, str]]:
        """Return the answer in a few figures."""
        return sizing_words.headline(self)

    def conclusion(self) -> str:
        """Return the answer in a few sentences."""
        return " ".join(sizing_words.conclusion(self))

    def notes(self) -> list[str]:
        """Return what a reader should know: what was assumed, left out, or broken."""
        return sizing_words.notes(self)

    def proof(self) -> dict[str, Any]:
        """Return how good the best sizes are, and how that is known."""
        return sizing_words.proof(self)

    def size_rows(self) -> list[dict[str, Any]]:
        """Return each size with its bounds and prices, as a table shows them."""
        return sizing_words.size_rows(self)

    def finance_figures(self) -> dict[str, object]:
        """Return whether the investment pays, in words."""
        return sizing_words.finance_figures(self)

    def break_even_prices(self) -> list[tuple[str, float, float | None]]:
        """Return each part with its price and the price up to which it pays."""
        return sizing_words.break_even_prices(self)

    def life_cycle_parts(self) -> dict[str, pd.DataFrame]:
        """Return the present value of each part of both life cycles."""
        return {name: one.parts for name, one in self.life_cycles.items()}
