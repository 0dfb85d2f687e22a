"""Policies: what a site is ordered to do at each decision, by no control, by rules, or by plans."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from ems.assets.battery import Battery
from ems.assets.grid_connection import GridConnection
from ems.assets.variable_renewable import VariableRenewable
from ems.dispatch.rolling import WindowPlan, WindowPlanner, WindowState
from ems.dispatch.rolling_portfolio import as_planned, peak_slots, window_problem
from ems.dispatch.rolling_rows import RiskAversion
from ems.errors import Infeasible, NoSolution
from ems.settlement.plant import Order
from ems.studies.rolling_case import Key, RollingCase
from ems.studies.rolling_ends import SEGMENTS, EndValues, end_values_of
from ems.studies.rolling_forecasts import OwnForecasts, Tables, in_window_steps
from ems.studies.rolling_peaks import Peaks
from ems.studies.rolling_tiers import tier_prices

IDLE_KW = 1e-3
"""A planned power below this is none."""


@dataclass
class Orders:
    """What is ordered until the next decision.

    Parameters
    ----------
    by_site : list of mapping of str to Order
        For each measured step until the next decision, by site.
    planned : mapping of (asset, name) to list of float
        What the plan expects in these steps; empty of a rule.
    note : str
        What a reader should know; empty where all went well.
    """

    by_site: list[dict[str, Order]]
    planned: dict[Key, list[float]] = field(default_factory=dict)
    note: str = ""


class Policy(Protocol):
    """What a loop asks at each decision."""

    name: str

    def decide(self, k: int, contents_kwh: Mapping[str, float], peaks: Peaks) -> Orders:
        """Return the orders of decision ``k``."""

    def reset(self) -> None:
        """Forget what would make the next decision depend on how this one was reached."""

    def memory(self) -> dict[str, Any]:
        """Return what is carried on from decision to decision, as arrays by name."""

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Carry on from a memory."""


class Rule:
    """A policy without a plan.

    Parameters
    ----------
    name : str
    case : RollingCase
    """

    def __init__(self, name: str, case: RollingCase) -> None:
        self.name, self.case = name, case

    def reset(self) -> None:
        """Forget nothing: a rule has no memory."""

    def memory(self) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Carry nothing on."""

    def decide(self, k: int, contents_kwh: Mapping[str, float], peaks: Peaks) -> Orders:
        """Return the orders of a decision, one for each step."""
        at = int(self.case.decisions[k])
        return Orders(
            [
                {site.id: self.order(at + ahead, site.id) for site in self.case.portfolio.sites}
                for ahead in range(self.case.per_decision)
            ]
        )

    def order(self, at: int, site_id: str) -> Order:
        """Return the order of a site in a step."""
        raise NotImplementedError


class NoControl(Rule):
    """Batteries rest."""

    def order(self, at: int, site_id: str) -> Order:
        """Return an order that asks for nothing."""
        return Order()


class SelfConsumption(Rule):
    """Charge from what generation is left over, discharge into demand."""

    def order(self, at: int, site_id: str) -> Order:
        """Return an order that keeps the exchange with the grid at zero as far as batteries can."""
        return Order(least_kw=0.0, most_kw=0.0)


class TimeOfUse(Rule):
    """Store in the cheap hours of a day, give back in its dear ones, keep what generation is left over.

    Dear is above the middle of the day's lowest and highest price, cheap at most a tenth above the lowest; grid energy
    is stored only where the dear hours pay for its losses and wear.
    """

    def order(self, at: int, site_id: str) -> Order:
        """Return the order of a site in a step by the prices of its local day."""
        lowest, highest, price = self._day(at, site_id)
        batteries = [one for one in self.case.batteries if one.site_id == site_id]
        is_dear = price > (lowest + highest) / 2
        is_cheap = price <= lowest + 0.1 * (highest - lowest)
        if is_dear or highest - lowest < 1e-9:
            return Order(least_kw=0.0, most_kw=0.0)
        pays = [
            one
            for one in batteries
            if is_cheap and (highest - one.degradation_cost_per_kwh) * one.round_trip_efficiency > lowest
        ]
        return Order({one.id: -one.charge_limit_kw for one in pays}, least_kw=0.0)

    def _day(self, at: int, site_id: str) -> tuple[float, float, float]:
        connection = next(one for one in self.case.connections if one.site_id == site_id)
        prices = self.case.truth[connection.id, "import_price_per_kwh"]
        if not hasattr(self, "_extremes"):
            self._extremes: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        if connection.id not in self._extremes:
            days = self.case.local_days()
            first = np.searchsorted(days, days)
            starts = np.unique(first)
            lowest, highest = np.minimum.reduceat(prices, starts), np.maximum.reduceat(prices, starts)
            place = np.searchsorted(starts, first)
            self._extremes[connection.id] = lowest[place], highest[place]
        low, high = self._extremes[connection.id]
        return float(low[at]), float(high[at]), float(prices[at])


class Planned:
    """A policy that plans a window at each decision and carries out its first steps.

    Parameters
    ----------
    name : str
    case : RollingCase
    tables : mapping of (asset, name) to ndarray (decisions, measured steps)
        What is forecast at each decision.
    perfect : mapping of (asset, name) to ndarray (decisions, measured steps)
        What truly comes: of series that nobody has to forecast, it is known.
    several : OwnForecasts, optional
        Forecasts from whose past errors scenarios are made, which share their first powers; None plans for one future.
    """

    def __init__(
        self,
        name: str,
        case: RollingCase,
        tables: Tables,
        perfect: Tables,
        *,
        several: OwnForecasts | None = None,
    ) -> None:
        self.name, self.case = name, case
        self.tables, self.several = tables, several
        is_stochastic = several is not None
        self._sites = _sites_of(case)
        self._charges = {one.id: [] for one in case.connections}  # type: ignore[var-annotated]
        slots = peak_slots(case.portfolio, case.settings.horizon_h)
        for one in slots:
            self._charges[one.asset_id].append(one)
        first = {key: in_window_steps(values[0], case.per_step) for key, values in {**perfect, **tables}.items()}
        problem = window_problem(case.portfolio, case.window_horizon(int(case.decisions[0])), first)
        settings = case.settings
        common = -(-case.per_decision // case.per_step)
        risk = RiskAversion(settings.cvar_weight, settings.cvar_level) if settings.cvar_weight > 0 else None
        self.planner = WindowPlanner(
            problem,
            slots,
            segments=SEGMENTS,
            scenarios=settings.scenarios if is_stochastic else 1,
            common_steps=common,
            risk=risk if is_stochastic else None,
            calm_price_per_kwh=settings.calm_price_per_kwh,
        )
        reads = set(self.planner.reads)
        self._series = {
            key: in_window_steps(values, case.per_step)
            for key, values in {**perfect, **tables}.items()
            if key in reads
        }
        planned = as_planned(case.portfolio)
        self._bounds = {
            one.id: (one.min_soc * one.content_kwh, one.max_soc * one.content_kwh)
            for one in planned.active()
            if isinstance(one, Battery)
        }
        self._ends: dict[str, EndValues] = {one.id: end_values_of(case, one) for one in case.batteries}
        self._tiers = tier_prices(case)
        self._before: dict[str, np.ndarray] = {}
        self._before_k = -1
        self._last: tuple[WindowPlan, int] | None = None
        self._last_rows: dict[Key, np.ndarray] = {}
        self.flips: list[tuple[int, int]] = []

    def reset(self) -> None:
        """Forget the solver's basis."""
        self.planner.reset()

    def memory(self) -> dict[str, Any]:
        """Return the last plan."""
        found: dict[str, Any] = {"before_k": np.array(self._before_k)}
        found |= {f"before/{asset_id}": values for asset_id, values in self._before.items()}
        found |= {f"rows/{owner}/{name}": values for (owner, name), values in self._last_rows.items()}
        found["flips"] = np.array(self.flips, dtype=int).reshape(-1, 2)
        return found

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Carry on from a plan."""
        self._before_k = int(memory["before_k"])
        self._before = {name.split("/")[1]: memory[name] for name in memory if name.startswith("before/")}
        self._last_rows = {}
        for name in memory:
            if name.startswith("rows/"):
                _, owner, variable = name.split("/")
                self._last_rows[owner, variable] = memory[name]
        self.flips = [tuple(row) for row in memory["flips"].tolist()]

    # ------------------------------------------------------------------------------------------ a decision
    def decide(self, k: int, contents_kwh: Mapping[str, float], peaks: Peaks) -> Orders:
        """Return the orders of a decision: the first steps of its plan, or of the one before where it fails."""
        t = int(self.case.decisions[k]) - self.case.begin
        states = peaks.states(t)
        state = self._state(k, t, contents_kwh, states)
        try:
            plan = self.planner.plan(self._window_series(k, t, peaks), state)
        except (Infeasible, NoSolution) as error:
            self.planner.reset()
            return self._fallen_back(k, str(error))
        rows = self._rows_of(plan)
        self._count_flips(k, rows)
        self._last_rows, self._before_k = rows, k
        self._before = {
            one.id: rows[one.id, "discharge_kw"] - rows[one.id, "charge_kw"] for one in self.case.batteries
        }
        caps = {
            one.id: max(peaks.free_kw(states, one.id), self._planned_peak(plan, one.id, states))
            for one in self.case.connections
        }
        return self._orders(rows, 0, caps)

    def _window_series(self, k: int, t: int, peaks: Peaks) -> dict[Key, np.ndarray]:
        series = {key: values[k] for key, values in self._series.items()}
        for one in self._tiers:
            prices = one.of_window(t, peaks.month_kwh(one.connection.id, t))
            series |= {key: in_window_steps(values, self.case.per_step) for key, values in prices.items()}
        if self.several is not None:
            settings = self.case.settings
            paths = self.several.paths(k, settings.scenarios, settings.seed)
            for key, values in (paths or {}).items():
                if key in series:
                    series[key] = in_window_steps(values, self.case.per_step)
        return series

    def _state(self, k: int, t: int, contents_kwh: Mapping[str, float], states: Any) -> WindowState:
        contents = {
            asset_id: min(max(content, self._bounds[asset_id][0]), self._bounds[asset_id][1])
            for asset_id, content in contents_kwh.items()
        }
        before = {}
        if self.case.settings.calm_price_per_kwh > 0 and self._before:
            moved = (k - self._before_k) * self.case.per_decision // self.case.per_step
            for asset_id, values in self._before.items():
                shifted = np.full(len(values), np.nan)
                shifted[: len(values) - moved] = values[moved:]
                before[asset_id] = shifted
        ends = {one: values(t, contents[one]) for one, values in self._ends.items()}
        return WindowState(
            contents_kwh=contents,
            end_widths_kwh={one: widths for one, (widths, _) in ends.items()},
            end_values_per_kwh={one: values for one, (_, values) in ends.items()},
            peaks=states,
            before_kw=before,
        )

    def _planned_peak(self, plan: WindowPlan, connection_id: str, states: Any) -> float:
        """Return the import up to which a plan goes in the period that has begun; without a limit where none is."""
        found = -math.inf
        for one in self._charges[connection_id]:
            if one.way == "import" and (one.name, 0) in states:
                found = max(found, float(plan.mean_of(one.owner, "peak_kw_0")[0]) / one.per_kw)
        return math.inf if found == -math.inf else found

    def _rows_of(self, plan: WindowPlan) -> dict[Key, np.ndarray]:
        """Return the plan's powers: of batteries what all scenarios share, of others their mean."""
        rows = {}
        for asset in self.case.portfolio.active():
            if isinstance(asset, Battery):
                names: tuple[str, ...] = ("charge_kw", "discharge_kw")
            elif isinstance(asset, GridConnection):
                names = ("import_kw", "export_kw")
            elif isinstance(asset, VariableRenewable):
                names = ("used_kw",)
            else:
                continue
            for name in names:
                rows[asset.id, name] = plan.mean_of(asset.id, name)
        return rows

    def _count_flips(self, k: int, rows: Mapping[Key, np.ndarray]) -> None:
        """Keep how many steps changed between charging, rest and discharging against the plan before, of how many."""
        if self._before_k < 0:
            return
        moved = (k - self._before_k) * self.case.per_decision // self.case.per_step
        changed = compared = 0
        for one in self.case.batteries:
            before = self._before[one.id][moved:]
            now = (rows[one.id, "discharge_kw"] - rows[one.id, "charge_kw"])[: len(before)]
            edge = 0.02 * one.rated_power_kw
            signs = [np.where(np.abs(power) > edge, np.sign(power), 0.0) for power in (before, now)]
            changed += int((signs[0] != signs[1]).sum())
            compared += len(before)
        self.flips.append((changed, compared))

    def _fallen_back(self, k: int, reason: str) -> Orders:
        """Return the orders of the last plan for the steps of this decision."""
        when = f"{self.case.times[int(self.case.decisions[k])]:%Y-%m-%d %H:%M} UTC"
        if self._before_k < 0:
            sites = self.case.portfolio.sites
            rest = [{site.id: Order(least_kw=0.0, most_kw=0.0) for site in sites}] * self.case.per_decision
            return Orders(rest, note=f"{when}: {reason}; there was no plan before, self-consumption stood in")
        moved = (k - self._before_k) * self.case.per_decision // self.case.per_step
        some = next(iter(self._last_rows.values()))
        if moved >= len(some):
            moved = len(some) - 1
        found = self._orders(self._last_rows, moved, dict.fromkeys(self._charges, math.inf))
        found.note = f"{when}: {reason}; the plan of {moved} steps before was used"
        return found

    def _orders(self, rows: Mapping[Key, np.ndarray], first: int, caps_kw: Mapping[str, float]) -> Orders:
        """Return the orders of the steps until the next decision, from a step of a plan on."""
        case, by_site = self.case, []
        steps = [
            min(first + ahead // case.per_step, case.window_steps // case.per_step - 1)
            for ahead in range(case.per_decision)
        ]
        planned = {key: [float(values[step]) for step in steps] for key, values in rows.items()}
        for ahead in range(case.per_decision):
            of_step = {}
            for site_id, (connection_id, batteries, renewables) in self._sites.items():
                powers = {
                    one: planned[one, "discharge_kw"][ahead] - planned[one, "charge_kw"][ahead] for one in batteries
                }
                exports = planned[connection_id, "export_kw"][ahead]
                imports = planned[connection_id, "import_kw"][ahead]
                least, most = -math.inf, math.inf
                if case.settings.control == "follow":
                    least, most = _band(imports, exports, caps_kw[connection_id])
                most_export = math.inf
                if renewables and self._curtails(planned, renewables, steps[ahead], ahead):
                    most_export = max(exports, 0.0)
                of_step[site_id] = Order(powers, least, most, most_export)
            by_site.append(of_step)
        return Orders(by_site, planned)

    def _curtails(self, planned: Mapping[Key, list[float]], renewables: list[str], step: int, ahead: int) -> bool:
        """Return whether a plan leaves available power unused in a step."""
        for one in renewables:
            available = self._series[one, "available_kw"][self._before_k][step]
            if available - planned[one, "used_kw"][ahead] > IDLE_KW:
                return True
        return False


def _band(imports_kw: float, exports_kw: float, cap_kw: float) -> tuple[float, float]:
    """Return the band of the exchange with the grid that keeps what the plan is about: its sign, and the peak."""
    if imports_kw > IDLE_KW:
        return 0.0, max(cap_kw, 0.0)
    if exports_kw > IDLE_KW:
        return -math.inf, 0.0
    return 0.0, 0.0


def _sites_of(case: RollingCase) -> dict[str, tuple[str, list[str], list[str]]]:
    found = {}
    for connection in case.connections:
        here = [one for one in case.portfolio.active() if one.site_id == connection.site_id]
        found[connection.site_id] = (
            connection.id,
            [one.id for one in here if isinstance(one, Battery)],
            [one.id for one in here if isinstance(one, VariableRenewable)],
        )
    return found
