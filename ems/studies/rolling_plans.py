"""Policies that plan: at each decision a window on forecasts, of which the first steps are carried out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

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
from ems.studies.rolling_forecasts import Tables, in_window_steps
from ems.studies.rolling_orders import Orders
from ems.studies.rolling_own import OwnForecasts
from ems.studies.rolling_peaks import Peaks
from ems.studies.rolling_tiers import tier_prices

IDLE_KW = 1e-3
"""A planned power below this is none."""


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
