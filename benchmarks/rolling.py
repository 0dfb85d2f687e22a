"""How much of what foresight would earn plans on forecasts do earn, and how long a year of them takes.

    python -m benchmarks.rolling [--data FOLDER] [--homes 1 2 4 5] [--days 364] [--tariffs tou market demand]
                                 [--policies NAME ...] [--options] [--ledger] [--speed] [--markdown]

Homes with solar power and a battery of 6.4 kWh and 5 kW, decided hour by hour over 36 h. Tariffs are their own time
of use (``tou``), German hourly prices for what is bought and sold (``market``), the same with 10 ct/kWh of fees on
what is bought and 6 ct/kWh for what is sold (``fees``), and time of use with a charge on the peak of each month
(``demand``). The series lie outside the repository, by default in ``../shared/data``. Times are CPU seconds of one
thread; forecasts are made beforehand and timed apart.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ems.assets.battery import Battery
from ems.assets.grid_connection import GridConnection
from ems.assets.load import Load
from ems.assets.portfolio import Portfolio, Site
from ems.assets.solar_pv import SolarPV
from ems.studies.rolling_case import Key, RollingCase, RollingSettings
from ems.studies.rolling_ledger import regret_ledger
from ems.studies.rolling_run import forecasts_for, policy_of, run_policies
from ems.tariffs.demand_charge import DemandCharge

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data"
HOMES = (1, 2, 4, 5)
SOLAR_KW = {1: 4.0, 2: 4.0, 4: 5.0, 5: 4.0}
TARIFFS = ("tou", "market", "fees", "demand")
POLICIES = (
    "no_control",
    "self_consumption",
    "time_of_use",
    "plan_naive",
    "plan_own",
    "hedged",
    "plan_perfect",
    "perfect_foresight",
)
MODELS = dict.fromkeys(("load", "solar", "price"), "profile_ridge")
EXPORT_PRICE, FEES = 0.06, 0.10
DEMAND = DemandCharge(name="month", rate_per_kw=4.0, minimum_kw=2.5)
"""About what a kW of the monthly peak costs a home in Flanders, where at least 2.5 kW are billed."""
LEAST_CLOSED, MOST_OVER = 0.8, 0.03
MOST_S = 60.0
FIRST_DAY = 1
"""Of the data; a naive forecast needs a day before."""


@dataclass(frozen=True)
class Aim:
    """What is to be reached, and what was."""

    what: str
    reached: str
    wanted: str
    holds: bool


def home_case(folder: Path, home: int, tariff: str, days: int, **settings: Any) -> RollingCase:
    """Return a home with a tariff over so many days."""
    table = pd.read_csv(folder / "site_fontana_hourly.csv", index_col=0)
    table.index = pd.to_datetime(table.index, utc=True)
    imports = table["tariff_usd_kwh"].to_numpy()
    exports = np.full(len(table), EXPORT_PRICE)
    if tariff in ("market", "fees"):
        market = pd.read_csv(folder / "price_de_hourly.csv", index_col=0)["price_eur_mwh"]
        market.index = pd.to_datetime(market.index, utc=True)
        per_kwh = market[~market.index.duplicated()].reindex(table.index).ffill().to_numpy() / 1000
        imports = per_kwh + (FEES if tariff == "fees" else 0.0)
        exports = exports if tariff == "fees" else per_kwh.copy()
    portfolio = Portfolio(
        currency="EUR" if tariff in ("market", "fees") else "USD",
        sites=(Site(id="home", timezone="America/Los_Angeles", country="US"),),
        assets=(
            Battery(
                id="battery", site_id="home", capacity_kwh=6.4, max_charge_kw=5, max_discharge_kw=5,
                round_trip_efficiency=0.9, min_soc=0, max_soc=1, initial_soc=0, degradation_cost_per_kwh=0.01,
            ),
            SolarPV(id="roof", site_id="home", rated_capacity_kw=SOLAR_KW[home]),
            GridConnection(
                id="grid", site_id="home", max_import_kw=20, max_export_kw=20,
                demand_charges=(DEMAND,) if tariff == "demand" else (),
            ),
            Load(id="house", site_id="home", rated_load_kw=20),
        ),
    )  # fmt: skip
    truth: dict[Key, np.ndarray] = {
        ("house", "demand_kw"): table[f"load_b{home}_kw"].to_numpy(dtype=float),
        ("roof", "available_kw"): table[f"pv_b{home}_w_per_kw"].to_numpy(dtype=float) * SOLAR_KW[home] / 1000,
        ("grid", "import_price_per_kwh"): imports,
        ("grid", "export_price_per_kwh"): exports,
    }
    times = pd.DatetimeIndex(table.index.tz_localize(None)).as_unit("ns")
    known = "day_ahead" if tariff in ("market", "fees") else "always"
    begin = FIRST_DAY * 24
    steps = min(24 * days, len(times) - begin)
    return RollingCase(portfolio, times, truth, begin, steps, RollingSettings(prices_known=known, **settings))


def measured(
    folder: Path, home: int, tariff: str, days: int, policies: Sequence[str], *, with_ledger: bool
) -> tuple[dict[str, Any], list[Aim], Any]:
    """Return a home's costs with a tariff, which aims hold, and the regret ledger where it is asked for."""
    case = home_case(folder, home, tariff, days)
    begin = time.process_time()
    forecasts = forecasts_for(case, policies, MODELS)  # type: ignore[arg-type]
    forecast_s = time.process_time() - begin
    result = run_policies(case, policies, MODELS, forecasts=forecasts)  # type: ignore[arg-type]
    costs = result.costs
    best = costs["perfect_foresight"]
    row: dict[str, Any] = {"home": home, "tariff": tariff}
    row |= {policy: round(float(costs[policy]), 2) for policy in policies}
    planned = [policy for policy in policies if policy.startswith("plan") or policy == "hedged"]
    row |= {f"closed, {policy}": result.gap_closed(policy) for policy in planned}
    row |= {f"over optimum, {policy}": costs[policy] / best - 1 for policy in planned}
    row |= {"forecasts, s": forecast_s}
    words = f"home {home}, {tariff}"
    least = float((costs.drop("perfect_foresight") - best).min())
    aims = [Aim(f"{words}: no policy below perfect foresight", f"{least:.4f}", ">= -1e-6", least >= -1e-6)]
    broken = [one for policy in policies for one in result.violations(policy)]
    aims.append(Aim(f"{words}: laws broken in replay", f"{len(broken)}", "0", not broken))
    for policy in planned:
        if tariff == "demand" and policy != "plan_naive":
            over = costs[policy] / best - 1
            what = f"{words}: {policy} over the optimum of whole months"
            aims.append(Aim(what, f"{over:.2%}", f"<= {MOST_OVER:.0%}", over <= MOST_OVER))
        elif tariff != "demand" and policy in ("plan_own", "hedged"):
            closed = result.gap_closed(policy)
            what = f"{words}: gap closed by {policy}"
            aims.append(Aim(what, f"{closed:.1%}", f">= {LEAST_CLOSED:.0%}", closed >= LEAST_CLOSED))
    ledger = None
    if with_ledger:
        ledger = regret_ledger(
            case, result.runs["plan_own"], result.runs["perfect_foresight"], forecasts.own, longer_h=96
        )
        error = abs(ledger.parts["part"].sum() - ledger.total)
        aims.append(Aim(f"{words}: ledger's sum", f"{error:.1e}", "<= 1e-6", error <= 1e-6))
    return row, aims, ledger


def options(folder: Path, home: int, days: int) -> pd.DataFrame:
    """Return what each rule for the end of a window and for peaks costs, with own and with perfect forecasts."""
    from ems.studies.rolling_care import careful
    from ems.studies.rolling_forecasts import own_tables, perfect_tables
    from ems.studies.rolling_loop import run_policy
    from ems.studies.rolling_plans import Planned
    from ems.studies.rolling_result import RollingResult

    rows = []
    for tariff, changes in (
        ("tou", [{"terminal_value": one} for one in ("none", "keep", "mean_price", "quantiles", "duals")]),
        (
            "tou",
            [
                {"horizon_h": 12.0, "terminal_value": one}
                for one in ("none", "keep", "mean_price", "quantiles", "duals")
            ],
        ),
        ("tou", [{"control": one} for one in ("setpoint", "follow")]),
        ("tou", [{"careful_level": one} for one in (0.3, 0.5, 0.6, 0.7, 0.9, None)]),
        ("tou", [{"calm_price_per_kwh": one} for one in (0.0, 0.002, 0.01)]),
        ("demand", [{"demand_value": one} for one in ("none", "increment", "rest_of_period")]),
    ):
        for change in changes:
            case = home_case(folder, home, tariff, days, **change)
            perfect = perfect_tables(case)
            own = careful(case, own_tables(case, MODELS), case.settings.careful_level)  # type: ignore[arg-type]
            row: dict[str, Any] = {"tariff": tariff, "option": ", ".join(f"{k} = {v}" for k, v in change.items())}
            for name, tables in (("own", own), ("perfect", {key: perfect[key] for key in case.kinds})):
                run = run_policy(case, Planned(name, case, tables, perfect))
                found = RollingResult(case, {name: run})
                row[f"cost, {name} forecasts"] = round(float(found.costs[name]), 2)
                row[f"flips a plan, {name}"] = round(float(found.summary.loc[name, "flips_per_plan"]), 2)
            rows.append(row)
            print(row, file=sys.stderr, flush=True)
    return pd.DataFrame(rows)


def speed(folder: Path, days: int) -> list[Aim]:
    """Return what a year of hourly decisions takes, beside HiGHS alone on the same windows, and hedged plans of it."""
    from ems.studies.rolling_loop import run_policy

    hedged = []
    for tariff in ("tou", "demand"):
        case = home_case(folder, HOMES[0], tariff, days)
        forecasts = forecasts_for(case, ("hedged",), MODELS)  # type: ignore[arg-type]
        begin = time.process_time()
        run_policy(case, policy_of("hedged", case, forecasts))
        taken_s = time.process_time() - begin
        what = f"{len(case.decisions):,} hedged plans, {tariff}"
        hedged.append(Aim(what, f"{taken_s:.1f} s", f"< {MOST_S:g} s", taken_s < MOST_S))
    case = home_case(folder, HOMES[0], "tou", days)
    forecasts = forecasts_for(case, ("plan_own",), MODELS)  # type: ignore[arg-type]
    policy: Any = policy_of("plan_own", case, forecasts)
    handed: list[Any] = []
    assembled = policy.planner._assembled

    def kept(*arguments: Any) -> Any:
        handed.append(assembled(*arguments))
        return handed[-1]

    policy.planner._assembled = kept
    run_policy(case, policy)
    policy = policy_of("plan_own", case, forecasts)
    begin = time.process_time()
    run_policy(case, policy)
    ours_s = time.process_time() - begin
    bare_s = bare_seconds(handed)
    windows = len(case.decisions)
    return [
        Aim(f"{windows:,} decisions over 36 h, the whole loop", f"{ours_s:.1f} s", f"< {MOST_S:g} s", ours_s < MOST_S),
        Aim("bare HiGHS, warm, on the same windows", f"{bare_s:.1f} s", "", True),
        Aim("the loop as a multiple of it", f"{ours_s / bare_s:.2f}", "", True),
        *hedged,
    ]


def bare_seconds(matrices: Sequence[Any]) -> float:
    """Return the CPU seconds of one HiGHS that keeps its basis over like matrices."""
    from ems.dispatch.solvers.highs import highs_lp, silent_highs

    highs = silent_highs()
    for name, value in {"threads": 1, "presolve": "off", "solver": "simplex"}.items():
        highs.setOptionValue(name, value)
    highs.passModel(highs_lp(matrices[0]))
    columns, rows = (np.arange(count, dtype=np.int32) for count in (matrices[0].columns, matrices[0].rows))
    begin = time.process_time()
    for matrix in matrices:
        highs.changeColsCost(len(columns), columns, matrix.cost)
        highs.changeColsBounds(len(columns), columns, matrix.lower, matrix.upper)
        highs.changeRowsBounds(len(rows), rows, matrix.row_lower, matrix.row_upper)
        highs.changeObjectiveOffset(matrix.offset)
        highs.run()
    return time.process_time() - begin


def as_markdown(table: pd.DataFrame) -> str:
    """Return a table as Markdown."""
    lines = ["| " + " | ".join(map(str, table.columns)) + " |", "|---" * len(table.columns) + "|"]
    for row in table.itertuples(index=False):
        lines.append("| " + " | ".join(f"{one:.3f}" if isinstance(one, float) else str(one) for one in row) + " |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return 1 where an aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=FOLDER, help="folder of the measured series")
    parser.add_argument("--homes", type=int, nargs="+", choices=HOMES, default=list(HOMES))
    parser.add_argument("--days", type=int, default=364)
    parser.add_argument("--tariffs", nargs="*", choices=TARIFFS, default=list(TARIFFS))
    parser.add_argument("--policies", nargs="+", default=list(POLICIES))
    parser.add_argument("--options", action="store_true", help="measure the options on the first home")
    parser.add_argument("--ledger", action="store_true", help="print the regret ledger of each case")
    parser.add_argument("--speed", action="store_true", help="measure a loop against bare HiGHS")
    parser.add_argument("--markdown", action="store_true", help="print the tables of docs/explanation/rolling.md")
    given = parser.parse_args(arguments)
    if not given.data.is_dir():
        print(f"no measured series in {given.data}; name their folder as --data")
        return 0
    rows, aims = [], []
    for tariff in given.tariffs:
        for home in given.homes:
            begin = time.process_time()
            row, held, ledger = measured(
                given.data, home, tariff, given.days, given.policies, with_ledger=given.ledger
            )
            rows.append(row)
            print(row, file=sys.stderr, flush=True)
            aims += held
            if ledger is not None:
                print(f"\nhome {home}, {tariff}: {ledger.verdict()}")
                columns = ["meaning", "part", "share"]
                print(as_markdown(ledger.parts[columns]) if given.markdown else ledger.parts[columns].to_string())
            print(f"home {home}, {tariff}: {time.process_time() - begin:.0f} s", file=sys.stderr, flush=True)
    if given.speed:
        aims += speed(given.data, given.days)
    for table in (pd.DataFrame(rows), options(given.data, given.homes[0], given.days) if given.options else None):
        if table is not None and len(table):
            print(as_markdown(table) if given.markdown else table.to_string(float_format="%.3f"))
    for aim in aims:
        print(f"{'holds ' if aim.holds else 'MISSED'}  {aim.what}: {aim.reached} ({aim.wanted})")
    return 0 if all(aim.holds for aim in aims) else 1


if __name__ == "__main__":
    sys.exit(main())
