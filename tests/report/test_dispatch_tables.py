"""The tables of a dispatch: figures with units and meanings, limits with worth, decisions with reasons."""

from __future__ import annotations

import math

import pandas as pd
from report_samples import HOSTILE, make_portfolio

from ems.report.dispatch_tables import (
    MOST_ROWS,
    show_differences,
    show_kpis,
    show_limits,
    show_reasons,
    show_wear,
)


def kpi(name: str, value: float, unit: str = "kWh", asset: str = "", reason: str = "") -> dict[str, object]:
    return {"kpi": name, "asset": asset, "value": value, "unit": unit, "meaning": "What it is.", "reason": reason}


def test_show_kpis__value_unit_meaning_and_name():
    rows = [
        kpi("imported_kwh", 1234.5678),
        kpi("self_consumption_share", 0.5, "1"),
        kpi("full_cycles", 1.25, "1", "battery"),
        kpi("soc_neutral_cost", 12345.6, "EUR"),
        kpi("stored_price_per_kwh", 0.21, "EUR/kWh"),
    ]
    table = show_kpis(pd.DataFrame(rows), make_portfolio())

    assert [list(row) for row in table.rows] == [
        ["imported", "", 1234.6, "kWh", "What it is."],
        ["self consumption share", "", 0.5, "", "What it is."],
        ["full cycles", "Harbour battery", 1.25, "", "What it is."],
        ["SOC-neutral cost", "", 12346, "EUR", "What it is."],
        ["stored price", "", 0.21, "EUR/kWh", "What it is."],
    ]
    assert table.caption == "5 figures"


def test_show_kpis__what_is_not_defined_says_why():
    rows = [kpi("import_load_factor", math.nan, "1", reason="nothing is imported")]

    assert list(show_kpis(pd.DataFrame(rows), make_portfolio()).rows[0])[2:] == [
        None,
        "",
        "Not defined here: nothing is imported.",
    ]


def test_show_kpis__many_rows_are_cut():
    table = show_kpis(pd.DataFrame([kpi("starts", 1.0, "1", f"g{n}") for n in range(1000)]), make_portfolio())

    assert len(table.rows) == MOST_ROWS
    assert table.caption == "The first 40 of 1,000 figures"


def test_show_limits__worth_with_its_unit():
    limits = pd.DataFrame(
        {
            "asset": ["grid", "office", "van", "battery"],
            "limit": ["max_import_kw", "thermal.comfort_min_degc", "sessions.energy_kwh", "target_soc"],
            "when": ["07:00-08:00", "09:00-10:00", "all day", "all day"],
            "worth": [0.123456789, 2.0, 1.0, 0.5],
            "unit": ["EUR/kW", "EUR/K", "EUR/kWh", "EUR/%"],
        }
    )

    table = show_limits(limits, make_portfolio(), most=1)

    assert [list(row) for row in table.rows] == [["Grid", "max import", "07:00-08:00", 0.12346, "EUR/kW"]]
    assert table.caption == "The first 1 of 4 limits"
    words = [row[1] for row in show_limits(limits, make_portfolio()).rows]
    assert words[1:] == ["lowest comfortable temperature", "energy wanted at departure", "target SOC"]


def test_show_limits__none():
    assert show_limits(pd.DataFrame(), make_portfolio()).caption == "No limit binds"


def test_show_reasons__sentence_and_price_of_another_decision():
    reasons = pd.DataFrame(
        {"asset": ["battery"] * 2, "sentence": ["charges", "rests"], "flip_price_per_kwh": [0.2, math.nan]}
    )

    table = show_reasons(reasons, make_portfolio())

    assert [list(row) for row in table.rows] == [
        ["Harbour battery", "charges", 0.2],
        ["Harbour battery", "rests", None],
    ]
    assert table.columns == ("of", "reason", "other at (EUR/kWh)")
    assert show_reasons(pd.DataFrame(), make_portfolio()).caption == "No battery decides anything"


def test_tables__escape_names():
    for name in HOSTILE:
        frame = pd.DataFrame([kpi("starts", 1.0, "1", "battery")])
        html = show_kpis(frame, make_portfolio(battery_name=name))._repr_html_()
        assert "<script" not in html
        assert "<img" not in html


def test_show_differences__plan_bill_and_cause():
    differences = pd.DataFrame(
        {
            "objective": [10.0, 10.0],
            "settled_bill": [10.5, 10.5],
            "difference": [0.5, 0.5],
            "cause": ["tiers by mean", "tiers by mean"],
        },
        index=["import_cost", "total"],
    )
    table = show_differences(differences, "EUR")
    assert table.columns[1:4] == ("plan (EUR)", "bill (EUR)", "difference (EUR)")
    assert [row[0] for row in table.rows] == ["import cost", "total"]
    assert table.rows[0][1:] == [10.0, 10.5, 0.5, "tiers by mean"]


def test_show_wear__costs_and_what_is_not_known():
    row = {"asset": "battery", "full_cycles": 1.5, "cycle_cost": 12.0, "age_cost": math.nan, "planned_cost": 5.0}
    table = show_wear(pd.DataFrame([{**row, "reason": "without calendar_life_a"}]), make_portfolio(), "EUR")
    assert table.columns[2:5] == ("cycles (EUR)", "age (EUR)", "planned (EUR)")
    assert table.rows[0][1:3] == [1.5, 12.0]
    assert table.rows[0][3] is None
    assert table.rows[0][5] == "without calendar_life_a"
    assert show_wear(pd.DataFrame([], columns=[*row, "reason"]), make_portfolio(), "EUR").rows == []
