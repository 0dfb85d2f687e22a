"""Figures and tables of tariffs: titles, alternative texts, sums, and what stands where nothing is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ems.report.tariff_figures import plot_cash_flows, plot_charges, plot_months, plot_price_tables
from ems.report.tariff_tables import show_descriptions, show_finance, show_invoice, show_ranking
from ems.settlement.investment import Investment, finance_of


def table(price: float) -> pd.DataFrame:
    return pd.DataFrame(np.full((12, 24), price), index=range(1, 13), columns=range(24))


def ranking(**fields: object) -> pd.DataFrame:
    one = {
        "name": "Flat",
        "cost": 60.0,
        "cost_per_kwh": 0.25,
        "saving": np.nan,
        "cost_without_battery": 60.0,
        "battery_saving": 0.0,
        "is_present": False,
    }
    return pd.DataFrame([{**one, **fields}], index=pd.Index(["flat"], name="tariff"))


def test_plot_price_tables__says_each_range():
    two = table(0.10)
    two.loc[:, 12:] = 0.30

    figure = plot_price_tables({"Flat": table(0.25), "Two <b>prices</b>": two}, "EUR")

    assert "Flat 0.25 EUR/kWh; Two <b>prices</b> 0.1 to 0.3 EUR/kWh" in figure.alt
    drawn = figure.as_svg()
    assert "Two &lt;b&gt;prices" in drawn
    assert drawn.count("<path") < 400  # neighbours of one price are one cell


def test_plot_price_tables__of_a_month_has_holes():
    june = table(np.nan)
    june.loc[6] = 0.2

    assert "Flat 0.2 EUR/kWh" in plot_price_tables({"Flat": june}, "EUR").alt
    assert plot_price_tables({"Flat": table(np.nan)}, "EUR").alt == "No tariff has a price."


def test_plot_charges__title_tells_the_difference():
    charges = pd.DataFrame({"Low": [50.0, -2.0], "High": [60.0, -2.0]}, index=["import_cost", "export_revenue"])

    figure = plot_charges(charges, "EUR")

    assert figure.alt == "Cost of each tariff by charge: Low 48.00 EUR; High 58.00 EUR."
    assert "Low costs 10 EUR less than High" in figure.as_svg()
    assert plot_charges(charges[["Low"]], "EUR").axes[0].get_title(loc="left") == "Low costs 48 EUR"
    assert plot_charges(pd.DataFrame(), "EUR").alt == "No tariff was billed."


def test_plot_months__writes_each_number():
    months = pd.DataFrame({"Flat": [60.0, 1234.0]}, index=["2024-12", "2025-01"])

    figure = plot_months(months, "EUR")

    assert "Flat 60 to 1,230" in figure.alt
    drawn = figure.as_svg()
    assert "1,234" in drawn
    assert "12/2024" in drawn
    assert "1/2025" in drawn
    assert plot_months(pd.DataFrame(), "EUR").alt == "No month was billed."


def test_plot_cash_flows__title_names_the_best():
    finance = {
        name: finance_of(Investment(capital_cost=100, life_a=2, discount_share_per_a=0), saving)
        for name, saving in (("Flat", 60.0), ("Two", 40.0))
    }

    figure = plot_cash_flows({name: one.cash_flows for name, one in finance.items()}, "EUR")

    assert "Flat ends at 20.00 EUR; Two ends at -20.00 EUR" in figure.alt
    assert plot_cash_flows({}, "EUR").alt == "No investment is looked at."


def test_show_ranking__shows_columns_that_say_something():
    plain = repr(show_ranking(ranking(), "EUR"))
    full = repr(show_ranking(ranking(saving=12.0, battery_saving=6.0, is_present=True), "EUR"))

    assert "battery" not in plain
    assert "saving" not in plain
    assert "Flat (present)" in full
    assert "battery saves (EUR)" in full


def test_show_invoice__has_the_sum():
    lines = pd.DataFrame(
        [
            ("2024-06", "import_cost", "peak", 100.0, "kWh", 0.25, 25.0),
            ("2024-06", "tax_cost", "VAT", 25.0, "money", 0.2, 5.0),
        ],
        columns=["month", "cost_type", "charge", "quantity", "unit", "rate", "cost"],
    )

    shown = show_invoice(lines, "EUR", "Flat")

    assert shown.caption == "Bill of Flat"
    assert shown.rows[-1][-1] == pytest.approx(30)
    assert shown.rows[1][4] == "EUR"


def test_show_finance__gives_reasons_in_place_of_figures():
    finance = {"flat": finance_of(Investment(capital_cost=100, life_a=2, discount_share_per_a=0), -1)}

    shown = repr(show_finance(finance, {"flat": "Flat"}, "EUR"))

    assert "none: nothing is earned" in shown
    assert "none: it is not paid back within 2 years" in shown
    assert show_finance({}, {}, "EUR").caption == "No battery whose price is known"


def test_show_descriptions__joins_sentences():
    assert show_descriptions({"Flat": ("One.", "Two.")}).rows == [("Flat", "One. Two.")]
