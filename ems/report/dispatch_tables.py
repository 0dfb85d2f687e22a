"""The tables of a dispatch: its figures, the limits that cost money, and the reasons of each decision."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ems.display import field_words
from ems.report.tables import MONEY_DECIMALS, Table, cost_words

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 40
"""Rows of a table of figures; a person reads no more of them."""

LIMIT_WORDS = {
    "sessions.energy_kwh": "energy wanted at departure",
    "sessions.battery_capacity_kwh": "capacity of the vehicle",
    "soc_targets.soc": "SOC at a moment",
    "charge_taper.share": "charge taper",
    "discharge_taper.share": "discharge taper",
    "thermal.max_power_kw": "max heating or cooling power",
    "thermal.comfort_min_degc": "lowest comfortable temperature",
    "thermal.comfort_max_degc": "highest comfortable temperature",
}
"""What people call the limits whose names do not say it without their record."""


def show_kpis(kpis: pd.DataFrame, portfolio: Any) -> Table:
    """Return a table of figures with units and meanings; where one is not defined, the reason.

    Parameters
    ----------
    kpis : DataFrame
        Columns ``kpi``, ``asset`` (empty for a figure of all), ``value``, ``unit``, ``meaning``, ``reason``.
    portfolio : Portfolio
    """
    names = _names(portfolio)
    rows: list[tuple[object, ...]] = []
    for kpi in kpis.to_dict("records"):
        is_known = not math.isnan(kpi["value"])
        meaning = kpi["meaning"] if is_known else f"Not defined here: {kpi['reason']}."
        value, unit = _amount(kpi["value"]), "" if kpi["unit"] == "1" else kpi["unit"]
        rows.append(
            (
                field_words(kpi["kpi"]).replace("soc neutral", "SOC-neutral"),
                names.get(kpi["asset"], kpi["asset"]),
                value,
                unit,
                meaning,
            )
        )
    return Table(("figure", "of", "value", "unit", "meaning"), *_first(rows, "figures"))


def show_differences(differences: pd.DataFrame, currency: str) -> Table:
    """Return a table of what the plan and the bill say of each type of cost, and why they differ where they do.

    Parameters
    ----------
    differences : DataFrame (cost type)
        Columns ``objective``, ``settled_bill``, ``difference``, ``cause``; the total stands in the last row.
    currency : str
        ISO 4217 code.
    """
    columns = ("cost", f"plan ({currency})", f"bill ({currency})", f"difference ({currency})", "cause")
    rows = [
        [cost_words(name), row["objective"], row["settled_bill"], row["difference"], row["cause"]]
        for name, row in zip(differences.index, differences.to_dict("records"), strict=True)
    ]
    decimals = {**dict.fromkeys(columns[1:3], MONEY_DECIMALS), columns[3]: 6}
    return Table(columns, rows, "Plan and settled bill", decimals=decimals, has_total=True)


def show_wear(wear: pd.DataFrame, portfolio: Any, currency: str) -> Table:
    """Return a table of the wear of each battery, by its cycles and by age, beside what the plan was charged for it.

    Parameters
    ----------
    wear : DataFrame
        Columns ``asset``, ``full_cycles``, ``cycle_cost``, ``age_cost``, ``planned_cost``, ``reason``.
    portfolio : Portfolio
    currency : str
        ISO 4217 code.
    """
    names = _names(portfolio)
    columns = (
        "battery",
        "full cycles",
        *(f"{what} ({currency})" for what in ("cycles", "age", "planned")),
        "not known",
    )
    rows = [
        [
            names.get(row["asset"], row["asset"]),
            *(_amount(row[name]) for name in ("full_cycles", "cycle_cost", "age_cost", "planned_cost")),
            row["reason"],
        ]
        for row in wear.to_dict("records")
    ]
    return Table(columns, rows, "Wear of batteries" if rows else "No battery wears here")


def show_limits(limits: pd.DataFrame, portfolio: Any, most: int = 12) -> Table:
    """Return a table of the limits that cost money, the dearest first.

    Parameters
    ----------
    limits : DataFrame
        Columns ``asset``, ``limit`` (a field, or a part after its record), ``when`` in local words, ``worth`` of one
        more unit and its ``unit``.
    portfolio : Portfolio
    most : int
        Rows at the most; the caption says how many there are.
    """
    names = _names(portfolio)
    rows: list[tuple[object, ...]] = [
        (
            names.get(row["asset"], row["asset"]),
            LIMIT_WORDS.get(row["limit"]) or field_words(row["limit"]).replace(" soc", " SOC"),
            row["when"],
            _amount(row["worth"]),
            row["unit"],
        )
        for row in limits.head(most + 1).to_dict("records")
    ]
    shown, caption = _first(rows, "limits", most, len(limits))
    return Table(("of", "limit", "when", "worth of one more", "unit"), shown, caption if rows else "No limit binds")


def show_reasons(reasons: pd.DataFrame, portfolio: Any) -> Table:
    """Return a table of decisions of batteries, each with its reason and the price at which it would be another.

    Parameters
    ----------
    reasons : DataFrame
        Columns ``asset``, ``sentence`` and ``flip_price_per_kwh``, NaN where no price changes it; without rows where
        nothing is decided.
    portfolio : Portfolio
    """
    names = _names(portfolio)
    rows = [
        (names.get(row["asset"], row["asset"]), row["sentence"], _amount(row["flip_price_per_kwh"]))
        for row in reasons.to_dict("records")
    ]
    caption = f"The first {len(rows)} decisions" if rows else "No battery decides anything"
    return Table(("of", "reason", f"other at ({portfolio.currency}/kWh)"), rows, caption)


def _names(portfolio: Any) -> dict[str, str]:
    """Return what people call each site, group and asset; an asset's name wins."""
    records = (*portfolio.reserves, *portfolio.sites, *portfolio.groups, *portfolio.assets)
    return {record.id: getattr(record, "name", record.id) for record in records}


def _first(
    rows: list[tuple[object, ...]], what: str, most: int = MOST_ROWS, count: int | None = None
) -> tuple[list[tuple[object, ...]], str]:
    """Return the first rows, and a caption that says how many there are."""
    count = len(rows) if count is None else count
    if count <= most:
        return rows, f"{count} {what}"
    return rows[:most], f"The first {most} of {count:,} {what}"


def _amount(value: float) -> float | None:
    """Return a number with at most four significant digits after the point, or none where it is not known."""
    return None if math.isnan(value) else float(f"{value:.5g}") if abs(value) < 1e4 else round(value)
