"""Tables: escaped, aligned, with units."""

from __future__ import annotations

import datetime as dt
import math

import pytest
from report_samples import HOSTILE, make_costs, make_portfolio

from ems.report.tables import (
    Table,
    show_assets,
    show_costs,
    show_facts,
    show_parameters,
    shown_duration,
    shown_money,
    shown_number,
)


@pytest.mark.parametrize("text", HOSTILE)
def test_table__escapes_each_place(text: str):
    html = Table((text, "n"), [(text, text)], text)._repr_html_()

    assert "<script" not in html
    assert "<img" not in html
    assert html.count("<") == html.count(">") == 2 * (1 + 1 + 1 + 1 + 2 + 1 + 1 + 2)  # opened and closed marks only


def test_table__aligns_numbers_with_separators():
    html = Table(("what", "kWh"), [("a", 1234567.5), ("b", None)])._repr_html_()

    assert '<td class="number" style="text-align: right">1,234,568</td>' in html
    assert ">–</td>" in html


def test_table__as_plain_text():
    table = Table(("what", "cost (EUR)"), [("import", 1234.5), ("wear", 1)], "Costs", decimals={"cost (EUR)": 2})

    assert repr(table).splitlines() == ["Costs", "what    cost (EUR)", "import    1,234.50", "wear          1.00"]


def test_show_assets__fields_have_units():
    text = repr(show_assets(make_portfolio()))

    assert "capacity 100 kWh, max charge 50 kW, max discharge 50 kW, min soc 0.1, max soc 0.9" in text
    assert "export enabled: yes" in text


def test_show_costs__last_row_is_the_total():
    """95 - 6 + 1 = 90 and 100 - 1 = 99."""
    table = show_costs(make_costs(), "EUR")

    assert table.columns == ["cost", "with battery (EUR)", "without battery (EUR)"]
    assert list(table.rows[-1]) == ["total", 90.0, 99.0]
    assert "<tfoot>\n<tr><th" in table._repr_html_()


def test_show_parameters__keeps_the_columns():
    table = show_parameters([{"field": "horizon_h", "value": "24", "unit": "h", "meaning": "Length."}])

    assert list(table.rows[0]) == ["horizon_h", "24", "h", "Length."]


def test_show_facts__label_and_text():
    assert "optimal" in show_facts({"status": "optimal", "gap": 0.0})._repr_html_()


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (0.0, None, "0"),
        (-0.0, 2, "0.00"),
        (12, None, "12"),
        (123456.789, None, "123,457"),
        (0.12, None, "0.12"),
        (1234.5, 2, "1,234.50"),
        (math.nan, 2, "–"),
        (None, None, "–"),
        (math.inf, None, "∞"),
    ],
)
def test_shown_number__as_people_write(value: float | None, decimals: int | None, text: str):
    assert shown_number(value, decimals) == text


def test_shown_money__with_currency():
    assert shown_money(-1234.5, "EUR") == "-1,234.50 EUR"
    assert shown_money(None, "EUR") == "–"


@pytest.mark.parametrize(
    ("seconds", "text"), [(4.2, "4.2 s"), (59.97, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")]
)
def test_shown_duration__in_fitting_units(seconds: float, text: str):
    start = dt.datetime(2024, 6, 1, tzinfo=dt.UTC)

    assert shown_duration(start, start + dt.timedelta(seconds=seconds)) == text
