"""Tables of rolling plans: policies side by side, and the regret ledger."""

from __future__ import annotations

import math
from typing import Any

from ems.display import shown_number
from ems.report.tables import Table

WORDS = {
    "no_control": "no control",
    "self_consumption": "rule: self-consumption",
    "time_of_use": "rule: time of use",
    "plan_naive": "plan, naive forecasts",
    "plan_own": "plan, own forecasts",
    "stochastic": "stochastic plan",
    "hedged": "hedged plan",
    "plan_perfect": "plan, perfect forecasts",
    "perfect_foresight": "perfect foresight",
}
"""What each policy is called."""


def show_policies(summary: Any, currency: str) -> Table:
    """Return a table of policies: cost, saving, gap closed, energy, peak, throughput, flips, windows that failed.

    Parameters
    ----------
    summary : DataFrame (policy)
    currency : str
        ISO 4217 code.
    """
    columns = (
        "policy",
        f"cost ({currency})",
        f"saving ({currency})",
        "gap closed (%)",
        "bought (kWh)",
        "sold (kWh)",
        "highest import (kW)",
        "discharged (kWh)",
        "flips a plan",
        "failed windows",
    )
    rows = []
    for policy, row in summary.iterrows():
        closed = 100 * row["gap_closed"]
        numbers = [row["cost"], row["saving"], closed, row["import_kwh"], row["export_kwh"], row["peak_import_kw"]]
        shown = [shown_number(_known(value), 2) for value in numbers]
        shown += [shown_number(_known(row[name]), 2) for name in ("discharged_kwh", "flips_per_plan")]
        rows.append((WORDS.get(str(policy), str(policy)), *shown, shown_number(_known(row["failed_windows"]), 0)))
    return Table(columns, rows, f"{len(rows)} policies on the same truth")


def show_ledger(ledger: Any) -> Table:
    """Return the regret ledger as a table, its sum in the last row; a dash where there was nothing to replace.

    Parameters
    ----------
    ledger : RegretLedger or None
    """
    if ledger is None:
        return Table(("cause", "part"), [], "No ledger: it needs the policies plan_own and perfect_foresight")
    rows = [
        (row["meaning"], shown_number(row["part"] if row["is_replaced"] else None, 2), f"{row['share']:.2%}")
        for _, row in ledger.parts.iterrows()
    ]
    rows.append(("all", shown_number(ledger.total, 2), f"{ledger.parts['share'].sum():.2%}"))
    columns = ("cause", f"part ({ledger.currency})", "share of the cost")
    return Table(columns, rows, "What the plan on own forecasts costs above perfect foresight")


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def show_days(days: Any, currency: str) -> Table:
    """Return the days on which a plan cost most above perfect foresight, as a table.

    Parameters
    ----------
    days : DataFrame (date)
        ``cost``, ``optimal_cost``, ``regret``.
    currency : str
    """
    columns = ("day", f"cost ({currency})", f"perfect foresight ({currency})", f"difference ({currency})")
    if days.empty:
        return Table(columns, [], "No days: they need the policies plan_own and perfect_foresight")
    names = ("cost", "optimal_cost", "regret")
    rows = [
        (f"{day:%a %d %b %Y}", *(shown_number(float(row[name]), 2) for name in names)) for day, row in days.iterrows()
    ]
    return Table(columns, rows, "The worst days, without charges of whole months")
