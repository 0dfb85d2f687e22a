"""TariffsView: one meter billed under many tariffs, ranked, and what a battery saves under each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ems.assets.battery import Battery
from ems.display import Answer
from ems.errors import InvalidInput
from ems.settlement.baseline import Baseline, no_battery, self_consumption, stored_value
from ems.settlement.investment import Finance, Investment, finance_of
from ems.settlement.tariff_bill import bill_of
from ems.studies.dispatch_words import SMALL
from ems.studies.objective_words import money
from ems.studies.tariffs_source import MeteredSite, given_series
from ems.tariffs.description import describe
from ems.tariffs.price_table import price_table, tariff_price_table
from ems.tariffs.prices import contract_prices
from ems.tariffs.tariff import Tariff

if TYPE_CHECKING:
    from ems.report.data_files import ReportData
    from ems.studies.tariffs import TariffsStudy

HOURS_PER_A = 8760
NEAR_A_YEAR_H = 24
"""A leap year is a year, too."""
WITHOUT, WITH = "no_battery", "self_consumption"
CHARGES = (
    "import_cost", "levy_cost", "demand_cost", "capacity_cost", "fixed_cost", "minimum_cost", "tax_cost",
    "export_revenue", "year_end_revenue", "stored_energy_value",
)  # fmt: skip
"""Types of cost in the order of an invoice; the last one is what a battery holds more at the end."""


@dataclass(frozen=True, repr=False)
class TariffsView(Answer):
    """A site's bills under each tariff.

    Parameters
    ----------
    metered : MeteredSite
    study : TariffsStudy
        Whether batteries run, and the assumptions of their finance.
    """

    metered: MeteredSite
    study: TariffsStudy

    @property
    def currency(self) -> str:
        """Currency of all money."""
        return self.metered.portfolio.currency

    @property
    def batteries(self) -> list[Battery]:
        """Batteries of the site that run."""
        if not self.study.with_battery:
            return []
        return [asset for asset in self.metered.portfolio.active() if isinstance(asset, Battery)]

    @cached_property
    def operations(self) -> dict[str, Baseline]:
        """How the site runs: without a battery, and where it has one, by the rule of self-consumption."""
        given = self.metered.series, self.metered.portfolio, self.metered.horizon
        found = {WITHOUT: no_battery(*given)}
        if self.batteries:
            found[WITH] = self_consumption(*given)
        return found

    @property
    def operation(self) -> str:
        """The way of running that tariffs are ranked by: with a battery where there is one."""
        return WITH if WITH in self.operations else WITHOUT

    @cached_property
    def _billed(self) -> tuple[dict[str, dict[str, pd.DataFrame]], dict[str, str]]:
        bills: dict[str, dict[str, pd.DataFrame]] = {}
        refused = {}
        for tariff in self.metered.tariffs:
            try:
                bills[tariff.id] = {name: self._bill(tariff, flows) for name, flows in self.operations.items()}
            except InvalidInput as error:
                refused[tariff.id] = str(error)
        if not bills:
            raise InvalidInput("the tariffs", list(refused.values()))
        return bills, refused

    @property
    def bills(self) -> dict[str, dict[str, pd.DataFrame]]:
        """Lines of the bill by tariff and way of running."""
        return self._billed[0]

    @property
    def refused(self) -> dict[str, str]:
        """Tariffs that cannot be billed here, each with its reason."""
        return self._billed[1]

    def _bill(self, tariff: Tariff, flows: Baseline) -> pd.DataFrame:
        connection, series = self.metered.connection, self.metered.series
        charges = (*tariff.demand_charges, *connection.demand_charges)
        export_kw = flows.total_kw("export_kw")
        return bill_of(
            tariff,
            self.metered.horizon,
            self.metered.timezone,
            flows.total_kw("import_kw"),
            export_kw,
            self_consumed_kw=np.maximum(flows.total_kw("used_kw") - export_kw, 0.0),
            market_price_per_kwh=self._market_price(),
            series=given_series(series, connection, charges),
            demand_charges=connection.demand_charges,
        )

    def _market_price(self) -> np.ndarray | None:
        series, asset_id = self.metered.series, self.metered.connection.id
        if "import_price_per_kwh" not in series or asset_id not in series.asset.values:
            return None
        values: np.ndarray = series["import_price_per_kwh"].sel(asset=asset_id).to_numpy()
        return None if np.isnan(values).all() else values

    # ------------------------------------------------------------------------------------- what it costs
    def names(self) -> dict[str, str]:
        """Return what people call each tariff that was billed, by id."""
        return {one.id: one.name for one in self.metered.tariffs if one.id in self.bills}

    def cost(self, tariff_id: str, operation: str) -> float:
        """Return what the site costs under a tariff, as if its batteries ended with what they began with."""
        return float(self.bills[tariff_id][operation]["cost"].sum()) - self._stored_value(tariff_id, operation)

    def _stored_value(self, tariff_id: str, operation: str) -> float:
        """Return the worth of the change of stored energy, at what an imported kWh costs on average without it."""
        flows = self.operations[operation]
        return stored_value(flows.flows, flows.portfolio, self.energy_price(tariff_id))

    def energy_price(self, tariff_id: str) -> float:
        """Return what a kWh from the grid costs on average without a battery, with its levies; 0 where none is."""
        lines = self.bills[tariff_id][WITHOUT]
        paid = lines.loc[lines["cost_type"].isin(["import_cost", "levy_cost"]), "cost"].sum()
        bought_kwh = float(self.operations[WITHOUT].total_kw("import_kw") @ self.metered.horizon.step_h)
        return float(paid) / bought_kwh if bought_kwh > 0 else 0.0

    @cached_property
    def ranking(self) -> pd.DataFrame:
        """Tariffs by rising cost.

        Index ``tariff``; columns ``name``, ``cost``, ``cost_per_kwh`` of what the site uses, ``saving`` against the
        present tariff (NaN where none is known), ``cost_without_battery``, ``battery_saving``, ``is_present``.
        """
        present = self.present
        used_kwh = float(self.operations[WITHOUT].total_kw("demand_kw") @ self.metered.horizon.step_h)
        rows = []
        for tariff_id, name in self.names().items():
            cost, without = (self.cost(tariff_id, operation) for operation in (self.operation, WITHOUT))
            rows.append(
                {
                    "tariff": tariff_id,
                    "name": name,
                    "cost": cost,
                    "cost_per_kwh": cost / used_kwh if used_kwh > 0 else np.nan,
                    "saving": np.nan if present is None else self.cost(present, self.operation) - cost,
                    "cost_without_battery": without,
                    "battery_saving": without - cost,
                    "is_present": tariff_id == present,
                }
            )
        return pd.DataFrame(rows).set_index("tariff").sort_values("cost", kind="stable")

    @property
    def present(self) -> str | None:
        """Tariff that the connection has, where it was billed."""
        return self.metered.connection.tariff_id if self.metered.connection.tariff_id in self.bills else None

    @property
    def best(self) -> str:
        """The tariff of the least cost."""
        return str(self.ranking.index[0])

    def charges(self) -> pd.DataFrame:
        """Return money by type of cost (rows) and tariff (columns, by rising cost); an income is negative."""
        columns = {}
        for tariff_id in map(str, self.ranking.index):
            sums = self.bills[tariff_id][self.operation].groupby("cost_type")["cost"].sum()
            stored = -self._stored_value(tariff_id, self.operation)
            columns[tariff_id] = sums.reindex(CHARGES).fillna(0.0) + pd.Series(
                {"stored_energy_value": stored}
            ).reindex(CHARGES, fill_value=0.0)
        table = pd.DataFrame(columns)
        table = table[(table.abs() >= SMALL).any(axis=1)]
        return table.rename(columns=self.names())

    def months(self) -> pd.DataFrame:
        """Return what each month (rows) costs by its bill under each tariff (columns, by rising cost)."""
        found = {
            name: self.bills[tariff_id][self.operation].groupby("month")["cost"].sum()
            for tariff_id, name in ((one, self.names()[one]) for one in map(str, self.ranking.index))
        }
        return pd.DataFrame(found).fillna(0.0)

    def invoice(self) -> pd.DataFrame:
        """Return the lines of the cheapest tariff's bill in its dearest month."""
        lines = self.bills[self.best][self.operation]
        dearest = lines.groupby("month")["cost"].sum().idxmax()
        return lines[lines["month"] == dearest].reset_index(drop=True)

    # ------------------------------------------------------------------------------------- what it says
    def descriptions(self) -> dict[str, tuple[str, ...]]:
        """Return each tariff in sentences, by name."""
        return {one.name: describe(one, self.currency) for one in self.metered.tariffs if one.id in self.bills}

    def price_tables(self) -> dict[str, pd.DataFrame]:
        """Return each tariff's mean price of import by month and hour, by name.

        Of tiers it is the price of the first; of market prices those of the time that is billed.
        """
        found = {}
        for one in self.metered.tariffs:
            if one.id not in self.bills:
                continue
            if one.price_series:
                horizon, timezone = self.metered.horizon, self.metered.timezone
                market = self._market_price()
                imports, _ = contract_prices(
                    one, horizon, timezone, market_price_per_kwh=market, energy_of_month_kwh=0.0
                )
                found[one.name] = price_table(imports, horizon, timezone)
            else:
                found[one.name] = tariff_price_table(one)
        return found

    # ------------------------------------------------------------------------------------- the battery
    @property
    def capital_cost(self) -> float:
        """What the batteries cost, installed; 0 where that is not stated."""
        return sum((one.capital_cost or 0.0) + (one.installation_cost or 0.0) for one in self.batteries)

    @cached_property
    def finance(self) -> dict[str, Finance]:
        """Whether the batteries pay, by tariff; empty where there are none, or their price is not known."""
        if not self.batteries or self.capital_cost <= 0:
            return {}
        return {tariff_id: self._finance(tariff_id) for tariff_id in map(str, self.ranking.index)}

    def _finance(self, tariff_id: str) -> Finance:
        study, bills = self.study, self.bills[tariff_id]
        lives_a = [round(one.calendar_life_a) for one in self.batteries if one.calendar_life_a is not None]
        investment = Investment(
            name="the battery",
            capital_cost=sum(one.capital_cost or 0.0 for one in self.batteries),
            installation_cost=sum(one.installation_cost or 0.0 for one in self.batteries),
            maintenance_cost_per_a=sum(one.maintenance_cost_per_a or 0.0 for one in self.batteries),
            life_a=max(min(lives_a, default=study.life_a), 1),
            discount_share_per_a=study.discount_share_per_a,
            price_escalation_share_per_a=study.price_escalation_share_per_a,
            degradation_share_per_a=study.degradation_share_per_a,
        )
        earned = [
            -float(bills[operation].loc[bills[operation]["cost_type"] == "export_revenue", "cost"].sum())
            for operation in (WITHOUT, WITH)
        ]
        given_kwh = float(self.operations[WITH].total_kw("discharge_kw") @ self.metered.horizon.step_h)
        scale = self.years_per_horizon
        return finance_of(
            investment,
            saving_per_a=float(self.ranking["battery_saving"][tariff_id]) * scale,
            energy_kwh_per_a=given_kwh * scale,
            # What is charged is not sold; that is what charging costs.
            operating_cost_per_a=(earned[0] - earned[1]) * scale,
        )

    def cash_flows(self) -> dict[str, pd.DataFrame]:
        """Return the yearly cash flows of the batteries by the tariff's name."""
        return {self.names()[tariff_id]: one.cash_flows for tariff_id, one in self.finance.items()}

    @property
    def years_per_horizon(self) -> float:
        """What a saving of the time billed is multiplied by to be one of a year."""
        hours = self.metered.horizon.length_h
        return 1.0 if abs(hours - HOURS_PER_A) <= NEAR_A_YEAR_H else HOURS_PER_A / hours

    # ------------------------------------------------------------------------------------- the answer
    def caption(self) -> str:
        """Return what it is about."""
        return f"Tariffs of {self.metered.connection.name}"

    def data(self) -> ReportData:
        """Return the data that stand beside the report."""
        from ems.studies.study_data import data_of_tariffs

        return data_of_tariffs(self)

    def headline(self) -> list[tuple[str, str]]:
        """Return the answer in a few figures."""
        best = self.ranking.iloc[0]
        found = [
            ("Cheapest tariff", str(best["name"])),
            ("Its cost", money(best["cost"], self.currency)),
            ("Tariffs compared", str(len(self.ranking))),
        ]
        if self.present is not None:
            found.append(("Saving against present", money(best["saving"], self.currency)))
        if self.batteries:
            found.append(("Battery saves", money(best["battery_saving"], self.currency)))
        if self.finance:
            found.append(("Net present value", money(self.finance[self.best].npv, self.currency)))
        return found

    def conclusion(self) -> str:
        """Return the answer in a few sentences."""
        return " ".join([*self._of_tariffs(), *self._of_battery()])

    def _of_tariffs(self) -> Iterator[str]:
        ranking, currency = self.ranking, self.currency
        best = ranking.iloc[0]
        local = self.metered.horizon.local_times(self.metered.timezone)
        days = f"{local[0]:%Y-%m-%d} to {local[-1]:%Y-%m-%d}"
        yield f"From {days}, '{best['name']}' would have cost the least: {money(best['cost'], currency)}."
        if self.present == self.best:
            yield "It is the tariff that the site has."
        elif self.present is not None:
            now = self.cost(self.present, self.operation)
            more = money(now - self.cost(self.best, self.operation), currency)
            yield f"The present tariff, '{self.names()[self.present]}', costs {money(now, currency)}, {more} more."
        if len(ranking) > 1 and ranking.index[-1] != self.present:
            dearest = ranking.iloc[-1]
            yield f"The dearest is '{dearest['name']}' with {money(dearest['cost'], currency)}."
        if self.refused:
            yield f"{len(self.refused)} more could not be billed."

    def _of_battery(self) -> Iterator[str]:
        if not self.batteries:
            return
        savings = {str(one): float(saving) for one, saving in self.ranking["battery_saving"].items()}
        most, least = max(savings, key=savings.__getitem__), min(savings, key=savings.__getitem__)
        said = [
            f"{money(savings[one], self.currency)} under '{self.names()[one]}'"
            for one in dict.fromkeys((self.best, most, least))
        ]
        yield f"Run for self-consumption, the battery saves {joined(said)}."
        if not self.finance:
            return
        found = self.finance[self.best]
        value = money(abs(found.npv), self.currency)
        if found.npv < 0:
            yield f"Under the cheapest tariff it does not pay: its net present value is {value} below zero."
        else:
            back = f" after {found.payback_a.value:.1f} years" if found.payback_a.is_defined else ""
            yield f"Under the cheapest tariff it pays back{back}; its net present value is {value}."

    def notes(self) -> list[str]:
        """Return what a reader should know: what was assumed, left out, or broken."""
        found = list(self.metered.series.attrs.get("notes", ()))
        found += [f"left out: {reason}" for reason in self.refused.values()]
        for name, flows in self.operations.items():
            found += [f"{name.replace('_', ' ')}: {violation}" for violation in flows.violations]
        if self.finance and self.years_per_horizon != 1:
            found.append(
                f"the battery's savings of {self.metered.horizon.length_h:g} h were scaled to a year for its finance"
            )
        return found

    def assumptions(self) -> dict[str, Any]:
        """Return what a battery's finance rests on, in words."""
        if not self.finance:
            return {"Battery": "none whose price is known"}
        study, flows = self.study, self.finance[self.best].cash_flows
        return {
            "Price with installation": money(self.capital_cost, self.currency),
            "Life": f"{int(flows.index[-1])} years",
            "Discount rate": f"{study.discount_share_per_a:.2%}",
            "Rise of prices a year": f"{study.price_escalation_share_per_a:.2%}",
            "Loss of capacity a year": f"{study.degradation_share_per_a:.2%}",
        }


def joined(words: list[str]) -> str:
    """Return words as people list them.

    >>> joined(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join([*([", ".join(words[:-1])] if words[:-1] else []), *words[-1:]])
